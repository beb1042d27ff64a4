"""Undoes the shrinkage of a judge point by point, without assuming that it is the same everywhere.

    Ŷ = α + β·s,   σ² = Var(Y − Ŷ)                  the best line on the labelled rows, and what it leaves open
    f(s) = Ŷ − σ²·(log p)′(Ŷ)                       p the density of Ŷ over all rows, labelled or not

Why the minus sign. With Y = Ŷ + e, Tweedie's formula read for Ŷ given Y says E[Ŷ | Y = y] = y + σ²·(log p)′(y) up to
O(σ⁴): predictions are pulled towards where they are dense. Taking the same term off pushes them back:
E[Ŷ − σ²(log p)′(Ŷ) | Y = y] = y + O(σ⁴), exact for Gaussian p. Denoising adds the term; debiasing takes it away.

Pettersson, Jerzak, Daoud (2025), One Map, Many Trials. Limits: σ² = 0 leaves Ŷ; a Gaussian p (`density="gaussian"`
with moments of the labelled rows) is the linear correction (s − a)/b. Needs s ⊥ policy | Y, as that does. Near the
end of a hard range, on scores with few values, or with a judge so weak that σ² exceeds Var Ŷ, the O(σ⁴) is no longer
small.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import glm, score_density
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

CARD = Card(
    answers="What gold label does each score stand for, once the pull towards dense scores is undone?",
    equation="f(s) = Ŷ − σ²·(log p)′(Ŷ),   Ŷ = α + β·s,   σ² = Var(Y − Ŷ)",
    papers=(
        Paper(
            "Debiasing Machine Learning Predictions for Causal Inference Without Additional Ground Truth Data: "
            '"One Map, Many Trials" in Satellite-Driven Poverty Analysis',
            "Pettersson, Jerzak, Daoud",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2508.01341",
            "Tweedie's correction",
        ),
        Paper("Tweedie's Formula and Selection Bias", "Efron", 2011, "JASA 106"),
        Paper("Estimation of Non-Normalized Statistical Models by Score Matching", "Hyvärinen", 2005, "JMLR 6"),
    ),
    needs=("score", "gold"),
    assumes=(
        "given the gold label, the score does not depend on the policy: calibration transports",
        "Y = Ŷ + e with noise of one variance, independent of Ŷ",
        "the density of scores is smooth: many values, no hard edge where many rows sit",
    ),
    limits=("σ² = 0 leaves Ŷ", "a Gaussian density is calibration.linear_correction", "exact to second order in σ"),
    when="As linear_correction, when scores are many-valued and far from Gaussian. With few rows prefer the line.",
    rows=(352,),
)

DENSITIES = ("matched", "kernel", "gaussian")


def fit(
    ratings: Ratings, *, judge: str | None = None, density: str = "matched", folds: int = 5, seed: int = 0
) -> Calibrator:
    """Fit the line and its residual variance to the labelled rows, and the density to all rows.

    Arguments:
        ratings: table with a judge and at least three gold labels.
        judge: score column; the first by default.
        density: `matched` (score matching), `kernel` or `gaussian`; see `stats.score_density`.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Errors: no labels, fewer than three, a constant score, or an unknown density.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (505, 3)
    """
    labelled = _slice.take(ratings, judges=[judge or ratings.judges[0]], folds=folds, seed=seed)
    column = ratings.score[:, ratings.judges.index(labelled.judges[0])]
    push, findings = _density(column, ratings.weight, density, labelled)
    X = np.column_stack([np.ones(labelled.gold.size), labelled.score[:, 0]])
    flat = np.zeros(2)
    beta = glm.line(X, labelled.gold, labelled.weights, ridge=flat)
    noise = ratings.gold_variance[ratings.labelled]
    open_part = residual_variance(labelled.gold - beta @ X.T, noise, labelled.weights)
    residual = labelled.gold - X @ beta[0]
    influence = np.column_stack(
        [
            glm.influence(X, residual, labelled.weight, np.ones(residual.size), ridge=flat),
            labelled.weight * (residual**2 - noise - open_part[0]) / labelled.weight.sum() * (open_part[0] > 0),
        ]
    )
    theta = np.column_stack([beta, open_part])
    held_out = np.empty(residual.size)
    for k in range(labelled.fold.max() + 1):
        rows = labelled.fold == k
        held_out[rows] = respond(labelled.score[rows], labelled.covariates[rows], theta=theta[1 + k], push=push)[0]
    return _slice.finish(
        "calibration.tweedie",
        replace(labelled, bounds=(-np.inf, np.inf)),
        partial(respond, theta=theta[0], push=push),
        influence,
        held_out,
        findings=findings,
    )


def respond(
    score: FloatArray,
    covariates: FloatArray,  # noqa: ARG001
    *,
    theta: FloatArray,
    push: score_density.LogSlope,
) -> tuple[FloatArray, FloatArray]:
    """Value [n] and its gradient [n, 3] by θ = (α, β, σ²); covariates are not used.

    The slope of the log-density of Ŷ = α + β·s is that of s divided by β.
    """
    alpha, beta, open_part = theta
    s = score[:, 0]
    steep = push(s) / beta
    return alpha + beta * s - open_part * steep, np.column_stack(
        [np.ones(s.size), s + open_part * steep / beta, -steep]
    )


def residual_variance(residual: FloatArray, noise: FloatArray, weights: FloatArray) -> FloatArray:
    """[B] variance around the line for residuals and weights [B, m], less rater noise [m]; two parameters spent."""
    total = weights.sum(axis=1)
    spent = total / np.maximum(total - 2, 1)
    mean = (weights * residual**2).sum(axis=1) / np.maximum(total, 1e-300)
    return np.maximum(mean * spent - weights @ noise / np.maximum(total, 1e-300), 0)


def _density(
    column: FloatArray, weight: FloatArray, density: str, labelled: _slice.Slice
) -> tuple[score_density.LogSlope, tuple[Finding, ...]]:
    """(log p)′ of the scores of all rows, in score units."""
    if density not in DENSITIES:
        raise AdjudgeError(f"tweedie: density is {density!r}.", f"One of {', '.join(DENSITIES)}.", "Name one of them.")
    known = np.isfinite(column) & (weight > 0)
    values = np.unique(column[known])
    if values.size < 2 or np.count_nonzero(labelled.weight) < 3 or np.ptp(labelled.score[labelled.weight > 0]) == 0:
        raise AdjudgeError(
            f"ratings: {values.size} values of {labelled.judges[0]} and {np.count_nonzero(labelled.weight)} labels.",
            "The correction needs a score that varies and at least three labels at different scores.",
            "Label more rows, or use another judge.",
        )
    slope = {"kernel": score_density.kernel, "matched": score_density.matched, "gaussian": score_density.gaussian}
    push = slope[density](column[known], weight=weight[known])
    if values.size >= 20 or density == "gaussian":
        return push, ()
    finding = Finding(
        "score-few-valued",
        Severity.WARNING,
        f"{labelled.judges[0]} takes {values.size} values: it has no smooth density for Tweedie's formula.",
        values.size,
        20,
        "Use calibration.linear_correction.",
        labelled.judges,
    )
    return push, (finding,)
