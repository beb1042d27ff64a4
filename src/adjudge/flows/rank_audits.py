"""What a table of votes is examined for without being asked: preferences in circles, and raters who push a policy."""

from __future__ import annotations

import numpy as np

from ..audit import cycles as cycle_audit
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..data import vote_rigging
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings

CYCLES_UP_TO = 40  # policies up to which triples are tested for cycles without being asked
CROWD = 20  # raters from which on one can be told from the others' tastes
VOTES_UP_TO = 300_000  # votes up to which raters are examined without being asked: about a second
CELLS_UP_TO = 10_000_000  # the same for raters times policies
SURE = 0.99  # that no honest rater is named: nobody asked for the test, so it is rarely wrong
NAMED = 10  # raters that are named one by one


def cycles(table: Comparisons, seed: int) -> Audit | None:
    """Whether anybody beats somebody who beats somebody who beats them, beyond what noise gives; None if not asked."""
    met = np.unique(np.concatenate([table.left[table.known], table.right[table.known]])).size
    return cycle_audit.check(table, seed=seed) if met >= 3 and table.k <= CYCLES_UP_TO else None


def rigging(table: Comparisons | Ratings) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """Raters whose votes lift or sink a policy beyond what taste explains, and the method that was used.

    Trusted raters are left out, and nothing is asked of fewer than 20 raters.

    Arguments:
        table: votes; scores have no raters to examine.
    """
    if isinstance(table, Ratings):
        return (), ()
    own = table.known & ~table.trusted
    raters = np.unique(table.rater[own]).size
    if raters < CROWD:
        return (), ()
    votes = float(table.count[own].sum())
    if votes > VOTES_UP_TO or len(table.raters) * table.k > CELLS_UP_TO:
        return (_unexamined(votes, raters),), ()
    found = vote_rigging.findings(table.take(own), level=SURE)
    named = found[:NAMED] + ((_more(found),) if len(found) > NAMED else ())
    return named, ("data.vote_rigging",)


def _more(found: tuple[Finding, ...]) -> Finding:
    others = tuple(finding.subject[0] for finding in found[NAMED:])
    return Finding(
        "votes-rigged-more",
        Severity.WARNING,
        f"{len(others)} more raters push a policy beyond what taste explains, among them {', '.join(others[:NAMED])}.",
        float(len(found)),
        float(NAMED),
        "See all of them with data.vote_rigging, and leave their votes out if they are not honest.",
        others,
    )


def _unexamined(votes: float, raters: int) -> Finding:
    return Finding(
        "rigging-not-examined",
        Severity.INFO,
        f"{votes:,.0f} votes of {raters:,} raters were not examined for rigging, which takes long for so many.",
        votes,
        float(VOTES_UP_TO),
        "Ask for it with data.vote_rigging.",
    )
