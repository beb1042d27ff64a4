"""The error of a fit when votes of one prompt, rater or session lean on each other: the clustered sandwich.

    Cov(β) = A⁻¹ M A⁻¹,        M = c/(c−1) · Σ_g S_g S_gᵀ,        S_g = Σ_{i∈g} w_i ∂ℓ_i/∂β
    two ways:  M = M₁ + M₂ − M₁₂, made positive semi-definite;      df = c − 1, of the fewer clusters

S is never written down whole: rows are ordered by cluster (a counting sort) and their scores summed in blocks, dense
or sparse, whichever costs less. Memory is a few bytes a row, time linear in rows.

Limits: no cluster column is one unit for each battle (Huber-White), where count c adds c units; one cluster gives NaN.
Sources: Huber (1967); Liang, Zeger (1986), Eq. 13; Cameron, Gelbach, Miller (2011), Eq. 2.11 (two ways).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..._typing import BoolArray, FloatArray, IntArray
from ..cluster import group_sums
from .algebra import gram, pull
from .newton import Fit
from .votes import Votes

BLOCK = 1 << 17  # rows whose scores are held at once
VANISHED = 1e-9  # share of the model's own variance below which a sandwich has seen nothing
DENSE = 0.08  # cost of one dense multiplication in units of a sparse one


@dataclass(frozen=True, slots=True, eq=False)
class Meat:
    """Σ_g S_g S_gᵀ with its small-sample factor, and how many units it came from.

    Arguments:
        matrix: [q, q].
        units: independent units; two ways, of the way that has fewer.
    """

    matrix: FloatArray
    units: int


def covariance(fit: Fit, cluster: IntArray) -> tuple[FloatArray, int]:
    """[q, q] sandwich covariance of β, and the independent units behind it.

    Arguments:
        fit: a fit whose votes were collected from the table the clusters are of.
        cluster: [n, c] codes of the independent units, c = 0, 1 or 2; as of `Comparisons`.
    """
    found, A = meat(fit, cluster), bread(fit)
    return np.asarray(A @ found.matrix @ A), found.units


def bread(fit: Fit) -> FloatArray:
    """[q, q] A⁻¹ with rows and columns of 0 for what the votes do not identify (a policy without a rating)."""
    return np.nan_to_num(fit.inverse)


def without_spread(fit: Fit, covariance: FloatArray) -> BoolArray:
    """[q] parameters whose variance vanishes beside what independent votes would give: the clusters show no spread."""
    if not fit.converged:
        return np.zeros(fit.beta.size, dtype=bool)
    rated = np.append(fit.keep, np.ones(fit.beta.size - fit.keep.size, dtype=bool))
    with np.errstate(invalid="ignore"):
        return np.asarray(rated & (np.diagonal(covariance) < VANISHED * np.diagonal(fit.inverse)))


def meat(fit: Fit, cluster: IntArray) -> Meat:
    """The meat of a fit's own scores, clustered in none, one or two ways."""
    r, s = fit.score()
    return of_scores(fit.votes, r, s if fit.has_tie else None, cluster)


def of_scores(votes: Votes, r: FloatArray, s: FloatArray | None, cluster: IntArray) -> Meat:
    """The meat of any scores of the form w_i (r_i x_i, s_i): one number along x and one for the tie.

    Arguments:
        votes: the rows' cells and weights.
        r: [U] of each cell, or [n] of each row; the row's weight multiplies it.
        s: the same for the tie; None when there is no tie parameter.
        cluster: [n, c] codes of the independent units, c = 0, 1 or 2.
    """
    if cluster.shape[1] == 0:
        return _by_vote(votes, r, s)
    ways = [_one_way(votes, r, s, column) for column in cluster.T]
    if len(ways) == 1:
        return ways[0]
    both = _one_way(votes, r, s, _crossed(cluster[:, 0], cluster[:, 1]))
    return Meat(positive(ways[0].matrix + ways[1].matrix - both.matrix), min(way.units for way in ways))


