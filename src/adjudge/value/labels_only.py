"""The value of each policy from its trusted labels alone; what every cleverer method must beat.

    θ_p = Ȳ_p = Σ d_i Y_i / Σ d_i        d_i = w_i R_i / π_i

Hájek (1971). Limits: equal propensities and weights give the plain mean; one label per cluster the classical s²/n.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats import difference
from ..stats.assemble import assembled
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is each policy worth, going by its trusted labels alone?",
    equation="θ_p = Σ d_i Y_i / Σ d_i,   d_i = w_i R_i / π_i",
    papers=(
        Paper(
            "Comment on An essay on the logical foundations of survey sampling",
            "Hájek",
            1971,
            "Foundations of Statistical Inference",
        ),
    ),
    needs=("gold",),
    assumes=("Labelled rows were drawn at random within a policy, or with the recorded propensities.",),
    limits=("Ignores the judge, so it is wide where labels are few.",),
    when="As a yardstick, or when the judge tells nothing about the gold label.",
)


def estimate(ratings: Ratings) -> Estimate:
    """Means of the labels, each counted by its weight over its chance of having been chosen.

    Arguments:
        ratings: the table; a policy with fewer than 2 labelled clusters gets NaN and a finding.

    >>> from adjudge.sim.judging import Judging
    >>> estimate(Judging(items=200, labels=100).draw(0).ratings).method
    'value.labels_only'
    """
    return finish(difference.fold(difference.prepare(ratings), ratings))


def finish(sums: difference.Sums) -> Estimate:
    """The estimate from folded sums (`stats.difference`)."""
    pieces = difference.pieces(sums)
    psi = pieces.influence(pieces.e, np.zeros_like(pieces.e))
    return assembled(sums, pieces, pieces.gold, psi, method="value.labels_only")
