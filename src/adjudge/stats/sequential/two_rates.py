"""Two success rates, trial by trial: stop as soon as it is clear which is higher, with the error held at every rate.

    state after n trials of each: (a, b) successes;    P_p(a, b, undecided) = c_n(a, b)·p^{a+b}·(1−p)^{2n−a−b}
    c_n: number of ways to come there undecided, by forward recursion over the four outcomes of a pair of trials
    order of surprise: Σ_{|a'−b'| >= |a−b|, a'+b' = a+b} c_n(a', b') / C(2n, a+b)     the tail given a + b, free of p
    reject at n the most surprising states for which, at every p,  P_p(rejected by n) <= (1 − level)·n/N

The horizon N is fixed beforehand; what a trial does not spend is kept for later ones, so that the whole error can be
used. As in STEP, the regions are made for the worst rate p of the null so as to stop early; STEP finds them by convex
optimisation, here they are filled by the order of Boschloo's test. Limits: N = 1 never decides; with different rates in
matched conditions (the same p_i for both in trial i) the error is smaller still, since a − b varies less.

For several comparisons `ladder` gives rules of rising error, each of which stops whenever a stricter one does: room for
the looser is 1 − level minus what the stricter has not yet spent. Holm's procedure over them is then exact.

Snyder, Hancock, Badithela, et al. (2025), Is Your Imitation Learning Policy Better than Mine?, RSS (STEP).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from ..._typing import FloatArray, IntArray
from ...errors import AdjudgeError

GRID = 65
"""Rates up to 1/2 at which the error is held (rules are symmetric); between them it moves by less than the slack."""
SLACK = 2e-3
"""Part of the error kept back for the rates between those of the grid."""
PASSES = 6
"""Times that the regions are filled again after the rate that was used up first."""
MOST = 500
"""The longest horizon; the recursion takes time in its cube."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """When to stop.

    Arguments:
        trials: N, of each policy.
        level: 1 − the error of this comparison.
        least: [N + 1, 2N + 1] smallest |a − b| that decides after n trials with a + b successes; 2N + 1 for none.
        spent: [N + 1, GRID] error spent by n trials at each rate p <= 1/2 of the grid.
        ways: [N + 1] path counts c_n as [n + 1, n + 1] arrays before the decisions of n, on the scale of 4^n.
    """

    trials: int
    level: float
    least: IntArray
    spent: FloatArray
    ways: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one pair of series.

    Arguments:
        decision: 1 left is higher, −1 lower, 0 not told apart with all trials used, NaN open.
        when: trials of each at which it was decided; those seen so far while it is open.
        pvalue: smallest 1 − level, all else alike, at which it would have been decided there.
    """

    decision: float
    when: int
    pvalue: float


def rule(trials: int, level: float) -> Rule:
    """The stopping rule for a horizon and a level; worked out once and kept.

    Arguments:
        trials: N >= 1, at most 500.
        level: 1 − error of this one comparison, in (0, 1).

    Errors: a horizon or level outside these.

    >>> made = rule(20, 0.95)
    >>> int(made.least[20, 20])     # 20 trials each, 20 successes in all: 14 against 6 decides
    8
    """
    return ladder(int(trials), round(float(level), 12), 1)[0][1]


def judge(rule: Rule, left: FloatArray, right: FloatArray) -> Verdict:
    """Walk through two series of successes, trial k of one beside trial k of the other, until the rule stops.

    Arguments:
        rule: made for the horizon and the level.
        left, right: 1 or 0 for each trial, in the order they were run; what one has more than the other waits.

    >>> judge(rule(20, 0.95), np.ones(20), np.zeros(20))  # doctest: +ELLIPSIS
    Verdict(decision=1.0, when=4, pvalue=0.039...)
    """
    n = min(left.size, right.size, rule.trials)
    a, b = np.cumsum(left[:n]).astype(np.int64), np.cumsum(right[:n]).astype(np.int64)
    over = np.abs(a - b) >= rule.least[np.arange(1, n + 1), a + b]
    when = int(over.argmax()) + 1 if over.any() else n
    if n == 0:
        return Verdict(np.nan, 0, np.nan)
    decided = bool(over.any())
    final = 0.0 if n == rule.trials else np.nan
    decision = float(np.sign(a[when - 1] - b[when - 1])) if decided else final
    return Verdict(decision, when, pvalue(rule, when, int(a[when - 1]), int(b[when - 1])))


