"""Leaves out rows that stand for no row, so that no count, fold or quantile can see them.

    rows with weight > 0;   clusters coded 0 … units−1 afresh in their order

Limit: positive weights and dense codes return the very table.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.interval import Reserve
from ..tables.ratings import Ratings
from .design import label_weight
from .means import clustered_means


def present(ratings: Ratings) -> Ratings:
    """The rows of positive weight, with their forecast, and cluster codes without gaps."""
    there = ratings.weight > 0
    if not there.all():
        forecast = ratings.forecast
        if forecast is not None:
            forecast = replace(
                forecast,
                value=forecast.value[there],
                held_out=forecast.held_out[there],
                gradient=forecast.gradient[there],
                influence=forecast.influence[there[ratings.labelled]],
            )
        ratings = replace(ratings.take(there), forecast=forecast)
    if not ratings.n or np.bincount(ratings.cluster).all():
        return ratings
    return replace(ratings, cluster=np.unique(ratings.cluster, return_inverse=True)[1].astype(np.int64))


def labels_only(ratings: Ratings, group: np.ndarray, names: tuple[str, ...]) -> Reserve:
    """What the labels of each group alone say of its mean; the group is coded 0 … len(names)−1."""
    known = ratings.labelled
    d: FloatArray = label_weight(ratings, group=group, groups=len(names))[known]
    classical = clustered_means(names, ratings.cluster[known], group[known], ratings.gold[known], d)
    pairs = np.unique(np.column_stack([group, ratings.cluster])[known], axis=0)
    own = np.bincount(pairs[:, 0], minlength=len(names)).astype(float)
    return Reserve(own, classical.value, classical.covariance)
