"""The error of a fit when votes of one prompt, rater or session lean on each other: the clustered sandwich.

    Cov(β) = A⁻¹ M A⁻¹,        M = (c−1)/c · Σ_g S̃_g S̃_gᵀ,        S_g = Σ_{i∈g} w_i ∂ℓ_i/∂β
    two ways:  M = M₁ + M₂ − M₁₂, made positive semi-definite
    df_p = min(clusters that saw p, (Σ_g n_g)²/Σ_g n_g²) − 1;          two ways: the smaller

S̃ is the score that a cluster would have had outside the fit (`leverage`); with many clusters it is S, and without that
correction the factor is c/(c−1). Degrees of freedom count equally large clusters (Kish): a few large ones tell less
than their number says. S is never written down whole: rows are ordered by cluster (a counting sort) and their scores
summed in blocks, dense or sparse, whichever costs less. Memory is a few bytes a row, time linear in rows.

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
from .leverage import large, left_out
from .newton import Fit
from .votes import Votes

BLOCK = 1 << 17  # rows whose scores are held at once
SLOTS = 1 << 20  # pairs of a cluster and an edge that may be summed in a table
VANISHED = 1e-9  # share of the model's own variance below which a sandwich has seen nothing
DENSE = 4.0  # entries of a dense S for each summand, up to which it is the cheaper one

Parts = list[tuple[IntArray, FloatArray]]


@dataclass(frozen=True, slots=True, eq=False)
class Meat:
    """Σ_g S_g S_gᵀ with its small-sample factor, and what it rests on.

    Arguments:
        matrix: [q, q].
        units: independent units; two ways, of the way that has fewer.
        seen: [q] units that say anything about each parameter.
        even: equally large units that would tell as much, (Σn)²/Σn² by Kish.
    """

    matrix: FloatArray
    units: int
    seen: FloatArray
    even: float

    @property
    def df(self) -> FloatArray:
        """[q] degrees of freedom of each parameter's standard error: the fewer of both counts, less one."""
        return np.maximum(np.minimum(self.seen, self.even) - 1.0, 0.0)


def covariance(fit: Fit, cluster: IntArray) -> tuple[FloatArray, int]:
    """[q, q] sandwich covariance of β, and the independent units behind it.

    Arguments:
        fit: a fit whose votes were collected from the table the clusters are of.
        cluster: [n, c] codes of the independent units, c = 0, 1 or 2; as of `Comparisons`.
    """
    found = meat(fit, cluster)
    return around(fit, found), found.units


def around(fit: Fit, found: Meat) -> FloatArray:
    """[q, q] A⁻¹ M A⁻¹."""
    A = bread(fit)
    return np.asarray(A @ found.matrix @ A)


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


def meat(fit: Fit, cluster: IntArray, *, correct: bool = True) -> Meat:
    """The meat of a fit's own scores, clustered in none, one or two ways.

    Arguments:
        fit: the fit.
        cluster: [n, c] codes of the independent units.
        correct: whether large clusters count as if they had been left out of the fit (`leverage`).
    """
    r, s = fit.score()
    return of_scores(fit.votes, r, s if fit.has_tie else None, cluster, fit=fit if correct and fit.converged else None)


