"""Puts judge scores on the gold scale by a straight line: the steadiest choice when labels are few.

    f(s, z) = β₀ + β·(s, z),      β = argmin Σ_l w_l (Y_l − f_l)² + λ Σ_j (sd_j β_j)²

Several judges and covariates are features alike. Paper: Angelopoulos, Duchi & Zrnic (2023), PPI++: its λ-tuned mean is
the slope of this line. Limits: with one constant judge it is the mean of the labels; λ = ∞ ignores the judge; λ = 0 is
ordinary least squares and keeps the mean of the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..stats import glm
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice
from ._design import Design, standardise

CARD = Card(
    answers="What gold label does a judge score stand for, if the two are related by a straight line?",
    equation="f(s) = β₀ + β·s,   β = argmin Σ w (Y − f(s))² + λ|β|²",
    papers=(
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2311.01453",
            "Section 6",
        ),
    ),
    needs=("score", "gold"),
    assumes=("the mean label is close to linear in the scores",),
    limits=("λ = 0 is least squares", "λ = ∞ is the mean of the labels"),
    when="Few labels, several judges, or a judge on the gold scale. Use isotonic when the relation bends.",
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    covariates: bool = True,
    ridge: float = 0.0,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit a straight line to the labelled rows of all policies.

    Arguments:
        ratings: table with scores and some gold labels.
        judges: score columns to use; all by default.
        covariates: whether the covariate columns are features too.
        ridge: penalty λ on the standardised slopes, in labels; 0 is least squares.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, or a judge is not a column.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (500, 2)
    """
    labelled = _slice.take(ratings, judges=judges, covariates=covariates, folds=folds, seed=seed)
    design = standardise(labelled)
    X, penalty = design(labelled.score, labelled.covariates), design.penalty(ridge)
    beta = glm.line(X, labelled.gold, labelled.weights, ridge=penalty)
    held_out = np.einsum("mq,mq->m", X, beta[1 + labelled.fold])
    lever = glm.lever(X, labelled.weight, np.ones(len(X)), ridge=penalty)
    return _slice.finish(
        "calibration.linear",
        labelled,
        partial(_respond, design=design, beta=beta[0]),
        _slice.pull(labelled, lever, held_out),
        held_out,
    )


def _respond(
    score: FloatArray, covariates: FloatArray, *, design: Design, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Value [n] of the line and its gradient [n, q], which is the design itself."""
    X = design(score, covariates)
    return X @ beta, X