def pvalue(rule: Rule, n: int, a: int, b: int) -> float:
    """Smallest error, all else alike, at which the state after n trials decides: worst rate, spent before included.

    The states counted are those no less surprising; where the rule decides, those of them in which it decides too,
    since totals at which nothing more fitted are passed over. So it is at most 1 − level just where the rule decides.
    """
    ways, gap = rule.ways[n], abs(a - b)
    order = _surprise(ways, n)
    counted = order <= order[a, b] * (1 + 1e-9)
    if gap >= rule.least[n, a + b]:
        row, column = np.indices(ways.shape)
        counted &= np.abs(row - column) >= rule.least[n, row + column]
    mass = _mass(np.where(counted, ways, 0.0), n)
    worst = float(np.max(rule.spent[n - 1] + mass)) * rule.trials / n
    return min(1.0, worst / (1 - SLACK)) if gap else 1.0


def chances(rule: Rule, left: float, right: float) -> FloatArray:
    """[N + 1, 2] chance that left, and that right, has been called higher after n trials of each, at their true rates.

    Arguments:
        rule: made for the horizon and the level.
        left, right: true success rates, in [0, 1].
    """
    state, found = np.ones((1, 1)), np.zeros((rule.trials + 1, 2))
    for n in range(1, rule.trials + 1):
        state = _forward(state, left, right)
        a, b = np.indices(state.shape)
        out = np.abs(a - b) >= rule.least[n, a + b]
        found[n] = found[n - 1] + [state[out & (a > b)].sum(), state[out & (a < b)].sum()]
        state = np.where(out, 0.0, state)
    return found


def _forward(state: FloatArray, left: float, right: float) -> FloatArray:
    """One trial of each more."""
    size = state.shape[0] + 1
    moved = np.zeros((size, size))
    moved[1:, 1:] += state * (left * right)
    moved[1:, :-1] += state * (left * (1 - right))
    moved[:-1, 1:] += state * ((1 - left) * right)
    moved[:-1, :-1] += state * ((1 - left) * (1 - right))
    return moved