def of_scores(votes: Votes, r: FloatArray, s: FloatArray | None, cluster: IntArray, *, fit: Fit | None = None) -> Meat:
    """The meat of any scores of the form w_i (r_i x_i, s_i): one number along x and one for the tie.

    Arguments:
        votes: the rows' cells and weights.
        r: [U] of each cell, or [n] of each row; the row's weight multiplies it.
        s: the same for the tie; None when there is no tie parameter.
        cluster: [n, c] codes of the independent units, c = 0, 1 or 2.
        fit: whose scores they are, when large clusters shall count as if left out of it.
    """
    if cluster.shape[1] == 0:
        return _by_vote(votes, r, s)
    ways = [_one_way(votes, r, s, column, fit) for column in cluster.T]
    if len(ways) == 1:
        return ways[0]
    both = _one_way(votes, r, s, _crossed(cluster[:, 0], cluster[:, 1]), fit)
    return Meat(
        positive(ways[0].matrix + ways[1].matrix - both.matrix),
        min(way.units for way in ways),
        np.minimum(ways[0].seen, ways[1].seen),
        min(way.even for way in ways),
    )


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
    """[G, q] sparse table of S_g, when a method needs all at once; `cluster` [n], the rest as of `of_scores`."""
    G = int(cluster.max(initial=-1)) + 1 if clusters is None else clusters
    order = np.flatnonzero(active(votes))
    columns, values = zip(*_parts(votes, r, s, order), strict=True)
    place = (np.tile(cluster[order], len(columns)), np.concatenate(columns))
    shape = (G, votes.width + (s is not None))
    return sparse.coo_array((np.concatenate(values), place), shape=shape).tocsr()


def active(votes: Votes) -> BoolArray:
    """[n] whether a row adds anything."""
    on = votes.mass > 0
    if not on.size and votes.code is not None:
        return np.zeros(votes.code.size, dtype=bool)
    rows = on if votes.code is None else on[votes.code] & (votes.code >= 0)
    return rows if votes.weight is None else rows & (votes.weight > 0)


def _by_vote(votes: Votes, r: FloatArray, s: FloatArray | None) -> Meat:
    """Each battle a unit of its own: sums over cells where scores are of cells, over rows otherwise."""
    edge, square = votes.edge, votes.square
    if r.size != votes.y.size and votes.code is not None:  # scores of rows
        rows = np.flatnonzero(active(votes))
        edge, r, s = votes.edge[votes.code[rows]], r[rows], None if s is None else s[rows]
        square = np.ones(rows.size) if votes.weight is None else votes.weight[rows] ** 2
    E, width = votes.left.size, votes.width
    M = np.zeros((width + (s is not None),) * 2)
    M[:width, :width] = gram(votes, group_sums(edge, square * r * r, E))
    if s is not None:
        M[-1, :-1] = M[:-1, -1] = pull(votes, group_sums(edge, square * r * s, E))
        M[-1, -1] = (square * s * s).sum()
    units = round(float(votes.battles.sum()))
    met = group_sums(votes.edge, votes.battles, E)
    seen = np.full(M.shape[0], float(units))
    seen[: votes.k] = group_sums(votes.left, met, votes.k) + group_sums(votes.right, met, votes.k)
    even = float(votes.mass.sum()) ** 2 / max(float(votes.square.sum()), 1e-300)
    return _corrected(M, units, seen, even)


def _one_way(votes: Votes, r: FloatArray, s: FloatArray | None, cluster: IntArray, fit: Fit | None) -> Meat:
    """Σ_g S_g S_gᵀ over the clusters that have a vote."""
    q = votes.width + (s is not None)
    rows = active(votes)
    code = cluster if rows.all() else cluster[rows]
    size = np.bincount(code)
    mass = group_sums(code, np.ones(code.size) if votes.weight is None else votes.weight[rows], size.size)
    M, seen = np.zeros((q, q)), np.zeros(q)
    for order, start, stop in _blocks(cluster, rows, size):
        squares, met = _squares(votes, r, s, order, cluster[order] - start, stop - start)
        M += squares
        seen += met
    chosen = large(mass, q) if fit is not None else np.empty(0, dtype=np.int64)
    if fit is not None and chosen.size:
        M += _hidden(fit, r, s, cluster, rows, chosen)
    even = float(mass.sum()) ** 2 / max(float((mass.astype(float) ** 2).sum()), 1e-300)
    return _corrected(M, int(np.count_nonzero(size)), seen, even, left_out=chosen.size > 0)


