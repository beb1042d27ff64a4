"""What `ranking.bradley_terry` tells of the votes: too few clusters, errors that nothing shows, ties and soft votes."""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray
from ..core.finding import Finding, Severity
from ..stats.paired import newton, sandwich
from ..tables.comparisons import Comparisons

FEW_CLUSTERS = 10.0  # of equal size


def few(fit: newton.Fit, meat: sandwich.Meat) -> tuple[Finding, ...]:
    """Too few clusters for any standard error, or for a good one."""
    if meat.even >= FEW_CLUSTERS or not fit.converged:
        return ()
    return (
        Finding(
            "clusters-too-few",
            Severity.SEVERE if meat.units < 2 else Severity.WARNING,
            f"The votes come from {meat.units} independent unit{'' if meat.units == 1 else 's'} (clusters, or votes "
            f"where none is named), which tell as much as {meat.even:.1f} of equal size: "
            + ("nothing shows how far clusters differ." if meat.units < 2 else "the intervals are rough."),
            meat.even,
            FEW_CLUSTERS,
            "Collect votes from more prompts, raters or sessions.",
        ),
    )


def doubts(table: Comparisons, silent: BoolArray, alone: BoolArray) -> tuple[Finding, ...]:
    """Ratings without an error: an error of exactly 0 would be a confident number."""
    found = []
    for code, who, why, remedy in (
        (
            "spread-unknown",
            silent,
            "cancel out exactly in every cluster, as when a judge picks what it is shown first in both orders",
            "Look at the judge (order=True), or cluster by something else.",
        ),
        ("policy-in-one-cluster", alone, "come from one cluster", "Let other raters or prompts vote on them."),
    ):
        names = tuple(name for name, off in zip(table.policies, who, strict=False) if off)
        if names:
            shown = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
            text = f"The votes on {shown} {why}; nothing shows how far their ratings may be off."
            found.append(Finding(code, Severity.SEVERE, text, float(len(names)), 0.0, remedy, names))
    return tuple(found)


def about_outcomes(table: Comparisons, ties: str) -> tuple[Finding, ...]:
    """What the chosen law does to ties and to soft votes."""
    y, count = table.outcome, table.count * table.known
    tied = float(count[y == 0.5].sum())
    if ties == "half":
        if not tied:
            return ()
        return (
            Finding(
                "half-win",
                Severity.WARNING,
                f"{tied:,.0f} of {table.battles:,.0f} votes are ties counted as half a win for each side, which draws "
                "all ratings together.",
                tied,
                0.0,
                "Use ties='davidson', which gives ties a chance of their own.",
            ),
        )
    soft = float(count[(y != 0) & (y != 1) & (y != 0.5) & np.isfinite(y)].sum())
    if not soft:
        return ()
    return (
        Finding(
            "soft-outcomes",
            Severity.INFO,
            f"{soft:,.0f} of {table.battles:,.0f} outcomes are probabilities; they say who wins, nothing about ties.",
            soft,
            0.0,
            "Use ties='half' to read 0.5 as a probability too." if tied else "",
        ),
    )
