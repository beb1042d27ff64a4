"""A diagnosis that travels with the number it is about."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol


class Severity(enum.IntEnum):
    """How much a finding should change what the reader does; ordered."""

    INFO = 0
    WARNING = 1
    SEVERE = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """What to distrust, by number, and what to do about it.

    Arguments:
        code: stable key in kebab case, such as `labels-too-few`; tools may match on it.
        severity: `SEVERE` makes the command line exit with 2.
        message: one sentence that a person who decides can act on.
        number: the figure that raised it; NaN where there is none.
        threshold: the figure it was held against; NaN where there is none.
        remedy: what would remove the finding, as an instruction.
        subject: the policies, judges or columns concerned; empty for the whole table.

    >>> f = Finding("labels-too-few", Severity.WARNING, "Policy a has 4 labels.", 4, 20, "Label 16 more rows.")
    >>> str(f)
    'warning labels-too-few: Policy a has 4 labels. Label 16 more rows.'
    """

    code: str
    severity: Severity
    message: str
    number: float = math.nan
    threshold: float = math.nan
    remedy: str = ""
    subject: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.severity} {self.code}: {self.message} {self.remedy}".rstrip()

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready fields; NaN becomes None."""
        fields = asdict(self)
        fields["severity"] = str(self.severity)
        fields["subject"] = list(self.subject)
        for key in ("number", "threshold"):
            fields[key] = None if math.isnan(fields[key]) else float(fields[key])
        return fields


class Flagged(Protocol):
    """Whatever carries findings."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to distrust."""


def severe(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that are severe, in their order.

    >>> found = Finding("labels-few", Severity.INFO, "Four."), Finding("labels-none", Severity.SEVERE, "None.")
    >>> [finding.code for finding in severe(found)]
    ['labels-none']
    """
    return [finding for finding in findings if finding.severity is Severity.SEVERE]
