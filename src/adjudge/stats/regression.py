"""Takes from a ratings table what a prediction-powered estimate needs: gold, a prediction of it, and weights.

    rows whose judge abstained are left out;   label weight = w/π (`stats.design`)

Limit: a table without covariates and with one policy gives the intercept alone, whose coefficient is the mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from ..tables.regressors import regressors
from .design import label_weight
from .present import present


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Arrays over the rows kept: see `rectified.regress`."""

    y: FloatArray
    X: FloatArray
    prediction: FloatArray
    cluster: IntArray
    weight: FloatArray
    label_weight: FloatArray
    names: tuple[str, ...]
    findings: tuple[Finding, ...]


def prediction(ratings: Ratings, judge: str = "") -> FloatArray:
    """[n] the named judge's score; unnamed, the calibrated forecast when there is one, else the first judge.

    Errors: no judge of that name; no judge at all.
    """
    if not judge and ratings.forecast is not None:
        return ratings.forecast.value
    if not ratings.judges or (judge and judge not in ratings.judges):
        raise AdjudgeError(
            f"ratings: no judge is named {judge!r}." if judge else "ratings: there is no judge column.",
            f"Judges here: {', '.join(ratings.judges) or 'none'}.",
            "Name one of them, or read the table with --judge.",
        )
    return ratings.score[:, ratings.judges.index(judge) if judge else 0]


def inputs(ratings: Ratings, columns: Sequence[str] | None, judge: str) -> Inputs:
    """The regression that the names ask for, on rows where the judge spoke."""
    ratings = present(ratings)
    f = prediction(ratings, judge)
    if columns is None:
        columns = (("policy",) if ratings.k > 1 else ()) + ratings.covariate_names
    if "gold" in columns:
        raise AdjudgeError("gold stands on both sides.", "It is the outcome here.", "Use value.dsl with outcome='…'.")
    X, names = regressors(ratings, columns)
    spoke = np.isfinite(f)
    one = np.zeros(ratings.n, dtype=np.int64)
    d = label_weight(ratings, group=one, groups=1)
    silent = int((~spoke).sum())
    said = Finding(
        "judge-abstained",
        Severity.WARNING if silent > 0.05 * ratings.n else Severity.INFO,
        f"{silent:,} of {ratings.n:,} rows have no judge score and are left out, labels included.",
        silent,
        0,
        "Score these rows, or read what makes the judge abstain.",
    )
    return Inputs(
        ratings.gold[spoke],
        X[spoke],
        f[spoke],
        ratings.cluster[spoke],
        ratings.weight[spoke],
        d[spoke],
        names,
        (said,) if silent else (),
    )
