"""Draws battles or whole clusters again: the masses of every cell, for many replicates at once.

    m_b ~ Multinomial(N; battles/N)       as Poisson((1 − ε) battles), filled up to N one battle at a time
    m_b = C V_b                           C: mass of each cell in each cluster;  V_b: how often each was drawn

Poisson counts of cells with the same number of battles come from one guide table: sixteen random bits find the count,
and only bits that straddle two counts are looked at closer. Limits: weights are carried along, never resampled.
Chen, Asau (1974), On generating random variates from an empirical distribution, AIIE Trans. 6(2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from ..._typing import FloatArray, IntArray
from ..cluster import group_sums
from .sandwich import active
from .votes import Votes

BLOCK = 1 << 20  # numbers in one table of cells by replicates
GUIDE = 1 << 16
SHARED = 64  # cells with one number of battles that are worth a guide table
LISTED = 1 << 22  # battles up to which a list of all of them is the quickest urn
MARGIN = 5.0  # standard deviations of a Poisson total that are left to be filled up


def battles(votes: Votes, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """[U, b] masses of resampled battles, in blocks that add up to `draws`."""
    cell, weight, count = _kinds(votes)
    spread = sparse.csr_array((weight, (cell, np.arange(cell.size))), shape=(votes.y.size, cell.size))
    plain = cell.size == votes.y.size and bool(np.all(weight == 1))
    law = Multinomial.of(count)
    for size in blocks(draws, max(cell.size, votes.left.size)):
        drawn = law.draw(size, rng)
        yield drawn if plain else np.asarray(spread @ drawn)


def clusters(votes: Votes, cluster: IntArray, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """[U, b] masses of resampled clusters [n], in blocks that add up to `draws`."""
    rows = np.flatnonzero(active(votes))
    code = rows if votes.code is None else votes.code[rows]
    unit = np.unique(cluster[rows], return_inverse=True)[1]
    weight = np.ones(rows.size) if votes.weight is None else votes.weight[rows]
    G = int(unit.max(initial=-1)) + 1
    table = sparse.csr_array((weight, (code, unit)), shape=(votes.y.size, G))
    for size in blocks(draws, max(G, votes.y.size)):
        drawn = rng.integers(G, size=(G, size)) * size + np.arange(size)
        yield np.asarray(table @ np.bincount(drawn.ravel(), minlength=G * size).reshape(G, size).astype(float))


def blocks(draws: int, width: int) -> Iterator[int]:
    """Sizes of the blocks that keep a table of `width` rows within bounds."""
    size = max(1, BLOCK // max(width, 1))
    for start in range(0, draws, size):
        yield min(size, draws - start)


@dataclass(frozen=True, slots=True, eq=False)
class Multinomial:
    """Draws of N battles with replacement, prepared once for many blocks.

    Arguments:
        count: [U] battles of each cell; N is their sum.
        groups: cells with the same mean, with the guide table of that mean.
        rare: other cells.
        margin: 1 − ε.

    >>> Multinomial.of(np.array([3.0, 0.0, 4.0])).draw(5, np.random.default_rng(0)).sum(axis=0).tolist()
    [7.0, 7.0, 7.0, 7.0, 7.0]
    """

    count: FloatArray
    groups: tuple[tuple[IntArray, FloatArray, IntArray], ...]
    rare: IntArray
    margin: float

    @classmethod
    def of(cls, count: FloatArray) -> Multinomial:
        """With guide tables for the counts that many cells share."""
        margin = 1 - MARGIN / np.sqrt(max(float(count.sum()), 1.0))
        values, inverse, size = np.unique(count, return_inverse=True, return_counts=True)
        order = np.argsort(inverse, kind="stable")
        rows = np.split(order, np.cumsum(size)[:-1])
        shared = (size >= SHARED) & (values < GUIDE // 16)
        groups = tuple(
            (rows[g], *_guide(float(values[g]) * margin)) for g in np.flatnonzero(shared).tolist() if margin > 0
        )
        return cls(count, groups, np.flatnonzero(~shared[inverse]), margin)

    def draw(self, size: int, rng: np.random.Generator) -> FloatArray:
        """[U, b] how often each cell was drawn."""
        total = round(float(self.count.sum()))
        if self.margin <= 0.5:
            return rng.multinomial(total, self.count / self.count.sum(), size=size).T.astype(float)
        out = np.empty((self.count.size, size))
        for rows, rise, low in self.groups:
            out[rows] = _guided(rise, low, (rows.size, size), rng)
        out[self.rare] = rng.poisson(self.margin * self.count[self.rare][:, None], (self.rare.size, size))
        short = np.maximum(total - out.sum(axis=0), 0).astype(np.int64)
        replicate = np.repeat(np.arange(size), short)
        place = self._cells(replicate.size, rng) * size + replicate
        return np.asarray(out + np.bincount(place, minlength=out.size).reshape(out.shape))

    def _cells(self, n: int, rng: np.random.Generator) -> IntArray:
        """[n] cells of single battles."""
        total = self.count.sum()
        if total <= LISTED and np.all(self.count == np.round(self.count)):
            return np.repeat(np.arange(self.count.size), self.count.astype(np.int64))[rng.integers(int(total), size=n)]
        cell = np.searchsorted(np.cumsum(self.count), rng.random(n) * total, side="right")
        return np.minimum(cell, self.count.size - 1)


def _guide(mean: float) -> tuple[FloatArray, IntArray]:
    """Distribution function of a Poisson count, and the count at sixteen bits (−1: two counts share them)."""
    rise = special.pdtr(np.arange(int(mean + 12 * np.sqrt(mean) + 30)), mean)
    at = np.minimum(rise * GUIDE, GUIDE).astype(np.int64)  # the bits in which each count ends
    low = np.cumsum(np.bincount(at + 1, minlength=GUIDE + 2))[:GUIDE]
    low[at[at < GUIDE]] = -1
    return np.asarray(rise, dtype=float), np.asarray(low, dtype=np.int64)


def _guided(rise: FloatArray, low: IntArray, shape: tuple[int, int], rng: np.random.Generator) -> IntArray:
    """Poisson counts of one mean by its guide table."""
    bits = rng.integers(GUIDE, size=shape, dtype=np.uint16)
    count = low[bits]
    closer = np.nonzero(count < 0)
    count[closer] = np.searchsorted(rise, (bits[closer] + rng.random(closer[0].size)) / GUIDE, side="right")
    return count


def _kinds(votes: Votes) -> tuple[IntArray, FloatArray, FloatArray]:
    """Cell, weight and battles of each kind of battle: those of one cell that weigh the same."""
    if votes.weight is None or votes.count is None or votes.code is None:
        each = np.divide(votes.mass, votes.battles, out=np.zeros(votes.mass.size), where=votes.battles > 0)
        return np.arange(votes.y.size), each, votes.battles
    rows = np.flatnonzero(active(votes))
    each = votes.weight[rows] / votes.count[rows]
    kinds, inverse = np.unique(np.column_stack([votes.code[rows], each]), axis=0, return_inverse=True)
    count = group_sums(inverse.ravel(), votes.count[rows], kinds.shape[0])
    return kinds[:, 0].astype(np.int64), kinds[:, 1], count
