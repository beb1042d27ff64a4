"""Reads scores as ballots: on each instance and metric the policies stand in an order, whatever the unit of the score.

    m^t_ij = Σ w · (1[x_i > x_j] + ½ 1[x_i = x_j]) / Σ w − ½        over the instances of task t that both answered

A task is a stratum under a metric. Repeated runs are averaged first. Replicates weigh whole clusters by Exp(1), the
same for all tasks and metrics, and give each pair two imaginary half votes, as `stats.voting.margins` does for votes.
Limits: one task is the table of margins of all ballots; a pair that never met is even, and `known` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.certain import never_certain
from ..stats.cluster import group_sums
from ..stats.means import clustered_means
from ..stats.voting.steps import reaching
from ..tables.ratings import Ratings

BLOCK = 1 << 22  # numbers held at once
MOST = 40_000_000  # pairs on ballots
STREAM = 30029

Rule = Callable[[FloatArray, FloatArray], FloatArray]
"""[b, k] scores from margins [b, tasks, k, k] and the weight [tasks, k, k] behind them; higher better."""


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """Pairs of policies on ballots; k policies, T tasks, E = k(k−1)/2 pairs, u clusters.

    Arguments:
        names: [k] policies.
        tasks: [T] names of the tasks (stratum, metric).
        seen: [k] policies with any score beside another's.
        wins, mass: [u, T·E] weight that the first of each pair wins, and weight of both, in each cluster.
        cells: policy, cluster, mean score and weight of each ballot's entries, for the mean of scores.
        findings: what to distrust.
    """

    names: tuple[str, ...]
    tasks: tuple[str, ...]
    seen: BoolArray
    wins: sparse.csr_array
    mass: sparse.csr_array
    cells: tuple[IntArray, IntArray, FloatArray, FloatArray]
    findings: tuple[Finding, ...]

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.names)

    @property
    def units(self) -> int:
        """Clusters with a ballot."""
        return int(self.mass.shape[0])

    def margins(self, V: FloatArray, half: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
        """[b, T, k, k] margins and weights under cluster weights V [b, u], with imaginary votes [2, b, T·E]."""
        won, all_ = (np.asarray(table.T @ V.T).T for table in (self.wins, self.mass))
        real = np.asarray(self.mass.sum(axis=0)).ravel() > 0
        if half is not None:
            won, all_ = won + half[0] * real, all_ + half.sum(axis=0) * real
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where(real, won / all_ - 0.5, 0.0)
        return self._square(value, -1.0), self._square(np.where(real, all_, 0.0), 1.0)

    def replicates(self, rule: Rule, *, draws: int, seed: int) -> FloatArray:
        """[B, k] what the rule makes of each replicate."""
        rng = np.random.default_rng((seed, STREAM))
        out = []
        for b in self._blocks(draws):
            half = rng.standard_gamma(0.5, (2, b, self.mass.shape[1]))
            out.append(rule(*self.margins(rng.standard_exponential((b, self.units)), half)))
        return np.concatenate(out)

    def value(self, rule: Rule) -> FloatArray:
        """[k] what the rule makes of the ballots."""
        return rule(*self.margins(np.ones((1, self.units))))[0]

    def means(self) -> Estimate:
        """Mean scores of the policies over all ballots, in the units of the metrics: the usual aggregation."""
        policy, cluster, score, weight = self.cells
        return never_certain(clustered_means(self.names, cluster, policy, score, weight))

    def _square(self, pairs: FloatArray, sign: float) -> FloatArray:
        left, right = np.triu_indices(self.k, 1)
        out = np.zeros((pairs.shape[0], len(self.tasks), self.k, self.k))
        each = pairs.reshape(pairs.shape[0], len(self.tasks), -1)
        out[:, :, left, right], out[:, :, right, left] = each, sign * each
        return out

    def _blocks(self, draws: int) -> Iterator[int]:
        step = max(1, BLOCK // max(len(self.tasks) * self.k**2, self.units, 1))
        for start in range(0, draws, step):
            yield min(step, draws - start)


def read(ratings: Ratings, lower: Sequence[str] = ()) -> Ballots:
    """The ballots of a table.

    Arguments:
        ratings: scores; each column of judges is a metric.
        lower: metrics of which less is better.

    Errors: an unknown metric, or more than 40 million pairs on ballots.
    """
    unknown = [name for name in lower if name not in ratings.judges]
    if unknown:
        raise AdjudgeError(
            f"lower: no metric is named {unknown[0]!r}.", f"Metrics: {', '.join(ratings.judges)}.", "Name one of them."
        )
    sign = np.where(np.isin(ratings.judges, list(lower)), -1.0, 1.0)
    policy, ballot, score, weight, task, cluster = _cells(ratings, sign)
    _guard(ballot, ratings.k)
    T, E = len(ratings.strata) * len(ratings.judges), ratings.k * (ratings.k - 1) // 2
    present, code = np.unique(cluster, return_inverse=True)
    sums = [sparse.csr_array((present.size, T * E)) for _ in range(2)]
    order = np.argsort(ballot, kind="stable")
    first = np.flatnonzero(np.diff(ballot[order], prepend=-1))
    size = np.diff(np.append(first, order.size))
    for n in np.unique(size[size > 1]).tolist():
        at = order[first[size == n][:, None] + np.arange(n)]
        sums = [
            old + new
            for old, new in zip(sums, _pairs(at, policy, score, weight, task, code, ratings.k, T), strict=True)
        ]
    seen = np.zeros(ratings.k, dtype=bool)
    alone = np.repeat(size, size) > 1
    seen[policy[order[alone]]] = True
    names = tuple(f"{stratum}, {judge}" for stratum in ratings.strata for judge in ratings.judges)
    used = np.flatnonzero(np.asarray(sums[1].sum(axis=0)).reshape(T, E).sum(axis=1) > 0) if E else np.zeros(0, int)
    keep = (used[:, None] * E + np.arange(E)).ravel()
    known = policy, code, score * sign[task % len(ratings.judges)], weight
    found = _told(ratings, seen, present.size)
    return Ballots(
        ratings.policies, tuple(names[t] for t in used), seen, sums[0][:, keep], sums[1][:, keep], known, found
    )


def estimate(
    ballots: Ballots, rule: Rule, *, step: float, bounds: tuple[float, float], draws: int, seed: int, method: str
) -> Estimate:
    """The estimate of a rule, with the mean of scores and the stability of the order beside it."""
    if draws < 2:
        raise AdjudgeError(f"draws is {draws}.", "A spread needs at least 2 replicates.", "Raise it.")
    k, nothing = ballots.k, not ballots.tasks or ballots.k < 2
    if nothing:
        value, covariance, figures = np.full(k, np.nan), np.full((k, k), np.nan), {}
    else:
        value, drawn = ballots.value(rule), ballots.replicates(rule, draws=draws, seed=seed)
        centred = drawn - drawn.mean(axis=0)
        small = (ballots.units + 1) / (ballots.units - 1) if ballots.units > 1 else np.nan
        covariance = reaching(centred.T @ centred / (draws - 1) * small, drawn, value)
        covariance += np.eye(k) * step**2 / (draws + 1)
        figures = {"mean": ballots.means(), "stability": _stability(value, drawn, ballots)}
        hidden = ~ballots.seen
        value = np.where(hidden, np.nan, value)
        covariance[hidden] = covariance[:, hidden] = np.nan
    df = max(ballots.units - 1.0, 1.0)
    part = Part("sampling", covariance, ballots.units)
    return never_certain(
        Estimate(
            ballots.names, value, (part,), np.array(df), bounds=bounds, method=method,
            findings=ballots.findings, figures=figures,
        )
    )  # fmt: skip


def tau(one: FloatArray, other: FloatArray) -> FloatArray:
    """[b] Kendall's τ_b of the orders of [b, k] and [k].

    >>> tau(np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]]), np.array([9.0, 5.0, 1.0])).tolist()
    [1.0, -1.0]
    """
    left, right = np.triu_indices(other.size, 1)
    a, b = np.sign(one[:, left] - one[:, right]), np.sign(other[left] - other[right])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum()))


def _stability(value: FloatArray, drawn: FloatArray, ballots: Ballots) -> Estimate:
    """Mean Kendall τ between the order and those of replicates, by the rule."""
    t = tau(drawn[:, ballots.seen], value[ballots.seen])
    t = t[np.isfinite(t)]
    spread = np.array([[t.var() / t.size + 1 / (t.size + 1.0) ** 2 if t.size else np.nan]])
    mean = np.array([t.mean() if t.size else np.nan])
    part = Part("replicates", spread, drawn.shape[0])
    return Estimate(("Kendall tau when clusters are drawn again",), mean, (part,), np.array(np.inf), bounds=(-1.0, 1.0))


def _cells(ratings: Ratings, sign: FloatArray) -> tuple[IntArray, IntArray, FloatArray, FloatArray, IntArray, IntArray]:
    """Policy, ballot, score (higher better), weight, task and cluster of each entry; runs averaged."""
    J, items = len(ratings.judges), int(ratings.item.max(initial=-1)) + 1
    row, judge = np.nonzero(np.isfinite(ratings.score) & (ratings.weight > 0)[:, None])
    task = ratings.stratum[row] * J + judge
    ballot = task * max(items, 1) + ratings.item[row]
    key, first, code = np.unique(
        ballot * max(ratings.k, 1) + ratings.policy[row], return_index=True, return_inverse=True
    )
    weight = ratings.weight[row]
    total = group_sums(code, weight, key.size)
    score = group_sums(code, weight * ratings.score[row, judge] * sign[judge], key.size) / np.maximum(total, 1e-300)
    least = ratings.cluster[row][first]
    runs = np.maximum(np.bincount(code, minlength=key.size), 1)
    return ratings.policy[row][first], ballot[first], score, total / runs, task[first], least


def _pairs(
    at: IntArray,
    policy: IntArray,
    score: FloatArray,
    weight: FloatArray,
    task: IntArray,
    code: IntArray,
    k: int,
    T: int,
) -> list[sparse.csr_array]:
    """[u, T·E] weight of wins and of pairs on ballots [m, n] of n entries each."""
    one, two = np.triu_indices(at.shape[1], 1)
    a, b = at[:, one].ravel(), at[:, two].ravel()  # entries of a ballot stand in the order of policies
    E = k * (k - 1) // 2
    low, high = policy[a], policy[b]
    column = task[a] * E + low * (2 * k - low - 1) // 2 + high - low - 1
    w = np.sqrt(weight[a] * weight[b])
    won = w * ((score[a] > score[b]) + 0.5 * (score[a] == score[b]))
    shape = (int(code.max()) + 1, T * E)
    return [sparse.coo_array((each, (code[a], column)), shape=shape).tocsr() for each in (won, w)]


def _guard(ballot: IntArray, k: int) -> None:
    pairs = np.unique(ballot).size * k * (k - 1) // 2
    if pairs > MOST:
        raise AdjudgeError(
            f"ratings: {pairs:,} pairs of policies on ballots.",
            f"At most {MOST:,} fit in memory.",
            "Rank fewer policies or a sample of the items, or use ranking.task_mean.",
        )


def _told(ratings: Ratings, seen: BoolArray, units: int) -> tuple[Finding, ...]:
    """Findings on policies that stand on no ballot with another, and on too few clusters."""
    found = []
    lost = tuple(name for name, on in zip(ratings.policies, seen, strict=True) if not on)
    if lost:
        found.append(
            Finding(
                "policy-without-ballots",
                Severity.SEVERE,
                f"{len(lost)} of {ratings.k} policies have no score beside another's on the same item and metric.",
                len(lost),
                0,
                "Score them on items that others answered, too.",
                lost,
            )
        )
    if units < 2:
        found.append(
            Finding(
                "tasks-too-few",
                Severity.SEVERE,
                f"The scores lie in {units} independent clusters: no standard errors can be given.",
                units,
                2,
                "Score more items.",
            )
        )
    return tuple(found)
