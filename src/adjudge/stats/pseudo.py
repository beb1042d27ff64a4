"""Regressions on data of which one variable was labelled for some rows only, by a known design, and predicted for all.

    ỹ_i = ŷ_i + (R_i/π_i)(y_i − ŷ_i)                                        outcome labelled:   Σ w x (ỹ − μ(xβ)) = 0
    m̃_i(β) = m(x̂_i, ŷ_i; β) + (R_i/π_i)(m(x_i, y_i; β) − m(x̂_i, ŷ_i; β))    covariate labelled: Σ w m̃_i(β) = 0

E[R/π] = 1 by design, so both moments have the mean of the fully labelled ones whatever the predictions are worth; good
predictions only make R/π·(gold − predicted) small. Predictions are cross-fitted, the split is repeated, and the spread
over splits is added to the variance. Errors are cluster-robust: ψ = H⁻¹ Σ_{i∈g} w m̃_i, the variance times
G/(G−1)·(c−1)/(c−d) for G clusters, c of them labelled.

Limits: every row labelled is ordinary least squares or maximum likelihood with HC1 errors, CR0·G/(G−d) with clusters;
no regressors but a constant is the design-based difference estimator of a mean (Särndal, Swensson, Wretman 1992).

Egami, Hinck, Stewart, Wei (2023), Using Imperfect Surrogates for Downstream Inference, NeurIPS, Eqs. 3-6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import moments, surrogate
from .cluster import group_sums
from .design import effective_clusters

COMBINE = ("median", "mean")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A regression with its design; NaN in `y` or in a column of `X` marks what was not labelled.

    Arguments:
        y: [n] outcome.
        X: [n, d] regressors, the intercept among them.
        surrogate: [n, s] predictions of the labelled variable by others, the main one first.
        propensity: [n] known probability that the row was chosen for a label, in (0, 1].
        cluster: [n] code of the independent unit, 0 … units−1.
        weight: [n] row weights, >= 0.
        names: [d] of the coefficients.
    """

    y: FloatArray
    X: FloatArray
    surrogate: FloatArray
    propensity: FloatArray
    cluster: IntArray
    weight: FloatArray
    names: tuple[str, ...]

    @property
    def labelled(self) -> BoolArray:
        """[n] whether everything about the row is known."""
        return np.isfinite(self.y) & np.isfinite(self.X).all(axis=1)


def problem(
    y: ArrayLike,
    X: ArrayLike,
    surrogate: ArrayLike,
    propensity: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    names: Sequence[str] = (),
) -> Problem:
    """Checks plain arrays and codes the clusters.

    Errors: shapes that do not fit; a propensity outside (0, 1] (NaN stands for "not recorded" nowhere here).
    """
    outcome, design = np.asarray(y, dtype=float), np.asarray(X, dtype=float)
    n = outcome.size
    hints = np.asarray(surrogate, dtype=float).reshape(n, -1)
    chance = np.broadcast_to(np.asarray(propensity, dtype=float), (n,))
    if design.ndim != 2 or design.shape[0] != n:
        raise AdjudgeError(f"X has shape {design.shape}.", f"[{n}, d], one row for each outcome.", "Reshape it.")
    bad = np.flatnonzero(~((chance > 0) & (chance <= 1)))
    if bad.size:
        raise AdjudgeError(
            f"propensity: {bad.size:,} of {n:,} rows are outside (0, 1] (first: row {bad[0]}, {chance[bad[0]]:g}).",
            "Every row must have had a known chance of a label; a row that could not be labelled says nothing of "
            "its own error.",
            "Drop those rows, or record the probability with which each row was chosen.",
        )
    units = np.arange(n) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)[1]
    return Problem(
        outcome,
        design,
        hints,
        chance,
        units.reshape(n).astype(np.int64),
        np.ones(n) if weight is None else np.asarray(weight, dtype=float),
        tuple(names) or tuple(f"x{index}" for index in range(design.shape[1])),
    )


