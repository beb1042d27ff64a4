"""Can these votes rate these policies at all? Components, the undefeated and the winless, found before a fit.

    i → j   some vote for i against j (a tie is a vote for both)
    ratings are finite  ⇔  every kept policy reaches every other along arrows (Ford 1957; Zermelo 1929)

A policy that never lost has no largest likelihood: its rating grows without end, and every finite number a program
prints for it is where that program stopped. Such policies are NaN, with a severe finding; so are policies whose group
never met the largest one. The others are rated exactly as in the limit, where votes against the infinitely strong say
nothing. A proper prior makes every policy that played finite; the findings then say what rests on the prior.

Limits: separation by covariates, or of ties alone, is not seen here: such a fit runs away, and says so.
Ford (1957), Solution of a ranking problem from binary comparisons, Am. Math. Mon. 64(8); Hunter (2004), Assumption 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from ..._typing import BoolArray, IntArray
from ...core.finding import Finding, Severity
from ..cluster import group_sums
from .votes import Votes

FEW = 3.0  # wins, or losses, below which a finite rating hangs on a vote or two
MOST_DENSE = 4_000  # policies up to which a table of all pairs is the cheaper way
NAMED = 5  # policies named in a message


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Which policies can be rated together, and why the others cannot.

    Arguments:
        keep: [k] policies with a finite rating on one scale.
        group: [k] code of the policies that reach each other both ways.
        above, below: [k] policies that are infinitely stronger or weaker than the kept ones.
        apart: [k] policies that no chain of votes compares with the kept ones.
        silent: [k] policies without a vote.
        findings: the same in words.
    """

    keep: BoolArray
    group: IntArray
    above: BoolArray
    below: BoolArray
    apart: BoolArray
    silent: BoolArray
    findings: tuple[Finding, ...]


def examine(votes: Votes, policies: Sequence[str], *, prior: bool = False) -> Reach:
    """Finds the policies that the votes put on one scale.

    Arguments:
        votes: from `votes.collect`.
        policies: [k] names, for the findings.
        prior: whether a proper prior makes every rating finite.

    >>> from adjudge.stats.paired import votes
    >>> from adjudge.tables.comparisons import from_arrays
    >>> table = from_arrays(np.array([0, 0, 2]), np.array([1, 1, 0]), np.array([1.0, 0.0, 1.0]))
    >>> examine(votes.collect(table), table.policies).above.tolist()  # p2 beat p0 and nobody beat p2
    [False, False, True]
    """
    k = votes.k
    arrows, silent = _arrows(votes)
    group = csgraph.connected_components(arrows, directed=True, connection="strong")[1].astype(np.int64)
    main = _largest(group, silent, votes)
    decided = bool(((votes.y != 0.5) & (votes.mass > 0)).any())
    keep = (~silent if prior else (group == main) & ~silent) & decided
    keep &= keep.sum() > 1
    seed = int(np.argmax(group == main))
    below, above = (_reached(table, seed) & (group != main) for table in (arrows, arrows.T.tocsr()))
    apart = ~(silent | above | below | (group == main))
    if not keep.any():  # nobody can be rated: none is above or below anything
        above = below = apart = np.zeros(k, dtype=bool)
    found = Reach(keep, group, above, below, apart, silent, ())
    return Reach(keep, found.group, above, below, apart, silent, _findings(found, votes, policies, prior))


def _arrows(votes: Votes) -> tuple[sparse.csr_array, BoolArray]:
    """[k, k] i → j where some vote was for i against j; [k] who has no vote."""
    on = votes.mass > 0
    left, right, y = votes.left[votes.edge][on], votes.right[votes.edge][on], votes.y[on]
    start, end = np.concatenate([left[y > 0], right[y < 1]]), np.concatenate([right[y > 0], left[y < 1]])
    key = start * votes.k + end
    if votes.k <= MOST_DENSE:
        key = np.flatnonzero(np.bincount(key, minlength=1))
    table = sparse.coo_array((np.ones(key.size, dtype=np.int32), np.divmod(key, votes.k)), shape=(votes.k, votes.k))
    played = np.zeros(votes.k, dtype=bool)
    played[left] = played[right] = True
    arrows = sparse.csr_array(table.tocsr())
    return arrows, ~played


