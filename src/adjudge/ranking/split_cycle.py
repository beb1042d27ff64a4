"""Whom nobody defeats: a majority is set aside only where it is the weakest of a circle.

    i defeats j  ⇔  m_ij > 0 and m_ij > s_ji        s_ji strongest path of majorities back from j to i
    value_j = 1 − #{i: i defeats j}/(k − 1)

`figures["undefeated"]` is the share of bootstrap replicates in which nobody defeats a policy.

Holliday, Pacuit (2023), Public Choice 197, Lemma 3.14.
Limits: without cycles every majority is a defeat; one cycle of equal margins defeats nobody.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..stats.voting import rules
from ..stats.voting.margins import margins
from ..tables.comparisons import Comparisons
from . import _voting

CARD = Card(
    answers="Which policies does nobody defeat, once the weakest majority of each circle is set aside?",
    equation="i defeats j ⇔ m_ij > 0 and m_ij > s_ji;   value_j = 1 − #{i: i defeats j}/(k − 1)",
    papers=(
        Paper(
            "Split Cycle: a new Condorcet-consistent voting method independent of clones and immune to spoilers",
            "Holliday, Pacuit",
            2023,
            "Public Choice 197",
            "https://doi.org/10.1007/s11127-023-01042-3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Votes on a pair that was compared are like those on any prompt.",
    ),
    limits=(
        "Several policies may be undefeated: that is an answer, not a fault.",
        "A pair that never met is no defeat: sparse votes leave many undefeated.",
    ),
    when="To name those who cannot be ruled out as best; ranking.schulze for a full order, which agrees with it.",
    unit="share of the others that do not defeat it",
)


def rank(table: Comparisons, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """Share of the others that do not defeat a policy, in [0, 1]; 1 for the winners.

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
    made = _voting.by_rule(
        found,
        rules.split_cycle,
        method="ranking.split_cycle",
        draws=draws,
        seed=seed,
        step=1.0 / max(found.j - 1, 1),
        bounds=(0.0, 1.0),
    )
    if found.j < 2:
        return made
    drawn = found.replicates(lambda M: np.floor(rules.split_cycle(M) + rules.SAME), draws=draws, seed=seed)
    chance = Part("replicates", _voting.binomial(drawn), draws)
    undefeated = _voting.whole(found, drawn.mean(axis=0), chance, method=made.method, bounds=(0.0, 1.0))
    return replace(made, figures={**made.figures, "undefeated": undefeated})