def regress(
    data: Problem,
    *,
    model: str = "linear",
    within: IntArray | None = None,
    learner: str = "auto",
    folds: int = 5,
    splits: int = 10,
    combine: str = "median",
    seed: int = 0,
) -> Estimate:
    """Coefficients with their joint covariance.

    Arguments:
        data: see `problem`.
        model: `linear` or `logistic`.
        within: [n] code of the group whose mean is taken out (fixed effects); linear, outcome labelled only.
        learner: who predicts, see `surrogate.LEARNERS`; `none` takes the first surrogate as it is.
        folds: of the cross-fit.
        splits: repetitions of the random split.
        combine: `median` or `mean` over the splits.
        seed: of the splits.

    Errors: rank-deficient columns, separated labels, fixed effects with a labelled covariate.
    """
    if combine not in COMBINE:
        raise AdjudgeError(f"combine is {combine!r}.", f"One of {', '.join(COMBINE)}.", "Name one of them.")
    known, d = data.labelled, data.X.shape[1]
    clusters = np.unique(data.cluster[known]).size
    if clusters <= d:
        return unknown(data.names, clusters)
    targets = np.flatnonzero(~np.isfinite(np.column_stack([data.y, data.X])).all(axis=0))
    _refuse(within, targets, model)
    rng = np.random.default_rng(seed)
    features = np.column_stack([data.surrogate, np.delete(np.column_stack([data.y, data.X]), targets, axis=1)])
    learn = bool(targets.size) and learner != "none"
    Z = surrogate.basis(features, data.weight, curved=learner != "linear") if learn else features
    order = surrogate.ordered(features, data.cluster, data.weight)
    coefs, covariances = [], []
    for _ in range(splits if learn else 1):
        predicted = _predicted(data, Z, targets, learner, surrogate.deal(data.cluster, known, order, folds, rng))
        coef, psi = (
            _covariate(data, predicted, model)
            if (targets > 0).any()
            else _outcome(data, predicted[:, 0], model, within)
        )
        units = moments.by_cluster(psi, data.cluster, int(data.cluster.max()) + 1)
        coefs.append(coef)
        covariances.append(Part.from_influence("sampling", units * np.sqrt((clusters - 1) / (clusters - d))))
    return _combined(data, np.array(coefs), covariances, combine, clusters)


def _predicted(data: Problem, Z: FloatArray, targets: IntArray, learner: str, fold: IntArray) -> FloatArray:
    """[n, 1+d] outcome and regressors, with what was labelled replaced by its prediction on every row."""
    table, known = np.column_stack([data.y, data.X]), data.labelled
    for column in targets:
        if learner == "none":
            table[:, column] = data.surrogate[:, 0]
        else:
            table[:, column] = surrogate.predict(Z, table[:, column], known, fold, data.weight, learner=learner)
    if not np.isfinite(table).all():
        row = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0])
        raise AdjudgeError(
            f"surrogate: row {row} has no value and learner is 'none'.",
            "Each row needs a prediction of what was not labelled.",
            "Use learner='spline', which fills gaps.",
        )
    return table


def _outcome(
    data: Problem, predicted: FloatArray, model: str, within: IntArray | None
) -> tuple[FloatArray, FloatArray]:
    """Coefficients and [n, d] influence where the outcome was labelled (or everything was)."""
    w, known = data.weight, data.labelled
    gap = np.where(known, data.y - predicted, 0.0)
    pseudo, X = predicted + gap / data.propensity, data.X
    if within is not None:
        pseudo = _demeaned(pseudo[:, None], within, w)[:, 0]
        X = _demeaned(X, within, w)
    root = moments.solve(X, w, X.T @ (w * pseudo), model=model, names=data.names)
    residual = pseudo - moments.mean(X @ root.coef, model)
    return root.coef, (X * (w * residual)[:, None]) @ root.inverse


def _covariate(data: Problem, predicted: FloatArray, model: str) -> tuple[FloatArray, FloatArray]:
    """Coefficients and [n, d] influence where regressors were labelled: gold rows and predicted rows, stacked."""
    known = data.labelled
    share = np.where(known, data.weight / data.propensity, 0.0)
    X = np.vstack([predicted[:, 1:], data.X[known]])
    y = np.r_[predicted[:, 0], data.y[known]]
    t = np.r_[data.weight - share, share[known]]
    root = moments.solve(X, t, X.T @ (t * y), model=model, names=data.names)
    rows = (X * (t * (y - moments.mean(X @ root.coef, model)))[:, None]) @ root.inverse
    psi = rows[: known.size]
    psi[known] += rows[known.size :]
    return root.coef, psi


