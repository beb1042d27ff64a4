"""What a fitted calibrator is: a function from ratings to ratings that also knows how sure it is.

    f̂(row) − f(row) ≈ gradient(row) · Σ_l influence_l
    Var f̂(row) = Σ_clusters (gradient(row) · Σ_{l in cluster} influence_l)²

Calling it fills `ratings.forecast`. A value outside the gold range is moved to its end, where it no longer leans on the
labels (gradient 0). A row whose score is missing is forecast by the mean of the labels. Limit: on the table that it was
fitted to, labelled rows carry their held-out forecast; a labelled row that the fit never saw is its own held-out row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .ratings import Forecast, Ratings

Respond = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
"""(score [n, J], covariates [n, d]) -> (value [n], gradient [n, q]), for rows without gaps, before the bounds."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A calibrator that an automatic choice tried.

    Arguments:
        method: its address.
        error: out-of-fold weighted mean squared error, in gold units squared.
        stderr: standard error of that error, by cluster.
        excess: how much larger the error is than that of the best trial.
        excess_stderr: standard error of the excess, paired by cluster.
    """

    method: str
    error: float
    stderr: float
    excess: float
    excess_stderr: float


@dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """A fitted map from judge scores (and covariates) to the unit of the gold label.

    Arguments:
        method: address of the method, such as `calibration.isotonic`.
        judges: the J score columns that it reads.
        covariates: the d covariates that it reads.
        respond: value and gradient of rows without gaps, before the bounds.
        influence: [m, q] what each labelled row of the fit adds to the error of the q parameters.
        held_out: [m] forecast of each labelled row by a fit that never saw its cluster; NaN if there is none.
        gold, row, cluster: [m] label, row number and cluster of the labelled rows.
        mean: weighted mean of the labels, which stands in where a score is missing.
        mean_influence: [m] what each label adds to the error of that mean.
        bounds: range of the gold label.
        findings: what to distrust about the fit.
        trials: what an automatic choice compared; empty otherwise.
    """

    method: str
    judges: tuple[str, ...]
    covariates: tuple[str, ...]
    respond: Respond
    influence: FloatArray
    held_out: FloatArray
    gold: FloatArray
    row: IntArray
    cluster: IntArray
    mean: float
    mean_influence: FloatArray
    bounds: tuple[float, float] = (-np.inf, np.inf)
    findings: tuple[Finding, ...] = ()
    trials: tuple[Trial, ...] = ()

    def __call__(self, ratings: Ratings) -> Ratings:
        """The same ratings with `forecast` filled."""
        score = _columns(ratings.score, ratings.judges, self.judges, self.method)
        covariates = _columns(ratings.covariates, ratings.covariate_names, self.covariates, self.method)
        value, gradient, gap = self._answer(score, covariates)
        influence = np.column_stack([self.influence, self.mean_influence]) if gap.any() else self.influence
        labelled = np.flatnonzero(ratings.labelled)
        held_out = np.full(ratings.n, np.nan)
        if labelled.size == self.gold.size and np.array_equal(ratings.row[labelled], self.row):
            held_out[labelled] = self.held_out
            found: tuple[Finding, ...] = ()
        else:
            held_out[labelled], influence, found = self._align(ratings.row[labelled], value[labelled], influence)
        forecast = Forecast(value, held_out, gradient, influence, self.method)
        return replace(ratings, forecast=forecast, findings=ratings.findings + found)

    def predict(self, score: ArrayLike, covariates: ArrayLike | None = None) -> FloatArray:
        """[n] forecasts of gold for scores [n, J] (or [n] for one judge) and covariates [n, d]."""
        return self._answer(*self._table(score, covariates))[0]

    def curve(self, grid: ArrayLike, covariates: ArrayLike | None = None) -> tuple[FloatArray, FloatArray]:
        """([g] value, [g] standard error) along a grid of scores [g] or [g, J]; the error is by cluster."""
        value, gradient, gap = self._answer(*self._table(grid, covariates))
        influence = np.column_stack([self.influence, self.mean_influence]) if gap.any() else self.influence
        units, code = np.unique(self.cluster, return_inverse=True)
        if units.size < 2:
            return value, np.full(value.size, np.nan)
        total = np.zeros((units.size, influence.shape[1]))
        np.add.at(total, code, influence)
        total -= total.mean(axis=0)
        covariance = total.T @ total * (units.size / (units.size - 1))
        return value, np.sqrt(np.einsum("gq,qr,gr->g", gradient, covariance, gradient).clip(0))

    def _table(self, score: ArrayLike, covariates: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
        """Scores [n, J] and covariates [n, d]; one row of covariates serves for all."""
        table = np.asarray(score, dtype=float)
        table = table.reshape(-1, len(self.judges)) if self.judges else np.empty((table.size, 0))
        extra = np.empty((1, 0)) if covariates is None else np.atleast_2d(np.asarray(covariates, dtype=float))
        if extra.shape[1] != len(self.covariates):
            raise AdjudgeError(
                f"{self.method}: {extra.shape[1]} covariates were given.",
                f"It was fitted on {len(self.covariates)}: {', '.join(self.covariates) or 'none'}.",
                "Give them in that order.",
            )
        return table, np.broadcast_to(extra, (len(table), extra.shape[1]))

    def _answer(self, score: FloatArray, covariates: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Value, gradient (with a last column for the mean where a score is missing) and which rows have gaps."""
        gap: BoolArray = ~np.isfinite(score.sum(axis=1) + covariates.sum(axis=1))
        if gap.any():
            value = np.full(gap.size, self.mean)
            gradient = np.zeros((gap.size, self.influence.shape[1] + 1))
            gradient[gap, -1] = 1.0
            if not gap.all():
                value[~gap], gradient[~gap, :-1] = self.respond(score[~gap], covariates[~gap])
        else:
            value, gradient = self.respond(score, covariates)
        low, high = self.bounds
        outside = (value < low) | (value > high)
        if outside.any():
            value, gradient = np.clip(value, low, high), np.where(outside[:, None], 0.0, gradient)
        return value, gradient, gap

    def _align(
        self, row: IntArray, value: FloatArray, influence: FloatArray
    ) -> tuple[FloatArray, FloatArray, tuple[Finding, ...]]:
        """Held-out forecasts and influence for the labelled rows of another table, matched by row number."""
        order = np.argsort(self.row)
        at = order[np.searchsorted(self.row, row, sorter=order).clip(max=self.row.size - 1)]
        same = self.row[at] == row
        held_out = np.where(same, self.held_out[at], value)
        moved = np.where(same[:, None], influence[at], 0.0)
        lost = self.row.size - int(same.sum())
        if not lost:
            return held_out, moved, ()
        finding = Finding(
            "calibration-labels-elsewhere",
            Severity.WARNING,
            f"{lost} of the {self.row.size} labels behind {self.method} are not in this table, so their share of the"
            " calibration error is not in its standard errors.",
            lost,
            0,
            "Calibrate on the table that is evaluated.",
            self.judges,
        )
        return held_out, moved, (finding,)


def _columns(table: FloatArray, names: tuple[str, ...], wanted: tuple[str, ...], method: str) -> FloatArray:
    """[n, len(wanted)] columns by name."""
    missing = [name for name in wanted if name not in names]
    if missing:
        raise AdjudgeError(
            f"ratings: no column is named {missing[0]!r}.",
            f"{method} was fitted on {', '.join(wanted)}.",
            f"Add the column, or fit again on {', '.join(names) or 'what there is'}.",
        )
    return table if wanted == names else table[:, [names.index(name) for name in wanted]]
