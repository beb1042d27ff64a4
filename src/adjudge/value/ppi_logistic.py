"""Logistic regression on gold labels, made narrower by a judge's scores on rows without labels.

    λ/N Σ_unlabelled x̃(f̃ − μ(x̃β)) + 1/n Σ_labelled x(y − λf − (1 − λ)μ(xβ)) = 0,      μ(η) = 1/(1 + e^{−η})

f is the judge's score (or the calibrated forecast) as a probability. Solved by Newton's method to a moment that is off
by less than 1e-9 of its terms, or not answered at all.

Angelopoulos, Duchi, Zrnic (2023), arXiv:2311.01453.
Limits: λ = 0 or all rows labelled is maximum likelihood with HC1 errors; λ = 1 is untuned PPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..errors import AdjudgeError
from ..stats import rectified
from ..stats.regression import inputs
from ..tables.ratings import Ratings

CARD = Card(
    answers="What raises the odds of a good gold label, using a judge where there are no labels?",
    equation="λ/N Σ x̃(f̃ − μ(x̃β)) + 1/n Σ x(y − λf − (1 − λ)μ(xβ)) = 0;   λ̂ = tr AᵀB / tr BᵀB",
    papers=(
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2311.01453",
            equation="Eq. 3, section 4.1 and Eq. 12",
        ),
    ),
    needs=("score", "gold"),
    assumes=("labelled rows are a random sample, or carry recorded propensities", "clusters are independent"),
    limits=(
        "λ = 0: maximum likelihood, HC1 errors",
        "labels that a column separates: an error, never a huge number",
    ),
    when="Gold is yes or no, or a share in [0, 1], and odds are the natural scale.",
)


def estimate(
    ratings: Ratings, *, columns: Sequence[str] | None = None, judge: str = "", strength: float | None = None
) -> Estimate:
    """Log-odds coefficients by name with their joint covariance.

    Arguments:
        ratings: table with gold labels in [0, 1] on some rows.
        columns: regressors by name: `policy` and covariates; all by default. There is an intercept, or one for
            each policy, so that policies compare by `Estimate.difference`.
        judge: which score predicts gold; the forecast when there is one, else the first judge.
        strength: λ in [0, 1]; None tunes it.

    Errors: gold outside [0, 1]; λ outside [0, 1]; separated labels; unknown names.

    >>> from adjudge.sim.judging import Judging
    >>> found = estimate(Judging(truth=(0.7, 0.5), items=503, labels=211, outcome="graded").draw(1).ratings)
    >>> bool(found.value[1] < found.value[0])
    True
    """
    given = inputs(ratings, columns, judge)
    gold = ratings.gold[ratings.labelled]
    if gold.size and (gold.min() < 0 or gold.max() > 1):
        raise AdjudgeError(
            f"ratings.gold: labels run from {gold.min():g} to {gold.max():g}.",
            "Logistic regression needs labels in [0, 1].",
            "Rescale gold, or use value.ppi_ols.",
        )
    if strength is not None and not 0 <= strength <= 1:
        raise AdjudgeError(f"strength is {strength:g}.", "Between 0 and 1.", "Use strength=None to tune it.")
    made = rectified.regress(
        given.y,
        given.X,
        given.prediction,
        cluster=given.cluster,
        weight=given.weight,
        label_weight=given.label_weight,
        names=given.names,
        model="logistic",
        strength=strength,
    )
    return replace(made, method="value.ppi_logistic", findings=given.findings + made.findings)
