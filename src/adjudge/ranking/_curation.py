"""Which tasks of a benchmark are worth running: discrimination, and what choosing by it saves where it was not learnt.

    r_i = corr_p(y_pi, mean of the other tasks)                     corrected item-rest correlation over policies
    saved = n_random(τ_selected(m)) / m                             random tasks that rank as well as the m chosen

τ is Kendall's, between the ranking by the subset and the ranking by tasks that were held out, over policies that were
held out from the choice: a subset that is judged by what chose it always looks good.

Kendall (1938). Lord, Novick (1968) (item-rest correlation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate
from ..tables.ratings import Ratings

SPLITS = 24
STREAM = 356


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Agreement on held-out policies and tasks, by number of tasks; S splits.

    Arguments:
        sizes: [m] numbers of tasks.
        selected, random: [S, m] Kendall's τ of the most discriminating tasks, and of tasks drawn at random.
        optimism: [S] τ of the selected tasks at the size asked for when the very policies that chose them are ranked,
            minus τ on held-out policies.
        saved: [S] random tasks needed for the τ of the size asked for, divided by that size.
        reached: [S] whether random tasks reached that τ at all; where not, `saved` is at least that.
    """

    sizes: IntArray
    selected: FloatArray
    random: FloatArray
    optimism: FloatArray
    saved: FloatArray
    reached: FloatArray


def discrimination(Y: FloatArray) -> FloatArray:
    """[t] item-rest correlation of each task over the policies; NaN where all policies score the same.

    Arguments:
        Y: [k, t] mean scores; NaN where a policy did not run a task.

    >>> discrimination(np.array([[1.0, 0, 1], [1, 1, 0], [0, 1, 0]])).round(2).tolist()
    [nan, -0.87, -0.5]
    """
    there = np.isfinite(Y)
    y = np.where(there, Y, 0.0)
    total, count = y.sum(axis=1, keepdims=True), there.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = np.where(there, (total - y) / (count - 1), np.nan)
        n = there.sum(axis=0)
        centred = [np.where(there, x - np.nansum(x, axis=0) / n, 0.0) for x in (Y, rest)]
        spread = np.sqrt((centred[0] ** 2).sum(axis=0) * (centred[1] ** 2).sum(axis=0))
        r: FloatArray = np.where((n > 2) & (spread > 1e-12), (centred[0] * centred[1]).sum(axis=0) / spread, np.nan)
    return r


def kendall(a: FloatArray, b: FloatArray) -> FloatArray:
    """[…] Kendall's τ-b between the last axes of two tables; NaN where one of them is all ties.

    >>> kendall(np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3])).round(3).item()
    0.667
    """
    i, j = np.triu_indices(a.shape[-1], 1)
    up, other = np.sign(a[..., i] - a[..., j]), np.sign(b[..., i] - b[..., j])
    with np.errstate(invalid="ignore", divide="ignore"):
        tau: FloatArray = (up * other).sum(axis=-1) / np.sqrt((up**2).sum(axis=-1) * (other**2).sum(axis=-1))
    return tau


def held_out(Y: FloatArray, size: int, *, seed: int) -> HeldOut:
    """Splits policies and tasks in halves, chooses tasks by one half of the policies and ranks the other half.

    Arguments:
        Y: [k, t] mean scores, without gaps.
        size: number of tasks whose saving is asked for.
        seed: of the splits.
    """
    k, t = Y.shape
    pool = t // 2
    size = int(np.clip(size, 1, pool))
    sizes = np.unique(np.append(np.geomspace(1, pool, 24).round().astype(np.int64), size))
    at = int(np.searchsorted(sizes, size))
    rng = np.random.default_rng((seed, STREAM))
    total = Y.sum(axis=1)  # splits are dealt over policies and tasks in an order that their codes do not decide
    weighted = Y.T @ total
    policies, tasks = np.lexsort(((Y @ weighted).round(6), total)), np.lexsort((Y.sum(axis=0), weighted.round(6)))
    table = Y[np.ix_(policies, tasks)]
    rows: list[tuple[FloatArray, ...]] = []
    for _ in range(SPLITS):
        who, what = rng.permutation(k), rng.permutation(t)
        half, rest = table[np.ix_(who[: k // 2], what[:pool])], table[np.ix_(who[k // 2 :], what[:pool])]
        best = np.argsort(-np.nan_to_num(discrimination(half), nan=-2.0), kind="stable")
        target = table[np.ix_(who[k // 2 :], what[pool:])].mean(axis=1)
        own = table[np.ix_(who[: k // 2], what[pool:])].mean(axis=1)
        selected, random = _curve(rest[:, best], target, sizes), _curve(rest, target, sizes)
        inside = _curve(half[:, best], own, sizes)[at]
        rows.append((selected, random, np.array(inside - selected[at])))
    selected, random, optimism = (np.array(part) for part in zip(*rows, strict=True))
    with np.errstate(invalid="ignore"):
        mean = np.maximum.accumulate(np.nan_to_num(np.array([_mean(column) for column in random.T]), nan=-1.0))
    needed = np.interp(np.nan_to_num(selected[:, at], nan=-1.0), *_increasing(mean, sizes.astype(float)))
    return HeldOut(sizes, selected, random, optimism, needed / size, selected[:, at] <= mean[-1])


def _mean(x: FloatArray) -> float:
    known = x[np.isfinite(x)]
    return float(known.mean()) if known.size else float("nan")


def _curve(Y: FloatArray, target: FloatArray, sizes: IntArray) -> FloatArray:
    """[m] τ of the first so many tasks with the target."""
    return kendall(np.cumsum(Y, axis=1)[:, sizes - 1].T, target[None])


def _increasing(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points at which a curve first reaches each height."""
    first = np.concatenate([[True], np.diff(x) > 0])
    return x[first], y[first]


def without_error(kept: Estimate, chosen_by: Sequence[str]) -> Estimate:
    """The same without an error for those whose own scores chose the tasks (all, unless some are named).

    Of twenty equal policies, tasks chosen by their scores set half of all pairs apart at 95 %: no error of a mean over
    such tasks speaks of others.
    """
    biased = np.array([not chosen_by or name in chosen_by for name in kept.names], dtype=bool)
    lost = np.where(biased[:, None] | biased, np.nan, 0.0)
    return replace(kept, parts=tuple(replace(part, covariance=part.covariance + lost) for part in kept.parts))


def above(ratings: Ratings, items: IntArray, x: FloatArray | None, most: float) -> IntArray:
    """Tasks whose weighted mean of a row quantity lies above `most`; one that is never known passes."""
    if x is None:
        return np.zeros(0, dtype=np.int64)
    rows = np.flatnonzero(np.isfinite(x) & (ratings.weight > 0) & np.isin(ratings.item, items))
    task = np.searchsorted(items, ratings.item[rows])
    mass = np.bincount(task, ratings.weight[rows], items.size)
    total = np.bincount(task, ratings.weight[rows] * x[rows], items.size)
    return np.flatnonzero(total > most * mass)
