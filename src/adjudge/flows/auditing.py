"""The result of `adjudge.check`: what every check saw, what to distrust, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..core.estimate import Audit
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from .audit_story import story
from .audit_tables import Audited
from .made import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Auditing(Shown):
    """How far judges can be believed, and where they cannot.

    Arguments:
        table: the checked table.
        audits: address of each check -> what it saw.
        raters: columns that name the raters together; one or none as a rule.
        findings: what to distrust, the worst first.
        run: how it was made.
        level: of all intervals.
        seed: of every random draw.
    """

    table: Audited
    audits: Mapping[str, Audit]
    raters: tuple[str, ...]
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)
