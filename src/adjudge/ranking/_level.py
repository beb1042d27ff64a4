"""Policies that answered different tasks, put on one level: policy effects beside task effects, by least squares.

    x_pi = α_p + β_i + e_pi,      θ_p = α_p + Σ_i v_i β_i / Σ_i v_i
    L α = Σ_i w_pi (x_pi − x̄_i),   L = diag(Σ_i w_pi) − Σ_i w_pi w_qi / w_i     (tasks projected out)

Errors by cluster of tasks hold both the residuals and which tasks were drawn. Yates (1933); Liang, Zeger (1986).
Limit: a full table gives the plain means and their errors exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..stats.cluster import group_sums
from ..stats.design import effective_clusters


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows that count; r rows.

    Arguments:
        policy, item, cluster: [r] codes; items without gaps.
        score: [r] finite.
        mass: [r] > 0; sums to v_i over the rows of one policy on task i.
    """

    policy: IntArray
    item: IntArray
    cluster: IntArray
    score: FloatArray
    mass: FloatArray

    def take(self, keep: BoolArray) -> Rows:
        """Some of the rows."""
        return Rows(self.policy[keep], self.item[keep], self.cluster[keep], self.score[keep], self.mass[keep])


def cluster_count(rows: Rows, k: int) -> FloatArray:
    """[k] Kish's number of clusters behind each policy."""
    clusters = int(rows.cluster.max(initial=0)) + 1
    mass = group_sums(rows.policy * clusters + rows.cluster, rows.mass, k * clusters)
    seen = np.flatnonzero(mass)
    return effective_clusters(seen // clusters, mass[seen], k)


def connected(has: BoolArray) -> BoolArray:
    """[k] whether the policy belongs to the largest set that tasks link together."""
    table = sparse.csr_array(has.astype(float))
    part = sparse.csgraph.connected_components(table @ table.T, directed=False)[1]
    size = np.bincount(part[has.any(axis=1)], minlength=int(part.max(initial=0)) + 1)
    return np.asarray((part == np.argmax(size)) & has.any(axis=1))


def additive(names: tuple[str, ...], rows: Rows) -> Estimate:
    """Policy effects at the mean task effect, with the sandwich by cluster of tasks."""
    k, items, clusters = len(names), int(rows.item.max()) + 1, int(rows.cluster.max()) + 1
    played = np.bincount(rows.policy, minlength=k) > 0
    W = sparse.csr_array((rows.mass, (rows.policy, rows.item)), shape=(k, items))
    column: FloatArray = np.asarray(W.sum(axis=0))
    used = column > 0
    v = np.where(used, column / np.maximum(np.bincount(W.tocoo().col, minlength=items), 1), 0.0)
    share = W @ sparse.diags_array(np.divide(1.0, column, out=np.zeros(items), where=used))
    laplacian = np.diag(W.sum(axis=1)) - (share @ W.T).toarray()
    inverse = np.linalg.pinv(laplacian, hermitian=True)
    right = group_sums(rows.policy, rows.mass * rows.score, k)
    right = right - share @ group_sums(rows.item, rows.mass * rows.score, items)
    alpha = inverse @ right
    rest = group_sums(rows.item, rows.mass * (rows.score - alpha[rows.policy]), items)
    beta = np.divide(rest, column, out=np.zeros(items), where=used)
    level = float(v @ beta / v.sum())
    residual = rows.score - alpha[rows.policy] - beta[rows.item]
    score = group_sums(rows.cluster * k + rows.policy, rows.mass * residual, clusters * k).reshape(clusters, k)
    spare = (v * (beta - level))[rows.item] * rows.mass / column[rows.item] / v.sum()
    lean = np.eye(k) - (share @ v / v.sum())[None, :]  # how the level moves with the policy effects
    psi = score @ inverse.T @ lean.T + group_sums(rows.cluster, spare, clusters)[:, None]
    units = int(np.unique(rows.cluster).size)
    spread = psi.T @ psi * (units / (units - 1)) if units > 1 else np.full((k, k), np.nan)
    spread[~played, :] = spread[:, ~played] = np.nan
    df = np.maximum(cluster_count(rows, k) - 1, 0.0)
    return Estimate(names, np.where(played, alpha + level, np.nan), (Part("sampling", spread, units),), df)