def positive(matrix: FloatArray) -> FloatArray:
    """The nearest positive semi-definite matrix: negative eigenvalues become 0.

    >>> positive(np.diag([2.0, -1.0])).tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def cluster_scores(
    votes: Votes, r: FloatArray, s: FloatArray | None, cluster: IntArray, *, clusters: int | None = None
) -> sparse.csr_array:
    """[G, q] sparse table of S_g, the summed scores of each cluster, when a method needs them all at once.

    Arguments:
        votes, r, s: as of `of_scores`.
        cluster: [n] codes of the independent units.
        clusters: G; the highest code + 1 by default.
    """
    G = int(cluster.max(initial=-1)) + 1 if clusters is None else clusters
    order = np.flatnonzero(active(votes))
    return _table(votes, r, s, order, cluster[order], G)


def active(votes: Votes) -> BoolArray:
    """[n] whether a row adds anything."""
    on = votes.mass > 0
    rows = on if votes.code is None else on[votes.code] & (votes.code >= 0)
    return rows if votes.weight is None else rows & (votes.weight > 0)


def _by_vote(votes: Votes, r: FloatArray, s: FloatArray | None) -> Meat:
    """Each battle a unit of its own: sums over cells where scores are of cells, over rows otherwise."""
    units = round(float(votes.battles.sum()))
    edge, square = votes.edge, votes.square
    if r.size != votes.y.size and votes.code is not None:  # scores of rows
        rows = np.flatnonzero(active(votes))
        edge, r, s = votes.edge[votes.code[rows]], r[rows], None if s is None else s[rows]
        square = np.ones(rows.size) if votes.weight is None else votes.weight[rows] ** 2
    E = votes.left.size
    tie = s is not None
    M = np.zeros((votes.width + tie,) * 2)
    M[: votes.width, : votes.width] = gram(votes, group_sums(edge, square * r * r, E))
    if s is not None:
        M[-1, :-1] = M[:-1, -1] = pull(votes, group_sums(edge, square * r * s, E))
        M[-1, -1] = (square * s * s).sum()
    return _corrected(M, units)


def _one_way(votes: Votes, r: FloatArray, s: FloatArray | None, cluster: IntArray) -> Meat:
    """Σ_g S_g S_gᵀ over the clusters that have a vote."""
    q = votes.width + (s is not None)
    rows = active(votes)
    size = np.bincount(cluster[rows] if not rows.all() else cluster)
    units = int(np.count_nonzero(size))
    M = np.zeros((q, q))
    for order, start, stop in _blocks(cluster, rows, size):
        table = _table(votes, r, s, order, cluster[order] - start, stop - start)
        dense = (stop - start) * q * q * DENSE < float((np.diff(table.indptr).astype(float) ** 2).sum())
        if dense:
            block = table.toarray()
            M += block.T @ block
        else:
            M += (table.T @ table).toarray()
    return _corrected(M, units)


def _corrected(M: FloatArray, units: int) -> Meat:
    """With the factor c/(c−1); NaN for fewer than two units."""
    return Meat(M * (units / (units - 1)) if units > 1 else np.full(M.shape, np.nan), units)


def _blocks(cluster: IntArray, rows: BoolArray, size: IntArray) -> Iterator[tuple[IntArray, int, int]]:
    """Rows in order of cluster, cut between clusters: (row numbers, first cluster, last cluster + 1)."""
    n, G = cluster.size, size.size
    place = (cluster.astype(np.int32), np.arange(n, dtype=np.int32))
    table = sparse.csr_array((np.ones(n, dtype=np.int8), place), shape=(int(cluster.max(initial=0)) + 1, n))
    order: Any = table.indices  # int32: half the memory
    if not rows.all():
        order = order[rows[order]]
    end = np.cumsum(size)
    start = 0
    while start < G:
        before = int(end[start - 1]) if start else 0
        stop = max(int(np.searchsorted(end, before + BLOCK, side="right")), start + 1)
        stop = min(stop, G)
        yield order[before : int(end[stop - 1])], start, stop
        start = stop


def _table(
    votes: Votes, r: FloatArray, s: FloatArray | None, order: IntArray, cluster: IntArray, G: int
) -> sparse.csr_array:
    """[G, q] summed scores of the rows in `order`."""
    cell = order if votes.code is None else votes.code[order]
    of_rows = r.size != votes.y.size
    at = order if of_rows else cell
    weight = 1.0 if votes.weight is None else votes.weight[order]
    edge, own = votes.edge[cell], r[at] * weight
    row = cluster.astype(np.int32)
    parts = [(votes.left[edge], own), (votes.right[edge], -own)]
    parts += [(np.full(edge.size, votes.k + j), own * votes.z[edge, j]) for j in range(votes.z.shape[1])]
    if votes.lanes:
        parts.append((votes.k + votes.z.shape[1] + votes.lane[edge], own * votes.sign[edge]))
    if s is not None:
        parts.append((np.full(edge.size, votes.width), s[at] * weight))
    column = np.concatenate([column.astype(np.int32) for column, _ in parts])
    value = np.concatenate([value for _, value in parts])
    shape = (G, votes.width + (s is not None))
    return sparse.coo_array((value, (np.tile(row, len(parts)), column)), shape=shape).tocsr()


def _crossed(one: IntArray, other: IntArray) -> IntArray:
    """[n] codes of the pairs of clusters that occur."""
    return np.unique(one * (int(other.max(initial=0)) + 1) + other, return_inverse=True)[1]
