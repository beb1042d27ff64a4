"""Plays a season of submissions against a guarded holdout: who was answered what, from which rows, with what error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..stats import cluster
from ..stats.holdout import guard
from ..tables.ratings import Ratings

PRIME = 982_451_653


def order(ratings: Ratings, seed: int) -> IntArray:
    """[n] place of each row's cluster in a random order, by when it first came, not by its name."""
    first = np.full(ratings.units, np.iinfo(np.int64).max)
    np.minimum.at(first, ratings.cluster, ratings.row)
    place = np.empty(ratings.units, dtype=np.int64)
    place[np.argsort(first, kind="stable")] = np.random.default_rng((seed, PRIME)).permutation(ratings.units)
    return np.asarray(place[ratings.cluster])


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """What was released, entry by entry, in units of the range; k entries.

    Arguments:
        value: [k] released score; NaN where there is none.
        variance: [k] of the noise in it.
        covariance: [k, k] of the holdout's means, by cluster.
        units: [k] clusters behind them.
        from_public: [k] whether the public score was released.
        surprised: [k] whether the holdout disagreed with it.
        after: the guard when all had been asked.
    """

    value: FloatArray
    variance: FloatArray
    covariance: FloatArray
    units: FloatArray
    from_public: BoolArray
    surprised: BoolArray
    after: guard.Guard


def play(
    state: guard.Guard, ratings: Ratings, unit: FloatArray, used: BoolArray, shown: BoolArray, place: IntArray
) -> Season:
    """Asks the guard for each entry in order of submission.

    Arguments:
        state: the guard, fresh.
        ratings: the table.
        unit: [n] scores on [0, 1].
        used: [n] rows with a score.
        shown: [n] rows of the public part.
        place: [n] position 0 … n−1 of the row's cluster in the holdout's secret order.
    """
    k = ratings.k
    entered = np.full(k, np.iinfo(np.int64).max)
    np.minimum.at(entered, ratings.policy, ratings.row)
    value, variance = np.full(k, np.nan), np.zeros(k)
    from_public, surprised, asked = np.zeros(k, dtype=bool), np.zeros(k, dtype=bool), used & ~shown
    train = shares(ratings, unit, used & shown)
    means = shares(ratings, unit, asked)
    for p in np.argsort(entered, kind="stable"):
        if state.kind == "split":
            own = (ratings.policy != p) | guard.fold(state, place)
            asked = asked & own
            means = shares(ratings, unit, asked)
        if not np.isfinite(means[p]) or (state.kind == "thresholdout" and not np.isfinite(train[p])):
            continue
        answer, state = guard.ask(state, float(means[p]), float(train[p]))
        value[p], variance[p], surprised[p] = answer.value, np.nan_to_num(answer.variance), answer.surprised
        from_public[p] = state.kind == "thresholdout" and np.isfinite(answer.value) and not answer.surprised
    weight = np.where(asked, ratings.weight, 0.0)
    total = np.bincount(ratings.policy, weight, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        psi = weight * (unit - means[ratings.policy]) / total[ratings.policy]
    rows = np.flatnonzero(weight)
    cells = cluster.from_rows(place[rows], ratings.policy[rows], [psi[rows]], k=k)
    units = np.bincount(cells.group, minlength=k).astype(float)
    covariance = cluster.covariance(cells, cells.sums[0]) if rows.size else np.zeros((k, k))
    factor = np.sqrt(np.where(units > 1, units / np.maximum(units - 1, 1), np.nan))
    covariance = covariance * np.outer(factor, factor)
    same = np.diagonal(covariance) < 1e-24  # scores that never differ: as if two more units were at either end
    guess = (units * np.nan_to_num(means) + 2) / (units + 4)
    covariance[np.diag(same)] = (guess * (1 - guess) / (units + 4))[same]
    return Season(value, variance, covariance, units, from_public, surprised, state)


def shares(ratings: Ratings, unit: FloatArray, rows: BoolArray) -> FloatArray:
    """[k] weighted means over some of the rows; NaN without one."""
    weight = np.where(rows, ratings.weight, 0.0)
    total = np.bincount(ratings.policy, weight, ratings.k)
    sums = np.bincount(ratings.policy, weight * unit, ratings.k)
    return np.divide(sums, total, out=np.full(ratings.k, np.nan), where=total > 0)
