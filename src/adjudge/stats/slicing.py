"""Cuts tasks into slices: by stratum, by a covariate of few values, by several at once, by human accuracy.

    difficulty = ⌈5·(1 − human accuracy)⌉, at least 1:  1 is the easiest fifth of the scale, 5 the hardest

Limit: one value is one slice.
"""

from __future__ import annotations

import numpy as np

from .._typing import ArrayLike, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from ..tables.regressors import covariate

MOST = 200
"""Distinct values of a covariate above which it is no slice."""
BINS = 5


def slice_rows(ratings: Ratings, by: str) -> tuple[IntArray, tuple[str, ...]]:
    """[n] code of the slice of each row, and the slices' names.

    Arguments:
        ratings: the table.
        by: `stratum`, a covariate of at most 200 values, or several joined by `*` for every combination that occurs.

    Errors: no such covariate, missing values, too many values.
    """
    if "*" in by:
        parts = [slice_rows(ratings, each.strip()) for each in by.split("*")]
        table = np.column_stack([code for code, _ in parts])
        found, code = np.unique(table, axis=0, return_inverse=True)
        names = tuple(" · ".join(parts[j][1][value] for j, value in enumerate(row)) for row in found.tolist())
        return code.reshape(-1).astype(np.int64), names
    if by == "stratum":
        return ratings.stratum, ratings.strata
    values, code = np.unique(covariate(ratings, by), return_inverse=True)
    if values.size > MOST:
        raise AdjudgeError(
            f"ratings.{by}: {values.size:,} distinct values.",
            f"A slice needs many rows: at most {MOST} values.",
            "Cut the column into a few groups first.",
        )
    return code.astype(np.int64), tuple(f"{by}={value:g}" for value in values)


def difficulty(human: ArrayLike) -> IntArray:
    """[n] difficulty 1 (easy) … 5 (hard) of tasks, in five equal bins of human accuracy.

    Arguments:
        human: [n] share of people who solve the task, in [0, 1].

    Errors: an accuracy outside [0, 1] or missing.

    >>> difficulty([1.0, 0.81, 0.8, 0.5, 0.2, 0.0]).tolist()
    [1, 1, 1, 3, 4, 5]
    """
    accuracy = np.asarray(human, dtype=float)
    if not np.all((accuracy >= 0) & (accuracy <= 1)):
        raise AdjudgeError(
            f"human accuracy: {int(np.sum(~((accuracy >= 0) & (accuracy <= 1)))):,} values are not in [0, 1].",
            "The share of people who solve the task; five equal bins of it are the five difficulties.",
            "Divide percentages by 100, and drop tasks that no person has tried.",
        )
    return np.clip(np.ceil(BINS * (1 - accuracy) - 1e-9), 1, BINS).astype(np.int64)
