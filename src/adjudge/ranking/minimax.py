"""Who loses least badly: the margin of each policy against the opponent that does best against it.

    value_i = min_j m_ij        m_ij = mean win share of i against j − ½

A positive value says that the policy beats every other. An opponent never met is
left out, but might win every time: `slack` says so.

Simpson (1969), Q. J. Econ. 83(3); Kramer (1977), J. Econ. Theory 16(2).
Limits: a policy that beats all others is the winner; two policies are the majority.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..stats.voting import rules
from ..stats.voting.margins import margins
from ..tables.comparisons import Comparisons
from . import _voting

CARD = Card(
    answers="Which policy's worst match is the least bad?",
    equation="value_i = min_j m_ij",
    papers=(
        Paper(
            "On defining areas of voter choice: Professor Tullock on stable voting",
            "Simpson",
            1969,
            "Q. J. Econ. 83(3)",
            "https://doi.org/10.2307/1880533",
        ),
        Paper(
            "A dynamical model of political equilibrium",
            "Kramer",
            1977,
            "J. Econ. Theory 16(2)",
            "https://doi.org/10.1016/0022-0531(77)90011-4",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Votes on a pair that was compared are like those on any prompt.",
    ),
    limits=(
        "The least of several noisy margins lies too low: the error is centred on the votes, not on that bias.",
        "A policy that loses to nobody can come behind by one bad match alone.",
    ),
    when="For the safest single choice; ranking.maximal_lottery for the safest mixture.",
    unit="margin in the worst match",
)


def rank(table: Comparisons, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The least margin of each policy over its opponents, in [−½, ½].

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
    array([ 0.5, -0.5, -0.5])
    """
    found = margins(table)
    met, low = found.met() > 0, np.zeros((found.j, 2))

    def worst(M: FloatArray) -> FloatArray:
        return rules.minimax(np.where(met, M, np.inf))

    if found.j > 1:
        low[:, 0] = np.where(found.unknown > 0, worst(found.table()) + 0.5, 0.0)
    return _voting.by_rule(
        found, worst, method="ranking.minimax", draws=draws, seed=seed, bounds=(-0.5, 0.5), slack=low
    )
