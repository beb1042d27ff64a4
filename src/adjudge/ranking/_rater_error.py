"""The error of ratings that were fitted with raters' own parameters: a sandwich of scores, clustered.

    Cov = P M Pᵀ,   M = Σ_g S_g S_gᵀ,   S_g = Σ_{votes of g} ∂ℓ/∂(θ, ν, β, a, b),   P = what a score adds to the ratings

P takes the raters' parameters out of the scores; a rater's prior is a score of the cluster with
all its votes. Two ways of clustering add up, less their crossing.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..stats.design import equal_clusters
from ..stats.paired.sandwich import positive
from ..tables.comparisons import Comparisons
from . import _rater_fit as fits


def sandwich(
    table: Comparisons, used: IntArray, rows: fits.Rows, state: fits.State, sigma: FloatArray, by_rater: bool
) -> tuple[FloatArray, int, float, bool]:
    """[k, k] covariance of θ, independent units, degrees of freedom, and whether raters are among the units.

    Scores carry the raters' own parameters, which are profiled out; a rater's prior belongs to that rater's unit.
    """
    columns = [table.cluster[used, j] for j in range(table.cluster.shape[1])]
    # A few raters with parameters of their own leave no sums by rater in which their spread would show.
    own = [each for each in columns if not _same(rows.rater, each)]
    columns = [*columns, rows.rater][:2] if by_rater else own
    project = fits.influence(state, np.bincount(rows.rater, rows.mass, rows.raters) > 0, rows.k)
    scores = _scores(rows, state)
    if not columns:
        count = table.count[used]
        scaled = sparse.diags_array(1 / np.sqrt(count)) @ scores
        units = round(float(count.sum()))
        return project @ _gram(scaled, np.arange(used.size), units) @ project.T, units, units - 1.0, False
    prior = -state.y * np.where(sigma > 0, 1 / np.maximum(sigma, 1e-6) ** 2, 0.0)

    def meat(column: IntArray) -> FloatArray:
        return _gram(scores, column, extra=prior, home=_home(rows.rater, column, rows.raters))

    meats = [meat(each) for each in columns]
    fewest, even = equal_clusters(np.column_stack(columns), rows.mass)
    df = min(fewest, even) - 1.0
    if len(columns) == 1:
        return project @ meats[0] @ project.T, fewest, df, by_rater
    crossing = np.unique(np.column_stack(columns), axis=0, return_inverse=True)[1].ravel()
    total = project @ (meats[0] + meats[1] - meat(crossing)) @ project.T
    return positive(total), fewest, df, by_rater


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


def _same(rater: IntArray, cluster: IntArray) -> bool:
    """Whether the clusters are the raters."""
    pairs = np.unique(np.column_stack([rater, cluster]), axis=0)
    return pairs.shape[0] == np.unique(rater).size == np.unique(cluster).size


def _home(rater: IntArray, cluster: IntArray, raters: int) -> IntArray:
    """[R] the cluster that holds all votes of a rater, −1 where several do: there the rater's prior is nobody's own."""
    first, last = np.full(raters, np.iinfo(np.int64).max), np.full(raters, -1)
    np.minimum.at(first, rater, cluster)
    np.maximum.at(last, rater, cluster)
    return np.where(first == last, last, -1)


def _gram(
    scores: sparse.csr_array,
    cluster: IntArray,
    units: int | None = None,
    *,
    extra: FloatArray | None = None,
    home: IntArray | None = None,
) -> FloatArray:
    """[q, q] G/(G − 1)·Σ_g S_g S_gᵀ of scores summed by cluster; `extra` [R, 2] is added to a and b of rater r in the
    cluster `home` [R], −1 for none."""
    G = int(cluster.max()) + 1
    picker = sparse.csr_array((np.ones(cluster.size), (cluster, np.arange(cluster.size))), shape=(G, cluster.size))
    sums = sparse.csr_array(picker @ scores)
    if extra is not None and home is not None:
        who, q = np.flatnonzero(home >= 0), scores.shape[1]
        own = q - extra.size + 2 * who
        place = (np.tile(home[who], 2), np.concatenate([own, own + 1]))
        sums = sums + sparse.csr_array((extra[who].T.ravel(), place), shape=(G, q))
    u = np.unique(cluster).size if units is None else units
    return np.asarray((sums.T @ sums).toarray() * (u / (u - 1) if u > 1 else np.nan))
