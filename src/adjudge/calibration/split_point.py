"""Says how sure each forecast is: how far gold may lie above and below it, and where the model no longer knows itself.

    r = Y − μ̂(s),   MAR = E[|r| | s],   MAR₊ = E[r | r > 0, s],   MAR₋ = E[−r | r < 0, s]
    at the mean     MAR = H = 2·MAR₊·MAR₋ / (MAR₊ + MAR₋)             split-point self-consistency
    SDS(s)          = |MAR − H|                                      0 where the three heads agree; grows off the labels
    interval        [μ̂ − c₋·d₋·MAR₋,  μ̂ + c₊·d₊·MAR₊],   d₊ = max(1, MAR·MAR₋ / ((2·MAR₋ − MAR)·MAR₊)),  d₋ likewise

The identity holds because positive and negative residuals have the same total at the mean. d is the factor by which a
head falls short of what the other two imply. c is the conformal quantile of out-of-fold residuals on its own side, so
skewed noise gets a skewed interval. All four curves are hinge regressions of the scores and covariates, fitted out of
fold.

Zhao et al. (2025), Post-Hoc Split-Point Self-Consistency Verification. Limits: for symmetric noise c₊·MAR₊ = c₋·MAR₋
and the interval is the usual one; for binary gold MAR₊ = 1 − p, MAR₋ = p and H = 2p(1 − p) exactly. The heads go on
straight beyond the labels, each its own way, which is what SDS sees; a shift that leaves the scores alone it cannot
see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import glm, hinge
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _slice

CARD = Card(
    answers="How far may gold lie above and below each forecast, and which forecasts should not be trusted at all?",
    equation="SDS = |MAR − 2·MAR₊·MAR₋/(MAR₊ + MAR₋)|;   [μ̂ − c₋d₋MAR₋, μ̂ + c₊d₊MAR₊]",
    papers=(
        Paper(
            "Post-Hoc Split-Point Self-Consistency Verification for Efficient, Unified Quantification of Aleatoric and "
            "Epistemic Uncertainty in Deep Learning",
            "Zhao, Chen",
            2025,
            "arXiv",
            equation="SDS and side-specific intervals",
        ),
    ),
    needs=("score", "gold"),
    assumes=("the curve is the mean of gold given the score", "labelled and unlabelled rows are exchangeable"),
    limits=(
        "binary gold fulfils the identity exactly at the mean",
        "symmetric noise gives a symmetric interval",
        "SDS is noisy: rank rows by it, do not read it as a probability",
    ),
    when="Skewed gold, per-row intervals, or a list of rows that the calibration should not be trusted on.",
    rows=(274,),
)

FLOOR = 0.1  # of a head's mean over the labels: the least that a side is given
MOST = 4.0  # most that a disagreeing head may widen a side


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What is known of each of n rows.

    Arguments:
        value: [n] forecast of gold.
        low, high: [n] ends of the interval.
        sds: [n] self-consistency discrepancy, in gold units, >= 0.
        up, down, both: [n] MAR₊, MAR₋ and MAR.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    sds: FloatArray
    up: FloatArray
    down: FloatArray
    both: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SplitPoint:
    """The fitted curves; calling it on features [n, d] (scores, then covariates) gives a `Spread`.

    Arguments:
        design: hinges of the features.
        mean: [K+1, q] coefficients of the mean, full fit first.
        ridge: [q] its penalty.
        heads: [3, K+1, q] of MAR, MAR₊ and MAR₋.
        typical: [3] mean of each head over the labels.
        reach: (c₋, c₊).
        residual: [m] out-of-fold residuals.
        held_out: the spread of each labelled row by curves that never saw it.
    """

    design: hinge.Hinges
    mean: FloatArray
    ridge: FloatArray
    heads: FloatArray
    typical: FloatArray
    reach: tuple[float, float]
    residual: FloatArray
    held_out: Spread

    def __call__(self, features: FloatArray) -> Spread:
        """The spread of n rows."""
        X = self.design(features)
        return _spread(X @ self.mean[0], (X @ self.heads[:, 0].T).T, self.typical, self.reach)


def fit(
    ratings: Ratings, *, judges: Sequence[str] | None = None, hinges: int = 5, folds: int = 5, seed: int = 0
) -> Calibrator:
    """Fit the mean curve to the labelled rows; `spread` gives the intervals and the SDS behind it.

    Arguments:
        ratings: table with scores and at least ten gold labels.
        judges: score columns to use; all by default.
        hinges: bends of each curve, at most.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Errors: fewer than ten labels.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> fit(ratings)(ratings).forecast.gradient.shape
    (505, 7)
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    features = np.column_stack([labelled.score, labelled.covariates])
    design, X, mean, ridge = _mean(features, labelled, hinges)
    residual = labelled.gold - X @ mean[0]
    return _slice.finish(
        "calibration.split_point",
        labelled,
        partial(_respond, design=design, beta=mean[0]),
        glm.influence(X, residual, labelled.weight, np.ones(residual.size), ridge=ridge),
        np.einsum("mq,mq->m", X, mean[1 + labelled.fold]),
    )


