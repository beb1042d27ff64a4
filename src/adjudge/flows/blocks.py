"""Blocks of a report that several flows tell in the same way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import IntArray
from ..core.estimate import Estimate
from ..reports.pairs import Matrix
from ..reports.story import ForestRow
from .derived import Derived


def forest_rows(
    answer: Derived,
    n_rows: IntArray,
    *,
    n_labels: IntArray | None = None,
    alone: Estimate | None = None,
    notes: Sequence[str] = (),
) -> tuple[ForestRow, ...]:
    """A row for each policy with all that is derived from its estimate.

    Arguments:
        answer: what was found.
        n_rows: [k] rows behind each policy.
        n_labels: [k] trusted labels among them; none by default.
        alone: what trusted labels alone say, for comparison.
        notes: [k] a remark on each; none by default.
    """
    e, k = answer.estimate, len(answer.estimate.names)
    stderr, labels = e.stderr, np.zeros(k, dtype=np.int64) if n_labels is None else n_labels
    low_high = np.full((k, 2), np.nan) if alone is None else alone.interval(answer.level)
    value = np.full(k, np.nan) if alone is None else alone.value
    return tuple(
        ForestRow(
            policy=name,
            value=float(e.value[p]),
            stderr=float(stderr[p]),
            low=float(answer.interval[p, 0]),
            high=float(answer.interval[p, 1]),
            sim_low=float(answer.simultaneous[p, 0]),
            sim_high=float(answer.simultaneous[p, 1]),
            rank_low=float(answer.ranks[p, 0]),
            rank_high=float(answer.ranks[p, 1]),
            p_best=float(answer.p_best[p]),
            n_rows=int(n_rows[p]),
            n_labels=int(labels[p]),
            method=e.method,
            verified=bool(answer.verified[p]),
            labels_low=float(low_high[p, 0]),
            labels_value=float(value[p]),
            labels_high=float(low_high[p, 1]),
            note=notes[p] if notes else "",
        )
        for p, name in enumerate(e.names)
    )


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
