"""The result of `adjudge.rank`: ratings with everything derived from them, and their report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import BoolArray, IntArray
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from .derived import Derived
from .made import Shown
from .rank_story import story


@dataclass(frozen=True, eq=False, repr=False)
class Ranking(Shown, Derived):
    """Who is best, how sure, and what to distrust.

    Arguments:
        table: the checked table of votes or scores.
        estimate: ratings of the policies with their joint error.
        alone: the same from trusted votes alone, for comparison; None when there are none, or nothing else.
        before: the same without covariates and order effects; None when there are none.
        cycles: what the audit of intransitivity saw; None for scores.
        findings: what to distrust, the worst first.
        reason: why this method, in a sentence.
        run: how it was made.
        level: of all intervals.
        seed: of every random draw.
    """

    table: Comparisons | Ratings
    estimate: Estimate
    alone: Estimate | None
    before: Estimate | None
    cycles: Audit | None
    findings: tuple[Finding, ...]
    reason: str
    run: Run
    level: float = 0.95
    seed: int = 0

    @cached_property
    def n_rows(self) -> IntArray:
        """[k] votes or scored rows behind each policy."""
        if isinstance(self.table, Ratings):
            return np.bincount(self.table.policy, minlength=self.table.k)
        count = np.where(self.table.known, self.table.count, 0.0)
        both = (np.bincount(side, count, minlength=self.table.k) for side in (self.table.left, self.table.right))
        return np.rint(sum(both)).astype(np.int64)

    @property
    def verified(self) -> BoolArray:
        """[k] whether a trusted rater saw the policy, where some raters are named as trusted; else yes."""
        table = self.table
        if isinstance(table, Ratings) or not table.trusted.any():
            return np.ones(table.k, dtype=bool)
        seen = np.concatenate([side[table.trusted] for side in (table.left, table.right)])
        return np.bincount(seen, minlength=table.k) > 0

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)
