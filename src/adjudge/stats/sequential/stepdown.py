"""Which comparisons are decided at an interim look: step-down over the largest difference, with the level spent so far.

    T̄_k(σ; C) = max_{j ∈ C} |T_k^{(j)}(σ)|            C: comparisons still open
    b_k(C):  smallest b with   #{σ crossed at m < k} + #{σ alive: T̄_k(σ; C) > b} <= B·(1 − level)·k/K
    reject the largest of C when it exceeds b_k(C), take it out of C, and look again
    accept the smallest of C when #{accepted before} + #{σ: min_j |T_k^{(j)}(σ)| <= min_j |T_k^{(j)}|} <= B·β·k/K

What one look does not spend is left for the next. The history of C is that of C alone: the chains that would have
crossed before, had C been all that was compared, so that the last comparisons have the whole level to themselves.
Chains that would have been accepted still count against a rejection, so β costs power (at most β of it) and no level.

Everything is worked out for many replicates of a study at once; a single study is one replicate. Strict inequalities
make ties count against a decision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray

OPEN = np.nan
"""The decision of a comparison that is still open; 1 larger, −1 smaller, 0 equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What one interim look decided, for R replicates and J comparisons.

    Arguments:
        decision: [R, J] 1 (left is larger), −1 (smaller), 0 (equal), NaN (open, or decided before).
        pvalue: [R, J] smallest 1 − level, all else alike, at which the comparison would have been rejected at its step.
        bound: [R] the b_k(C) that was tried last.
        largest: [R] the largest difference that was tried against it.
    """

    decision: FloatArray
    pvalue: FloatArray
    bound: FloatArray
    largest: FloatArray


def look(history: FloatArray, still: BoolArray, *, spend: FloatArray, early: FloatArray, joint: bool) -> Look:
    """Decide what can be decided at the last interim of a history.

    Arguments:
        history: [k, R, B, J] differences T of every chain after each block; chain 0 is what was observed.
        still: [R, J] comparisons that are open.
        spend: [k] part of the error that may be spent by each look, rising; the last is (1 − level)·k/K.
        early: [k] the same for early acceptance.
        joint: hold the largest difference of all open ones against the largest of each chain; otherwise each by itself,
            with the error divided by their number (Holm), which is exact for any number of agents and any laws.
    """
    magnitude = np.abs(history)
    replicates, pairs = still.shape
    decision, pvalue = np.full((replicates, pairs), OPEN), np.full((replicates, pairs), np.nan)
    bound, largest = np.full(replicates, np.nan), np.full(replicates, np.nan)
    reached = np.zeros(replicates)
    left, signs = still.copy(), np.sign(history[-1, :, 0])
    active = np.flatnonzero(left.any(axis=1))
    while active.size:
        part, mine = magnitude[:, active], left[active]
        if joint:
            tail, bound[active] = _tail(np.where(mine[:, None], part, -np.inf).max(axis=-1), spend)
            at = np.where(mine, part[-1, :, 0], -np.inf).argmax(axis=1)
        else:
            at, tail, bound[active] = _apart(part, mine, spend)
        largest[active] = part[-1, np.arange(active.size), 0, at]
        share = tail / history.shape[2]
        reached[active] = np.maximum(reached[active], share)  # a later step is never surer than an earlier one
        pvalue[active, at] = reached[active]
        decided = share <= spend[-1] * (1 + 1e-12)
        decision[active[decided], at[decided]] = signs[active[decided], at[decided]]
        left[active[decided], at[decided]] = False
        if early[-1] > 0:
            rest = ~decided
            accepted, where = _accept(part[:, rest], mine[rest], early)
            rows = active[rest][accepted]
            decision[rows, where[accepted]] = 0.0
            left[rows, where[accepted]] = False
            decided[np.flatnonzero(rest)[accepted]] = True
        active = active[decided]
        active = active[left[active].any(axis=1)]
    return Look(decision, pvalue, bound, largest)


def _tail(top: FloatArray, spend: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[R] chains that crossed before or lie no lower than what was observed now, and [R] the bound of this look."""
    chains = top.shape[2]
    alive, crossed = np.ones(top.shape[1:], dtype=bool), np.zeros(top.shape[1], dtype=np.int64)
    for m, share in enumerate(spend):
        level = np.where(alive, top[m], -np.inf)
        allowed = np.floor(share * chains * (1 + 1e-12)).astype(np.int64) - crossed
        bound = _kth_largest(level, np.clip(allowed, 0, chains - 1))
        if m == len(spend) - 1:
            return (crossed + (level >= top[m][:, :1]).sum(axis=1)).astype(float), bound
        over = level > bound[:, None]
        crossed += over.sum(axis=1)
        alive &= ~over
    raise AssertionError("a history has at least one look")


def _apart(part: FloatArray, mine: BoolArray, spend: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """[R] the comparison that is rarest by itself, its tail times the number of open ones, and its bound."""
    sizes = mine.sum(axis=1)
    tails = np.full(mine.shape, np.inf)
    bounds = np.full(mine.shape, np.nan)
    for r in np.unique(sizes):
        rows = sizes == r
        for j in np.flatnonzero(mine[rows].any(axis=0)):
            tails[rows, j], bounds[rows, j] = _tail(part[..., j][:, rows], spend / r)
    tails[~mine] = np.inf
    at = tails.argmin(axis=1)
    each = np.arange(at.size)
    return at, tails[each, at] * sizes, bounds[each, at]


def _kth_largest(values: FloatArray, place: IntArray) -> FloatArray:
    """[R] the value in each row that `place` values are not lower than; 0 is the largest."""
    last = values.shape[1] - 1
    kth = np.unique(last - place)
    ordered = np.partition(values, kth, axis=1)
    return ordered[np.arange(values.shape[0]), last - place]


def _accept(part: FloatArray, mine: BoolArray, early: FloatArray) -> tuple[BoolArray, IntArray]:
    """[R] whether the smallest difference is small enough to call equal, and [R] which comparison it is of."""
    low = np.where(mine[:, None], part, np.inf).min(axis=-1)
    chains = low.shape[2]
    alive, gone = np.ones(low.shape[1:], dtype=bool), np.zeros(low.shape[1], dtype=np.int64)
    for m, share in enumerate(early):
        value = np.where(alive, low[m], np.inf)
        if m == len(early) - 1:
            count = gone + (value <= low[m][:, :1]).sum(axis=1)
            break
        allowed = np.clip(np.floor(share * chains * (1 + 1e-12)).astype(np.int64) - gone, 0, chains - 1)
        under = value < -_kth_largest(-value, allowed)[:, None]
        gone += under.sum(axis=1)
        alive &= ~under
    at = np.where(mine, part[-1, :, 0], np.inf).argmin(axis=1)
    return count <= early[-1] * chains * (1 + 1e-12), at
