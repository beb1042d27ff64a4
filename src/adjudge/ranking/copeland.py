"""Who beats most of the others by a majority, however narrow, and how sure that count is.

    C_i = (#{j: m_ij > 0} + ½ #{j: m_ij = 0})/(k − 1)        m_ij = mean win share of i against j − ½

The error is that of a cluster bootstrap; `figures["condorcet"]` is the share of its replicates in which a policy beats
every other. An opponent never met counts ½, and `slack` says that it may be 0 or 1.

Copeland (1951); Shah, Wainwright (2018), Simple, robust and optimal ranking from pairwise comparisons.
Limits: two policies are the majority; a policy that beats all has 1; narrow and wide wins count alike.
"""

from __future__ import annotations

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats.voting import rules
from ..stats.voting.margins import margins
from ..tables.comparisons import Comparisons
from . import _voting

CARD = Card(
    answers="Who beats most of the others by a majority of votes?",
    equation="C_i = (#{j: m_ij > 0} + ½ #{j: m_ij = 0})/(k − 1)",
    papers=(
        Paper(
            "A reasonable social welfare function",
            "Copeland",
            1951,
            "Seminar on Mathematics in Social Sciences, University of Michigan",
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
        "A policy that beats every other has 1, whatever cycles run below it.",
        "A pair near even moves the score by a whole step: scores are coarse where margins are small.",
    ),
    when="When preferences may run in circles and only majorities should count; ranking.borda where margins matter.",
    unit="share of the others beaten by a majority, ties half",
)


def rank(table: Comparisons, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """Copeland scores: the share of the others that a policy beats, in [0, 1].

    Arguments:
        table: votes; a probability p counts p for left and 1 − p for right. Policies outside the largest connected
            part are NaN, with a finding.
        draws: bootstrap replicates, at least 2.
        seed: of the draws.

    Errors: fewer than 2 draws.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 1, 0] * 9), np.array([1, 2, 2] * 9), np.ones(27))
    >>> rank(votes).value
    array([1. , 0.5, 0. ])
    """
    found = margins(table)
    return _voting.by_rule(
        found,
        rules.copeland,
        method="ranking.copeland",
        draws=draws,
        seed=seed,
        step=1.0 / max(found.j - 1, 1) / 2,
        bounds=(0.0, 1.0),
        slack=_voting.share_slack(found),
    )