def _hidden(
    fit: Fit, r: FloatArray, s: FloatArray | None, cluster: IntArray, rows: BoolArray, chosen: IntArray
) -> FloatArray:
    """[q, q] what large clusters add once they count as if left out."""
    votes, q = fit.votes, fit.beta.size
    place = np.full(int(cluster.max()) + 1, -1)
    place[chosen] = np.arange(chosen.size)
    E, m = votes.left.size, chosen.size
    S, tables = np.zeros((m, q)), []
    for start in range(0, cluster.size, BLOCK):
        some = slice(start, start + BLOCK)
        order = start + np.flatnonzero(rows[some] & (place[cluster[some]] >= 0))
        at = place[cluster[order]]
        S += _dense(_parts(votes, r, s, order), at, m, q)
        cell = order if votes.code is None else votes.code[order]
        weight = np.ones(order.size) if votes.weight is None else votes.weight[order]
        tables.append(_summed(at, votes.edge[cell], weight, m, E))
    out = left_out(fit, S, *(np.concatenate(parts) for parts in zip(*tables, strict=True)))
    return np.asarray(out.T @ out - S.T @ S)


def _summed(
    cluster: IntArray, edge: IntArray, weight: FloatArray, m: int, E: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Cluster, edge and mass of the pairs that occur, summed where that makes them fewer."""
    if m * E > max(edge.size, SLOTS):
        return cluster, edge, weight
    mass = group_sums(cluster * E + edge, weight, m * E)
    on = np.flatnonzero(mass)
    return on // E, on % E, mass[on]


def _corrected(M: FloatArray, units: int, seen: FloatArray, even: float, *, left_out: bool = False) -> Meat:
    """With the factor c/(c−1), or (c−1)/c of the jackknife; NaN for fewer than two units."""
    if units < 2:
        return Meat(np.full(M.shape, np.nan), units, seen, even)
    return Meat(M * ((units - 1) / units if left_out else units / (units - 1)), units, seen, even)


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


def _squares(
    votes: Votes, r: FloatArray, s: FloatArray | None, order: IntArray, cluster: IntArray, G: int
) -> tuple[FloatArray, FloatArray]:
    """[q, q] SᵀS of rows in order of cluster, by a dense or a sparse S; [q] clusters that met each parameter."""
    q, parts = votes.width + (s is not None), _parts(votes, r, s, order)
    met = np.zeros(G * q, dtype=bool)
    for column, value in parts:
        met[(cluster * q + column)[value != 0]] = True
    seen = met.reshape(G, q).sum(axis=0).astype(float)
    if G * q <= DENSE * order.size * len(parts):
        S = _dense(parts, cluster, G, q)
        return np.asarray(S.T @ S), seen
    start = np.searchsorted(cluster, np.arange(G + 1)) * len(parts)
    columns, values = (np.column_stack([part[i] for part in parts]).ravel() for i in (0, 1))
    table = sparse.csr_array((values, columns, start), shape=(G, q))
    return np.asarray((table.T @ table).toarray()), seen


def _dense(parts: Parts, cluster: IntArray, G: int, q: int) -> FloatArray:
    """[G, q] S itself."""
    S = np.zeros(G * q)
    for column, value in parts:
        S += np.bincount(cluster * q + column, value, minlength=G * q)
    return S.reshape(G, q)


def _parts(votes: Votes, r: FloatArray, s: FloatArray | None, order: IntArray) -> Parts:
    """Columns and values of the scores of some rows: left, right, covariates, order, tie."""
    cell = order if votes.code is None else votes.code[order]
    at = order if r.size != votes.y.size else cell
    weight = 1.0 if votes.weight is None else votes.weight[order]
    edge, own = votes.edge[cell], r[at] * weight
    found = [(votes.left[edge], own), (votes.right[edge], -own)]
    found += [(np.full(edge.size, votes.k + j), own * votes.z[edge, j]) for j in range(votes.z.shape[1])]
    if votes.lanes:
        found.append((votes.k + votes.z.shape[1] + votes.lane[edge], own * votes.sign[edge]))
    if s is not None:
        found.append((np.full(edge.size, votes.width), s[at] * weight))
    return found


def _crossed(one: IntArray, other: IntArray) -> IntArray:
    """[n] codes of the pairs of clusters that occur."""
    return np.unique(one * (int(other.max(initial=0)) + 1) + other, return_inverse=True)[1]
