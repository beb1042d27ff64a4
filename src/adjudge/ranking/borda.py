"""The mean win share of each policy against all others, each opponent counting alike.

    B_i = 1/(k − 1) Σ_j (½ + m_ij)        Cov = W Cov(m) Wᵀ, clustered

The error is analytic, with a finite-sample imaginary vote for and against in each pair. An opponent never met counts
½, and `slack` says that it may be 0 or 1; the average over those met would reward an easy schedule.

Borda (1784); Shah, Wainwright (2018), Simple, robust and optimal ranking from pairwise comparisons.
Limits: equal votes a pair and no clusters are the plain win rate with its binomial error.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..stats.voting import rules
from ..stats.voting.margins import margins
from ..tables.comparisons import Comparisons
from . import _voting

NAME = "ranking.borda"

CARD = Card(
    answers="How often does each policy win against the others, each counting alike?",
    equation="B_i = 1/(k − 1) Σ_j (½ + m_ij)",
    papers=(
        Paper(
            "Mémoire sur les élections au scrutin",
            "Borda",
            1784,
            "Histoire de l'Académie Royale des Sciences",
        ),
        Paper(
            "Simple, robust and optimal ranking from pairwise comparisons",
            "Shah, Wainwright",
            2018,
            "J. Mach. Learn. Res. 18(199)",
            "https://jmlr.org/papers/v18/16-206.html",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Votes on a pair that was compared are like those on any prompt.",
    ),
    limits=(
        "A new policy that is a copy of another changes everybody's score.",
        "Two policies are the win rate.",
    ),
    when="When margins matter and no model should be assumed; ranking.bradley_terry where many pairs never met.",
    unit="share of wins against the others, ties half",
)


def rank(table: Comparisons) -> Estimate:
    """Borda scores: mean win share against all others, in [0, 1].

    Arguments:
        table: votes; a probability p counts p for left and 1 − p for right. Policies outside the largest connected
            part are NaN, with a finding.

    Errors: none; doubtful votes are told in findings.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 1, 0] * 9), np.array([1, 2, 2] * 9), np.ones(27))
    >>> rank(votes).value.round(2)
    array([1. , 0.5, 0. ])
    """
    found = margins(table)
    if found.j < 2:
        return _voting.whole(
            found, np.full(found.j, np.nan), Part("sampling", np.zeros((found.j,) * 2), 0), method=NAME
        )
    pair = np.arange(found.left.size)
    W = np.zeros((found.j, pair.size))
    W[found.left, pair], W[found.right, pair] = 1.0 / (found.j - 1), -1.0 / (found.j - 1)
    part = Part("sampling", found.covariance(W), found.units)
    slack = _voting.share_slack(found)
    return _voting.whole(found, rules.borda(found.table()), part, method=NAME, bounds=(0.0, 1.0), slack=slack)
