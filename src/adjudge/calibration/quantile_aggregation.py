"""Says between which values a gold label will lie: quantile models, mixed, and checked for coverage.

    q_jτ(s)     M models: linear quantile regression for each judge; line + residual quantiles; line + scale; no judge
    q̂_τ(s)      = Σ_j w_jτ(s) q_jτ(s),  w on a simplex, least pinball loss out of fold;  put in order
    interval    [q̂_α/2 − t, q̂_1−α/2 + t],  t from out-of-fold misses (conformal), so that it covers 1 − α
    f(s)        = β₀ + β₁·∫ q̂_τ(s) dτ,  β by least squares on the labels

The forecast's influence is that of β alone: the shape of the mixture is taken as known, which the residuals of `value`
forgive and a report without labels of its own does not. Held-out figures come from the whole procedure run again
without the row's fold, so that a fit costs (folds + 1)² fits of the base models.

Fakoor, Kim, Mueller, Smola, Tibshirani (2023), Flexible Model Aggregation for Quantile Regression. Limits: one level
½ and one model is median regression; fewer labels than 1/α − 1 give an interval without end. Coverage is over rows
like the labelled ones, not for each score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import crossfit, glm, quantile_loss, quantile_stack, simplex_quantiles
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

CARD = Card(
    answers="Between which values will the gold label of a row lie?",
    equation="q̂_τ = Σ_j w_jτ q_jτ (simplex, least pinball loss);   [q̂_α/2 − t, q̂_1−α/2 + t], t conformal",
    papers=(
        Paper(
            "Flexible Model Aggregation for Quantile Regression",
            "Fakoor, Kim, Mueller et al.",
            2023,
            "JMLR 24",
            "https://arxiv.org/abs/2103.00083",
            "section 3",
        ),
        Paper(
            "Conformalized Quantile Regression",
            "Romano, Patterson, Candès",
            2019,
            "NeurIPS",
            "https://arxiv.org/abs/1905.03222",
        ),
    ),
    needs=("score", "gold"),
    assumes=("labelled and unlabelled rows are exchangeable",),
    limits=(
        "with one model there is nothing to mix",
        "fewer than 1/α − 1 labels: an interval without end",
        "the forecast's standard error takes the shape of the mixture as known",
    ),
    when="Per-row intervals, or gold whose spread changes with the score. For means alone use isotonic.",
    rows=(292,),
)

LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A fitted distribution of gold given score; calling it on features [n, d] (scores, then covariates) gives [n, L].

    Arguments:
        levels: [L].
        base: the base models: features [n, d] -> [n, M, L].
        stack: their mixture.
        shift: [L] conformal step of each level.
        inner: [m] mean of the mixture for each row of the fit, by base models that never saw it.
        beta: [2] line that puts that mean on gold.
    """

    levels: FloatArray
    base: _Base
    stack: quantile_stack.Stack
    shift: FloatArray
    inner: FloatArray
    beta: FloatArray

    def mean(self, features: FloatArray) -> FloatArray:
        """[n] mean of the mixture; conformal steps are symmetric and would not move it."""
        return _mean(self.stack(self.base(features), features), self.levels)

    def __call__(self, features: FloatArray) -> FloatArray:
        """[n, L] conformal quantiles in order."""
        return quantile_loss.sort(self.stack(self.base(features), features) + self.shift)


@dataclass(frozen=True, slots=True, eq=False)
class _Base:
    """Coefficients of the base models; calling it gives [n, M, L]."""

    slopes: FloatArray  # [L, 2] for each of the d features: linear quantile regression on it alone
    line: FloatArray  # [1 + d] least squares
    scale: FloatArray  # [1 + d] least squares of the absolute residual
    residual: FloatArray  # [L] quantiles of the residual
    scaled: FloatArray  # [L] quantiles of residual / scale
    floor: float  # least scale
    plain: FloatArray  # [L] quantiles of gold

    def __call__(self, features: FloatArray) -> FloatArray:
        X = np.column_stack([np.ones(len(features)), features])
        alone = [slope[:, 0] + features[:, [j]] * slope[:, 1] for j, slope in enumerate(self.slopes)]
        middle = (X @ self.line)[:, None]
        spread = np.maximum(X @ self.scale, self.floor)[:, None]
        flat = np.broadcast_to(self.plain, (len(features), self.plain.size))
        return np.stack([*alone, middle + self.residual, middle + spread * self.scaled, flat], axis=1)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    form: str = "medium",
    regions: int = 1,
    folds: int = 3,
    seed: int = 0,
) -> Calibrator:
    """Mix quantile models on the labelled rows; the forecast is the mean of the mixture, put straight.

    Arguments:
        ratings: table with scores and at least ten gold labels.
        judges: score columns to use; all by default.
        form: `coarse`, `medium` or `fine` weights.
        regions: of the features in which the weights may differ.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Errors: fewer than ten labels.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (505, 2)
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    features = np.column_stack([labelled.score, labelled.covariates])
    full, parts = _nested(labelled, features, np.array(LEVELS), form, regions, folds=folds, seed=seed)
    held_out = np.empty(labelled.gold.size)
    for k, part in enumerate(parts):
        rows = labelled.fold == k
        held_out[rows] = part.beta[0] + part.beta[1] * part.mean(features[rows])
    X = np.column_stack([np.ones(held_out.size), full.mean(features)])
    seen = labelled.weight > 0
    X[seen, 1] = full.inner
    return _slice.finish(
        "calibration.quantile_aggregation",
        labelled,
        partial(_respond, mixture=full),
        glm.influence(X, labelled.gold - X @ full.beta, labelled.weight, np.ones(len(X)), ridge=np.zeros(2)),
        held_out,
    )


def quantiles(
    ratings: Ratings,
    *,
    levels: ArrayLike = LEVELS,
    judges: Sequence[str] | None = None,
    form: str = "medium",
    regions: int = 1,
    folds: int = 3,
    seed: int = 0,
) -> FloatArray:
    """[n, L] conformal quantiles of gold for every row; labelled rows get those of fits that never saw them.

    Arguments are those of `fit`, and `levels` [L] increasing, symmetric about ½. NaN where a score is missing.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> quantiles(ratings, levels=(0.1, 0.5, 0.9)).shape
    (505, 3)
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    seen = np.column_stack([labelled.score, labelled.covariates])
    full, parts = _nested(labelled, seen, np.asarray(levels, dtype=float), form, regions, folds=folds, seed=seed)
    columns = [ratings.judges.index(name) for name in labelled.judges]
    features = np.column_stack([ratings.score[:, columns], ratings.covariates])
    known = np.isfinite(features).all(axis=1)
    out = np.full((ratings.n, full.levels.size), np.nan)
    out[known] = full(features[known])
    rows = np.flatnonzero(ratings.labelled)
    for k, part in enumerate(parts):
        mine = (labelled.fold == k) & (labelled.weight > 0)
        out[rows[mine]] = part(seen[mine])
    return np.clip(out, *ratings.bounds)


