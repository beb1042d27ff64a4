"""Who wins by the strongest chains of majorities: a full order even where majorities run in circles.

    s_ij = max over paths i → … → j of the least m on the path (m > 0)
    i before j  ⇔  s_ij > s_ji;        value = share of the others behind, a tie being half

Widest paths by Floyd and Warshall's recursion, for all bootstrap replicates at once.

Schulze (2011), Social Choice and Welfare 36.
Limits: without cycles this is the majority order; a policy that beats every other is first.
"""

from __future__ import annotations

from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats.voting import rules
from ..stats.voting.margins import margins
from ..tables.comparisons import Comparisons
from . import _voting

CARD = Card(
    answers="Who wins when majorities run in circles, by the strongest chains of majorities?",
    equation="s_ij = max_paths min m;   i before j ⇔ s_ij > s_ji",
    papers=(
        Paper(
            "A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner "
            "election method",
            "Schulze",
            2011,
            "Social Choice and Welfare 36(2)",
            "https://doi.org/10.1007/s00355-010-0475-4",
            "Section 2.2",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Votes on a pair that was compared are like those on any prompt.",
    ),
    limits=(
        "Without a majority cycle it is the majority order.",
        "A pair that never met is no path: with many of them chains are long and weak.",
    ),
    when="For one full order that near-copies of a policy cannot disturb; ranking.split_cycle names only what is sure.",
    unit="share of the others beaten along the strongest chains, ties half",
)


def rank(table: Comparisons, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """Share of the other policies that stand behind in Schulze's order, in [0, 1].

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
        rules.schulze,
        method="ranking.schulze",
        draws=draws,
        seed=seed,
        step=0.5 / max(found.j - 1, 1),
        bounds=(0.0, 1.0),
    )
