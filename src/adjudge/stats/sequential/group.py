"""Few runs of several agents, a block at a time: who is better is decided as soon as permutations say so.

    AdaStop: T_k^{(j)} over interims k = 1 … K of n runs each, step-down over the open comparisons (`stepdown`),
    permutations of each block within each pair (`chains`)

Mathieu, Della Vecchia, Shilova, Centa, Kohler, Maillard, Preux (2023), AdaStop, arXiv 2306.10882. `start` and `advance`
are a pure state machine: the same blocks give the same decisions, whenever they come. Several environments are several
cells of an agent, compared within each environment on its own scale, all under one family-wise error.
Limits: K = 1 is a permutation test of the largest mean difference with step-down; two agents, K = 1, all deals: the
exact two-sample permutation test.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...errors import AdjudgeError
from . import chains
from .stepdown import look

DIGITS = 9
"""Decimals (of a standard deviation) that tell two differences apart: sums in another order must still tie."""


@dataclass(frozen=True, slots=True)
class Design:
    """What is fixed before the first run.

    Arguments:
        runs: n, runs of each agent between two looks, >= 1.
        interims: K, looks at most, >= 1.
        level: 1 − the family-wise error.
        early: β, power that may be spent on stopping early for equality; 0 never does.
        permutations: B, chains that are looked at; all of them when there are no more.
        seed: of the random permutations.
        joint: step-down over the largest difference (the paper), exact for two agents and in large samples; otherwise
            Holm over exact tests of each pair.
    """

    runs: int = 5
    interims: int = 5
    level: float = 0.95
    early: float = 0.0
    permutations: int = 10_000
    seed: int = 0
    joint: bool = False

    def __post_init__(self) -> None:
        fine = self.runs >= 1 and self.interims >= 1 and 0 < self.level < 1 and 0 <= self.early < 1
        if not (fine and self.permutations >= 2 and self.seed >= 0):
            raise AdjudgeError(
                f"compare: {self.runs} runs at each of {self.interims} interims, level {self.level:g}, early "
                f"{self.early:g}, {self.permutations} permutations, seed {self.seed}.",
                "At least 1 run and 1 interim, level in (0, 1), early in [0, 1), 2 permutations, seed 0.",
                "Correct the design.",
            )

    @property
    def spend(self) -> FloatArray:
        """[K] error that may have been spent by each look."""
        return (1 - self.level) * np.arange(1, self.interims + 1) / self.interims

    @property
    def accept(self) -> FloatArray:
        """[K] the same for early acceptance; at the last look everything open is called equal anyway."""
        return self.early * np.arange(1, self.interims + 1) / self.interims


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Everything that the next look needs, and all decisions so far; J comparisons.

    Arguments:
        design: of the study.
        pairs: [J, 2] cells that are compared, left and right.
        scale: [J] unit in which a pair's differences are measured against those of the others.
        history: [k, B, J] differences of every chain after each block, in units of `scale`.
        decision: [J] 1 left is larger, −1 smaller, 0 equal, NaN open.
        when: [J] interim at which it was decided, from 1; 0 while open.
        pvalue: [J] adjusted p-value at the look that decided, or at the last one.
        bound: [k] bound of each look, in units of `scale`, and `largest` [k], what was held against it.
        drawn: whether permutations were sampled rather than listed.
    """

    design: Design
    pairs: IntArray
    scale: FloatArray
    history: FloatArray
    decision: FloatArray
    when: IntArray
    pvalue: FloatArray
    bound: tuple[float, ...] = ()
    largest: tuple[float, ...] = ()
    drawn: bool = field(default=False)

    @property
    def interim(self) -> int:
        """Looks taken."""
        return int(self.history.shape[0])

    @property
    def still(self) -> BoolArray:
        """[J] comparisons that are open."""
        return np.isnan(self.decision)

    @property
    def wanted(self) -> IntArray:
        """Cells that must run again, in order; none when everything is decided."""
        return np.unique(self.pairs[self.still])


def start(design: Design, pairs: IntArray) -> State:
    """A study before its first block.

    Arguments:
        design: fixed beforehand.
        pairs: [J, 2] positions of the cells to compare.
    """
    pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    J = len(pairs)
    empty, nothing = np.full(J, np.nan), np.zeros(J, dtype=np.int64)
    return State(design, pairs, np.ones(J), np.zeros((0, 1, J)), empty, nothing, empty.copy())