def _largest(group: IntArray, silent: BoolArray, votes: Votes) -> int:
    """The group with the most policies; of equals, the one whose policies have the most votes."""
    size = np.bincount(group, ~silent)
    played = group_sums(votes.left, votes.n, votes.k) + group_sums(votes.right, votes.n, votes.k)
    return int(np.lexsort((np.bincount(group, played), size))[-1])


def _reached(arrows: sparse.csr_array, start: int) -> BoolArray:
    """[k] who can be reached from `start` along arrows."""
    reached = np.zeros(arrows.shape[0], dtype=bool)
    reached[csgraph.breadth_first_order(arrows, start, directed=True, return_predecessors=False)] = True
    return reached


def _findings(reach: Reach, votes: Votes, policies: Sequence[str], prior: bool) -> tuple[Finding, ...]:
    found = []
    if reach.silent.any():
        found.append(_finding("policy-without-votes", "met nobody: no vote counts for", reach.silent, policies, False))
    if not reach.keep.any() and not reach.silent.all():
        found.append(_nobody(policies, votes))
    for code, text, who in (
        ("policy-undefeated", "never lost to the rest, so nothing bounds how strong they are:", reach.above),
        ("policy-winless", "never won against the rest, so nothing bounds how weak they are:", reach.below),
        (
            "policies-unconnected",
            "have no place, for no chain of wins leads to or from the largest group:",
            reach.apart,
        ),
    ):
        if who.any():
            found.append(_finding(code, text, who, policies, prior))
    return (*found, *_near(reach, votes, policies))


def _finding(code: str, text: str, who: BoolArray, policies: Sequence[str], prior: bool) -> Finding:
    names = tuple(policies[i] for i in np.flatnonzero(who).tolist())
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    answer = "their ratings rest on the prior" if prior else "they get no rating"
    return Finding(
        code,
        Severity.WARNING if prior else Severity.SEVERE,
        f"{len(names)} of {len(policies)} policies {text} {shown}; {answer}.",
        float(len(names)),
        0.0,
        "Collect votes that link them to the others"
        + ("." if prior or code == "policy-without-votes" else ", or give a prior in rating points."),
        names,
    )


def _nobody(policies: Sequence[str], votes: Votes) -> Finding:
    tied = not ((votes.y != 0.5) & (votes.mass > 0)).any()
    why = "every vote is a tie" if tied else "of each pair, one always won or they never met"
    return Finding(
        "votes-all-tied" if tied else "ratings-unbounded",
        Severity.SEVERE,
        f"None of {len(policies)} policies can be rated: {why}.",
        0.0,
        2.0,
        "Collect more votes" + ("." if tied else ", or give a prior in rating points."),
    )


def _near(reach: Reach, votes: Votes, policies: Sequence[str]) -> tuple[Finding, ...]:
    """Policies whose rating is finite by a vote or two."""
    votes = votes.within(reach.keep)
    won = group_sums(votes.left[votes.edge], votes.battles * votes.y, votes.k)
    won += group_sums(votes.right[votes.edge], votes.battles * (1 - votes.y), votes.k)
    lost = group_sums(votes.left[votes.edge], votes.battles * (1 - votes.y), votes.k)
    lost += group_sums(votes.right[votes.edge], votes.battles * votes.y, votes.k)
    least = np.minimum(won, lost)
    near = np.flatnonzero(reach.keep & (least < FEW))
    if not near.size:
        return ()
    names = tuple(policies[i] for i in near.tolist())
    return (
        Finding(
            "ratings-hang-on-few-votes",
            Severity.WARNING,
            f"{len(names)} of {len(policies)} policies won, or lost, fewer than {FEW:g} votes (ties count half): "
            f"{', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}; a vote or two keeps their ratings "
            "finite, and their intervals are rough.",
            float(least[near].min()),
            FEW,
            "Let them meet policies of their own strength, or give a prior in rating points.",
            names,
        ),
    )
