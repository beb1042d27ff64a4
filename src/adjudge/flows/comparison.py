"""The result of `adjudge.compare`: verdicts on pairs, what they took, what is still needed, and their report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from ..stats.sequential.letters import letters
from ..stats.sequential.runs import Runs, Study
from ..stats.sequential.trials import Judged
from .compare_story import grid, story
from .derived import Derived
from .made import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown, Derived):
    """Who is better, by how few runs, and what to do next.

    Arguments:
        estimate: means or success rates, with the figures of the method.
        found: the study of runs (adastop) or the trials that were judged (blind_trials).
        findings: what to distrust, the worst first.
        reason: why this method, in a sentence.
        run: how it was made.
        level: 1 − the family-wise error, and of all intervals.
        seed: of every random draw.
    """

    estimate: Estimate
    found: Study | Judged
    findings: tuple[Finding, ...]
    reason: str
    run: Run
    level: float = 0.95
    seed: int = 0

    @property
    def runs(self) -> Runs:
        """All runs, by agent and environment."""
        return self.found.runs

    @property
    def word(self) -> str:
        """What a run is called."""
        return "trial" if isinstance(self.found, Judged) else "run"

    @cached_property
    def pairs(self) -> tuple[tuple[str, str, str], ...]:
        """[J] (left, right, environment) of each comparison."""
        if isinstance(self.found, Study):
            return self.found.pairs
        agents = self.runs.agents
        return tuple((agents[a], agents[b], "all") for a, b in self.found.pairs.index)

    @property
    def decision(self) -> FloatArray:
        """[J] 1 left is better, −1 worse, 0 not told apart with all that was planned, NaN open."""
        return self.estimate.figures["decisions"].value

    @property
    def pvalue(self) -> FloatArray:
        """[J] p-values under the family-wise error."""
        return self.estimate.figures["pvalues"].value

    @property
    def when(self) -> IntArray:
        """[J] look or trial at which each was decided; 0, or the trials so far, while open."""
        name = "looks" if isinstance(self.found, Study) else "trials_used"
        return self.estimate.figures[name].value.astype(np.int64)

    @property
    def used(self) -> IntArray:
        """[k] runs that went into the decisions."""
        if isinstance(self.found, Study):
            return self.found.used.sum(axis=0)
        used = np.zeros(len(self.runs.agents), dtype=np.int64)
        for (a, b), n in zip(self.found.pairs.index, self.found.pairs.when, strict=True):
            used[[a, b]] = np.maximum(used[[a, b]], n)
        return used

    @property
    def wanted(self) -> tuple[tuple[str, str, int], ...]:
        """(agent, environment, further runs) to make before the next look; none when all is decided."""
        if isinstance(self.found, Study):
            return self.found.wanted
        waiting = self.found.pairs.index[np.isnan(self.decision)]
        have = self.runs.counts.sum(axis=0)
        return tuple(
            (self.runs.agents[p], "all", int(self.found.trials - have[p]))
            for p in np.unique(waiting)
            if have[p] < self.found.trials
        )

    @property
    def decided(self) -> bool:
        """Whether nothing is open: time to stop."""
        return len(self.pairs) > 0 and not np.isnan(self.decision).any()

    def differs(self, environment: str) -> BoolArray:
        """[k, k] pairs told apart in an environment."""
        table = np.zeros((len(self.runs.agents),) * 2, dtype=bool)
        for (left, right, where), verdict in zip(self.pairs, self.decision, strict=True):
            if where == environment and abs(verdict) == 1:
                a, b = self.runs.agents.index(left), self.runs.agents.index(right)
                table[a, b] = table[b, a] = True
        return table

    def letters(self, environment: str) -> tuple[str, ...]:
        """[k] compact letters of the agents in one environment: who shares one is not told apart."""
        order = self.order
        along = letters(self.differs(environment)[np.ix_(order, order)])
        return tuple(along[int(np.flatnonzero(order == p)[0])] for p in range(order.size))

    @cached_property
    def grid(self) -> str:
        """The matrix of verdicts as text: > better, < worse, = not told apart, ? open."""
        return grid(self)

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)
