"""The one order that agrees with the most votes, proven where it can be, and how sure each place in it is.

    order = argmax Σ_{i above j} m_ij        value = −position

Where several orders agree with equally many votes, positions are their mean. Proof is by dynamic programming in small
groups and by integer programming in larger ones (`stats.voting.kemeny`); `figures["agreement"]` is the share of votes
that agree with the order, each pair counting alike, and what no order can exceed. Replicates search again.

Kemeny (1959), Mathematics without numbers; Young, Levenglick (1978), SIAM J. Appl. Math. 35(2).
Limits: without cycles this is the majority order; two policies are the majority.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.voting import kemeny
from ..stats.voting.margins import Margins, margins
from ..tables.comparisons import Comparisons
from . import _voting
from ._draws import usual

NAME = "ranking.kemeny"

CARD = Card(
    answers="Which full order agrees with the most pairwise votes?",
    equation="argmax over orders of Σ_{i above j} m_ij",
    papers=(
        Paper(
            "Mathematics without numbers",
            "Kemeny",
            1959,
            "Daedalus 88(4)",
            "https://www.jstor.org/stable/20026529",
        ),
        Paper(
            "A consistent extension of Condorcet's election principle",
            "Young, Levenglick",
            1978,
            "SIAM J. Appl. Math. 35(2)",
            "https://doi.org/10.1137/0135023",
        ),
        Paper(
            "A cutting plane algorithm for the linear ordering problem",
            "Grötschel, Jünger, Reinelt",
            1984,
            "Operations Research 32(6)",
            "https://doi.org/10.1287/opre.32.6.1195",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=(
        "Comparisons, or clusters of them, are independent.",
        "Votes on a pair that was compared are like those on any prompt.",
    ),
    limits=(
        "Every pair counts alike, however many votes it had.",
        "Beyond `exact` policies that run in circles the order is the best that was found, with a bound.",
        "With more than 9 policies replicates are searched by moves, not proven.",
    ),
    when="For a consensus order; ranking.borda for scores, ranking.schulze where near-copies of policies take part.",
    unit="minus the place in the best order",
)


def rank(table: Comparisons, *, exact: int = 30, draws: int | None = None, seed: int = 0) -> Estimate:
    """Minus the position in the order that most votes agree with; −1 is the best.

    Arguments:
        table: votes; a probability p counts p for left and 1 − p for right. Policies outside the largest connected
            part are NaN, with a finding.
        exact: policies that run in one circle up to which the optimum is proven.
        draws: bootstrap replicates, at least 2; None takes 1,000, or 200 beyond 40 policies, which take longer.
        seed: of the draws.

    Errors: fewer than 2 draws.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> votes = from_arrays(np.array([0, 1, 0] * 9), np.array([1, 2, 2] * 9), np.ones(27))
    >>> rank(votes).value
    array([-1., -2., -3.])
    """
    found = margins(table)
    draws = usual(draws, found.j)
    _voting.enough(draws)
    if found.j < 2:
        return _voting.whole(
            found, np.full(found.j, np.nan), Part("sampling", np.zeros((found.j,) * 2), 0), method=NAME
        )
    best = kemeny.solve(found.table(), exact=exact)
    drawn = found.replicates(lambda M: -kemeny.positions(M, start=best.position), draws=draws, seed=seed)
    return _voting.whole(
        found,
        -best.position,
        found.part(drawn, step=1.0, value=-best.position),
        method=NAME,
        bounds=(-float(found.j), -1.0),
        findings=_told(best, exact),
        figures={"agreement": _agreement(found, best)},
    )


def _agreement(found: Margins, best: kemeny.Order) -> Estimate:
    """Share of the votes on pairs that met that agree with the order, and its bound; the order taken as given."""
    ahead: FloatArray = np.sign(best.position[found.right] - best.position[found.left]) / found.left.size
    W = np.vstack([ahead, ahead])
    value = 0.5 + np.array([best.score, best.bound]) / found.left.size
    names = ("agrees with the order", "no order exceeds")
    part = Part("sampling", found.covariance(W), found.units)
    return Estimate(names, value, (part,), np.full(2, max(found.units - 1.0, 1.0)), bounds=(0.0, 1.0), method=NAME)


def _told(best: kemeny.Order, exact: int) -> tuple[Finding, ...]:
    """That the optimum is not proven, or not the only one."""
    if not best.proven:
        return (
            Finding(
                "optimum-unproven",
                Severity.WARNING,
                f"The order was found by search: it reaches {best.score:.4g}, and no order exceeds {best.bound:.4g}.",
                best.score,
                best.bound,
                f"Raise exact= above {exact}, which takes longer, or rank fewer policies.",
            ),
        )
    if best.orders > 1:
        return (
            Finding(
                "order-not-unique",
                Severity.WARNING,
                f"{best.orders:,.0f} orders agree with equally many votes; positions are their mean.",
                best.orders,
                1,
                "Collect more votes on the policies whose positions are not whole.",
            ),
        )
    return ()
