"""What `evaluate` found: an estimate with everything derived from it, each figure worked out once, when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity, worst
from ..core.run import Run
from ..stats.sensitivity import WinnerShift, winner_shift
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings

OTHER_FIGURES = tuple(f"value.{name}" for name in ("quantile", "ppi_quantile", "cvar", "sharp", "ppi_logistic"))
MOST_PAIRS = 30  # more policies than this are compared with the leader only


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
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
    def interval(self) -> FloatArray:
        """[k, 2] confidence intervals, one policy at a time."""
        return self.estimate.interval(self.level)

    @cached_property
    def simultaneous(self) -> FloatArray:
        """[k, 2] intervals that hold for all policies at once."""
        return self.estimate.simultaneous(self.level, seed=self.seed)

    @cached_property
    def ranks(self) -> FloatArray:
        """[k, 2] best and worst rank not excluded; 1 is best."""
        return self.estimate.ranks(self.level, seed=self.seed)

    @cached_property
    def p_best(self) -> FloatArray:
        """[k] probability of being best."""
        return self.estimate.p_best(seed=self.seed)

    @cached_property
    def differences(self) -> Estimate:
        """All pairwise differences; with more than 30 policies, those of the leader with each other."""
        if len(self.estimate.names) <= MOST_PAIRS:
            return self.estimate.differences()
        leader = self.order[0]
        others = np.delete(np.arange(len(self.estimate.names)), leader)
        weights = np.zeros((others.size, len(self.estimate.names)))
        weights[np.arange(others.size), others] = -1.0
        weights[:, leader] = 1.0
        names = self.estimate.names
        return self.estimate.contrast(weights, [f"{names[leader]} − {names[other]}" for other in others])

    @cached_property
    def shift(self) -> WinnerShift | None:
        """How far the judge's error on a policy would have to move before the winner changes."""
        return winner_shift(self.estimate, level=self.level, seed=self.seed)

    @property
    def order(self) -> IntArray:
        """Positions of the policies from best to worst; those without a value last."""
        return np.argsort(np.where(np.isfinite(self.estimate.value), -self.estimate.value, np.inf), kind="stable")

    @property
    def verified(self) -> BoolArray:
        """[k] whether trusted labels of the policy's own stand behind its value."""
        labels = np.bincount(self.ratings.policy[self.ratings.labelled], minlength=self.ratings.k)
        return labels >= 2

    @property
    def severe(self) -> bool:
        """Whether a finding is severe: the exit code 2 of the command line."""
        return worst(self.findings) is Severity.SEVERE
