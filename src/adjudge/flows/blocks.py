"""Blocks of a report that several flows tell in the same way."""

from __future__ import annotations

import numpy as np

from ..reports.pairs import Matrix
from .derived import Derived


def pair_matrix(answer: Derived) -> Matrix:
    """Pairs in the order of the ranking, with simultaneous intervals and step-down p-values."""
    pairs, k = answer.differences, len(answer.estimate.names)
    low_high = pairs.simultaneous(answer.level, seed=answer.seed)
    p_value = pairs.stepdown(seed=answer.seed)
    left, right = np.triu_indices(k, 1)
    square = np.full((5, k, k), np.nan)
    for table, upper, lower in (
        (0, pairs.value, -pairs.value),
        (1, low_high[:, 0], -low_high[:, 1]),
        (2, low_high[:, 1], -low_high[:, 0]),
        (3, p_value, p_value),
        (4, pairs.stderr, pairs.stderr),
    ):
        square[table, left, right], square[table, right, left] = upper, lower
    order = answer.order
    difference, low, high, p_adjusted, stderr = square[:, order][:, :, order]
    names = tuple(answer.estimate.names[p] for p in order)
    return Matrix(names, difference, low, high, p_adjusted, stderr, level=answer.level)
