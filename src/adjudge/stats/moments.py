"""Solves the moment equation of a linear or logistic regression whose rows may carry weights of either sign.

    g(β) = b − Σ_i t_i μ(x_i·β) x_i = 0,      H(β) = Σ_i t_i μ'(x_i·β) x_i x_iᵀ,      β ← β + s·H⁻¹ g

b = Σ w y x is given as a vector, so that outcomes may be corrected, imputed or real: prediction-powered and
design-based regressions are this one equation with their own b and t. Every answer carries a certificate: the largest
moment left, as a share of the terms that it sums. Limits: t = w >= 0 and b = Σ w y x is weighted least squares or
maximum likelihood; one constant column is the weighted mean.

McCullagh, P. & Nelder, J. (1989). Generalized Linear Models. Chapman & Hall. Section 2.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .cluster import group_sums

MODELS = ("linear", "logistic")
TOLERANCE = 1e-11
"""Share of its terms that a moment may be off at the answer."""
STEPS = 100
FLAT = 1e-7
"""Slope of the logistic mean, averaged along the flattest direction, below which labels are called separated."""


@dataclass(frozen=True, slots=True, eq=False)
class Root:
    """A solved moment equation.

    Arguments:
        coef: [d] coefficients β.
        inverse: [d, d] H⁻¹ at the answer.
        certificate: largest moment left, as a share of the absolute terms that it sums.
        steps: Newton steps taken.
    """

    coef: FloatArray
    inverse: FloatArray
    certificate: float
    steps: int


def mean(eta: FloatArray, model: str) -> FloatArray:
    """[n] μ(η)."""
    return eta if model == "linear" else special.expit(eta)


def slope(eta: FloatArray, model: str) -> FloatArray:
    """[n] μ'(η)."""
    if model == "linear":
        return np.ones_like(eta)
    mu = special.expit(eta)
    return mu * (1 - mu)


def solve(
    X: FloatArray, weight: FloatArray, moment: FloatArray, *, model: str = "linear", names: Sequence[str] = ()
) -> Root:
    """The root of the moment equation, by damped Newton steps.

    Arguments:
        X: [n, d] regressors, of full column rank.
        weight: [n] t, of either sign; the Hessian must be positive definite all the same.
        moment: [d] b = Σ w y x.
        model: `linear` or `logistic`.
        names: [d] names of the columns, for messages.

    Errors: columns that repeat one another; labels that a threshold separates; corrections so large that the
    Hessian is not positive definite.

    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 2.0, 3.0]])
    >>> solve(X, np.ones(4), X.T @ np.array([1.0, 3.0, 5.0, 7.0])).coef.round(12)
    array([1., 2.])
    """
    if model not in MODELS:
        raise AdjudgeError(f"model is {model!r}.", f"One of {', '.join(MODELS)}.", "Name one of them.")
    scale = _full_rank(X, np.abs(weight), names)
    Z, b = X / scale, moment / scale
    gram = (Z * np.abs(weight)[:, None]).T @ Z
    beta = np.zeros(X.shape[1])
    gap: FloatArray = _gap(Z, weight, b, beta, model)
    size: FloatArray = np.abs(weight) @ np.abs(Z) + np.abs(b)
    steps = 0
    while steps < STEPS and np.abs(gap / size).max() > TOLERANCE:
        steps += 1
        hessian = _hessian(Z, weight, beta, model, gram)
        step = np.asarray(np.linalg.solve(hessian, gap), dtype=np.float64)
        beta, gap, moved = _damped(Z, weight, b, beta, model, step, gap, size)
        if not moved:
            break
    certificate = float(np.abs(gap / size).max())
    hessian = _hessian(Z, weight, beta, model, gram)
    if certificate > 1e-9:
        raise AdjudgeError(
            f"{model} regression: the moment equation is still off by {certificate:.1g} of its terms after "
            f"{steps} steps.",
            "Corrected labels must leave a solution inside the range of the model.",
            "Use model='linear', fewer columns, or more labels.",
        )
    return Root(beta / scale, np.linalg.inv(hessian) / np.outer(scale, scale), certificate, steps)


