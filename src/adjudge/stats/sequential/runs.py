"""The runs of each agent, in the order they were made, and how far a study of them gets.

A run is what one agent scored once: rows of one policy, environment and cluster are episodes of one run and are
averaged. The order is that of the table's rows, for a look may only depend on runs that were there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..._typing import FloatArray, IntArray
from ...core.finding import Finding, Severity
from ...errors import AdjudgeError
from ...tables.ratings import Ratings
from ..cluster import group_sums
from ..judges import judge_columns
from . import group
from .group import Design, State


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Scores of k agents in E environments; cell e·k + p holds agent p in environment e.

    Arguments:
        agents: [k] names.
        environments: [E] names; one when there is one.
        values: [E·k] scores of each cell, in the order of the runs.
        order: [E·k] place of each run among all, so that the cells of one agent can be put in sequence.
        findings: what was noticed.
    """

    agents: tuple[str, ...]
    environments: tuple[str, ...]
    values: tuple[FloatArray, ...]
    order: tuple[IntArray, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def counts(self) -> IntArray:
        """[E, k] runs."""
        sizes = np.array([one.size for one in self.values], dtype=np.int64)
        return sizes.reshape(len(self.environments), len(self.agents))

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1: successes and failures."""
        seen = np.concatenate([np.zeros(0), *self.values])
        return bool(seen.size) and bool(np.isin(seen, (0.0, 1.0)).all())


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Runs, and what the looks at them decided.

    Arguments:
        runs: all that there are.
        state: after as many looks as they allow.
        used: [E, k] runs that went into a look.
        reference: position of the agent that all others are compared with; None for all pairs.
        findings: what to distrust.
    """

    runs: Runs
    state: State
    used: IntArray
    reference: int | None = None
    findings: tuple[Finding, ...] = field(default=())

    @property
    def pairs(self) -> tuple[tuple[str, str, str], ...]:
        """[J] (left, right, environment) of each comparison."""
        k, agents, environments = len(self.runs.agents), self.runs.agents, self.runs.environments
        return tuple((agents[a % k], agents[b % k], environments[a // k]) for a, b in self.state.pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """[J] the comparisons, such as `PPO − SAC`."""
        several = len(self.runs.environments) > 1
        return tuple(f"{left} − {right}" + (f" [{where}]" if several else "") for left, right, where in self.pairs)

    @property
    def wanted(self) -> tuple[tuple[str, str, int], ...]:
        """(agent, environment, further runs) for each cell that the next look waits for."""
        k, n, counts = len(self.runs.agents), self.state.design.runs, self.runs.counts.ravel()
        left = counts - self.used.ravel()
        return tuple(
            (self.runs.agents[cell % k], self.runs.environments[cell // k], int(n - left[cell]))
            for cell in self.state.wanted
            if left[cell] < n
        )


def from_ratings(ratings: Ratings, *, metric: str | None = None) -> Runs:
    """The runs of a table.

    Arguments:
        ratings: `policy` is the agent, `stratum` the environment, and rows of one policy, stratum and cluster are one
            run; `row` is their order. A row of whole weight w is w equal runs.
        metric: name of the score column; the first by default.
    """
    score = ratings.score[:, judge_columns(ratings, metric)[0]]
    wanted = ratings.weight > 0
    known = np.flatnonzero(np.isfinite(score) & wanted)
    known = known[np.argsort(ratings.row[known], kind="stable")]
    E, k = len(ratings.strata), ratings.k
    cell = ratings.stratum[known] * k + ratings.policy[known]
    key = cell * (int(ratings.cluster.max(initial=0)) + 1) + ratings.cluster[known]
    _, first, run = np.unique(key, return_index=True, return_inverse=True)
    size = np.bincount(run, minlength=first.size)
    mean = group_sums(run, score[known], first.size) / np.maximum(size, 1)
    mean = np.where(size == 1, score[known][first], mean)
    times = ratings.weight[known][first]
    whole = bool(np.all(times == np.rint(times)))
    by_time = np.argsort(first, kind="stable")
    repeats = times[by_time].astype(np.int64) if whole else np.ones(first.size, dtype=np.int64)
    value, owner = np.repeat(mean[by_time], repeats), np.repeat(cell[first][by_time], repeats)
    values = tuple(value[owner == c] for c in range(E * k))
    order = tuple(np.flatnonzero(owner == c) for c in range(E * k))
    findings = (*_unscored(int((wanted & ~np.isfinite(score)).sum())), *(() if whole else _weights()))
    return Runs(ratings.policies, ratings.strata, values, order, findings)


def study(runs: Runs, design: Design, *, reference: str | None = None) -> Study:
    """Take as many looks as the runs allow, stopping each agent when it is decided.

    Arguments:
        runs: of `from_ratings`.
        design: fixed beforehand.
        reference: the agent that all others are compared with; None for all pairs.

    Errors: an unknown reference.
    """
    at = _reference(runs.agents, reference)
    k, E = len(runs.agents), len(runs.environments)
    left, right = np.triu_indices(k, 1)
    within = np.column_stack([left, right])
    if at is not None:
        within = np.array([[at, p] for p in range(k) if p != at], dtype=np.int64).reshape(-1, 2)
    pairs = np.concatenate([within + e * k for e in range(E)])
    there = np.array([one.size > 0 for one in runs.values], dtype=bool)
    pairs = pairs[np.all(there[pairs], axis=1)] if len(pairs) else pairs
    state, used = group.start(design, pairs), np.zeros(E * k, dtype=np.int64)
    environments = np.repeat(np.arange(E), k)
    counts = runs.counts.ravel()
    while state.interim < design.interims and state.wanted.size:
        cells = state.wanted
        if np.any(counts[cells] - used[cells] < design.runs):
            break
        block: list[FloatArray] = [np.zeros(0)] * (E * k)
        for cell in cells:
            block[cell] = runs.values[cell][used[cell] : used[cell] + design.runs]
        state = group.advance(state, block, environments.tolist())
        used[cells] += design.runs
    made = Study(runs, state, used.reshape(E, k), at)
    return Study(runs, state, made.used, at, (*runs.findings, *_findings(made)))


def _reference(agents: Sequence[str], reference: str | None) -> int | None:
    if reference is None:
        return None
    if reference not in agents:
        raise AdjudgeError(
            f"compare: no agent is named {reference!r}.",
            f"Agents here: {', '.join(agents)}.",
            "Name one with --reference.",
        )
    return list(agents).index(reference)


def _findings(study: Study) -> tuple[Finding, ...]:
    design, state = study.state.design, study.state
    found = []
    looks = math.comb(2 * design.runs, design.runs)
    least = max(2 / float(looks) ** min(design.interims, 60), 1 / design.permutations)
    share = 1 if design.joint else max(len(state.pairs), 1)
    if least * share > 1 - design.level:
        found.append(
            Finding(
                "design-cannot-decide",
                Severity.SEVERE,
                f"{design.interims} looks at {design.runs} runs of each agent can be dealt in so few ways that nothing "
                f"could ever be decided at {100 * design.level:.0f} % among {len(state.pairs)} pairs.",
                least * share,
                1 - design.level,
                "Plan more runs for each look, or more looks; from 20 agents on, more permutations too.",
            )
        )
    beyond = study.runs.counts - study.used
    finished = bool(state.pairs.size) and (not state.wanted.size or state.interim >= design.interims)
    if finished and beyond.max(initial=0) > 0:
        found.append(
            Finding(
                "runs-not-needed",
                Severity.INFO,
                f"{int(beyond.sum())} of {int(study.runs.counts.sum())} runs came after all that they were needed for "
                "was decided; they are in the means and in no decision.",
                float(beyond.sum()),
                0,
                "Stop running an agent once it is decided: that is what looking early saves.",
            )
        )
    settled = state.decision[(state.decision == 0) & (state.when == design.interims)]
    if settled.size:
        found.append(
            Finding(
                "not-told-apart",
                Severity.INFO,
                f"{settled.size} of {len(state.pairs)} comparisons were not decided by {design.interims} looks at "
                f"{design.runs} runs; that does not show that they are equal.",
                settled.size,
                0,
                "Plan a new study with more runs if a smaller difference matters.",
            )
        )
    return tuple(found)


def _unscored(count: int) -> tuple[Finding, ...]:
    if not count:
        return ()
    return (
        Finding(
            "runs-without-score",
            Severity.WARNING,
            f"{count} rows have no score and were left out.",
            count,
            0,
            "If a run failed, score it as the failure it was: leaving it out flatters its agent.",
        ),
    )


def _weights() -> tuple[Finding, ...]:
    return (
        Finding(
            "weights-ignored",
            Severity.WARNING,
            "Row weights are not whole numbers, and a permutation test cannot weigh runs: each row counted once.",
            remedy="Leave the weights out, or use ranking.task_mean.",
        ),
    )
