"""Undoes the shrinkage of a judge, so that differences between policies come out in full instead of attenuated.

    s = a + b·Y + ε          fitted on the labelled rows: the score is regressed on the gold label
    f(s) = (s − a) / b       so that E[f | Y] = Y, and E[f | policy A] − E[f | policy B] = E[Y | A] − E[Y | B]

The usual calibrators predict Y from s; E[f | Y] is then a share b < 1 of the way from the mean to Y, and so is every
difference between policies or arms that have no labels of their own. This one runs the line the other way: worse for
one row (its spread is larger than that of Y), right for averages. Rater noise in the labels sits here in the
regressor, so Σ(Y − Ȳ)² is reduced by `gold_variance`. Its influence values carry the error of a and b into `value`.

Pettersson, Jerzak, Daoud (2025), One Map, Many Trials: linear calibration correction. Limits: a = 0, b = 1 leaves the
score as it is; |correlation| = 1 is the ordinary line. Needs s ⊥ policy | Y: a judge that is kinder to one policy
biases that policy by shift/b, more than without correction. When b is not told from 0, nothing is known.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

PAPER = Paper(
    "Debiasing Machine Learning Predictions for Causal Inference Without Additional Ground Truth Data: "
    '"One Map, Many Trials" in Satellite-Driven Poverty Analysis',
    "Pettersson, Jerzak, Daoud",
    2025,
    "arXiv",
    "https://arxiv.org/abs/2508.01341",
    "linear calibration correction",
)

CARD = Card(
    answers="How large are differences between policies once the judge's pull towards the mean is undone?",
    equation="s = a + b·Y + ε on labelled rows;   f(s) = (s − a)/b,   E[f | Y] = Y",
    papers=(PAPER, Paper("Measurement Error Models", "Fuller", 1987, "Wiley", equation="1.2")),
    needs=("score", "gold"),
    assumes=(
        "given the gold label, the score does not depend on the policy: calibration transports",
        "the mean score is linear in the gold label",
    ),
    limits=(
        "a = 0 and b = 1 leave the score as it is",
        "a judge shifted by δ for one policy biases that policy by δ/b",
        "1/b̂ is biased upwards by about Var(b̂)/b², so a handful of labels overcorrects",
        "values may leave the range of the gold label: clipping them would bring the shrinkage back",
    ),
    when="Policies or arms without labels of their own are compared, and all labels come from elsewhere. "
    "Where every policy has labels, use isotonic with augmentation: it needs no transport.",
    rows=(352,),
)


def fit(ratings: Ratings, *, judge: str | None = None, folds: int = 5, seed: int = 0) -> Calibrator:
    """Regress the score on the gold label over the labelled rows, and invert the line.

    Arguments:
        ratings: table with a judge and at least three gold labels of two values or more.
        judge: score column; the first by default.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Errors: no labels, fewer than three, or labels that are all alike.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (505, 2)
    """
    labelled = _slice.take(ratings, judges=[judge or ratings.judges[0]], folds=folds, seed=seed)
    score, noise = labelled.score[:, 0], ratings.gold_variance[ratings.labelled]
    a, b, spread = line(score, labelled.gold, noise, labelled.weights)
    if np.count_nonzero(labelled.weight) < 3 or not spread[0] > 0:
        raise AdjudgeError(
            f"ratings.gold: {np.count_nonzero(labelled.weight)} labels with a spread of {max(spread[0], 0):.3g}.",
            "A line through score and gold needs at least three labels that differ by more than rater noise.",
            "Label more rows, chosen over the whole range of scores.",
        )
    weight, total = labelled.weight, labelled.weight.sum()
    mean = weight @ labelled.gold / total
    error = score - a[0] - b[0] * labelled.gold
    slope = weight * ((labelled.gold - mean) * error + b[0] * noise) / spread[0]
    influence = np.column_stack([weight * error / total - mean * slope, slope])
    usable = (spread > 0) & (b * b[0] > 0)
    a, b = np.where(usable, a, a[0]), np.where(usable, b, b[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        held_out = (score - a[1 + labelled.fold]) / b[1 + labelled.fold]
    return _slice.finish(
        "calibration.linear_correction",
        replace(labelled, bounds=(-np.inf, np.inf)),
        partial(respond, a=float(a[0]), b=float(b[0])),
        influence,
        held_out,
        findings=_doubt(labelled.judges, b[0], slope, labelled.cluster),
    )


def line(
    score: FloatArray, gold: FloatArray, noise: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Intercepts a [B], slopes b [B] and noise-free sums of squares of gold [B] for weights [B, m].

    >>> a, b, _ = line(np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.0, 4.0]), np.zeros(3), np.ones((1, 3)))
    >>> float(a[0]), float(b[0])
    (1.0, 0.5)
    """
    total = np.maximum(weights.sum(axis=1), 1e-300)
    mean_gold, mean_score = weights @ gold / total, weights @ score / total
    off = gold - mean_gold[:, None]
    spread = (weights * (off**2 - noise)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        b = (weights * off * (score - mean_score[:, None])).sum(axis=1) / spread
    return mean_score - b * mean_gold, b, spread


def respond(score: FloatArray, covariates: FloatArray, *, a: float, b: float) -> tuple[FloatArray, FloatArray]:  # noqa: ARG001
    """Value [n] of the inverted line and its gradient [n, 2] by (a, b); covariates are not used."""
    with np.errstate(divide="ignore", invalid="ignore"):
        value = (score[:, 0] - a) / b
        return value, np.column_stack([np.full(value.size, -1 / b), -value / b])


def _doubt(judges: tuple[str, ...], b: float, slope: FloatArray, cluster: IntArray) -> tuple[Finding, ...]:
    """A finding when the slope is not told from 0: then (s − a)/b has no finite confidence set (Fieller)."""
    units, code = np.unique(cluster, return_inverse=True)
    total = np.bincount(code, slope)
    stderr = float(np.sqrt(total @ total * units.size / max(units.size - 1, 1)))
    ratio = abs(b) / stderr if stderr > 0 else np.inf
    if ratio > 4:
        return ()
    finding = Finding(
        "slope-near-zero",
        Severity.SEVERE if ratio < 2 else Severity.WARNING,
        f"The score moves by {b:.3g} ± {stderr:.2g} for one unit of gold: dividing by it magnifies its error.",
        ratio,
        4.0,
        "Label more rows, or use calibration.linear with labels of every policy.",
        judges,
    )
    return (finding,)
