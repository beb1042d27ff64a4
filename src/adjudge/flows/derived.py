"""What every answer derives from its estimate, each figure worked out once, when asked for."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..stats.sequential.letters import letters

MOST_PAIRS = 30  # more policies than this are compared with the leader only


class Derived:
    """Intervals, ranks, pairs and order of an answer's estimate, at its level and seed."""

    estimate: Estimate
    findings: tuple[Finding, ...]
    level: float
    seed: int

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
    def groups(self) -> tuple[str, ...]:
        """[k] compact letters: two policies that share one are not told apart; empty for more than 30 policies."""
        k = len(self.estimate.names)
        if not 2 <= k <= MOST_PAIRS:
            return ()
        different = np.zeros((k, k), dtype=bool)
        different[np.triu_indices(k, 1)] = self.differences.stepdown(seed=self.seed) <= 1 - self.level
        order = self.order
        told = letters((different | different.T)[np.ix_(order, order)])
        return tuple(told[place] for place in np.argsort(order))

    @property
    def order(self) -> IntArray:
        """Positions of the policies from best to worst; those without a value last."""
        return np.argsort(np.where(np.isfinite(self.estimate.value), -self.estimate.value, np.inf), kind="stable")

    @property
    def verified(self) -> BoolArray:
        """[k] whether something trusted stands behind each value; yes, unless an answer knows better."""
        return np.ones(len(self.estimate.names), dtype=bool)
