"""What the logistic calibrators share: gold moved into [0, 1] by its range, a logistic fit, and the way back.

    f = low + (high − low) · σ(x·β),      ∂f/∂β = (high − low) · σ'(x·β) · x

Only the features x differ: standardised scores (Platt), one logit (temperature), two logarithms (beta).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..stats import glm
from ..tables.calibrator import Calibrator
from . import _slice

Basis = Callable[[FloatArray, FloatArray], FloatArray]
EDGE = 1e-6
"""Scores of exactly 0 or 1 are moved inside by this much, where their logarithms are finite."""


def unit(values: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """Values as a share of the range of gold."""
    return (values - bounds[0]) / (bounds[1] - bounds[0])


def check(method: str, labelled: _slice.Slice) -> None:
    """Gold needs a finite range, and must lie in it."""
    low, high = labelled.bounds
    if not np.isfinite([low, high]).all():
        raise AdjudgeError(
            f"ratings.bounds: the gold label has no finite range ({low} to {high}).",
            f"{method} moves gold into [0, 1] by its range.",
            "Give the range, such as --gold-range 0 10, or use calibration.linear or calibration.isotonic.",
        )
    outside = (labelled.gold < low) | (labelled.gold > high)
    if outside.any():
        raise AdjudgeError(
            f"ratings.gold: {int(outside.sum())} labels lie outside {low} to {high} (first: row"
            f" {labelled.row[outside][0]}).",
            f"{method} needs every label inside the range of gold.",
            "Widen the range, or drop those labels.",
        )


def check_probability(method: str, labelled: _slice.Slice) -> None:
    """The score must be a probability-like value on the scale of gold."""
    share = unit(labelled.score[labelled.weight > 0], labelled.bounds)
    outside = int(((share < 0) | (share > 1)).any(axis=1).sum())
    if outside:
        raise AdjudgeError(
            f"ratings.score: {outside} labelled rows have a score outside the range of gold, {labelled.bounds[0]} to"
            f" {labelled.bounds[1]}.",
            f"{method} reads the score as a probability on the scale of gold.",
            "Rescale the score, or use calibration.platt, which takes any scale.",
        )


def clipped(score: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """Scores as probabilities strictly inside (0, 1)."""
    return unit(score, bounds).clip(EDGE, 1 - EDGE)


def finish(
    method: str,
    labelled: _slice.Slice,
    basis: Basis,
    X: FloatArray,
    beta: FloatArray,
    *,
    ridge: FloatArray,
    free: FloatArray | None = None,
    findings: tuple[Finding, ...] = (),
) -> Calibrator:
    """The calibrator of coefficients [K+1, q] on features X [m, q]; what is not `free` [q] is fixed."""
    low, high = labelled.bounds
    held_out = low + (high - low) * special.expit(np.einsum("mq,mq->m", X, beta[1 + labelled.fold]))
    mu = special.expit(X @ beta[0])
    lever = glm.lever(X if free is None else X * free, labelled.weight, mu * (1 - mu), ridge=ridge) / (high - low)
    return _slice.finish(
        method,
        labelled,
        partial(_respond, basis=basis, beta=beta[0], bounds=labelled.bounds),
        _slice.pull(labelled, lever, held_out),
        held_out,
        findings=findings,
    )


def _respond(
    score: FloatArray, covariates: FloatArray, *, basis: Basis, beta: FloatArray, bounds: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Value [n] and gradient [n, q]."""
    X = basis(score, covariates)
    mu = special.expit(X @ beta)
    reach = bounds[1] - bounds[0]
    return bounds[0] + reach * mu, X * (reach * mu * (1 - mu))[:, None]
