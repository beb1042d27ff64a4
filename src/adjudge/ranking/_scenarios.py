"""Scores by scenario and policy: their means, their bootstrap by clusters of items, and who wins how often.

    x̄_sp = Σ_i v_i x_pi / Σ_i v_i over the items i of scenario s that p has

A replicate draws n − 1 of a scenario's n clusters with replacement, each counted n/(n − 1) times (Rao, Wu 1988).
Limit: where every item is a scenario of its own the mean win rate is a plain mean over items, with its own error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.cluster import group_sums
from ..tables.ratings import Ratings

BLOCK = 2_000_000
STREAM = 97
CLOSE = 1e-12  # means that differ by less, as a share of their size, are tied


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Cell sums; u units (a cluster within a scenario), S scenarios (times metrics), k policies.

    Arguments:
        moment, mass: [u, S·k] sparse sums of v·x and v.
        group: [u] which units are drawn together: those of a scenario.
        shape: (S, k).
        singles: whether every item is a scenario.
        cluster: [S] code of the unit of each scenario, where every item is one.
    """

    moment: sparse.csr_array
    mass: sparse.csr_array
    group: IntArray
    shape: tuple[int, int]
    singles: bool
    cluster: IntArray

    def means(self, weight: FloatArray | None = None) -> FloatArray:
        """[S, k] means of the cells, or [b, S, k] under weights of the units [b, u]; NaN where there is none."""
        w = np.ones((1, self.group.size)) if weight is None else weight
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.asarray((self.moment.T @ w.T).T) / np.asarray((self.mass.T @ w.T).T)
        return mean.reshape(-1, *self.shape)[0] if weight is None else mean.reshape(-1, *self.shape)

    def replicates(self, *, draws: int, seed: int) -> Iterator[FloatArray]:
        """Blocks [b, S, k] of bootstrapped means."""
        rng = np.random.default_rng((seed, STREAM))
        size = np.bincount(self.group)
        start = np.cumsum(size) - size
        order = np.argsort(self.group, kind="stable")
        n, origin = size[self.group[order]], start[self.group[order]]
        enough = n > 1
        lone = ~enough.any()
        for done in range(0, draws, step := max(1, BLOCK // max(self.mass.shape[1] * self.shape[1], n.size, 1))):
            b = min(step, draws - done)
            if lone:
                yield np.broadcast_to(self.means(), (b, *self.shape))
                continue
            drawn = origin + np.floor(rng.random((b, n.size)) * n).astype(np.int64)
            drawn = (drawn + np.arange(b)[:, None] * n.size)[:, _but_one(origin, enough)]
            counts = np.bincount(drawn.ravel(), minlength=b * n.size).reshape(b, -1).astype(float)
            weight = np.empty_like(counts)
            weight[:, order] = np.where(enough, counts * (n / np.maximum(n - 1, 1)), 1.0)
            yield self.means(weight)

    def units(self) -> FloatArray:
        """[k] clusters behind the policy's poorest scenario."""
        count = np.asarray((self.mass > 0).astype(float).sum(axis=0)).reshape(self.shape)
        count = np.where(count > 0, count, np.inf).min(axis=0)
        return np.where(np.isfinite(count), count, 0.0)

    def step(self) -> FloatArray:
        """[k] the least by which a win rate can move: half a win in one scenario."""
        cells = np.isfinite(self.means()).sum(axis=0)
        return np.asarray(0.5 / np.maximum(cells, 1) / max(self.shape[1] - 1, 1))


def _but_one(origin: IntArray, enough: BoolArray) -> BoolArray:
    """[u] all units of each group but its first: n − 1 draws of n; none of a group of one."""
    first = np.diff(origin, prepend=-1) != 0
    return np.asarray(~first & enough)


def grid(ratings: Ratings, columns: list[int], *, lower: list[int], worst: bool) -> Grid:
    """The cells of a table.

    Arguments:
        ratings: the table.
        columns: score columns, each a metric; those in `lower` count negative.
        worst: take the lowest of the rows of one policy and item (the highest of a `lower` metric).
    """
    singles = len(ratings.strata) == 1
    scenario = ratings.item if singles else ratings.stratum
    scenario = np.unique(scenario, return_inverse=True)[1]
    S, k = int(scenario.max(initial=-1)) + 1, ratings.k
    unit, group = _units(ratings.cluster, scenario, singles)
    parts = []
    for metric, column in enumerate(columns):
        x = -ratings.score[:, column] if column in lower else ratings.score[:, column]
        rows = np.flatnonzero(np.isfinite(x) & (ratings.weight > 0))
        at, x, v = _items(ratings, rows, x[rows], worst)
        parts.append((unit[at], (metric * S + scenario[at]) * k + ratings.policy[at], x, v))
    u, slot, x, v = (np.concatenate(each) for each in zip(*parts, strict=True))
    shape = (group.size, len(columns) * S * k)
    sums = [sparse.csr_array((each, (u, slot)), shape=shape) for each in (v * x, v)]
    first = np.unique(scenario, return_index=True)[1]
    cluster = np.tile(unit[first], len(columns)) if singles else np.zeros(0, dtype=np.int64)
    return Grid(sums[0], sums[1], group, (len(columns) * S, k), singles, cluster)


def _items(ratings: Ratings, rows: IntArray, x: FloatArray, worst: bool) -> tuple[IntArray, FloatArray, FloatArray]:
    """A row, a score and a mass for each (policy, item): the mean of its copies by weight, or the worst."""
    key = ratings.policy[rows] * (int(ratings.item.max(initial=0)) + 1) + ratings.item[rows]
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    weight = ratings.weight[rows]
    mass = group_sums(cell, weight, first.size)
    if worst:
        score = np.full(first.size, np.inf)
        np.minimum.at(score, cell, x)
    else:
        score = group_sums(cell, weight * x, first.size) / mass
    item = ratings.item[rows[first]]
    items = int(item.max(initial=0)) + 1
    every = group_sums(item, mass, items) / np.maximum(np.bincount(item, minlength=items), 1)
    return rows[first], score, every[item]


def _units(cluster: IntArray, scenario: IntArray, singles: bool) -> tuple[IntArray, IntArray]:
    """[n] code of the unit of each row, and [u] the group in which the unit is drawn."""
    if singles:
        unit = np.unique(cluster, return_inverse=True)[1]
        return unit, np.zeros(int(unit.max(initial=-1)) + 1, dtype=np.int64)
    key = scenario * (int(cluster.max(initial=0)) + 1) + cluster
    _, first, unit = np.unique(key, return_index=True, return_inverse=True)
    return unit, scenario[first]


def beats(means: FloatArray) -> FloatArray:
    """[…, S, k, k] 1 where the first policy's mean is higher, ½ where they tie, 0 where one is missing or itself."""
    scale = CLOSE * np.max(np.abs(np.nan_to_num(means)), axis=-1)[..., None, None]
    gap = means[..., :, None] - means[..., None, :]
    with np.errstate(invalid="ignore"):
        table = (gap > scale) + 0.5 * (np.abs(gap) <= scale)
    own = np.arange(means.shape[-1])
    table[..., own, own] = 0.0
    return np.asarray(table)


def wins(means: FloatArray) -> FloatArray:
    """[…, S, k] share of the other policies that are beaten, ties half; NaN without a score or an opponent."""
    has = np.isfinite(means)
    others = has.sum(axis=-1, keepdims=True) - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = beats(means).sum(axis=-1) / others
    return np.where(has & (others > 0), rate, np.nan)


def average(rate: FloatArray) -> FloatArray:
    """[…, k] mean over the scenarios that the policy has; NaN for none."""
    has = np.isfinite(rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(has, rate, 0.0).sum(axis=-2) / has.sum(axis=-2))


def without_one(means: FloatArray) -> FloatArray:
    """[k, k] win rate of the column's policy when the row's policy leaves the table; NaN on the diagonal."""
    has, table = np.isfinite(means), beats(means)
    left = (has.sum(axis=1, keepdims=True) - 1)[:, :, None] - has[:, None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(has[:, :, None] & (left > 0), (table.sum(axis=2)[:, :, None] - table) / left, np.nan)
    there = np.isfinite(rate)
    with np.errstate(invalid="ignore", divide="ignore"):
        out = np.asarray(np.where(there, rate, 0.0).sum(axis=0) / there.sum(axis=0)).T
    return np.where(np.eye(means.shape[1], dtype=bool), np.nan, out)


def turned(without: FloatArray, value: FloatArray) -> int:
    """Pairs of policies whose order turns when some other policy leaves, from `without_one`."""
    with np.errstate(invalid="ignore"):
        before = np.sign(np.round(value[:, None] - value, 12))
        after = np.sign(np.round(without[:, :, None] - without[:, None, :], 12))
        flips = (before * after < 0).any(axis=0)
    return int(np.triu(flips, 1).sum())
