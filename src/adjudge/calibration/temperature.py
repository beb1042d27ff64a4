"""Cools an over-sure judge, or warms a timid one, by one number: when the judge is a probability and labels are few.

    f(s) = σ(logit(s) / T),      1/T = argmax quasi-likelihood >= 0

The score is read as a probability on the scale of gold; several judges are joined by the mean of their logits. One
parameter costs least, but a judge that is biased around one half stays biased: see `beta`. Paper: Guo et al. (2017).
Limits: T = 1 leaves the judge alone; T = ∞ says the middle of the range everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..stats import glm
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _logit, _slice

CARD = Card(
    answers="How much too sure, or too timid, is a judge that speaks in probabilities?",
    equation="f(s) = σ(logit(s) / T)",
    papers=(
        Paper(
            "On Calibration of Modern Neural Networks",
            "Guo, Pleiss, Sun, Weinberger",
            2017,
            "ICML",
            "https://arxiv.org/abs/1706.04599",
            "Section 4.2",
        ),
    ),
    needs=("score", "gold"),
    assumes=("the score is a probability on the scale of gold", "the judge errs symmetrically around one half"),
    limits=("T = 1 leaves the judge alone", "T = ∞ is the middle of the range"),
    when="A dozen labels and a judge that speaks in probabilities. Use beta when it is also biased.",
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    ridge: float = 0.1,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit the temperature of a probabilistic judge to the labelled rows of all policies.

    Arguments:
        ratings: table with scores on the scale of gold, some gold labels and a finite gold range.
        judges: score columns to use; all by default.
        ridge: how strongly 1/T is pulled towards 1, in labels; 0 is maximum likelihood.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, gold has no finite range, or scores lie outside it.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50, outcome="graded").draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (500, 1)
    """
    method = "calibration.temperature"
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    _logit.check(method, labelled)
    _logit.check_probability(method, labelled)
    basis = partial(_basis, bounds=labelled.bounds)
    X = basis(labelled.score, labelled.covariates)
    y = _logit.unit(labelled.gold, labelled.bounds)
    penalty = np.array([ridge])
    beta = glm.logistic(X, y, labelled.weights, ridge=penalty, centre=np.ones(1))
    findings = (_reversed(labelled),) if beta[0, 0] <= 0 else ()
    free = np.zeros(1) if findings else None
    return _logit.finish(method, labelled, basis, X, beta.clip(0), ridge=penalty, free=free, findings=findings)


def _basis(score: FloatArray, covariates: FloatArray, *, bounds: tuple[float, float]) -> FloatArray:  # noqa: ARG001
    """[n, 1] mean logit of the judges."""
    return special.logit(_logit.clipped(score, bounds)).mean(axis=1, keepdims=True)


def _reversed(labelled: _slice.Slice) -> Finding:
    """The judge points the wrong way."""
    return Finding(
        "judge-reversed",
        Severity.SEVERE,
        "Higher scores go with lower labels, and a temperature cannot turn a judge round.",
        remedy="Check the sign of the score, or use calibration.linear.",
        subject=labelled.judges,
    )
