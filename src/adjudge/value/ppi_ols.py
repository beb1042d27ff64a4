"""Least squares on gold labels, made narrower by a judge's scores on rows without labels.

    β = λ β̂(X̃, f̃) + β̂(X, y) − λ β̂(X, f),          λ̂ minimises the summed variance, in [0, 1]

f is the judge's score (or the calibrated forecast) as a prediction of gold, X the labelled and X̃ the unlabelled rows.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023), Science 382; tuned λ: Angelopoulos, Duchi, Zrnic (2023).
Limits: λ = 0 or all rows labelled is ordinary least squares with HC1 errors; λ = 1 is untuned PPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import rectified
from ..stats.regression import inputs
from ..tables.ratings import Ratings

CARD = Card(
    answers="What goes with gold quality, by how much, using a judge where there are no labels?",
    equation="β = λ β̂(X̃, f̃) + β̂(X, y) − λ β̂(X, f);   λ̂ = tr AᵀB / tr BᵀB",
    papers=(
        Paper(
            "Prediction-powered inference",
            "Angelopoulos, Bates, Fannjiang, et al.",
            2023,
            "Science",
            "https://doi.org/10.1126/science.adi6000",
            equation="Algorithm 4 (linear regression)",
        ),
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2311.01453",
            equation="Eq. 3 and Eq. 12",
        ),
    ),
    needs=("score", "gold"),
    assumes=("labelled rows are a random sample, or carry recorded propensities", "clusters are independent"),
    limits=("λ = 0: ordinary least squares, HC1 errors", "no more labelled clusters than columns: NaN"),
    when="The judge's score is already on the scale of gold. When it is biased by covariates and many rows have known "
    "propensities, value.dsl learns that bias.",
)


def estimate(
    ratings: Ratings, *, columns: Sequence[str] | None = None, judge: str = "", strength: float | None = None
) -> Estimate:
    """Coefficients by name with their joint covariance.

    Arguments:
        ratings: table with gold labels on some rows.
        columns: regressors by name: `policy` and covariates; all by default. There is an intercept, or one for
            each policy, so that policies compare by `Estimate.difference`.
        judge: which score predicts gold; the forecast when there is one, else the first judge.
        strength: λ; None tunes it.

    Errors: unknown names; columns that repeat one another.

    >>> from adjudge.sim.judging import Judging
    >>> found = estimate(Judging(truth=(0.7, 0.5), items=503, labels=211).draw(1).ratings)
    >>> found.names
    ('policy=p00', 'policy=p01')
    """
    given = inputs(ratings, columns, judge)
    made = rectified.regress(
        given.y,
        given.X,
        given.prediction,
        cluster=given.cluster,
        weight=given.weight,
        label_weight=given.label_weight,
        names=given.names,
        strength=strength,
    )
    return replace(made, method="value.ppi_ols", findings=given.findings + made.findings)
