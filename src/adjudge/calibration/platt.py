"""Puts judge scores of any scale on a bounded gold scale by a logistic curve: the steady choice for yes/no labels.

    f(s, z) = low + (high − low) · σ(β₀ + β·(s, z)),      β = argmax quasi-likelihood − λ/2 Σ_j (sd_j β_j)²

Graded gold inside its range is taken as it is (quasi-binomial). The intercept is not penalised, so the mean of the
labels is kept; λ = 0.1 of a label keeps slopes finite when a threshold separates the labels. Paper: Platt (1999).
Limits: one constant judge gives the mean of the labels; λ = 0 is maximum likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.card import Card, Paper
from ..stats import glm
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from . import _logit, _slice
from ._design import standardise

CARD = Card(
    answers="What is the chance of a good gold label at this judge score, if its log-odds are linear in the score?",
    equation="f(s) = σ(β₀ + β·s)",
    papers=(
        Paper(
            "Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods",
            "Platt",
            1999,
            "Advances in Large Margin Classifiers, MIT Press",
            "",
            "Eq. 1",
        ),
        Paper(
            "Quasi-Likelihood Functions, Generalized Linear Models, and the Gauss-Newton Method",
            "Wedderburn",
            1974,
            "Biometrika 61",
            "https://doi.org/10.1093/biomet/61.3.439",
        ),
    ),
    needs=("score", "gold"),
    assumes=("gold has a finite range", "log-odds are close to linear in the scores"),
    limits=("λ = 0 is maximum likelihood", "a constant judge gives the mean of the labels"),
    when="Yes/no or bounded gold and few labels. Use beta when the judge is itself a probability.",
)


def fit(
    ratings: Ratings,
    *,
    judges: Sequence[str] | None = None,
    covariates: bool = True,
    ridge: float = 0.1,
    folds: int = 5,
    seed: int = 0,
) -> Calibrator:
    """Fit a logistic curve to the labelled rows of all policies.

    Arguments:
        ratings: table with scores, some gold labels and a finite gold range.
        judges: score columns to use; all by default.
        covariates: whether the covariate columns are features too.
        ridge: penalty λ on the standardised slopes, in labels; 0 is maximum likelihood.
        folds: folds of the held-out forecasts, by cluster.
        seed: of the folds.

    Raises:
        AdjudgeError: when no row has a label, a judge is not a column, or gold has no finite range.

    >>> from adjudge.sim.judging import Judging
    >>> ratings = Judging(items=100, labels=50, outcome="graded").draw(0).ratings
    >>> forecast = fit(ratings)(ratings).forecast
    >>> bool(abs((forecast.value - ratings.gold)[ratings.labelled].mean()) < 1e-9)
    True
    """
    labelled = _slice.take(ratings, judges=judges, covariates=covariates, folds=folds, seed=seed)
    _logit.check("calibration.platt", labelled)
    design = standardise(labelled)
    X, penalty = design(labelled.score, labelled.covariates), design.penalty(ridge)
    beta = glm.logistic(X, _logit.unit(labelled.gold, labelled.bounds), labelled.weights, ridge=penalty)
    return _logit.finish("calibration.platt", labelled, design, X, beta, ridge=penalty)