def advance(state: State, block: Sequence[FloatArray], groups: Sequence[int] = ()) -> State:
    """The study after one more block of runs; the same study when nothing was open.

    Arguments:
        state: before it.
        block: for each cell its runs of this interim; cells that nobody waits for may be empty.
        groups: environment of each cell, for the scale; all one when empty.

    Errors: a cell that is waited for has no runs. After the last look of the plan nothing is open any more.

    >>> rng = np.random.default_rng(3)
    >>> state = start(Design(runs=5, interims=2), [[0, 1]])
    >>> advance(state, [rng.normal(4, 1, 5), rng.normal(0, 1, 5)]).decision
    array([1.])
    """
    design, k = state.design, state.interim
    if len(state.pairs) and not state.wanted.size:
        return state
    _refuse(state, block)
    runs = [np.asarray(one, dtype=float) for one in block]
    scale = state.scale if k else _scale(state.pairs, runs, groups)
    open_pairs = np.flatnonzero(state.still)
    shapes = np.array([[runs[left].size, runs[right].size] for left, right in state.pairs[open_pairs]])
    common = (int(shapes[0, 0]), int(shapes[0, 1])) if np.all(shapes == shapes[0]) else None
    sampled = state.drawn or common is None
    parents, every = chains.grown(state.history.shape[1], None if sampled else common, design.permutations)
    history = state.history[:, parents]
    step = np.zeros((parents.size, len(state.pairs)))
    for stream, shape in enumerate(np.unique(shapes, axis=0)):
        dealt = (int(shape[0]), int(shape[1]))
        which = open_pairs[np.all(shapes == shape, axis=1)]
        values = np.stack([np.concatenate([runs[left], runs[right]]) for left, right in state.pairs[which]])
        signs = chains.deals(parents, every, dealt, seed=design.seed, block=k, stream=stream)
        step[:, which] = signs @ (values / scale[which, None]).T
    total = np.round(step + (history[-1] if k else 0.0), DIGITS)
    history = np.concatenate([history, total[None]])
    return _decided(replace(state, scale=scale, history=history, drawn=not every))


def _decided(state: State) -> State:
    """The state with the decisions of its last look."""
    k, design = state.interim, state.design
    seen = look(
        state.history[:, None], state.still[None], spend=design.spend[:k], early=design.accept[:k], joint=design.joint
    )
    decision = np.where(state.still, seen.decision[0], state.decision)
    fresh = np.isfinite(seen.pvalue[0])
    if k == design.interims:
        decision = np.where(np.isnan(decision), 0.0, decision)
    when = np.where(state.still & ~np.isnan(decision), k, state.when)
    waiting = state.still & ~fresh  # never the largest at any step: its p-value is no smaller than the last one tried
    tried = seen.pvalue[0][fresh]
    seen_p = np.where(waiting, tried.max() if tried.size else np.nan, seen.pvalue[0])
    adjusted = np.minimum(1.0, seen_p * design.interims / k)
    pvalue = np.where(state.still, adjusted, state.pvalue)
    bound, largest = (float(one[0]) for one in (seen.bound, seen.largest))
    return replace(
        state,
        decision=decision,
        when=when,
        pvalue=pvalue,
        bound=(*state.bound, bound),
        largest=(*state.largest, largest),
    )


def _scale(pairs: IntArray, runs: Sequence[FloatArray], groups: Sequence[int]) -> FloatArray:
    """[J] standard deviation of all runs of a pair's environment: no permutation within a pair changes it."""
    code = np.asarray(groups if len(groups) else np.zeros(len(runs)), dtype=np.int64)
    spread = np.ones(code.max(initial=0) + 1)
    for group in np.unique(code):
        values = np.concatenate([one for one, own in zip(runs, code, strict=True) if own == group])
        spread[group] = np.std(values) or 1.0
    return spread[code[pairs[:, 0]]]


def _refuse(state: State, block: Sequence[FloatArray]) -> None:
    short = [int(cell) for cell in state.wanted if np.size(block[cell]) == 0]
    if short:
        raise AdjudgeError(
            f"compare: no run of agent {short[0]} in block {state.interim + 1}.",
            "Each agent that is still compared has runs in each block.",
            "Add its runs.",
        )
