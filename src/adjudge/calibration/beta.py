"""Straightens a judge that speaks in probabilities, at each end by itself: a sigmoid, its inverse, or no change at all.

    f(s) = σ(a ln s − b ln(1 − s) + c),      a, b >= 0

The score is read as a probability on the scale of gold. A slope that comes out negative is set to 0 and the rest fitted
again. The mean of the labels is kept. Paper: Kull, Silva Filho & Flach (2017). Limits: a = b = 1, c = 0 leaves the
judge alone; a = b is Platt's curve on the logit; a = b = 0 is the mean of the labels.
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
from . import _logit, _slice

CARD = Card(
    answers="How must the probabilities of a judge be bent, at each end, to match the labels?",
    equation="f(s) = σ(a ln s − b ln(1 − s) + c)",
    papers=(
        Paper(
            "Beta Calibration: a Well-Founded and Easily Implemented Improvement on Logistic Calibration",
            "Kull, Silva Filho, Flach",
            2017,
            "AISTATS",
            "https://proceedings.mlr.press/v54/kull17a.html",
            "Section 4",
        ),
    ),
    needs=("score", "gold"),
    assumes=("the score is a probability on the scale of gold",),
    limits=("a = b = 1, c = 0 leaves the judge alone", "a = b = 0 is the mean of the labels"),
    when="A probabilistic judge and some dozens of labels. Use temperature with fewer.",
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    ridge: float = 0.1,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit a beta calibration map to the labelled rows of all policies.

    Arguments:
        ratings: table with scores on the scale of gold, some gold labels and a finite gold range.
        judges: score columns to use, each with its a and b; all by default.
        ridge: how strongly each a and b is pulled towards its share of 1, in labels; 0 is maximum likelihood.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, gold has no finite range, or scores lie outside it.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50, outcome="graded").draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (500, 3)
    """
    method = "calibration.beta"
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    _logit.check(method, labelled)
    _logit.check_probability(method, labelled)
    basis = partial(_basis, bounds=labelled.bounds)
    X = basis(labelled.score, labelled.covariates)
    y = _logit.unit(labelled.gold, labelled.bounds)
    count = X.shape[1] - 1
    penalty = np.concatenate([[0.0], np.full(count, ridge)])
    beta, kept = _rising(X, y, labelled.weights, penalty)
    return _logit.finish(method, labelled, basis, X, beta, ridge=penalty, free=kept[0])


def _basis(score: FloatArray, covariates: FloatArray, *, bounds: tuple[float, float]) -> FloatArray:  # noqa: ARG001
    """[n, 1 + 2J] one, ln s and −ln(1 − s)."""
    share = _logit.clipped(score, bounds)
    return np.column_stack([np.ones(len(share)), np.log(share), -np.log1p(-share)])


def _rising(X: FloatArray, y: FloatArray, weights: FloatArray, penalty: FloatArray) -> tuple[FloatArray, FloatArray]:
    """([B, q] coefficients, [B, q] 1 where kept): the most negative slope is dropped until none is."""
    judges = (X.shape[1] - 1) // 2
    centre = np.concatenate([[0.0], np.full(2 * judges, 1.0 / judges)])
    beta = glm.logistic(X, y, weights, ridge=penalty, centre=centre)
    kept = np.ones_like(beta)
    while (falling := np.flatnonzero((beta[:, 1:] < 0).any(axis=1))).size:
        kept[falling, 1 + beta[falling, 1:].argmin(axis=1)] = 0.0
        for pattern in np.unique(kept[falling], axis=0):
            same = falling[(kept[falling] == pattern).all(axis=1)]
            beta[same] = pattern * glm.logistic(X * pattern, y, weights[same], ridge=penalty, centre=centre * pattern)
    return beta, kept