def spread(
    ratings: Ratings,
    *,
    level: float = 0.9,
    judges: Sequence[str] | None = None,
    hinges: int = 5,
    folds: int = 5,
    seed: int = 0,
) -> Spread:
    """Interval and self-consistency discrepancy of every row; labelled rows get those of curves that never saw them.

    Arguments are those of `fit`, and `level`, the coverage in (0, 1). NaN where a score is missing.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=101, labels=53).draw(0).ratings
    >>> spread(ratings).sds.shape
    (505,)
    """
    labelled = _slice.take(ratings, judges=judges, folds=folds, seed=seed)
    model = learn(labelled, level=level, hinges=hinges)
    columns = [ratings.judges.index(name) for name in labelled.judges]
    features = np.column_stack([ratings.score[:, columns], ratings.covariates])
    known = np.isfinite(features).all(axis=1)
    rows, seen = np.flatnonzero(ratings.labelled), labelled.weight > 0
    found = model(features[known])
    out = {}
    for name in Spread.__dataclass_fields__:
        out[name] = np.full(ratings.n, np.nan)
        out[name][known] = getattr(found, name)
        out[name][rows[seen]] = getattr(model.held_out, name)[seen]
    return Spread(**out)


def learn(labelled: _slice.Slice, *, level: float, hinges: int) -> SplitPoint:
    """Mean, heads and reaches, each tested out of fold."""
    seen = labelled.weight > 0
    if np.count_nonzero(seen) < 10:
        raise AdjudgeError(
            f"ratings.gold: {np.count_nonzero(seen)} labels.",
            "The heads on either side of the mean need at least ten labels together.",
            "Label more rows, or use calibration.linear.",
        )
    features = np.column_stack([labelled.score, labelled.covariates])
    design, X, mean, ridge = _mean(features, labelled, hinges)
    center = np.einsum("mq,mq->m", X, mean[1 + labelled.fold])
    residual = labelled.gold - center
    masks = (np.ones(residual.size, dtype=bool), residual > 0, residual < 0)
    heads = np.stack([hinge.smooth(X, np.abs(residual), labelled.weights * mask, design)[0] for mask in masks])
    heads = np.where(np.isfinite(heads), heads, 0.0)
    typical = np.array([_average(np.abs(residual), labelled.weight * mask) for mask in masks])
    out = np.einsum("mq,hmq->hm", X, heads[:, 1 + labelled.fold])
    bare = _spread(center, out, typical, (1.0, 1.0))
    reach = (
        _reach(-residual / np.maximum(center - bare.low, 1e-300), labelled.weight * (residual < 0), level),
        _reach(residual / np.maximum(bare.high - center, 1e-300), labelled.weight * (residual > 0), level),
    )
    return SplitPoint(design, mean, ridge, heads, typical, reach, residual, _spread(center, out, typical, reach))


def discrepancy(both: FloatArray, up: FloatArray, down: FloatArray, *, least: float = 0.0) -> FloatArray:
    """[n] |MAR − H|, with the sum of the sides in H not below `least`.

    >>> discrepancy(np.array([0.42]), np.array([0.7]), np.array([0.3])).round(9)
    array([0.])
    """
    total = np.maximum(np.abs(up + down), max(least, 1e-300))
    return np.abs(2 * up * down - both * (up + down)) / total


def shortfall(both: FloatArray, own: FloatArray, other: FloatArray) -> FloatArray:
    """[n] d in [1, MOST]: what the identity asks of a head, given the two others, over what it says."""
    room = 2 * other - both
    with np.errstate(divide="ignore", invalid="ignore"):
        asked = np.where(room > 0, both * other / (room * own), MOST)
    return np.clip(asked, 1.0, MOST)


def _mean(
    features: FloatArray, labelled: _slice.Slice, hinges: int
) -> tuple[hinge.Hinges, FloatArray, FloatArray, FloatArray]:
    design = hinge.place(features, weight=labelled.weight, hinges=hinges)
    X = design(features)
    mean, ridge = hinge.smooth(X, labelled.gold, labelled.weights, design)
    return design, X, mean, ridge


def _spread(value: FloatArray, heads: FloatArray, typical: FloatArray, reach: tuple[float, float]) -> Spread:
    both, up, down = np.maximum(heads, FLOOR * typical[:, None])
    sds = discrepancy(*heads, least=FLOOR * float(typical[1] + typical[2]))
    low = value - reach[0] * shortfall(both, down, up) * down
    high = value + reach[1] * shortfall(both, up, down) * up
    return Spread(value, low, high, sds, up, down, both)


def _reach(ratio: FloatArray, weight: FloatArray, level: float) -> float:
    """Conformal quantile of the ratios that carry weight: the new row counts as one more, infinitely far out."""
    used = weight > 0
    order = np.argsort(ratio[used])
    mass = np.cumsum(weight[used][order])
    if not mass.size:
        return float("inf")
    place = int(np.searchsorted(mass, level * (mass[-1] + 1) * (1 - 1e-12)))
    return float(ratio[used][order][place]) if place < mass.size else float("inf")


def _average(values: FloatArray, weight: FloatArray) -> float:
    return float(weight @ values / weight.sum()) if weight.sum() > 0 else 0.0


def _respond(
    score: FloatArray, covariates: FloatArray, *, design: hinge.Hinges, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    X = design(np.column_stack([score, covariates]))
    return X @ beta, X
