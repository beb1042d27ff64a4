"""Several judges on every row, labels on a few: each judge is trusted as far as the labels justify, all together.

    θ_p = Ȳ_p + Σ_j λ_pj (f̄_pj − h̄_pj)        λ_p = s_p·(Σ h hᵀ + ridge)⁻¹ Σ h e

The ridge weighs one labelled cluster for every judge beyond the first; s is the James-Stein weight of the joint fit.

Angelopoulos, Duchi, Zrnic (2023), PPI++, with a vector λ; Särndal, Swensson, Wretman (1992), §6.4.
Limits: one judge is `value.ppi_plus`; λ = 0 is `value.labels_only`; a copied judge changes next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference
from ..stats.assemble import powered
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, when several judges have scored every row?",
    equation="θ_p = Ȳ_p + Σ_j λ_pj (f̄_pj − h̄_pj)",
    papers=(
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv:2311.01453",
            "https://arxiv.org/abs/2311.01453",
            "§6",
        ),
        Paper("Model Assisted Survey Sampling", "Särndal, Swensson, Wretman", 1992, "Springer", equation="§6.4"),
    ),
    needs=("score", "gold"),
    assumes=("Labelled rows were drawn at random within a policy, or with the recorded propensities.",),
    limits=("One judge is value.ppi_plus.", "Each further judge costs a label's worth of certainty in every policy."),
    when="When judges err in different ways and each policy has several labels for each judge.",
)


def estimate(ratings: Ratings, *, judges: Sequence[str] = ()) -> Estimate:
    """Power-tuned prediction-powered means from several judges.

    Arguments:
        ratings: the table; a policy with fewer than 2 labelled clusters gets NaN and a finding.
        judges: names of the score columns; all of them by default.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.ppi_multi'
    """
    columns = [judge_columns(ratings, judge)[0] for judge in (judges or ratings.judges)]
    return finish(difference.fold(difference.prepare(ratings, judges=columns), ratings))


def finish(sums: difference.Sums) -> Estimate:
    """The estimate from folded sums (`stats.difference`)."""
    return powered(sums, method="value.ppi_multi")
