"""The error of ratings that were fitted with raters' own parameters: a sandwich of scores, clustered.

    Cov = P M Pᵀ,   M = Σ_g S_g S_gᵀ,   S_g = Σ_{votes of g} ∂ℓ/∂(θ, ν, β, a, b),   P = what a score adds to the ratings

P takes the raters' parameters out of the scores. Two ways of clustering add up, less their crossing.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..stats.paired.sandwich import positive
from ..tables.comparisons import Comparisons
from . import _rater_fit as fits


def sandwich(
    table: Comparisons, used: IntArray, rows: fits.Rows, state: fits.State, sigma: FloatArray, by_rater: bool
) -> tuple[FloatArray, int, bool]:
    """[k, k] covariance of θ, independent units, and whether raters are among them.

    Scores carry the raters' own parameters, which are profiled out; a rater's prior belongs to that rater's unit.
    """
    columns = [table.cluster[used, j] for j in range(table.cluster.shape[1])]
    columns = [*columns, rows.rater][:2] if by_rater else columns
    project = fits.influence(state, np.bincount(rows.rater, rows.mass, rows.raters) > 0, rows.k)
    scores = _scores(rows, state)
    if not columns:
        count = table.count[used]
        scaled = sparse.diags_array(1 / np.sqrt(count)) @ scores
        units = round(float(count.sum()))
        return project @ _gram(scaled, np.arange(used.size), units) @ project.T, units, False
    prior = -state.y * np.where(sigma > 0, 1 / np.maximum(sigma, 1e-6) ** 2, 0.0)
    meats = [_gram(scores, each, extra=prior if by_rater and each is rows.rater else None) for each in columns]
    fewest = min(np.unique(column).size for column in columns)
    if len(columns) == 1:
        return project @ meats[0] @ project.T, fewest, by_rater
    crossing = np.unique(np.column_stack(columns), axis=0, return_inverse=True)[1].ravel()
    total = project @ (meats[0] + meats[1] - _gram(scores, crossing)) @ project.T
    return positive(total), fewest, by_rater


def _scores(rows: fits.Rows, state: fits.State) -> sparse.csr_array:
    """[n, p + 2R] derivative of each row's log-likelihood by every parameter."""
    apart, s = fits.slopes(rows, state.x, state.y)
    n, at = rows.left.size, np.arange(rows.left.size)
    a, pull = 1 + state.y[rows.rater, 0], s.eta
    columns = [rows.left, rows.right, rows.p + 2 * rows.rater, rows.p + 2 * rows.rater + 1]
    values = [a * pull, -a * pull, apart * pull, rows.first * pull]
    if rows.law == "davidson":
        columns, values = [*columns, np.full(n, rows.k)], [*values, s.tie]
    if rows.order:
        columns, values = [*columns, np.full(n, rows.p - 1)], [*values, rows.first * pull]
    place = (np.tile(at, len(columns)), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(values), place), shape=(n, rows.p + 2 * rows.raters))


def _gram(
    scores: sparse.csr_array, cluster: IntArray, units: int | None = None, *, extra: FloatArray | None = None
) -> FloatArray:
    """[q, q] G/(G − 1)·Σ_g S_g S_gᵀ of scores summed by cluster; `extra` [R, 2] is added to cluster r's own a and b."""
    G = int(cluster.max()) + 1
    picker = sparse.csr_array((np.ones(cluster.size), (cluster, np.arange(cluster.size))), shape=(G, cluster.size))
    sums = sparse.csr_array(picker @ scores)
    if extra is not None:
        who, q = np.unique(cluster), scores.shape[1]
        own = q - extra.size + 2 * who
        place = (np.tile(who, 2), np.concatenate([own, own + 1]))
        sums = sums + sparse.csr_array((extra[who].T.ravel(), place), shape=(G, q))
    u = np.unique(cluster).size if units is None else units
    return np.asarray((sums.T @ sums).toarray() * (u / (u - 1) if u > 1 else np.nan))
