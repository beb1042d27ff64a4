"""What a table of margins cannot know, in sentences: verdicts, policies, pairs and units that are missing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..._typing import BoolArray
from ...core.finding import Finding, Severity
from ...tables.comparisons import Comparisons


def about(table: Comparisons, inside: BoolArray, played: BoolArray, unknown: int, units: int) -> tuple[Finding, ...]:
    """Findings on a table of votes.

    Arguments:
        table: the votes.
        inside: [k] policies that can be compared.
        played: [k] policies that met anybody.
        unknown: pairs inside that never met.
        units: independent units.
    """
    found: list[Finding] = []
    lost = int(np.isnan(table.outcome).sum())
    if lost:
        found.append(
            Finding(
                "outcome-unknown",
                Severity.WARNING,
                f"{lost:,} of {table.n:,} comparisons have no verdict and are left out, not counted as ties.",
                lost,
                0,
                "Find out why they are missing: a ranking of the verdicts that exist is one of the easy comparisons.",
            )
        )
    if not inside.any():
        return (*table.findings, *found, _nothing())
    idle = [name for name, on in zip(table.policies, played, strict=True) if not on]
    if idle:
        found.append(
            Finding(
                "policy-without-votes",
                Severity.WARNING,
                f"{some(idle)} took part in no comparison with a verdict: nothing can be said.",
                len(idle),
                0,
                "Compare each of them with two others or more, or leave them out.",
                tuple(idle),
            )
        )
    apart = [name for name, on in zip(table.policies, played & ~inside, strict=True) if on]
    if apart:
        found.append(
            Finding(
                "policies-unconnected",
                Severity.SEVERE,
                f"{some(apart)} never met the others, directly or through third ones: nothing compares them.",
                len(apart),
                0,
                "Add comparisons that join the groups, or rank each group by itself.",
                tuple(apart),
            )
        )
    return (*table.findings, *found, *_pairs(int(inside.sum()), unknown), *_units(units))


def some(names: Sequence[str]) -> str:
    """The first few names."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _nothing() -> Finding:
    return Finding(
        "votes-missing",
        Severity.SEVERE,
        "No comparison has a verdict that counts: nothing can be ranked.",
        0,
        1,
        "Collect votes, and check weights and counts.",
    )


def _pairs(j: int, unknown: int) -> tuple[Finding, ...]:
    if not unknown:
        return ()
    return (
        Finding(
            "pairs-never-met",
            Severity.WARNING,
            f"{unknown:,} of {j * (j - 1) // 2:,} pairs never met: who would win there is unknown, which is not a tie.",
            unknown,
            0,
            "Let them meet, or use ranking.bradley_terry, which infers them from third policies.",
        ),
    )


def _units(units: int) -> tuple[Finding, ...]:
    if units >= 2:
        return ()
    return (
        Finding(
            "votes-too-few",
            Severity.SEVERE,
            f"All votes lie in {units} independent unit: values, but no standard errors.",
            units,
            2,
            "Collect votes in other clusters.",
        ),
    )
