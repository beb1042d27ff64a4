"""Runs that logged at steps of their own, put on one grid of steps.

    height_rg = linear interpolation of run r's returns at grid step s_g,   max_r first step <= s_g <= min_r last step

Limit: runs that logged at the grid's own steps are taken as they are; several rows of one run and step are averaged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings
from . import _scale


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Aligned runs; r runs, G steps.

    Arguments:
        steps: [G] the grid.
        height: [r, G] returns on it, normalised.
        table: one row for each run, whose `row` is its position here.
        findings: what was left out.
    """

    steps: FloatArray
    height: FloatArray
    table: Ratings
    findings: tuple[Finding, ...]

    def with_score(self, score: FloatArray) -> Ratings:
        """The table of runs with one score each."""
        return replace(self.table, score=score[:, None], judges=("return",))

    def order(self) -> IntArray:
        """[r] which run here stands at each place of the `Runs` made of the last step: by policy, then by score."""
        item = np.unique(self.table.item, return_inverse=True)[1]
        keep = np.flatnonzero(np.isin(item, _kept(self.table, item)))
        return keep[np.lexsort((self.height[keep, -1], self.table.policy[keep]))]


def _kept(table: Ratings, item: IntArray) -> IntArray:
    """Tasks that every policy has runs on."""
    has = np.zeros((table.k, int(item.max(initial=-1)) + 1), dtype=bool)
    has[table.policy, item] = True
    return np.flatnonzero(has.all(axis=0))


def aligned(
    ratings: Ratings, *, step: str, metric: str | None, points: int, low: float | str | None, high: float | str | None
) -> Curves:
    """The runs of a table on a common grid. Errors as in `ranking.learning_curves`."""
    if step not in ratings.covariate_names:
        raise AdjudgeError(
            f"ratings: no covariate is named {step!r}.",
            f"Covariates here: {', '.join(ratings.covariate_names) or 'none'}.",
            "Read the log with tables.tracked.read, or name the column of steps with step=.",
        )
    score, at = ratings.score[:, judge_columns(ratings, metric)[0]], ratings.covariates[:, _place(ratings, step)]
    rows = np.flatnonzero(np.isfinite(score) & np.isfinite(at) & (ratings.weight > 0))
    if not rows.size:
        raise AdjudgeError("ratings: no row has a return and a step.", "A run is logged at steps.", "Check the table.")
    run, first = _run_codes(ratings, rows)
    run, at, score = _by_step(run, at[rows], score[rows])
    count = first.size
    begin = np.flatnonzero(np.diff(run, prepend=-1))
    end = np.append(begin[1:], run.size) - 1
    lone = begin == end
    lowest, highest = float(at[begin].max()), float(at[end].min())
    if lowest > highest:
        raise AdjudgeError(
            f"ratings: one run starts at step {lowest:g} and another ends at {highest:g}.",
            "Curves are compared where all runs have steps.",
            "Leave the short runs out with --where.",
        )
    steps = np.unique(np.linspace(lowest, highest, max(points, 2)))
    height = np.empty((count, steps.size))
    for r in range(count):  # a few runs; each is one pass
        part = slice(begin[r], end[r] + 1)
        height[r] = np.interp(steps, at[part], score[part])
    table = replace(ratings.take(rows[first]), row=np.arange(count), weight=np.ones(count))
    table = replace(table, cluster=np.unique(table.item, return_inverse=True)[1])
    told = _told(lone, at[end], highest)
    if low is None and high is None:
        return Curves(steps, height, table, told)
    return _scaled(Curves(steps, height, table, told), low, high)


def _scaled(curves: Curves, low: float | str | None, high: float | str | None) -> Curves:
    """The same, with 0 and 1 where the final returns of low and high lie on each task."""
    table, final = curves.table, curves.height[:, -1]
    z, told = _scale.normalised(table.policies, table.policy, table.item, final, table.weight, low=low, high=high)
    keep = np.flatnonzero(np.isfinite(z))
    if low is None or high is None or not keep.size:
        raise AdjudgeError("ranking: no task has a scale.", "low and high must lie apart.", "Give both ends.")
    zero, width = _scale.ends(table.policies, table.policy, table.item, final, table.weight, low=low, high=high)
    item = table.item[keep]
    height = (curves.height[keep] - zero[item, None]) / width[item, None]
    return Curves(curves.steps, height, table.take(keep), (*curves.findings, *told))


def first_time(height: FloatArray, steps: FloatArray, goal: float) -> tuple[FloatArray, FloatArray]:
    """[r] steps from the first until a run reaches `goal` on its line, at most all of them, and whether it does.

    >>> first_time(np.array([[0.0, 2.0, 4.0], [0.0, 0.0, 0.5]]), np.array([0.0, 10.0, 20.0]), 1.0)
    (array([ 5., 20.]), array([1., 0.]))
    """
    there: BoolArray = height >= goal
    reached = there.any(axis=1)
    g = np.argmax(there, axis=1)
    rows, before = np.arange(height.shape[0]), np.maximum(g - 1, 0)
    rise = height[rows, g] - height[rows, before]
    way = np.divide(goal - height[rows, before], rise, out=np.zeros(rise.size), where=rise > 0)
    crossed = steps[before] + np.where(g > 0, way, 0.0) * (steps[g] - steps[before]) - steps[0]
    return np.where(reached, crossed, steps[-1] - steps[0]), reached.astype(float)


def _place(ratings: Ratings, name: str) -> int:
    return ratings.covariate_names.index(name)


def _run_codes(ratings: Ratings, rows: IntArray) -> tuple[IntArray, IntArray]:
    """Code of each row's run (policy, item, cluster), and a row of each run."""
    clusters = int(ratings.cluster.max(initial=0)) + 1
    items = int(ratings.item.max(initial=0)) + 1
    key = (ratings.policy[rows] * items + ratings.item[rows]) * clusters + ratings.cluster[rows]
    _, first, run = np.unique(key, return_index=True, return_inverse=True)
    return run, first


def _by_step(run: IntArray, at: FloatArray, score: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Runs and steps in order, several rows of one step averaged."""
    order = np.lexsort((at, run))
    run, at, score = run[order], at[order], score[order]
    new = (np.diff(run, prepend=-1) != 0) | (np.diff(at, prepend=-np.inf) != 0)
    point = np.cumsum(new) - 1
    total = np.bincount(point)
    return run[new], at[new], group_sums(point, score, total.size) / total


def _told(lone: BoolArray, last: FloatArray, highest: float) -> tuple[Finding, ...]:
    """What the common grid leaves out."""
    longer = int((last > highest * (1 + 1e-9) + 1e-12).sum())
    found = []
    if longer:
        found.append(
            Finding(
                "runs-cut",
                Severity.INFO,
                f"{longer} of {last.size} runs go on beyond step {highest:g}, where the shortest ends and curves stop.",
                longer,
                0,
                "Leave short runs out with --where if they stopped early.",
            )
        )
    if lone.any():
        found.append(
            Finding(
                "runs-of-one-step",
                Severity.WARNING,
                f"{int(lone.sum())} runs logged a single step.",
                int(lone.sum()),
                0,
                "Check that the column of runs tells seeds, not steps, apart.",
            )
        )
    return tuple(found)
