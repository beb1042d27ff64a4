"""The error of ratings that votes pull at: a sandwich clustered in none, one or two ways.

    θ̂ − θ ≈ B Σ_r m_r s_r,      Cov = B M Bᵀ,      M = Σ_clusters (Σ_r m_r s_r)(Σ_r m_r s_r)ᵀ · G/(G−1) · (N−1)/(N−q)

s is what one vote pulls at (two policies, and perhaps a tie parameter), m its mass. Without clusters a row of count c
is c independent votes; two ways of clustering add up, less their intersection (Cameron, Gelbach, Miller 2011). Two
imaginary verdicts a policy are added to the spread, so that no error is exactly 0.

    S̃_g = (I − A_g B)⁻¹ S_g,   factor (G−1)/G         A_g = Σ_{r in g} m_r h_r (e_left − e_right)(e_left − e_right)ᵀ

A cluster with more than a hundredth of the votes pulls the ratings towards itself and so hides part of its own spread:
its sum S_g is replaced by what it would be had the cluster been left out (MacKinnon, Nielsen, Webb 2023, CV3), where
the curvature h of a vote is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ._votes import LEAST_UNITS, Votes

SHARE = 1 / 100  # of the mass: smaller clusters hide less than a hundredth of their spread
HELD = 0.99  # part of a cluster's curvature that is taken out, so that a cluster that ratings rest on stays finite
BLOCK = 4_000_000  # numbers held at once


def sandwich(
    votes: Votes,
    entries: Sequence[tuple[IntArray, FloatArray]],
    bread: FloatArray,
    *,
    parameters: int,
    verdict: FloatArray | float = 0.0,
    curvature: FloatArray | None = None,
) -> tuple[FloatArray, int]:
    """[k, k] covariance B M Bᵀ of ratings, and the units behind it; NaN with fewer than two.

    Arguments:
        votes: n rows.
        entries: what one vote of each row pulls at: pairs of parameter numbers [n] and pulls [n].
        bread: [k, q] B, how the values follow the q parameters' pulls.
        parameters: how many of them are free.
        verdict: [n] how far one verdict pulls from an even match, for `imagined` ones; 0 for none.
        curvature: [n] h, how fast the pull of one vote gives way as its ratings part; None for the plain sandwich.
    """
    q, total = bread.shape[1], float(votes.count.sum())
    small = (total - 1) / (total - parameters) if total > parameters else np.nan
    if votes.cluster.shape[1] == 0:
        meat, units = _independent(votes, entries, q), int(total)
    else:
        columns = list(votes.cluster.T)
        meat, units = _clustered(votes, entries, bread, columns[0], curvature)
        if len(columns) == 2:
            other, fewer = _clustered(votes, entries, bread, columns[1], curvature)
            both = columns[0] * (int(columns[1].max(initial=0)) + 1) + columns[1]
            meat = _proper(meat + other - _clustered(votes, entries, bread, both, curvature)[0])
            units = min(units, fewer)
    if units < LEAST_UNITS:
        return np.full((bread.shape[0],) * 2, np.nan), units
    meat *= small
    meat[: votes.k, : votes.k] += votes.laplacian(imagined(votes) * np.square(verdict))
    return bread @ meat @ bread.T, units


def imagined(votes: Votes) -> FloatArray:
    """[n] imaginary verdicts: two for each policy, one for and one against, shared out over the rows it is in.

    Without them a policy that won everything, or tied everything, would seem to be known without error; as Agresti and
    Coull's four added labels do, they fade with the votes.
    """
    met = votes.per_policy(votes.count)
    share = votes.count * (1 / np.maximum(met[votes.left], 1e-300) + 1 / np.maximum(met[votes.right], 1e-300))
    return share * votes.weight**2


def _independent(votes: Votes, entries: Sequence[tuple[IntArray, FloatArray]], q: int) -> FloatArray:
    """[q, q] sum over votes; each of a row's `count` is a unit of its own."""
    scale, total = votes.count * votes.weight**2, float(votes.count.sum())
    meat = np.zeros(q * q)
    for at, pull in entries:
        for other, too in entries:
            meat += np.bincount(at * q + other, weights=scale * pull * too, minlength=q * q)
    return meat.reshape(q, q) * (total / (total - 1) if total > 1 else np.nan)


def _clustered(
    votes: Votes,
    entries: Sequence[tuple[IntArray, FloatArray]],
    bread: FloatArray,
    code: IntArray,
    curvature: FloatArray | None,
) -> tuple[FloatArray, int]:
    """[q, q] sum over clusters of the outer products of their sums, and the number of clusters."""
    unit, units = compact(code)
    q = bread.shape[1]
    at = np.concatenate([place for place, _ in entries])
    pull = np.concatenate([votes.mass * value for _, value in entries])
    table = sparse.coo_array((pull, (np.tile(unit, len(entries)), at)), shape=(units, q)).tocsr()
    total = (table.T @ table).toarray()
    mass = np.bincount(unit, votes.mass, minlength=units)
    chosen = np.flatnonzero(mass > SHARE * mass.sum())
    if curvature is None or not chosen.size:
        return total * (units / max(units - 1, 1)), units
    S, place = table[chosen].toarray(), np.full(units, -1)
    place[chosen] = np.arange(chosen.size)
    out = _left_out(votes, S, place[unit], curvature, bread)
    return (total + out.T @ out - S.T @ S) * ((units - 1) / units), units


def _left_out(votes: Votes, S: FloatArray, place: IntArray, curvature: FloatArray, bread: FloatArray) -> FloatArray:
    """[m, q] sums S of large clusters as if each had been left out; `place` [n]: a row's cluster among them, or −1."""
    k, (m, q) = votes.k, S.shape
    out, gives = np.empty_like(S), votes.mass * curvature
    for start in range(0, m, step := max(1, BLOCK // q**2)):
        stop = min(start + step, m)
        rows = np.flatnonzero((place >= start) & (place < stop))
        one, left, right, h = place[rows] - start, votes.left[rows], votes.right[rows], gives[rows]
        A = np.zeros((stop - start) * k * k)
        for i, j, sign in ((left, left, 1.0), (right, right, 1.0), (left, right, -1.0), (right, left, -1.0)):
            A += np.bincount((one * k + i) * k + j, weights=sign * h, minlength=A.size)
        lean = np.zeros((stop - start, q, q))
        lean[:, :k] = HELD * A.reshape(-1, k, k) @ bread[:k]
        out[start:stop] = np.linalg.solve(np.eye(q) - lean, S[start:stop, :, None])[:, :, 0]
    return out


def compact(code: IntArray) -> tuple[IntArray, int]:
    """[n] the same clusters coded without gaps, and how many there are."""
    if code.size == 0 or int(code.max()) > 8 * code.size:
        present, unit = np.unique(code, return_inverse=True)
        return unit, int(present.size)
    occurs = np.bincount(code) > 0
    return (np.cumsum(occurs) - 1)[code], int(occurs.sum())


def _proper(matrix: FloatArray) -> FloatArray:
    """The nearest matrix without negative eigenvalues, which the difference of three sums may have."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, 0.0)) @ vectors.T
