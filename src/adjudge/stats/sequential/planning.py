"""How many runs or trials a gap needs: studies simulated by permutation, and trial rules worked out exactly.

    power = P(the better one is called better by the last look | its lead)        runs = mean over studies of those used

A few minutes here save weeks of runs: with 5 looks at 5 runs each, a lead of one standard deviation is found half the
time. Studies are simulated in blocks, all permutations of a block at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ..._typing import FloatArray, IntArray
from . import chains, two_rates
from .group import DIGITS, Design
from .stepdown import look

BLOCK = 4_000_000
"""Numbers in memory at a time."""
SHARING = 40
"""Studies that are judged by the same deals: few, or the luck of a sample of deals would be that of all studies."""
EXACT_UP_TO = 100
"""Trials up to which a horizon is worked out by the rule's own recursion."""
LOOKING = 1.2
"""Trials that looking after each one costs beyond a single look, where the horizon is approximated."""
_OWN = 32452843  # tells these draws from the default_rng(seed) that simulated runs may themselves come from

Law = Callable[[np.random.Generator, tuple[int, ...]], FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class Studies:
    """What happened in R simulated studies of J comparisons among A agents.

    Arguments:
        decision: [R, J] 1, −1 or 0.
        when: [R, J] interim at which each was decided.
        runs: [R, A] runs that each agent used.
    """

    decision: FloatArray
    when: IntArray
    runs: IntArray


def studies(laws: list[Law], design: Design, pairs: IntArray, *, replicates: int) -> Studies:
    """Simulate whole studies: draw blocks, decide, stop running whoever is decided.

    Arguments:
        laws: of each agent's scores, called with a generator and a shape.
        design: permutations of some hundreds are enough here.
        pairs: [J, 2] agents compared.
        replicates: R.

    >>> normal = lambda rng, shape: rng.standard_normal(shape)
    >>> ahead = lambda rng, shape: rng.standard_normal(shape) + 9
    >>> found = studies([ahead, normal], Design(permutations=252), np.array([[0, 1]]), replicates=50)
    >>> float(found.decision.mean()), float(found.runs.mean())
    (1.0, 5.0)
    """
    pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    size = min(SHARING, max(1, BLOCK // (design.permutations * len(pairs))))
    parts = [_block(laws, design, pairs, min(size, replicates - done), done) for done in range(0, replicates, size)]
    fields = zip(*((part.decision, part.when, part.runs) for part in parts), strict=True)
    return Studies(*(np.concatenate(field) for field in fields))


def _block(laws: list[Law], design: Design, pairs: IntArray, replicates: int, number: int) -> Studies:
    rng = np.random.default_rng((design.seed, _OWN, number))
    n, still = design.runs, np.ones((replicates, len(pairs)), dtype=bool)
    decision, when = np.full(still.shape, np.nan), np.zeros(still.shape, dtype=np.int64)
    runs = np.zeros((replicates, len(laws)), dtype=np.int64)
    history = np.zeros((0, replicates, 1, len(pairs)))
    for k in range(design.interims):
        for agent in range(len(laws)):
            runs[:, agent] += n * (still & np.any(pairs == agent, axis=1)).any(axis=1)
        values = np.stack([law(rng, (replicates, n)) for law in laws], axis=1)
        pooled = np.concatenate([values[:, pairs[:, 0]], values[:, pairs[:, 1]]], axis=2)
        parents, every = chains.grown(history.shape[2], (n, n), design.permutations)
        signs = chains.deals(parents, every, (n, n), seed=design.seed, block=k, stream=number)
        step = np.moveaxis(pooled @ signs.T, 2, 1)
        total = np.round(step + (history[-1][:, parents] if k else 0.0), DIGITS)
        history = np.concatenate([history[:, :, parents], total[None]])
        seen = look(history, still, spend=design.spend[: k + 1], early=design.accept[: k + 1], joint=design.joint)
        decided = still & ~np.isnan(seen.decision)
        decision[decided], when[decided] = seen.decision[decided], k + 1
        still &= ~decided
        if not still.any():
            break
    decision[still], when[still] = 0.0, design.interims
    return Studies(decision, when, runs)


def runs_power(lead: float, design: Design, *, agents: int = 2, replicates: int = 1000) -> tuple[float, float]:
    """Power and mean runs of each agent when one of several normal agents leads by `lead` standard deviations.

    Arguments:
        lead: of the first agent over each other, in standard deviations of one run.
        design: of the study; its permutations are cut to 504 here.
        agents: compared with each other, all pairs.
        replicates: studies simulated; the power is known to ± 1/√(4·replicates).
    """
    smaller = replace(design, permutations=min(design.permutations, 504))
    laws: list[Law] = [_normal(lead), *(_normal(0.0) for _ in range(agents - 1))]
    pairs = np.column_stack(np.triu_indices(agents, 1))
    found = studies(laws, smaller, pairs, replicates=replicates)
    return float((found.decision[:, : agents - 1] == 1).mean()), float(found.runs.mean())


def _normal(mean: float) -> Law:
    return lambda rng, shape: rng.standard_normal(shape) + mean


@dataclass(frozen=True, slots=True)
class Trials:
    """What a comparison of two success rates needs.

    Arguments:
        trials: horizon N of each policy.
        power: chance that the better is called better by then.
        expected: mean number of trials of each until it stops.
        exact: whether worked out by the rule's own recursion; else 1.2 times the normal approximation of one look.
    """

    trials: int
    power: float
    expected: float
    exact: bool


def trials_for(
    left: float, right: float, *, level: float = 0.95, power: float = 0.8, comparisons: int = 1
) -> Trials | None:
    """The smallest horizon at which a gap is found with the power asked for; None when there is no gap.

    Arguments:
        left, right: success rates to tell apart, in [0, 1].
        level: of all comparisons together.
        power: chance wanted, in (0, 1).
        comparisons: policies' pairs that share the error (Bonferroni).

    >>> trials_for(0.9, 0.5)  # doctest: +ELLIPSIS
    Trials(trials=22, power=0.8..., expected=14.6..., exact=True)
    """
    if left == right:
        return None
    own = 1 - (1 - level) / comparisons
    z = special.ndtri(1 - (1 - own) / 2) + special.ndtri(power)
    normal = math.ceil(z**2 * (left * (1 - left) + right * (1 - right)) / (left - right) ** 2)
    if normal > EXACT_UP_TO:
        return Trials(math.ceil(LOOKING * normal), power, float("nan"), False)
    low, high = max(1, normal // 2), max(8, 2 * normal)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(middle, own, left, right).power >= power else (middle + 1, high)
    return _power(low, own, left, right)


def _power(trials: int, level: float, left: float, right: float) -> Trials:
    reached = two_rates.chances(two_rates.rule(trials, level), left, right)
    waiting = 1 - reached.sum(axis=1)
    return Trials(trials, float(reached[-1, 0 if left > right else 1]), float(waiting[:-1].sum()), True)