def _nested(
    labelled: _slice.Slice,
    features: FloatArray,
    levels: FloatArray,
    form: str,
    regions: int,
    *,
    folds: int,
    seed: int,
) -> tuple[Mixture, list[Mixture]]:
    """The mixture of all labelled rows, and for each fold the one of the rows outside it, cross-fitted anew."""
    known = labelled.weight > 0
    if np.count_nonzero(known) < 10:
        raise AdjudgeError(
            f"ratings.gold: {np.count_nonzero(known)} labels.",
            "Quantiles need at least ten labels, and 1/α − 1 of them for a finite interval.",
            "Label more rows, or use calibration.linear.",
        )

    def train(rows: BoolArray) -> Mixture:
        fold = crossfit.folds(labelled.cluster[rows], features[rows, 0], count=folds, seed=seed)
        return _train(features[rows], labelled.gold[rows], labelled.weight[rows], fold, levels, form, regions)

    return train(known), [train(known & (labelled.fold != k)) for k in range(int(labelled.fold.max()) + 1)]


def _train(
    features: FloatArray,
    gold: FloatArray,
    weight: FloatArray,
    fold: IntArray,
    levels: FloatArray,
    form: str,
    regions: int,
) -> Mixture:
    """Base models out of fold, weights on what they predict, conformal steps on what weights of other folds predict."""
    base = np.empty((gold.size, features.shape[1] + 3, levels.size))
    mixed = np.empty((gold.size, levels.size))
    for k in range(int(fold.max()) + 1):
        kept = fold != k
        base[~kept] = _learn(features[kept], gold[kept], weight[kept], levels)(features[~kept])

    def stack(rows: BoolArray) -> quantile_stack.Stack:
        return quantile_stack.fit(
            base[rows], gold[rows], levels, form=form, regions=regions, features=features[rows], weight=weight[rows]
        )

    for k in range(int(fold.max()) + 1):
        kept = fold != k
        mixed[~kept] = stack(kept)(base[~kept], features[~kept])
    inner = _mean(mixed, levels)
    X = np.column_stack([np.ones(inner.size), inner])
    return Mixture(
        levels,
        _learn(features, gold, weight, levels),
        stack(np.ones(gold.size, dtype=bool)),
        quantile_loss.conformal_shift(mixed, gold, levels),
        inner,
        glm.line(X, gold, weight[None], ridge=np.zeros(2))[0],
    )


def _learn(features: FloatArray, gold: FloatArray, weight: FloatArray, levels: FloatArray) -> _Base:
    """The base models on some labelled rows."""
    one = np.ones((gold.size, 1))
    X = np.hstack([one, features])
    slopes = np.array(
        [
            simplex_quantiles.linear_quantile(np.hstack([one, features[:, [j]]]), gold, levels, weight=weight)
            for j in range(features.shape[1])
        ]
    )
    free = np.zeros(X.shape[1])
    line = glm.line(X, gold, weight[None], ridge=free)[0]
    residual = gold - X @ line
    scale = glm.line(X, np.abs(residual), weight[None], ridge=free)[0]
    floor = 0.1 * float(np.average(np.abs(residual), weights=weight)) + 1e-12
    scaled = residual / np.maximum(X @ scale, floor)
    point = [_quantile(values, weight, levels) for values in (residual, scaled, gold)]
    return _Base(slopes, line, scale, point[0], point[1], floor, point[2])


def _quantile(values: FloatArray, weight: FloatArray, levels: FloatArray) -> FloatArray:
    """[L] weighted quantiles: the smallest values below which at least these shares of the weight lie."""
    order = np.argsort(values, kind="stable")
    mass = np.cumsum(weight[order])
    return values[order][np.searchsorted(mass, levels * mass[-1] * (1 - 1e-12)).clip(max=values.size - 1)]


def _mean(quantile: FloatArray, levels: FloatArray) -> FloatArray:
    """[n] ∫ q dτ by trapezia, flat beyond the outer levels."""
    edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]])
    return quantile @ np.diff(edges)


def _respond(score: FloatArray, covariates: FloatArray, *, mixture: Mixture) -> tuple[FloatArray, FloatArray]:
    inner = mixture.mean(np.column_stack([score, covariates]))
    X = np.column_stack([np.ones(inner.size), inner])
    return X @ mixture.beta, X
