"""Joins several judges and covariates into one smooth index that gold rises with: for when one judge's order is wrong.

    T = β₀ + Σ_j η_j(x_j)   (penalised splines),      f = isotonic regression of Y on the ranks of T,      f̂ = f(T)

A long answer that the judge loves and people do not, a judge that turns at its upper end, two judges that err apart:
the index sorts them out, and the second stage keeps the mean of the labels. Isotonic regression sees only the order of
T, so its ranks (ECDF) need no computing. Paper: Landesberg & Narayan (2025), AutoCal-R, two-stage mode. Limits: with
one judge and an index that rises it is calibration.isotonic; with stiffness = ∞ the index is a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.card import Card, Paper
from ..stats import spline
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _index, _slice

CARD = Card(
    answers="What gold label do several judges and covariates stand for together, if each may bend?",
    equation="T = Σ_j η_j(x_j) (splines),   f = isotonic regression of Y on the ranks of T",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            "AutoCal-R, two-stage mode",
        ),
        Paper(
            "The Elements of Statistical Learning",
            "Hastie, Tibshirani, Friedman",
            2009,
            "Springer",
            "https://hastie.su.domains/ElemStatLearn/",
            "Sections 5.2 and 5.4",
        ),
    ),
    needs=("score", "gold"),
    assumes=("features act on the index one by one", "the mean label does not fall as the index rises"),
    limits=("one judge and a rising index is calibration.isotonic", "stiffness = ∞ is a linear index"),
    when="A hundred labels or more, with covariates, several judges, or a judge whose order turns. Else isotonic.",
    rows=(29,),
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    covariates: bool = True,
    stiffness: float | None = None,
    knots: int = 7,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit the smooth index and the monotone curve along it to the labelled rows of all policies.

    Every fold refits the index, its stiffness and the curve.

    Arguments:
        ratings: table with scores and some gold labels.
        judges: score columns to use; all by default.
        covariates: whether the covariate columns enter the index.
        stiffness: curvature penalty λ, in labels; chosen by generalised cross-validation when None.
        knots: of each spline, at quantiles of the distinct labelled values.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, or a judge is not a column.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50).draw(0).ratings
    >>> forecast = fit(ratings)(ratings).forecast
    >>> bool(abs((forecast.value - ratings.gold)[ratings.labelled].mean()) < 1e-9)
    True
    """
    labelled = _slice.take(ratings, judges=judges, covariates=covariates, folds=folds, seed=seed)
    basis = spline.basis(np.concatenate([labelled.score, labelled.covariates], axis=1), labelled.weight, knots=knots)
    X = basis(labelled.score, labelled.covariates)
    curvature, ridge = basis.curvature, basis.slopes
    if stiffness is None:
        stiff = spline.stiffness(
            X, labelled.gold, labelled.weights, units=labelled.units, curvature=curvature, ridge=ridge
        )
    else:
        stiff = np.full(len(labelled.weights), min(stiffness, 1e12))
    penalty = stiff[:, None, None] * curvature + np.diag(ridge)
    return _index.fit("calibration.two_stage", labelled, basis, penalty=penalty)
