"""A few runs of each policy on each task, as one pooled distribution a policy, and what its spread says of a statistic.

    F_p = 1/T Σ_t F_pt        F_pt the runs of policy p on task t, normalised: z = (x − low_t)/(high_t − low_t)
    stratified bootstrap      n − 1 runs of each cell's n drawn with replacement, each counted n/(n − 1) times
    task bootstrap            the same with the clusters of tasks, drawn once for all policies

A cell of n runs that is resampled n at a time spreads as (1 − 1/n)s²/n, for the three to ten runs of this field 10 to
33 % too little variance; Rao and Wu's n − 1 draws spread as s²/n. Replicates differ by weights alone: scores are sorted
once.

Rao, Wu (1988), Resampling inference with complex survey data, JASA 83(401).
Limits: one task and one statistic that is linear in F give the textbook s²/n.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings
from . import _scale

BLOCK = 2_000_000  # numbers held at once
STREAM = 113  # bootstraps draw from a stream of their own
RESAMPLE = ("auto", "runs", "tasks")

Statistic = Callable[[FloatArray, FloatArray, IntArray], FloatArray]
"""[b, v] values of one policy from its scores [r] in ascending order, weights [b, r] and tasks (or tags) [r]."""


Linear = Callable[[FloatArray, FloatArray], FloatArray]
"""[r] how one policy's statistic moves with each run, from its scores [r] in ascending order and shares [r]."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Scores on the tasks that every policy has runs on, sorted by policy and then by score; r runs.

    Arguments:
        names: [k] policies.
        score: [r] normalised.
        policy, task: [r] codes; tasks are 0 … T−1 without gaps.
        cluster: [r] code of the independent unit of the task, without gaps.
        share: [r] mass of the run in its policy's pooled distribution; 1 for each policy that has runs.
        tasks: T.
        over: `runs` or `tasks`: what is resampled.
        findings: what to distrust.
        tag: [r] what a statistic is told of each run instead of its task, such as where to find its curve.
    """

    names: tuple[str, ...]
    score: FloatArray
    policy: IntArray
    task: IntArray
    cluster: IntArray
    share: FloatArray
    tasks: int
    over: str
    findings: tuple[Finding, ...]
    tag: IntArray | None = None

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.names)

    @property
    def cell(self) -> IntArray:
        """[r] code of (policy, task)."""
        return self.policy * max(self.tasks, 1) + self.task

    @property
    def sizes(self) -> FloatArray:
        """[k · T] runs in each cell."""
        return np.bincount(self.cell, minlength=self.k * max(self.tasks, 1)).astype(float)

    @property
    def units(self) -> int:
        """Independent units that a replicate draws from, of the policy that has fewest."""
        if self.over == "tasks":
            return int(self.cluster.max(initial=-1)) + 1
        return int(np.bincount(self.policy, minlength=self.k).min()) if self.k else 0

    def rows(self, p: int) -> slice:
        """Where the runs of policy p stand."""
        start, stop = np.searchsorted(self.policy, [p, p + 1])
        return slice(int(start), int(stop))


def prepare(
    ratings: Ratings,
    *,
    metric: str | None = None,
    low: float | str | None = None,
    high: float | str | None = None,
    resample: str = "auto",
) -> Runs:
    """The runs of a table, normalised, on the tasks that all policies share.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs. Where an item's rows lie
            in several clusters, rows of one policy, item and cluster are one run and are averaged.
        metric: name of the score column; the first by default.
        low, high: what 0 and 1 mean on each task: a number, the name of a policy whose mean it is, or `lowest` and
            `highest` of the policies' means; None for scores that are on one scale already.
        resample: `runs` of a fixed set of tasks, `tasks` as a sample of more, or `auto`: runs where all cells have two.

    Errors: an unknown metric, policy or way to resample; one end of the scale without the other.
    """
    if resample not in RESAMPLE:
        raise AdjudgeError(f"resample is {resample!r}.", f"One of {', '.join(RESAMPLE)}.", "Name one of them.")
    policy, item, cluster, score, mass = _pooled(ratings, judge_columns(ratings, metric)[0])
    score, told = _scale.normalised(ratings.policies, policy, item, score, mass, low=low, high=high)
    keep, missing = _shared(policy, item, np.isfinite(score), ratings.policies)
    policy, item, cluster, score, mass = policy[keep], item[keep], cluster[keep], score[keep], mass[keep]
    order = np.lexsort((score, policy))
    policy, score, mass = policy[order], score[order], mass[order]
    task = np.unique(item[order], return_inverse=True)[1]
    cluster = np.unique(cluster[order], return_inverse=True)[1]
    tasks = int(task.max(initial=-1)) + 1
    cell = policy * max(tasks, 1) + task
    share = mass / group_sums(cell, mass, ratings.k * max(tasks, 1))[cell] / max(tasks, 1)
    once = int(np.sum(np.bincount(cell) == 1))
    if not tasks and not missing:
        missing = (_scale.absent(),)
    over = ("tasks" if once else "runs") if resample == "auto" else resample
    findings = (*told, *missing, *_scale.resampled(over, resample, once, tasks))
    return Runs(ratings.policies, score, policy, task, cluster, share, tasks, over, findings)


def estimate(
    runs: Runs, statistic: Statistic, *, draws: int, seed: int, method: str, linear: Linear | None = None
) -> Estimate:
    """The `Estimate` of one number a policy, with the covariance of its bootstrap replicates.

    `linear` says how each run moves the statistic, for the degrees of freedom; as its score does by default.
    """
    value = at_once(runs, statistic)[0, :, 0] if runs.tasks else np.full(runs.k, np.nan)
    spread = covariance(runs, replicates(runs, statistic, draws=draws, seed=seed)[:, :, 0])
    return Estimate(
        runs.names,
        value,
        (Part("sampling", spread, runs.units),),
        degrees(runs, linear),
        method=method,
        findings=(*runs.findings, *without_spread(runs, spread)),
    )


def at_once(runs: Runs, statistic: Statistic, weight: FloatArray | None = None) -> FloatArray:
    """[b, k, v] the statistic of every policy under row weights [b, r]; under the shares themselves by default."""
    weight = runs.share[None, :] if weight is None else weight * runs.share
    tag = runs.task if runs.tag is None else runs.tag
    found = [statistic(runs.score[at], weight[:, at], tag[at]) for at in map(runs.rows, range(runs.k))]
    return np.stack(found, axis=1)


def replicates(runs: Runs, statistic: Statistic, *, draws: int, seed: int) -> FloatArray:
    """[B, k, v] the statistic in each bootstrap replicate; NaN without tasks."""
    if not runs.tasks:
        return np.full((draws, runs.k, 1), np.nan)
    return np.concatenate([at_once(runs, statistic, F) for F in multiplicities(runs, draws=draws, seed=seed)])


def multiplicities(runs: Runs, *, draws: int, seed: int) -> Iterator[FloatArray]:
    """Blocks [b, r] of how often each run counts in each replicate (module equation); NaN for units of one."""
    rng = np.random.default_rng((seed, STREAM))
    group = np.zeros(runs.score.size, dtype=np.int64) if runs.over == "tasks" else runs.cell
    unit = runs.cluster if runs.over == "tasks" else np.arange(runs.score.size)
    first = np.unique(unit, return_index=True)[1]  # one row for each unit
    order = np.argsort(group[first], kind="stable")
    _, start, size = np.unique(group[first][order], return_index=True, return_counts=True)
    width = max(int(unit.max(initial=-1)) + 1, 1)
    for done in range(0, draws, step := max(1, BLOCK // max(width, runs.score.size))):
        b = min(step, draws - done)
        F = np.full((b, width), np.nan)
        for n in np.unique(size[size > 1]).tolist():
            members = order[start[size == n][:, None] + np.arange(n)]
            F[:, members.ravel()] = _drawn(rng, b, *members.shape).reshape(b, -1)
        yield F[:, unit] if runs.over == "tasks" else F


def _drawn(rng: np.random.Generator, b: int, groups: int, n: int) -> FloatArray:
    """[b, groups, n] how often each of n units counts when n − 1 are drawn with replacement."""
    slot = np.arange(b * groups, dtype=np.int64)[:, None] * n
    drawn = rng.integers(0, n, size=(b * groups, n - 1))
    counts = np.bincount((slot + drawn).ravel(), minlength=b * groups * n)
    return np.asarray(counts.reshape(b, groups, n) * (n / (n - 1)), dtype=float)


def covariance(runs: Runs, drawn: FloatArray, *, share: bool = False) -> FloatArray:
    """[k, k] covariance of replicates [B, k]; runs of different policies are independent, tasks are shared.

    A variance of exactly 0 is no certainty but a sample in which nothing varied: NaN, unless the values are shares of
    runs, whose interval a `Reserve` steadies.
    """
    with np.errstate(invalid="ignore"):
        centred = drawn - drawn.mean(axis=0)
        spread = centred.T @ centred / max(drawn.shape[0] - 1, 1)
    if runs.over == "runs":
        spread = np.diag(np.diagonal(spread)).copy()
    if share:
        return np.asarray(spread, dtype=float)
    scale = np.max(np.abs(runs.score), initial=0.0) ** 2
    still = ~(np.diagonal(spread) > 1e-24 * scale)
    spread[still, :] = spread[:, still] = np.nan
    return np.asarray(spread, dtype=float)


def degrees(runs: Runs, linear: Linear | None = None) -> FloatArray:
    """[k] degrees of freedom: clusters of tasks − 1, or Satterthwaite's over the cells of runs."""
    if runs.over == "tasks" or not runs.tasks:
        return np.full(runs.k, max(runs.units - 1.0, 0.0))
    n, moved = runs.sizes, runs.score
    if linear is not None:
        each = [linear(runs.score[at], runs.share[at]) for at in map(runs.rows, range(runs.k))]
        moved = np.concatenate(each)
    mean = group_sums(runs.cell, moved, n.size) / np.maximum(n, 1)
    square = group_sums(runs.cell, (moved - mean[runs.cell]) ** 2, n.size)
    variance = (square / np.maximum(n - 1, 1) / np.maximum(n, 1)).reshape(runs.k, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = variance.sum(axis=1) ** 2 / (variance**2 / np.maximum(n - 1, 1).reshape(runs.k, -1)).sum(axis=1)
    return np.asarray(np.where(np.isfinite(df), df, 0.0), dtype=float)


def without_spread(runs: Runs, spread: FloatArray) -> tuple[Finding, ...]:
    """A finding for policies whose replicates never differ, or that have too little to resample."""
    still = [name for name, v in zip(runs.names, np.diagonal(spread), strict=True) if not np.isfinite(v)]
    if not still or not runs.tasks:
        return ()
    what = "runs of a task" if runs.over == "runs" else "tasks"
    return (
        Finding(
            "spread-unknown",
            Severity.WARNING,
            f"{len(still)} of {runs.k} policies have no two {what} that differ, so nothing can be said of their error.",
            len(still),
            0,
            f"Add {what}, and check that they are not copies of one another.",
            tuple(still),
        ),
    )


def _pooled(ratings: Ratings, column: int) -> tuple[IntArray, IntArray, IntArray, FloatArray, FloatArray]:
    """Policy, item, cluster, score and mass of each run."""
    known = np.flatnonzero(np.isfinite(ratings.score[:, column]) & (ratings.weight > 0))
    policy, item, cluster = ratings.policy[known], ratings.item[known], ratings.cluster[known]
    score, mass = ratings.score[known, column], ratings.weight[known]
    pairs = np.unique(item * (int(cluster.max(initial=0)) + 1) + cluster).size
    if pairs == np.unique(item).size:
        return policy, item, cluster, score, mass
    key = (item * ratings.k + policy) * (int(cluster.max(initial=0)) + 1) + cluster
    _, first, run = np.unique(key, return_index=True, return_inverse=True)
    total = group_sums(run, mass, first.size)
    mean = group_sums(run, mass * score, first.size) / total
    return policy[first], item[first], item[first], mean, np.ones(first.size)  # of the tasks, each is a unit


def _shared(
    policy: IntArray, item: IntArray, known: BoolArray, names: tuple[str, ...]
) -> tuple[BoolArray, tuple[Finding, ...]]:
    """[r] whether the run is on a task that every policy has runs on, and what was left out."""
    items = int(item.max(initial=-1)) + 1
    has = np.zeros((len(names), items), dtype=bool)
    has[policy[known], item[known]] = True
    every, some = np.all(has, axis=0), np.any(has, axis=0)
    lost = int((some & ~every).sum())
    if not lost:
        return np.asarray(known & every[item]), ()
    never = tuple(name for name, any_task in zip(names, has.sum(axis=1).tolist(), strict=True) if not any_task)
    finding = Finding(
        "tasks-not-shared",
        Severity.WARNING if every.any() else Severity.SEVERE,
        f"{lost} of {int(some.sum())} tasks lack runs of some policy and were left out"
        + (f"; {', '.join(never[:5])} have no runs at all." if never else "."),
        lost,
        0,
        "Run every policy on every task, or leave out the policies that were run on few.",
        never,
    )
    return known & every[item], (finding,)
