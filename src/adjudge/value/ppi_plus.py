"""Judge scores on every row, labels on a few: the mean that trusts the judge exactly as far as the labels justify.

    θ_p = Ȳ_p + λ_p (f̄_p − h̄_p)        λ_p = s_p·Σ h_g e_g / Σ h_g²,   s_p = max(0, 1 − 1/F_p)

Ȳ and h̄ are over labelled rows, f̄ over all rows, f = h the raw score. λ is the regression of label on score by cluster,
shrunk to 0 when the labels cannot show that the score helps; its own error is part of the influence values.

Angelopoulos, Duchi, Zrnic (2023), PPI++. Their λ counts the two samples apart: λ = (1 + n/N)·λ_theirs.
Limits: λ = 0 is `value.labels_only` exactly; a score that equals the label gives the mean score over all rows.
"""

from __future__ import annotations

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference
from ..stats.assemble import powered
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, using judge scores as far as its labels show them to be right?",
    equation="θ_p = Ȳ_p + λ_p (f̄_p − h̄_p)",
    papers=(
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv:2311.01453",
            "https://arxiv.org/abs/2311.01453",
            "§6",
        ),
    ),
    needs=("score", "gold"),
    assumes=("Labelled rows were drawn at random within a policy, or with the recorded propensities.",),
    limits=(
        "λ = 0 is value.labels_only.",
        "A score that is bent against the label is used as a straight line; value.calibrated bends it back.",
        "A policy without labels of its own gets NaN.",
    ),
    when="When every policy has labels and the score is roughly in line with them.",
)


def estimate(ratings: Ratings, *, judge: str | None = None) -> Estimate:
    """Power-tuned prediction-powered means of the policies.

    Arguments:
        ratings: the table; a policy with fewer than 2 labelled clusters gets NaN and a finding.
        judge: name of the score column; the first by default.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.ppi_plus'
    """
    judges = judge_columns(ratings, judge)
    return finish(difference.fold(difference.prepare(ratings, judges=judges), ratings))


def finish(sums: difference.Sums) -> Estimate:
    """The estimate from folded sums with one forecast (`stats.difference`)."""
    return powered(sums, method="value.ppi_plus")