def by_cluster(psi: FloatArray, cluster: IntArray, units: int) -> FloatArray:
    """[units, d] sums of row contributions [n, d] over clusters."""
    return group_sums(cluster, np.ascontiguousarray(psi.T), units).T


def _gap(Z: FloatArray, weight: FloatArray, b: FloatArray, beta: FloatArray, model: str) -> FloatArray:
    return b - Z.T @ (weight * mean(Z @ beta, model))


def _damped(
    Z: FloatArray,
    weight: FloatArray,
    b: FloatArray,
    beta: FloatArray,
    model: str,
    step: FloatArray,
    gap: FloatArray,
    size: FloatArray,
) -> tuple[FloatArray, FloatArray, bool]:
    """A Newton step, halved until the moments shrink; the last value says whether any length did."""
    length, before = 1.0, float(np.square(gap / size).sum())
    for _ in range(40):
        trial = beta + length * step
        after = _gap(Z, weight, b, trial, model)
        if float(np.square(after / size).sum()) < before:
            return trial, after, True
        length /= 2
    return beta, gap, False


def _hessian(Z: FloatArray, weight: FloatArray, beta: FloatArray, model: str, gram: FloatArray) -> FloatArray:
    """H in scaled columns; refuses one that is flat or bent the wrong way."""
    hessian = (Z * (weight * slope(Z @ beta, model))[:, None]).T @ Z
    bend = float(linalg.eigh(hessian, gram, eigvals_only=True)[0])
    if bend > FLAT:
        return hessian
    if model == "logistic" and np.all(weight >= 0):
        raise AdjudgeError(
            f"logistic regression: the columns separate the labels (flattest slope {bend:.1g}).",
            "Maximum likelihood exists only where labels of both kinds overlap along every direction of the columns.",
            "Drop the column that predicts the label perfectly, label more rows, or use model='linear'.",
        )
    raise AdjudgeError(
        f"{model} regression: the corrected moment equation bends the wrong way (curvature {bend:.1g}).",
        "Few labels with small propensities can outweigh all predicted rows.",
        "Label more rows, raise the smallest propensities, or drop columns.",
    )


def _full_rank(X: FloatArray, weight: FloatArray, names: Sequence[str]) -> FloatArray:
    """[d] root mean square of each column; an error names the columns that the others already determine."""
    total = float(weight.sum())
    scale: FloatArray = np.sqrt(weight @ X**2 / total) if total > 0 else np.zeros(X.shape[1])
    labels = list(names) or [f"column {index}" for index in range(X.shape[1])]
    unit = np.where(scale > 0, scale, 1.0)
    gram = (X * (weight / max(total, 1e-300))[:, None]).T @ X / np.outer(unit, unit)
    triangle, order = linalg.qr(gram, mode="r", pivoting=True)[-2:]
    size = np.abs(np.diagonal(triangle))
    spare = [labels[index] for index in np.asarray(order)[size <= 1e-11 * max(float(size.max()), 1e-300)]]
    if spare or not (scale > 0).all():
        raise AdjudgeError(
            f"regression: {', '.join(spare) or 'a column'} is 0 or follows from the other columns.",
            "Each column must say something that the others do not; a constant counts as the intercept.",
            "Drop the columns named.",
        )
    return scale


def few_clusters(clusters: int, d: int) -> tuple[Finding, ...]:
    """A finding below ten labelled clusters a coefficient."""
    if clusters >= 10 * d:
        return ()
    return (
        Finding(
            "labels-too-few",
            Severity.WARNING,
            f"{clusters} labelled clusters for {d} coefficients: cluster-robust errors are then too small by "
            "some per cent.",
            clusters,
            10 * d,
            f"Label {10 * d - clusters} more clusters, or drop columns.",
        ),
    )
