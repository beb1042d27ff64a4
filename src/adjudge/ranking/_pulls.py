"""The error of ratings that votes pull at: a sandwich clustered in none, one or two ways.

    θ̂ − θ ≈ B Σ_r m_r s_r,      Cov = B M Bᵀ,      M = Σ_clusters (Σ_r m_r s_r)(Σ_r m_r s_r)ᵀ · G/(G−1) · (N−1)/(N−q)

s is what one vote pulls at (two policies, and perhaps a tie parameter), m its mass. Without clusters a row of count c
is c independent votes; two ways of clustering add up, less their intersection (Cameron, Gelbach, Miller 2011). Two
imaginary verdicts a policy are added to the spread, so that no error is exactly 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ._votes import LEAST_UNITS, Votes


def sandwich(
    votes: Votes,
    entries: Sequence[tuple[IntArray, FloatArray]],
    bread: FloatArray,
    *,
    parameters: int,
    verdict: FloatArray | float = 0.0,
) -> tuple[FloatArray, int]:
    """[k, k] covariance B M Bᵀ of ratings, and the units behind it; NaN with fewer than two.

    Arguments:
        votes: n rows.
        entries: what one vote of each row pulls at: pairs of parameter numbers [n] and pulls [n].
        bread: [k, q] B, how the values follow the q parameters' pulls.
        parameters: how many of them are free.
        verdict: [n] how far one verdict pulls from an even match, for `imagined` ones; 0 for none.
    """
    q, total = bread.shape[1], float(votes.count.sum())
    small = (total - 1) / (total - parameters) if total > parameters else np.nan
    if votes.cluster.shape[1] == 0:
        meat, units = _independent(votes, entries, q), int(total)
    else:
        columns = list(votes.cluster.T)
        meat, units = _clustered(votes, entries, q, columns[0])
        if len(columns) == 2:
            other, fewer = _clustered(votes, entries, q, columns[1])
            both = columns[0] * (int(columns[1].max(initial=0)) + 1) + columns[1]
            meat = _proper(meat + other - _clustered(votes, entries, q, both)[0])
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
    votes: Votes, entries: Sequence[tuple[IntArray, FloatArray]], q: int, code: IntArray
) -> tuple[FloatArray, int]:
    """[q, q] sum over clusters of the outer products of their sums, and the number of clusters."""
    unit, units = compact(code)
    at = np.concatenate([place for place, _ in entries])
    pull = np.concatenate([votes.mass * value for _, value in entries])
    table = sparse.coo_array((pull, (np.tile(unit, len(entries)), at)), shape=(units, q)).tocsr()
    return (table.T @ table).toarray() * (units / max(units - 1, 1)), units


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
