"""Bets on who wins a pair, vote by vote, and what they have made: evidence that holds at every time.

    K(t) = mean over λ of Π_{s<=t} (1 ± λ·w_s·(y_s − ½)),      y_s in [0, 1] the vote for the earlier policy of the pair
    sequence   Σ λ_s y_s/Σ λ_s ± {log(2/error) + Σ (y_s − ŷ_{s−1})²(−log(1 − λ_s) − λ_s)}/Σ λ_s

Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86(1), Theorem 2 (empirical Bernstein), §4 (betting).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..tables.comparisons import Comparisons

BETS = 2 * np.array([1 / 64, 1 / 32, 1 / 16, 1 / 8, 3 / 16, 1 / 4, 3 / 8, 1 / 2, 3 / 4])

SHARPEST = 100.0
"""Units at which the widened error is least wide; if it followed the data, the error would not hold at every time."""


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """One unit a row: a vote, or the mean of a cluster's votes on a pair; ordered by pair, then by time.

    Arguments:
        pair: [n] code of the pair: 0 for the first and second policy, and on in the order of `np.triu_indices`.
        y: [n] vote for the earlier policy, in [0, 1].
        weight: [n] relative stake, in (0, 1].
        order: [n] place in time among all votes.
        pairs: k(k−1)/2.
    """

    pair: IntArray
    y: FloatArray
    weight: FloatArray
    order: IntArray
    pairs: int

    @property
    def size(self) -> int:
        """Units."""
        return int(self.pair.size)

    @property
    def start(self) -> IntArray:
        """[n] position of the first unit of the same pair."""
        return np.asarray(np.searchsorted(self.pair, self.pair))


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What was known after each unit, about its pair.

    Arguments:
        mean: [n] share of votes for the earlier policy.
        wide: [n] its standard error, widened to hold at every time; NaN after a single unit.
        low_high: [n, 2] empirical-Bernstein confidence sequence of the share.
        wealth: [2, n] log K for and against the earlier policy.
        last: [pairs] position of the last unit; −1 where the two never met.
    """

    mean: FloatArray
    wide: FloatArray
    low_high: FloatArray
    wealth: FloatArray
    last: IntArray


def collect(table: Comparisons, *, closed: bool = False) -> Units:
    """The units of a table; rows without a verdict, or of weight 0, are left out.

    A cluster whose mean still moves would rewrite bets that were settled, and looks at rewritten bets err more often
    than promised. So `closed` units are the votes of a cluster on a pair until another cluster votes on it: what the
    same cluster says of the pair later, and the run that may still go on, are left out.
    """
    rows = table.take(table.known)
    k, repeat = table.k, np.maximum(np.rint(rows.count).astype(np.int64), 1)
    turn = rows.left > rows.right
    i, j = np.where(turn, rows.right, rows.left), np.where(turn, rows.left, rows.right)
    pair = i * k - i * (i + 1) // 2 + j - i - 1
    y = np.where(turn, 1 - rows.outcome, rows.outcome)
    moment = np.empty(rows.n, dtype=np.int64)
    moment[np.lexsort((rows.row, rows.time))] = np.arange(rows.n)
    if rows.cluster.shape[1]:
        code = pair * (int(rows.cluster[:, 0].max(initial=0)) + 1) + rows.cluster[:, 0]
        _, code = np.unique(code, return_inverse=True)
        mass = rows.weight * rows.count
        if closed:
            kept = _first_runs(pair, code, moment)
            y, pair, moment, mass = y[kept], pair[kept], moment[kept], mass[kept]
            code = np.unique(code[kept], return_inverse=True)[1]
        total = np.bincount(code, mass)
        when, pairs = np.zeros(total.size, dtype=np.int64), np.zeros(total.size, dtype=np.int64)
        np.maximum.at(when, code, moment)
        pairs[code] = pair
        y, pair, moment, weight = np.bincount(code, mass * y) / total, pairs, when, np.ones(total.size)
    else:
        y, pair, moment, weight = (np.repeat(each, repeat) for each in (y, pair, moment, rows.weight))
    order = np.lexsort((moment, pair))
    top = max(float(weight.max(initial=0.0)), 1e-300)
    return Units(pair[order], y[order], weight[order] / top, moment[order], k * (k - 1) // 2)


def _first_runs(pair: IntArray, code: IntArray, moment: IntArray) -> BoolArray:
    """[n] rows in the first unbroken run of their cluster on their pair, when another cluster has voted since.

    `code` [n] tells clusters and pairs apart.
    """
    order = np.lexsort((moment, pair))
    sorted_code, last = code[order], pair[order] != np.append(pair[order][1:], -1)
    begins = sorted_code != np.append(-1, sorted_code[:-1])
    run = np.cumsum(begins) - 1
    owner = sorted_code[begins]
    first = np.zeros(owner.size, dtype=bool)
    first[np.unique(owner, return_index=True)[1]] = True
    first[run[last]] = False  # it may go on
    kept = np.zeros(code.size, dtype=bool)
    kept[order] = first[run]
    return kept


def _running(values: FloatArray, start: IntArray) -> FloatArray:
    """[…, n] cumulative sums that begin anew with each pair."""
    total = np.cumsum(values, axis=-1)
    return total - np.take(total, start, axis=-1) + np.take(values, start, axis=-1)


def follow(units: Units, level: float) -> History:
    """Every quantity after every unit, by cumulative sums, at a level for all pairs together."""
    start, n, w = units.start, units.size, units.weight
    t = np.arange(n) - start + 1.0
    lean = w * (units.y - 0.5)
    games = np.stack([_running(np.log1p(sign * bet * lean), start) for sign in (1, -1) for bet in BETS])
    games = games.reshape(2, BETS.size, n)
    top = games.max(axis=1) if n else np.zeros((2, 0))
    wealth = top + np.log(np.exp(games - top[:, None]).mean(axis=1))
    total = _running(w, start)
    mean = _running(w * units.y, start) / np.maximum(total, 1e-300)
    before = (_running(w * units.y, start) - w * units.y + 0.5) / (total - w + 1)
    gap = (units.y - before) ** 2
    error = (1 - level) / max(units.pairs, 1)
    spread = (0.25 + _running(gap, start) - gap) / t
    bet = np.minimum(np.sqrt(2 * np.log(2 / error) / (np.maximum(spread, 1e-12) * t * np.log1p(t))), 0.75)
    stake = _running(bet, start)
    centre = _running(bet * units.y, start) / stake
    half = (np.log(2 / error) + _running(gap * (-np.log1p(-bet) - bet), start)) / stake
    variance = (_running(w * gap, start) / np.maximum(total, 1e-300) * t + 0.25) / (t + 1)
    rho2 = (-2 * np.log(1 - level) + np.log(-2 * np.log(1 - level) + 1)) / SHARPEST
    reach = np.sqrt(2 * (t * rho2 + 1) / (t * rho2) * np.log(np.sqrt(t * rho2 + 1) / (1 - level)))
    last = np.full(units.pairs, -1)
    last[units.pair] = np.arange(n)
    return History(
        mean,
        np.where(t > 1, np.sqrt(variance / t) * reach / special.ndtri((1 + level) / 2), np.nan),
        np.clip(np.column_stack([centre - half, centre + half]), 0.0, 1.0),
        wealth,
        last,
    )


def peaks(units: Units, seen: History) -> FloatArray:
    """[2, pairs] the most that bets for and against the earlier name ever made (log)."""
    peak = np.zeros((2, units.pairs))
    for side in (0, 1):
        np.maximum.at(peak[side], units.pair, seen.wealth[side])
    return peak
