"""Drawing rows with given inclusion probabilities, exactly; and one of several by its chance, row by row.

    U ~ Uniform(0, 1),   S_i = Σ_{j<=i} π_j,   row i is drawn when some integer + U lies in (S_{i−1}, S_i]

Systematic sampling (Madow 1949): P(row i is drawn) = π_i exactly and the number drawn is ⌊Σπ⌋ or ⌈Σπ⌉. Rows are
shuffled first so that neighbours in the file are not forced apart. Limit: equal π is a simple random sample's size.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError


def systematic(propensity: FloatArray, *, rng: np.random.Generator, group: IntArray | None = None) -> BoolArray:
    """[n] which rows are drawn.

    Arguments:
        propensity: [n] inclusion probabilities in [0, 1].
        rng: source of the shuffle and of the start.
        group: [n] codes; a group whose probabilities add up to a whole number gets exactly that many.

    >>> drawn = systematic(np.full(10, 0.3), rng=np.random.default_rng(0))
    >>> int(drawn.sum())
    3
    """
    if propensity.size and not (np.nanmin(propensity) >= 0 and np.nanmax(propensity) <= 1):
        raise AdjudgeError(
            f"sampling: propensities run from {np.nanmin(propensity):g} to {np.nanmax(propensity):g}.",
            "Each lies in [0, 1].",
            "Scale them down.",
        )
    order = rng.permutation(propensity.size)
    if group is not None:
        order = order[np.argsort(group[order], kind="stable")]
    total = np.cumsum(propensity[order])
    # a whole sum must not be missed by a rounding error, hence the grid of 2⁻³⁰
    steps = np.floor(np.round(np.concatenate([[0.0], total]) * 2**30) / 2**30 - rng.random())
    drawn = np.zeros(propensity.size, dtype=bool)
    drawn[order] = np.diff(steps) > 0
    return drawn


def capped_share(size: FloatArray, count: float) -> FloatArray:
    """[n] inclusion probabilities proportional to size, at most 1, adding up to count (or to n when count is more).

    >>> capped_share(np.array([1.0, 1.0, 8.0]), 2.0)
    array([0.5, 0.5, 1. ])
    """
    share = np.zeros(size.size)
    free = size > 0
    count = min(count, float(free.sum()))
    while free.any():
        left = count - (share[~free]).sum()
        trial = size * (left / size[free].sum())
        over = free & (trial > 1)
        if not over.any():
            share[free] = trial[free]
            break
        share[over] = 1.0
        free &= ~over
    return share


def one_each(chances: FloatArray, rng: np.random.Generator) -> IntArray:
    """[n] one column drawn from each row of chances [n, c], each row summing to 1; one number of the rng a row.

    >>> one_each(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    return np.asarray((chances.cumsum(axis=1) > rng.random((chances.shape[0], 1))).argmax(axis=1))
