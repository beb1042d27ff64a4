"""What can still be said of a policy that no gold label has checked: bounds, and what would change the winner."""

from __future__ import annotations

import numpy as np

from ..core.finding import Finding, Severity
from .answer import Answer

WRITES = "(`adjudge plan` writes the list)"


def unverified(answer: Answer) -> tuple[Finding, ...]:
    """A finding for each policy without labels of its own; severe where nothing but the gold range bounds it.

    Where no policy has labels there is one finding for all of them.
    """
    names, findings = answer.estimate.names, []
    open_ones = np.flatnonzero(np.isfinite(answer.estimate.value) & ~answer.verified)
    if open_ones.size and not answer.verified.any():
        return (_nothing_checked(answer),)
    for p in open_ones:
        value, (low, high) = answer.estimate.value[p], answer.interval[p]
        moved = np.nan if answer.shift is None else float(answer.shift.shift[p])
        bare = bool(answer.estimate.slack[p].any())
        assumed = (
            f"{value:.2f} holds only if the judge errs on it as on the labelled policies; all that is sure is "
            if bare
            else f"{value:.2f} allows for errors that differ between policies as much as those of the labelled ones, "
        )
        findings.append(
            Finding(
                "not-verified",
                Severity.SEVERE if bare else Severity.WARNING,
                f"The value of {names[p]} is not verified: no gold label checks it. {assumed}{low:.2f} to {high:.2f}."
                + ("" if np.isnan(moved) else f" {_change(answer, int(p), moved)}"),
                moved,
                0.0,
                f"Label 30 or more random rows of {names[p]} {WRITES}.",
                (names[p],),
            )
        )
    return tuple(findings)


def _nothing_checked(answer: Answer) -> Finding:
    """The finding of a table whose labels, if any, check no policy."""
    shift, names = answer.shift, answer.estimate.names
    told = (
        "No policy has gold labels of its own: these are the judge's averages, and their intervals say how well the "
        "averages are known, not whether the judge is right."
    )
    if shift is not None:
        told += f" {_change(answer, shift.winner, float(shift.shift[shift.winner]))}"
    moved = float("nan") if shift is None else float(shift.shift[shift.winner])
    return Finding(
        "not-verified", Severity.SEVERE, told, moved, 0.0, f"Label 30 or more random rows of each {WRITES}.", names
    )


def _change(answer: Answer, p: int, moved: float) -> str:
    """What the sensitivity value says."""
    name = answer.estimate.names[p]
    if answer.shift is not None and answer.shift.winner == p:
        return f"{name} leads, and loses the lead if the judge flatters it by {moved:.2g} more than the others."
    return f"It would take the lead if the judge underrated it by {moved:.2g} more than the leader."
