"""Deals independent clusters into folds, so that a forecast can be tested on labels that it has never seen.

    fold(cluster) ∈ {0 … K−1};   every row of a cluster shares its fold;   fold sizes differ by at most one cluster

Clusters are sorted by a key (their mean judge score) and each run of K neighbours is dealt to the K folds in a random
order: every fold then spans the whole range of scores, and the deal depends on row order and on the names of policies
and items not at all (on item codes only where keys tie). The key must never contain the gold label, or a fold would
know what it is tested on. Limit: K = number of clusters leaves one cluster out at a time.

Chernozhukov, V. et al. (2018). Double/debiased machine learning. The Econometrics Journal 21. Definition 3.1.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError

LEAVE_ONE_OUT_UP_TO = 20
"""With this many labelled clusters or fewer, every cluster is its own fold: none can be spared."""


def folds(
    cluster: IntArray, key: FloatArray, *, weight: FloatArray | None = None, count: int = 5, seed: int = 0
) -> IntArray:
    """[m] fold of each row.

    Arguments:
        cluster: [m] code of the independent unit of each labelled row.
        key: [m] what to balance over the folds, such as the judge score; NaN sorts last.
        weight: [m] weight of each row in its cluster's mean key, so that weight 2 is the row twice; equal by default.
        count: folds K; one for each cluster when there are no more than `LEAVE_ONE_OUT_UP_TO` or than K.
        seed: of the deal.

    >>> folds(np.array([7, 7, 3, 9]), np.array([0.2, 0.4, 0.9, 0.1]))
    array([1, 1, 2, 0])
    """
    if count < 2:
        raise AdjudgeError(f"folds is {count}.", "Cross-fitting needs at least 2 folds.", "Use folds=5.")
    units, code = np.unique(cluster, return_inverse=True)
    size = np.bincount(code, weight, units.size)
    mean = np.bincount(code, key if weight is None else weight * key, units.size) / np.maximum(size, 1e-300)
    order = np.argsort(unit_free(mean), kind="stable")
    place = np.empty(units.size, dtype=np.int64)
    place[order] = np.arange(units.size)
    if units.size <= max(count, LEAVE_ONE_OUT_UP_TO):
        return place[code]
    rng = np.random.default_rng(seed)
    deal = rng.permuted(np.tile(np.arange(count), (-(-units.size // count), 1)), axis=1).ravel()
    return deal[place][code]


def unit_free(score: FloatArray) -> FloatArray:
    """[n] scores in standard units to eight digits, NaN as it was: ties stay ties in any unit and with its rounding.

    >>> unit_free(np.array([0.1 + 0.2, 0.3, 1.0])) == unit_free(np.array([60.0, 60.0, 200.0]) + 1e6)
    array([ True,  True,  True])
    """
    known = score[np.isfinite(score)]
    if not known.size:
        return score
    spread, size = float(known.std()), float(np.abs(known).max())
    alike: FloatArray = (score - known.mean()) / (spread if spread > 1e-12 * size else max(size, 1.0))
    return alike.round(8) + 0.0


def training_weights(weight: FloatArray, fold: IntArray) -> FloatArray:
    """[K+1, m] weights of the full fit (row 0) and of the K fits that each leave one fold out.

    >>> training_weights(np.array([1.0, 2.0]), np.array([0, 1]))
    array([[1., 2.],
           [0., 2.],
           [1., 0.]])
    """
    count = int(fold.max(initial=-1)) + 1
    kept = np.arange(-1, count)[:, None] != fold
    return weight * kept
