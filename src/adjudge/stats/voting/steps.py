"""The error of a value that moves in steps: wide enough to reach the values that replicates really take.

    s_i  → max(s_i,  reach of the middle 95 % of i around its value / t_0.975)
    s_ij → max(s_ij, the same of i − j),      Cov_ij = (s_i² + s_j² − s_ij²)/2, made positive semi-definite

A majority that may fall either way moves a count by a whole step, and the standard deviation of that, at most half a
step, does not reach the other side: an interval of two of them would leave it out. So errors are drawn out until the
usual intervals hold the middle 95 % of the replicates, of values and of their differences. Limit: replicates that are
normal around the value keep their spread.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ..._typing import FloatArray

ENDS = (0.025, 0.975)
MOST = 60
"""Policies up to which differences are drawn out too; ranks of more are bounded without their correlations."""


def reaching(spread: FloatArray, drawn: FloatArray, value: FloatArray, df: float) -> FloatArray:
    """[j, j] covariance drawn out to the ends of the replicates.

    Arguments:
        spread: [j, j] covariance of the replicates.
        drawn: [B, j] replicates.
        value: [j] what the sample itself gives.
        df: degrees of freedom of the interval.

    >>> drawn = np.repeat([[0.0, 1.0], [1.0, 0.0]], [10, 90], axis=0)  # the two change places in one of ten
    >>> error = reaching(np.cov(drawn.T), drawn, np.array([1.0, 0.0]), np.inf)
    >>> bool(np.sqrt(error[0, 0]) > 0.5), bool(np.sqrt(error[0, 0] + error[1, 1] - 2 * error[0, 1]) > 1.0)
    (True, True)
    """
    t, j = float(special.stdtrit(min(max(df, 1.0), 1e9), ENDS[1])), value.size
    own = np.maximum(np.diagonal(spread), _far(drawn, value) ** 2 / t**2)
    scale = np.sqrt(np.divide(own, np.diagonal(spread), out=np.ones(j), where=np.diagonal(spread) > 0))
    wide = spread * np.outer(scale, scale)
    np.fill_diagonal(wide, own)
    if not 2 <= j <= MOST:
        return wide
    left, right = np.triu_indices(j, 1)
    apart = own[left] + own[right] - 2 * wide[left, right]
    need = np.concatenate(
        [_far(drawn[:, left[at]] - drawn[:, right[at]], value[left[at]] - value[right[at]]) for at in _some(left.size)]
    )
    wide[left, right] = wide[right, left] = (own[left] + own[right] - np.maximum(apart, need**2 / t**2)) / 2
    values, vectors = np.linalg.eigh(wide)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _far(drawn: FloatArray, value: FloatArray) -> FloatArray:
    """[m] how far the middle 95 % of replicates [B, m] reach from the value."""
    low, high = np.quantile(drawn, ENDS, axis=0)
    return np.asarray(np.maximum(value - low, high - value))


def _some(pairs: int) -> list[slice]:
    """Pairs in blocks."""
    return [slice(start, start + 256) for start in range(0, pairs, 256)]
