"""Scores predicted quantiles, puts crossing ones in order, and widens or narrows them to the promised coverage.

    pinball_τ(q, y) = (τ − 1[y < q])·(y − q)
    WIS             = 2·mean_τ pinball_τ                      levels symmetric about ½, with ½ among them
    sorted          = order statistics of (q_1 … q_L);        isotonic = argmin_{z_1 <= … <= z_L} Σ (z_l − q_l)²
    conformal       [q_α/2 − t, q_1−α/2 + t],   t = ⌈(n+1)(1−α)⌉-th smallest of max(q_α/2 − y, y − q_1−α/2)

Sorting and the isotonic projection never increase Σ_τ pinball_τ, for any y: τ·q is supermodular, so exchanging two
crossing quantiles gains, and pooling them gains by convexity. The conformal interval covers a new exchangeable y with
probability >= 1 − α whatever the quantiles are; t is infinite when n < 1/α − 1. Limits: with the
one level ½ the WIS is |y − q|; quantiles in order are returned as they are.

Koenker, Bassett (1978); Bracher et al. (2021, WIS); Chernozhukov, Fernández-Val, Galichon (2010, sorting); Fakoor et
al. (2023), Flexible Model Aggregation for Quantile Regression (isotonic, section 5); Romano, Patterson, Candès (2019,
CQR).
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError


def pinball(quantile: FloatArray, outcome: FloatArray, levels: FloatArray) -> FloatArray:
    """[n, L] loss of quantiles [n, L] at levels [L] for outcomes [n].

    >>> pinball(np.array([[1.0, 3.0]]), np.array([2.0]), np.array([0.1, 0.9])).round(9)
    array([[0.1, 0.1]])
    """
    error = outcome[:, None] - quantile
    return np.maximum(levels * error, (levels - 1) * error)


def weighted_interval_score(quantile: FloatArray, outcome: FloatArray, levels: FloatArray) -> FloatArray:
    """[n] WIS: twice the mean pinball loss over the levels."""
    return 2 * pinball(quantile, outcome, levels).mean(axis=1)


def covered(quantile: FloatArray, outcome: FloatArray, levels: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Nominal coverage, share covered and mean width of each symmetric pair of levels, widest first.

    >>> q, levels = np.array([[0.0, 1.0, 2.0]]), np.array([0.1, 0.5, 0.9])
    >>> [figure.round(9) for figure in covered(q, np.array([1.5]), levels)]
    [array([0.8]), array([1.]), array([2.])]
    """
    low, high = pairs(levels)
    inside = (outcome[:, None] >= quantile[:, low]) & (outcome[:, None] <= quantile[:, high])
    width = (quantile[:, high] - quantile[:, low]).mean(axis=0)
    return levels[high] - levels[low], inside.mean(axis=0), width


def crossing(quantile: FloatArray) -> float:
    """Share of neighbouring quantiles that stand in the wrong order.

    >>> crossing(np.array([[1.0, 2.0, 1.5]]))
    0.5
    """
    return float((np.diff(quantile, axis=1) < 0).mean()) if quantile.shape[1] > 1 else 0.0


def sort(quantile: FloatArray) -> FloatArray:
    """[n, L] each row in increasing order."""
    return np.sort(quantile, axis=1)


def isotonic(quantile: FloatArray) -> FloatArray:
    """[n, L] each row's nearest non-decreasing row, by max-min of means; all rows at once, L² means.

    >>> isotonic(np.array([[1.0, 3.0, 2.0, 4.0]]))
    array([[1. , 2.5, 2.5, 4. ]])
    """
    crossed = (np.diff(quantile, axis=1) < 0).any(axis=1)
    out = quantile.copy()
    rows = quantile[crossed]
    sums = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    best = np.full(rows.shape, -np.inf)
    count = rows.shape[1]
    for i in range(count):
        means = (sums[:, i + 1 :] - sums[:, [i]]) / np.arange(1, count - i + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        best[:, i:] = np.maximum(best[:, i:], least)
    out[crossed] = np.maximum.accumulate(best, axis=1)  # removes differences of rounding
    return out


def pairs(levels: FloatArray) -> tuple[IntArray, IntArray]:
    """Positions of τ and 1 − τ for each level τ < ½, widest pair first; levels must be increasing and symmetric."""
    count = levels.size
    if np.any(np.diff(levels) <= 0) or not np.allclose(levels + levels[::-1], 1):
        raise AdjudgeError(
            f"quantiles: levels are {np.round(levels, 4).tolist()}.",
            "Increasing levels in (0, 1), symmetric about ½, so that they make intervals.",
            "Use for example np.linspace(0.05, 0.95, 19).",
        )
    low = np.arange(count // 2)
    return low, count - 1 - low


def conformal_shift(
    quantile: FloatArray, outcome: FloatArray, levels: FloatArray, *, keep: BoolArray | None = None
) -> FloatArray:
    """[L] what to add to each quantile so that each symmetric pair covers; ±∞ when there are too few outcomes.

    Arguments:
        quantile: [n, L] predictions for outcomes that their fit has not seen.
        outcome: [n].
        levels: [L] symmetric.
        keep: [n] rows to use; all when None.
    """
    use = np.ones(outcome.size, dtype=bool) if keep is None else keep
    low, high = pairs(levels)
    y = outcome[use, None]
    miss = np.sort(np.maximum(quantile[use][:, low] - y, y - quantile[use][:, high]), axis=0)
    shift = np.zeros(levels.size)
    step = conformal_step(miss, levels[high] - levels[low])
    shift[low], shift[high] = -step, step
    return shift


def conformal_step(sorted_misses: FloatArray, coverage: FloatArray) -> FloatArray:
    """[c] ⌈(n+1)·coverage⌉-th smallest of each column of [n, c] sorted misses; ∞ beyond the last."""
    n = len(sorted_misses)
    rank = np.ceil((n + 1) * coverage - 1e-9).astype(np.int64)
    reach = np.full(coverage.size, np.inf)
    ok = rank <= n
    reach[ok] = sorted_misses[np.maximum(rank[ok] - 1, 0), np.flatnonzero(ok)]
    return reach
