"""Ignores the judge: every row is worth the mean label. What a judge must beat before it is believed.

    f = Σ_l w_l Y_l / Σ_l w_l

Limit: the value of a policy with labels of its own is then its labels-only mean. Paper: the null model of Hastie,
Tibshirani & Friedman (2009), Section 7.10.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

CARD = Card(
    answers="What would we forecast if the judge said nothing?",
    equation="f = Σ w Y / Σ w",
    papers=(
        Paper(
            "The Elements of Statistical Learning",
            "Hastie, Tibshirani, Friedman",
            2009,
            "Springer",
            "https://hastie.su.domains/ElemStatLearn/",
            "Section 7.10",
        ),
    ),
    needs=("gold",),
    assumes=(),
    limits=("the yardstick of every other calibrator",),
    when="The judge is no better than chance, or never scored the labelled rows.",
)


def fit(ratings: Ratings, *, folds: int = 5, seed: int = 0) -> Calibrator:
    """The weighted mean of all labels, for every row.

    Arguments:
        ratings: table with some gold labels; scores are not read.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50).draw(0).ratings
    >>> forecast = fit(ratings)(ratings).forecast
    >>> bool(np.ptp(forecast.value) == 0)
    True
    """
    labelled = _slice.take(ratings, judges=(), folds=folds, seed=seed)
    total = labelled.weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = labelled.weights @ labelled.gold / total
    held_out = means[1 + labelled.fold]
    influence = _slice.pull(labelled, labelled.weight[:, None] / total[0], held_out)
    return _slice.finish("calibration.mean", labelled, partial(_respond, mean=float(means[0])), influence, held_out)


def _respond(score: FloatArray, covariates: FloatArray, *, mean: float) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    """The mean [n] and its gradient [n, 1]."""
    return np.full(len(score), mean), np.ones((len(score), 1))
