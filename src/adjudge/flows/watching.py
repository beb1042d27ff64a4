"""The answer of `watch`: stop or go on, the checkpoint to keep, and all that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .._typing import FloatArray
from ..core.estimate import Audit
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from ..tables.run_log import RunLog
from .made import Shown
from .watch_story import story
from .watch_walk import Walked


@dataclass(frozen=True, eq=False, repr=False)
class Watching(Shown):
    """A run as it is watched.

    Arguments:
        table: the run.
        walked: evidence so far, the checkpoint to keep, and the pairs that wait for labels.
        gold: [r] labels by row; NaN where there is none.
        seen: monitor's address -> what it saw.
        findings: what to know, the worst first.
        run: how it was made.
        labels: budget.
        ask: the file of responses to label next; None where none is written.
        level: of intervals; 1 − the rate of false STOPs.
    """

    table: RunLog
    walked: Walked
    gold: FloatArray
    seen: Mapping[str, Audit]
    findings: tuple[Finding, ...]
    run: Run
    labels: int = 200
    ask: Path | None = None
    level: float = 0.95
    seed: int = 0

    @property
    def stopped(self) -> bool:
        """Whether STOP is said."""
        return self.walked.watched.stopped >= 0

    @property
    def keep(self) -> float | None:
        """Step of the checkpoint to keep; None before any label has told."""
        return self.table.steps[self.walked.turn.keep] if self.walked.turn.gain.any() else None

    @property
    def spent(self) -> int:
        """Labels that were used up."""
        return 2 * sum(pair.gold is not None for pair in self.walked.saved.pairs)

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)
