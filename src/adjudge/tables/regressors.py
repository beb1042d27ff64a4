"""Turns names of columns into a regression matrix: an intercept or one for each policy, covariates, the gold label.

    X = [1 or 1[policy = p] for every p, covariates named …]

Every policy has its own intercept, and none is the baseline: a difference of policies is `Estimate.difference`.

Limit: no names give the intercept alone, whose coefficient is the mean.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from .ratings import Ratings


def regressors(
    ratings: Ratings, columns: Sequence[str], *, intercept: bool = True
) -> tuple[FloatArray, tuple[str, ...]]:
    """[n, d] matrix and its [d] names.

    Arguments:
        ratings: the table.
        columns: `policy` for one indicator each (against the first policy where there is no intercept to give up,
            as with fixed effects), `gold` for the trusted label (NaN where unlabelled),
            and names of covariates.
        intercept: whether the constant is in the span of the columns.

    Errors: a name that is no column; a covariate with missing values.
    """
    levels = "policy" in columns and intercept
    blocks: list[FloatArray] = [np.ones(ratings.n)] if intercept and not levels else []
    names = ["intercept"] if intercept and not levels else []
    for column in columns:
        if column == "policy":
            blocks += [(ratings.policy == p).astype(float) for p in range(0 if levels else 1, ratings.k)]
            names += [f"policy={name}" for name in ratings.policies[0 if levels else 1 :]]
            continue
        blocks.append(ratings.gold if column == "gold" else covariate(ratings, column))
        names.append(column)
    return np.column_stack(blocks) if blocks else np.empty((ratings.n, 0)), tuple(names)


def covariate(ratings: Ratings, name: str) -> FloatArray:
    """[n] one covariate, complete.

    Errors: no such covariate; missing values.
    """
    if name not in ratings.covariate_names:
        raise AdjudgeError(
            f"ratings: no covariate is named {name!r}.",
            f"Columns here: policy, gold{''.join(', ' + other for other in ratings.covariate_names)}.",
            "Use one of them, or read the table with that covariate.",
        )
    values = ratings.covariates[:, ratings.covariate_names.index(name)]
    missing = np.flatnonzero(~np.isfinite(values))
    if missing.size:
        raise AdjudgeError(
            f"ratings.{name}: {missing.size:,} of {ratings.n:,} rows have no value (first: row "
            f"{ratings.row[missing[0]]}).",
            "A regression needs every regressor on every row.",
            f"Fill the gaps, or drop the rows with --where '{name} is not null'.",
        )
    return values
