"""What to say first when there is too much to say: forty alike findings are one finding with a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from ..core.finding import Finding

FEW = 3
"""Findings of one kind that are said in full before the rest is only counted."""


def grouped(findings: Sequence[Finding]) -> Iterator[tuple[list[Finding], list[Finding]]]:
    """Findings by code, in the order in which the codes first came: those to say, and the rest to count or fold.

    One left over is said, since "and 1 more" would take the same room.
    """
    order: dict[str, int] = {}
    for finding in findings:
        order.setdefault(finding.code, len(order))
    for _, group in groupby(sorted(findings, key=lambda finding: order[finding.code]), key=lambda found: found.code):
        same = list(group)
        said = len(same) if len(same) <= FEW + 1 else FEW
        yield same[:said], same[said:]
