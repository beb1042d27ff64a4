"""Turns names of columns into a regression matrix: an intercept, indicators for policies, covariates, the gold label.

    X = [1, 1[policy = p] for all p but the first, covariates named …]

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
        columns: `policy` for indicators against the first policy, `gold` for the trusted label (NaN where unlabelled),
            and names of covariates.
        intercept: whether a constant comes first.

    Errors: a name that is no column; a covariate with missing values.
    """
    blocks: list[FloatArray] = [np.ones(ratings.n)] if intercept else []
    names = ["intercept"] if intercept else []
    for column in columns:
        if column == "policy":
            blocks += [(ratings.policy == p).astype(float) for p in range(1, ratings.k)]
            names += [f"policy={name}" for name in ratings.policies[1:]]
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
