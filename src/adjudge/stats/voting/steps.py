"""The error of a value that moves in steps: wide enough to reach the values that replicates really take.

    s_i  → max(s_i,  (mean (x_i − value_i)⁴/3)^¼)             x: replicates
    s_ij → max(s_ij, the same of i − j),      Cov_ij = (s_i² + s_j² − s_ij²)/2, made positive semi-definite

A majority that may fall either way moves a count by a whole step, and the standard deviation of that, at most half a
step, does not reach the other side: an interval of two of them leaves it out. The fourth moment about the value does
where one replicate in five is over there. Limit: replicates that are normal around the value keep their spread.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray

MOST = 60
"""Policies up to which differences are drawn out too; ranks of more are bounded without their correlations."""


def reaching(spread: FloatArray, drawn: FloatArray, value: FloatArray) -> FloatArray:
    """[j, j] covariance drawn out to the ends of the replicates.

    Arguments:
        spread: [j, j] covariance of the replicates.
        drawn: [B, j] replicates.
        value: [j] what the sample itself gives.

    >>> drawn = np.repeat([[0.0, 1.0], [1.0, 0.0]], [40, 60], axis=0)  # the two change places in four of ten
    >>> error = reaching(np.cov(drawn.T), drawn, np.array([1.0, 0.0]))
    >>> bool(np.sqrt(error[0, 0]) > 0.5), bool(np.sqrt(error[0, 0] + error[1, 1] - 2 * error[0, 1]) > 1.0)
    (True, True)
    """
    if not np.isfinite(spread).all() or not np.isfinite(drawn).all():
        return spread
    j = value.size
    own = np.maximum(np.diagonal(spread), _reach(drawn - value))
    scale = np.sqrt(np.divide(own, np.diagonal(spread), out=np.ones(j), where=np.diagonal(spread) > 0))
    wide = spread * np.outer(scale, scale)
    np.fill_diagonal(wide, own)
    if not 2 <= j <= MOST:
        return wide
    left, right = np.triu_indices(j, 1)
    apart = own[left] + own[right] - 2 * wide[left, right]
    need = np.concatenate(
        [_reach((drawn - value)[:, left[at]] - (drawn - value)[:, right[at]]) for at in _some(left.size)]
    )
    wide[left, right] = wide[right, left] = (own[left] + own[right] - np.maximum(apart, need)) / 2
    values, vectors = np.linalg.eigh(wide)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _reach(apart: FloatArray) -> FloatArray:
    """[m] √(mean of the fourth powers/3) of distances [B, m]: the variance, where they are normal around 0."""
    return np.asarray(np.sqrt((apart**4).mean(axis=0) / 3))


def _some(pairs: int) -> list[slice]:
    """Pairs in blocks."""
    return [slice(start, start + 256) for start in range(0, pairs, 256)]