@lru_cache(maxsize=128)
def ladder(trials: int, level: float, comparisons: int) -> tuple[tuple[int, Rule], ...]:
    """Rules for Holm's procedure, strictest first: (r, the rule with error (1 − level)/r), nested in each other.

    Arguments:
        trials, level: as in `rule`; the level is that of all comparisons together.
        comparisons: J; r goes from J by halves to 1.

    >>> [r for r, _ in ladder(20, 0.95, 10)]
    [10, 5, 3, 2, 1]
    """
    if not (1 <= trials <= MOST and 0 < level < 1):
        raise AdjudgeError(
            f"two rates: a horizon of {trials} trials at level {level:g}.",
            f"1 to {MOST} trials of each policy, and a level in (0, 1).",
            "Give fewer trials, or test once at the end with sequential=False.",
        )
    steps, made = [comparisons], []
    while steps[-1] > 1:
        steps.append(-(-steps[-1] // 2))
    for r in steps:
        made.append((r, _rule(trials, level, comparisons, r)))
    return tuple(made)


@lru_cache(maxsize=256)
def _rule(trials: int, level: float, comparisons: int, r: int) -> Rule:
    """The rule for r of J open comparisons, around those for more."""
    stricter = None if r == comparisons else _rule(trials, level, comparisons, _above(comparisons, r))
    error = (1 - level) / r
    none = 2 * trials + 1
    least = np.full((trials + 1, none), none, dtype=np.int64)
    spent, paths, kept = np.zeros((trials + 1, GRID)), np.ones((1, 1)), [np.ones((1, 1))]
    for n in range(1, trials + 1):
        paths = _forward(paths, 0.5, 0.5)  # path counts over 4^n, which is their probability at p = 1/2
        kept.append(paths)
        room = error * (1 - SLACK) * n / trials - spent[n - 1]
        forced = np.full(2 * n + 1, none)
        if stricter is not None:
            room = room - ((1 - stricter.level) * (1 - SLACK) * n / trials - stricter.spent[n])
            forced = stricter.least[n, : 2 * n + 1]
        least[n, : 2 * n + 1] = _fill(paths, n, room, forced, error)
        a, b = np.indices(paths.shape)
        out = np.abs(a - b) >= least[n, a + b]
        spent[n] = spent[n - 1] + _mass(np.where(out, paths, 0.0), n)
        paths = np.where(out, 0.0, paths)
    return Rule(trials, 1 - error, least, spent, tuple(kept))


def _above(comparisons: int, r: int) -> int:
    """The step of the ladder before r."""
    step = comparisons
    while -(-step // 2) != r:
        step = -(-step // 2)
    return step


def _fill(ways: FloatArray, n: int, room: FloatArray, forced: IntArray, error: float) -> IntArray:
    """[2n + 1] smallest |a − b| to reject for each a + b, so that no rate spends more than its room."""
    order = _surprise(ways, n)
    row, column = np.indices(ways.shape)
    half = (row > column) & (row + column <= n) & (ways > 0) & (order < 4 * error)
    a, b = np.nonzero(half)
    by = np.lexsort((a - b, order[half]))
    a, b = a[by], b[by]
    powers = _powers(n)
    mass = 2 * ways[a, b] * (powers[:, a + b] + (a + b < n) * powers[:, 2 * n - a - b])  # both sides, both ends
    least = forced.copy()
    must = a - b >= forced[a + b]
    room = room - mass[:, must].sum(axis=1)
    open_to = ~must
    for _ in range(PASSES):
        at = np.flatnonzero(open_to)
        if not at.size:
            break
        fits = np.all(np.cumsum(mass[:, at], axis=1) <= room[:, None], axis=0)
        taken = int(fits.size if fits.all() else fits.argmin())
        inside = at[:taken]
        np.minimum.at(least, a[inside] + b[inside], a[inside] - b[inside])
        room = room - mass[:, inside].sum(axis=1)
        if taken == at.size:
            break
        open_to[inside] = False
        open_to &= a + b != a[at[taken]] + b[at[taken]]  # nothing more for the total that did not fit
    return np.minimum(least, least[::-1])


def _surprise(ways: FloatArray, n: int) -> FloatArray:
    """[n + 1, n + 1] chance, given a + b, of a state at least as uneven that is still undecided."""
    a, b = np.indices(ways.shape)
    total, gap = (a + b).ravel(), np.abs(a - b).ravel()
    table = np.zeros((2 * n + 1, n + 2))
    np.add.at(table, (total, gap), ways.ravel())
    tail = np.cumsum(table[:, ::-1], axis=1)[:, ::-1]
    all_ways = special.binom(2 * n, np.arange(2 * n + 1)) / 4.0**n
    return (tail[total, gap] / all_ways[total]).reshape(ways.shape)


def _mass(ways: FloatArray, n: int) -> FloatArray:
    """[GRID] probability of some states, symmetric in success and failure or not, at the worse of p and 1 − p."""
    a, b = np.indices(ways.shape)
    total = np.bincount((a + b).ravel(), ways.ravel(), 2 * n + 1)
    return np.maximum(_powers(n) @ total, _powers(n) @ total[::-1])


@lru_cache(maxsize=MOST + 1)
def _powers(n: int) -> FloatArray:
    """[GRID, 2n + 1] 4^n·p^t·(1−p)^{2n−t}."""
    p = rates()[:, None]
    t = np.arange(2 * n + 1)
    return np.exp(n * np.log(4.0) + special.xlogy(t, p) + special.xlog1py(2 * n - t, -p))


def rates() -> FloatArray:
    """[GRID] rates of the null up to 1/2, dense towards 0, where rejections of few successes live."""
    return np.asarray(np.sin(np.linspace(0.0, np.pi / 4, GRID + 1)[1:]) ** 2)
