"""Puts a judge's score on the gold scale by any curve that never falls, and keeps the mean of the labels.

    f = argmin_{f non-decreasing} Σ_l w_l (Y_l − f(s_l))²,     Σ_l w_l f(s_l) = Σ_l w_l Y_l

Between labelled scores the curve is a straight line, beyond them flat. Several judges are first joined into one index
by least squares. Paper: Landesberg & Narayan (2025), Causal Judge Evaluation: AutoCal-R with a monotone curve.
Limits: a judge in the right order but on the wrong scale is put right exactly; one in the wrong order becomes the mean
of the labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..stats import isotonic as curves
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _index, _slice
from ._design import standardise

CARD = Card(
    answers="What gold label does a judge score stand for, if a higher score never means a lower label?",
    equation="f = argmin over non-decreasing f of Σ w (Y − f(s))²",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            "AutoCal-R, monotone mode",
        ),
        Paper(
            "An Empirical Distribution Function for Sampling with Incomplete Information",
            "Ayer, Brunk, Ewing, Reid, Silverman",
            1955,
            "Annals of Mathematical Statistics 26",
            "https://doi.org/10.1214/aoms/1177728423",
        ),
    ),
    needs=("score", "gold"),
    assumes=("the mean label does not fall as the score rises",),
    limits=("one block is the mean of the labels", "ordered labels are returned as they are"),
    when="Dozens of labels and a judge on its own scale. Use linear with fewer, two_stage with several judges.",
    rows=(29,),
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit a non-decreasing curve to the labelled rows of all policies; covariates are not read.

    The gradient is by the value of each block, so the calibration error of any average is analytic.

    Arguments:
        ratings: table with scores and some gold labels.
        judges: score columns to use; all by default. Several are joined into one index first.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, or a judge is not a column.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50).draw(0).ratings
    >>> forecast = fit(ratings)(ratings).forecast
    >>> bool(abs((forecast.value - ratings.gold)[ratings.labelled].mean()) < 1e-12)
    True
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    if len(labelled.judges) > 1:
        design = standardise(labelled)
        return _index.fit("calibration.isotonic", labelled, design, penalty=design.penalty(0.0))
    used = labelled.weight > 0
    at = curves.levels(labelled.score[:, 0])
    steps, lever = curves.fit(at, labelled.gold, labelled.weight)
    table = curves.refit(at, labelled.gold, labelled.weights[1:])
    held_out = np.where(used, table[labelled.fold, at.level], np.nan)
    influence = _slice.pull(labelled, lever, held_out)
    return _slice.finish("calibration.isotonic", labelled, partial(_respond, steps=steps), influence, held_out)


def _respond(score: FloatArray, covariates: FloatArray, *, steps: curves.Steps) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    """Value [n] of the curve at the only judge's score, and its gradient [n, q]."""
    return steps.respond(score[:, 0])
