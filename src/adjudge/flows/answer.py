"""What `evaluate` found: an estimate with everything derived from it, each figure worked out once, when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import BoolArray, IntArray
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..stats.sensitivity import WinnerShift, winner_shift
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from .derived import Derived

OTHER_FIGURES = tuple(f"value.{name}" for name in ("quantile", "ppi_quantile", "cvar", "sharp", "ppi_logistic"))


@dataclass(frozen=True, eq=False, repr=False)
class Answer(Derived):
    """Which policy is better, how sure, and what to distrust.

    Arguments:
        ratings: the checked table, with the forecast of a calibrator where one was used.
        estimate: values of the policies with their joint error.
        labels_only: the same from gold labels alone, for comparison.
        calibrator: what turned judge scores into forecasts; None when none was needed.
        findings: what to distrust, the worst first.
        reason: why this method, in a sentence.
        run: how it was made.
        level: of all intervals.
        seed: of every random draw.
        source: where the table came from, so that a plan can find its texts again.
        rows: [k] rows of each policy in the whole table; None when `ratings` is all of it.
        units: clusters in the whole table, likewise.
    """

    ratings: Ratings
    estimate: Estimate
    labels_only: Estimate
    calibrator: Calibrator | None
    findings: tuple[Finding, ...]
    reason: str
    run: Run
    level: float = 0.95
    seed: int = 0
    source: object = None
    rows: IntArray | None = None
    units: int | None = None

    @property
    def of_means(self) -> bool:
        """Whether the values are mean gold labels, so that labels alone and label plans speak of the same thing."""
        return self.estimate.method not in OTHER_FIGURES

    @property
    def n_rows(self) -> IntArray:
        """[k] rows of each policy in the whole table."""
        return np.bincount(self.ratings.policy, minlength=self.ratings.k) if self.rows is None else self.rows

    @cached_property
    def shift(self) -> WinnerShift | None:
        """How far the judge's error on a policy would have to move before the winner changes."""
        return winner_shift(self.estimate, level=self.level, seed=self.seed)

    @property
    def verified(self) -> BoolArray:
        """[k] whether trusted labels of the policy's own stand behind its value."""
        labels = np.bincount(self.ratings.policy[self.ratings.labelled], minlength=self.ratings.k)
        return labels >= 2
