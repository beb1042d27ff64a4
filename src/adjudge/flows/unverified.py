"""What can still be said of a policy that no gold label has checked: bounds, and what would change the winner."""

from __future__ import annotations

import numpy as np

from ..core.finding import Finding, Severity
from .answer import Answer


def unverified(answer: Answer) -> tuple[Finding, ...]:
    """A finding for each policy without labels of its own; severe where nothing but the gold range bounds it."""
    names, findings = answer.estimate.names, []
    for p in np.flatnonzero(np.isfinite(answer.estimate.value) & ~answer.verified):
        value, (low, high) = answer.estimate.value[p], answer.interval[p]
        moved = np.nan if answer.shift is None else float(answer.shift.shift[p])
        bare = bool(answer.estimate.slack[p].any()) or not answer.verified.any()
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
                f"Label 30 or more random rows of {names[p]} (`adjudge plan` writes the list).",
                (names[p],),
            )
        )
    return tuple(findings)


def _change(answer: Answer, p: int, moved: float) -> str:
    """What the sensitivity value says."""
    name = answer.estimate.names[p]
    if answer.shift is not None and answer.shift.winner == p:
        return f"{name} leads, and loses the lead if the judge flatters it by {moved:.2g} more than the others."
    return f"It would take the lead if the judge underrated it by {moved:.2g} more than the leader."