def _demeaned(X: FloatArray, group: IntArray, weight: FloatArray) -> FloatArray:
    """[n, d] minus the weighted mean of its group."""
    k = int(group.max()) + 1
    total = np.maximum(np.bincount(group, weight, k), 1e-300)
    centre: FloatArray = (group_sums(group, np.ascontiguousarray((X * weight[:, None]).T), k) / total).T
    return X - centre[group]


def _refuse(within: IntArray | None, targets: IntArray, model: str) -> None:
    if within is None:
        return
    if model != "linear":
        raise AdjudgeError(
            "fixed effects with a logistic model.",
            "Taking out group means is exact for linear models only.",
            "Use model='linear', or name the groups as columns.",
        )
    if (targets > 0).any():
        raise AdjudgeError(
            "fixed effects with a labelled covariate.",
            "Group means of predicted and gold values multiply, and no design weight makes a product of two unlabelled "
            "rows unbiased.",
            "Name the groups as columns instead (indicators need no label).",
        )


def unknown(names: tuple[str, ...], clusters: int) -> Estimate:
    """NaN for every name, with the finding why: no more labelled clusters than coefficients."""
    d = len(names)
    finding = Finding(
        "labels-too-few",
        Severity.SEVERE,
        f"{clusters} labelled clusters cannot carry {d} coefficients and their error.",
        clusters,
        d + 1,
        f"Label at least {10 * d - clusters} more clusters.",
    )
    part = Part("sampling", np.full((d, d), np.nan), clusters)
    return Estimate(names, np.full(d, np.nan), (part,), np.full(d, np.nan), findings=(finding,))


def constant(y: FloatArray) -> tuple[Finding, ...]:
    """A finding where labels do not vary: their spread then says nothing of the error."""
    if y.size and y.max() > y.min():
        return ()
    message = f"The {y.size:,} labels do not vary, so nothing can be said of the error."
    number = float(np.unique(y).size)
    return (Finding("labels-constant", Severity.SEVERE, message, number, 2, "Label rows that are likely to differ."),)


def _combined(data: Problem, coefs: FloatArray, parts: list[Part], combine: str, clusters: int) -> Estimate:
    """One estimate from all splits: their centre, their mean covariance, and the spread of the splits."""
    value = np.median(coefs, axis=0) if combine == "median" else coefs.mean(axis=0)
    sampling = np.mean([part.covariance for part in parts], axis=0)
    away = coefs - value
    d, y = data.X.shape[1], data.y[data.labelled]
    if y.max() == y.min():
        sampling = np.full_like(sampling, np.nan)
    found = [*constant(y), *_doubts(data, clusters)]
    return Estimate(
        data.names,
        value,
        (Part("sampling", sampling, parts[0].units), Part("splits", away.T @ away / len(parts), len(parts))),
        np.full(d, clusters - d, dtype=float),
        findings=tuple(found),
    )


def _doubts(data: Problem, clusters: int) -> list[Finding]:
    """Findings on how many labels there are and how unevenly the design weighs them."""
    known, d = data.labelled, data.X.shape[1]
    found = [*moments.few_clusters(clusters, d)]
    weight = np.where(known, data.weight / data.propensity, 0.0)
    m = int(known.sum())
    effective = float(effective_clusters(np.zeros(m, dtype=np.int64), weight[known] / data.weight[known], 1)[0])
    if effective < m / 2:
        found.append(
            Finding(
                "propensity-uneven",
                Severity.WARNING,
                f"{m:,} labels count as {effective:.0f}: a few rows with small propensities carry the answer.",
                effective,
                m / 2,
                "Sample labels with a floor under the propensity (half of the uniform one keeps nearly all the gain).",
            )
        )
    return found
