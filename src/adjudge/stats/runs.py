"""Repeated runs of one policy on one task, gathered: what every unbiased statistic of a few runs needs.

    cell = (policy, item),  n_c runs with scores y_1 <= … <= y_n
    E[max of m] = Σ_j y_j C(j−1, m−1)/C(n, m)              the mean over all C(n, m) subsets of the runs
    P(two runs agree) = Σ_v n_v (n_v − 1) / (n(n − 1))

Both are U-statistics: unbiased however few the runs, and blind to their order. A run counts once; the weight of a cell
is the mean weight of its rows, for a task that matters twice as much has not been run twice as often.

Hoeffding (1948), A class of statistics with asymptotically normal distribution, Annals of Mathematical Statistics 19.
Limits: m = 1 is the mean of the runs; m = n their maximum; fewer than m runs give NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate
from ..tables.ratings import Ratings
from .judges import judge_columns
from .scored_means import scored_means


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of every (policy, item) that occurs; c cells in the order of their key, r rows sorted within them.

    Arguments:
        policy, item, cluster, stratum: [c] codes.
        weight: [c] mean weight of the rows.
        size: [c] runs.
        cell: [r] cell of each run.
        place: [r] rank of each run within its cell by score, from 0.
        score: [r] scores, ascending within the cell.
        row: [r] position of the run in the table.
    """

    policy: IntArray
    item: IntArray
    cluster: IntArray
    stratum: IntArray
    weight: FloatArray
    size: IntArray
    cell: IntArray
    place: IntArray
    score: FloatArray
    row: IntArray

    def total(self, x: FloatArray) -> FloatArray:
        """[c] sums of a quantity [r] over the runs of each cell."""
        return np.bincount(self.cell, x, self.size.size).astype(float, copy=False)

    def mean(self) -> FloatArray:
        """[c] mean score."""
        return self.total(self.score) / self.size

    def best_of(self, m: int) -> FloatArray:
        """[c] expected highest of m runs; NaN below m runs."""
        return self.total(self.score * self._share(self.place, m))

    def worst_of(self, m: int) -> FloatArray:
        """[c] expected lowest of m runs; NaN below m runs."""
        return self.total(self.score * self._share(self.size[self.cell] - 1 - self.place, m))

    def majority_of(self, m: int) -> FloatArray:
        """[c] probability that more than half of m runs score at least ½ (a tie counts half); NaN below m runs."""
        right = self.total((self.score >= 0.5).astype(float))
        j = np.arange(m + 1.0)
        with np.errstate(invalid="ignore"):
            chance = special.binom(right[:, None], j) * special.binom((self.size - right)[:, None], m - j)
            chance *= (j <= right[:, None]) & (m - j <= (self.size - right)[:, None])
            wins = chance @ np.where(2 * j > m, 1.0, np.where(2 * j == m, 0.5, 0.0)) / special.binom(self.size, m)
        return np.where(self.size >= m, wins, np.nan)

    def agreement(self, answer: FloatArray | None = None) -> FloatArray:
        """[c] probability that two different runs give the same answer (the same score by default); NaN for one run."""
        same = self.shares(answer)
        count = same[2]
        with np.errstate(invalid="ignore", divide="ignore"):
            pairs = np.bincount(same[0], count * (count - 1), self.size.size) / (self.size * (self.size - 1.0))
        return np.where(self.size > 1, pairs, np.nan)

    def entropy(self, answer: FloatArray | None = None) -> FloatArray:
        """[c] entropy of the answers in bits, with Miller's correction (distinct − 1)/(2n); NaN for one run."""
        cell, _, count = self.shares(answer)
        share = count / self.size[cell]
        plain = np.bincount(cell, -share * np.log(share), self.size.size)
        distinct = np.bincount(cell, minlength=self.size.size)
        bits = (plain + (distinct - 1) / (2 * self.size)) / np.log(2)
        return np.where(self.size > 1, bits, np.nan)

    def variance(self) -> FloatArray:
        """[c] unbiased variance of the score between runs; NaN for one run."""
        apart = self.total((self.score - self.mean()[self.cell]) ** 2)
        return np.divide(apart, self.size - 1.0, out=np.full(self.size.size, np.nan), where=self.size > 1)

    def shares(self, answer: FloatArray | None = None) -> tuple[IntArray, FloatArray, FloatArray]:
        """Cell, answer and number of runs of every distinct answer of a cell."""
        given = self.score if answer is None else answer[self.row]
        pairs, count = np.unique(np.column_stack([self.cell, given]), axis=0, return_counts=True)
        return pairs[:, 0].astype(np.int64), pairs[:, 1], count.astype(float)

    def means(
        self, names: tuple[str, ...], value: FloatArray, *, bounds: tuple[float, float], group: IntArray | None = None
    ) -> Estimate:
        """Means of a figure [c] of the cells over tasks, with errors by cluster; cells without it are left out.

        Arguments:
            names: [k] of the policies, or of the groups.
            value: [c] figure of each cell; NaN where there is none.
            bounds: range of the truths.
            group: [c] code of each cell's group; None for its policy.
        """
        there, group = np.isfinite(value), self.policy if group is None else group
        return scored_means(names, self.cluster[there], group[there], value[there], self.weight[there], bounds=bounds)

    def _share(self, below: IntArray, m: int) -> FloatArray:
        """[r] share of the m-subsets in which the run with `below` runs beneath it comes out on top."""
        n = self.size[self.cell].astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(below >= m - 1, special.binom(below, m - 1) / special.binom(n, m), 0.0)
        return np.where(n >= m, share, np.nan)


def runs(ratings: Ratings, *, metric: str | None = None, rows: IntArray | None = None) -> Runs:
    """Gathers the known scores of one column by policy and item.

    Arguments:
        ratings: several rows of one policy and item are repeated runs.
        metric: name of the score column; the first by default.
        rows: the rows to use; by default those of positive weight with a score.
    """
    score = ratings.score[:, judge_columns(ratings, metric)[0]]
    if rows is None:
        rows = np.flatnonzero((ratings.weight > 0) & np.isfinite(score))
    key = ratings.item[rows] * ratings.k + ratings.policy[rows]
    order = np.lexsort((score[rows], key))
    rows, key = rows[order], key[order]
    _, start, cell, size = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return Runs(
        policy=ratings.policy[rows][start],
        item=ratings.item[rows][start],
        cluster=np.minimum.reduceat(ratings.cluster[rows], start) if start.size else start,
        stratum=np.minimum.reduceat(ratings.stratum[rows], start) if start.size else start,
        weight=np.bincount(cell, ratings.weight[rows], start.size) / np.maximum(size, 1),
        size=size.astype(np.int64),
        cell=cell.astype(np.int64),
        place=np.arange(rows.size) - start[cell],
        score=score[rows],
        row=rows,
    )
