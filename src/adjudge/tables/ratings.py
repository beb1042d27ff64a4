"""The table of `evaluate`: one row is what the judges, and now and then a trusted rater, said of one response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding

_BY_ROW = (
    *("policy", "item", "cluster", "score", "gold", "weight", "propensity", "gold_variance", "covariates", "stratum"),
    "row",
)


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What a calibrator predicts for each row, and how that prediction leans on the labels it was fitted to.

        f̂_i − f_i ≈ gradient_i · Σ_l influence_l       l over the labelled rows, in row order

    Arguments:
        value: [n] prediction of the gold label, in its unit, fitted on all labelled rows.
        held_out: [n] for labelled rows, the prediction by a fit that never saw the row's cluster; NaN elsewhere.
        gradient: [n, q] derivative of the prediction by the calibrator's q parameters.
        influence: [m, q] what each labelled row adds to the error of those parameters.
        calibrator: address of the method, such as `calibration.isotonic`.
    """

    value: FloatArray
    held_out: FloatArray
    gradient: FloatArray
    influence: FloatArray
    calibrator: str


@dataclass(frozen=True, eq=False)
class Ratings:
    """Plain arrays under one schema, checked once at the door (`tables.read`); n rows, k policies, J judges.

    Arguments:
        policies: [k] names, sorted; `policy` holds positions in it.
        judges: [J] names of the score columns.
        policy: [n] which policy answered.
        item: [n] code of the prompt: rows of one item are answers to the same question and are compared as a pair.
        cluster: [n] code of the independent unit, 0 … units−1; the item unless told otherwise.
        score: [n, J] what each judge said, in its own unit; NaN where it abstained.
        gold: [n] trusted label (mean over its raters), NaN where there is none.
        weight: [n] how many rows this row stands for, >= 0.
        propensity: [n] recorded probability that the row was chosen for a gold label, in (0, 1]; NaN where unknown.
        gold_variance: [n] variance of the gold label around the truth of its row (rater noise); 0 when unknown.
        covariates: [n, d] further known columns.
        covariate_names: [d].
        stratum: [n] code of the sampling stratum or slice; all 0 when there is one.
        strata: names of the strata.
        bounds: range of the gold label; ±inf when neither given nor evident.
        row: [n] number of the row in the user's file, from 0.
        forecast: a calibrator's prediction of gold for every row; None before calibration.
        findings: what the door noticed.
    """

    policies: tuple[str, ...]
    judges: tuple[str, ...]
    policy: IntArray
    item: IntArray
    cluster: IntArray
    score: FloatArray
    gold: FloatArray
    weight: FloatArray
    propensity: FloatArray
    gold_variance: FloatArray
    covariates: FloatArray
    covariate_names: tuple[str, ...] = ()
    stratum: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    strata: tuple[str, ...] = ("all",)
    bounds: tuple[float, float] = (-np.inf, np.inf)
    row: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    forecast: Forecast | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        n = self.policy.size
        if self.stratum.size != n:
            object.__setattr__(self, "stratum", np.zeros(n, dtype=np.int64))
        if self.row.size != n:
            object.__setattr__(self, "row", np.arange(n))

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.policy.size)

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.policies)

    @cached_property
    def units(self) -> int:
        """Independent clusters."""
        return int(self.cluster.max()) + 1 if self.n else 0

    @cached_property
    def labelled(self) -> BoolArray:
        """[n] whether the row has a gold label."""
        return np.isfinite(self.gold)

    def take(self, rows: IntArray | BoolArray) -> Ratings:
        """Some of the rows, with the same codes for policies, items, clusters and strata."""
        return replace(self, forecast=None, **{name: getattr(self, name)[rows] for name in _BY_ROW})


def stacked(parts: Sequence[Ratings]) -> Ratings:
    """Rows of several parts of one table, which share their codes; clusters are coded anew, without gaps.

    Forecasts and findings of the parts are left behind.
    """
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_ROW}
    _, columns["cluster"] = np.unique(columns["cluster"], return_inverse=True)
    return replace(parts[0], forecast=None, findings=(), **columns)
