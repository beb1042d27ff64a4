"""The variances behind a plan: how far labels stray from forecasts, and mean forecasts from each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..stats.means import clustered_means
from ..tables.ratings import Ratings
from .answer import Answer

_PRIOR = 10.0  # pseudo-labels that pull a policy's residual variance to the pooled one


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """The variances behind a plan.

    Arguments:
        residual: [k] B, variance of gold − forecast on one row.
        rows: [k] judged rows.
        labels: [k] labelled rows.
        forecast: [k, k] covariance of the mean forecasts.
    """

    residual: FloatArray
    rows: IntArray
    labels: IntArray
    forecast: FloatArray

    def pair(self, left: int, right: int) -> float:
        """V_f: variance of the difference of the two mean forecasts today."""
        grid = self.forecast[np.ix_([left, right], [left, right])]
        return float(max(grid[0, 0] + grid[1, 1] - 2 * grid[0, 1], 0.0))


def spreads(answer: Answer) -> Spread:
    """Residual and forecast variances of the table behind an answer."""
    ratings = answer.ratings
    f = ratings.score[:, 0] if ratings.forecast is None else ratings.forecast.value
    f = np.where(np.isfinite(f), f, np.nanmean(f) if np.isfinite(f).any() else 0.0)
    means = clustered_means(ratings.policies, ratings.cluster, ratings.policy, f, ratings.weight)
    labels = np.bincount(ratings.policy[ratings.labelled], minlength=ratings.k)
    sampled = ratings.n / max(int(answer.n_rows.sum()), 1)  # below 1 where the table is a sample of a larger file
    forecast = np.nan_to_num(means.covariance) * sampled
    return Spread(_residual_variance(ratings, labels), answer.n_rows, labels, forecast)


def _residual_variance(ratings: Ratings, labels: IntArray) -> FloatArray:
    known = ratings.labelled
    held = None if ratings.forecast is None else ratings.forecast.held_out
    residual = (ratings.gold if held is None else ratings.gold - held)[known]
    policy = ratings.policy[known]
    if residual.size < 2:  # nothing known: the largest variance that the range allows
        low, high = ratings.bounds
        return np.full(ratings.k, (high - low) ** 2 / 4 if np.isfinite(high - low) else 1.0)
    mean = np.bincount(policy, residual, ratings.k) / np.maximum(labels, 1)
    square = np.bincount(policy, (residual - mean[policy]) ** 2, ratings.k)
    pooled = square.sum() / max(residual.size - np.count_nonzero(labels), 1)
    return np.asarray((square + _PRIOR * pooled) / (labels + _PRIOR))
