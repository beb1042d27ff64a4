"""The mean score of each policy over tasks that are the same for all, paired by task and clustered.

    θ_p = Σ_i v_i x̄_pi / Σ_i v_i          x̄_pi mean of p's rows on task i, v_i the mass of a policy's rows on i
    θ_p = α_p + Σ_i v_i β_i / Σ_i v_i      x̄_pi = α_p + β_i + e_pi by least squares, where cells are missing

Clusters of tasks are the sample: every difference of policies is paired. With missing cells either the tasks that all
policies answered are used, or tasks are put on one level by the additive fit; both are told, with the number of cells.

Yates (1933), The analysis of replicated experiments when the field results are incomplete; Liang, Zeger (1986).
Limits: a full table is the plain mean with s/√n, by either way; a policy on no task that others answered is NaN.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import BoolArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums
from ..stats.judges import judge_columns
from ..stats.means import clustered_means
from ..tables.ratings import Ratings
from ._level import Rows, additive, cluster_count, connected
from ._shares import opened

MISSING = ("auto", "common", "additive", "available")
ENOUGH = 0.5
"""Share of the tasks that all policies must have answered, for `auto` to leave out the others."""

CARD = Card(
    answers="What does each policy score on average over the same tasks?",
    equation="θ_p = Σ_i v_i x̄_pi / Σ_i v_i;   with missing cells x̄_pi = α_p + β_i + e_pi,  θ_p = α_p + mean β",
    papers=(
        Paper(
            "The analysis of replicated experiments when the field results are incomplete",
            "Yates",
            1933,
            "Empire Journal of Experimental Agriculture 1(2)",
        ),
        Paper(
            "Longitudinal data analysis using generalized linear models",
            "Liang, Zeger",
            1986,
            "Biometrika 73(1)",
            "https://doi.org/10.1093/biomet/73.1.13",
            "Eq. 13",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Clusters of tasks are a sample of the tasks that matter.",
        "A cell is missing whatever its score would have been, given its policy and task.",
    ),
    limits=(
        "The score is taken at its word; where trusted labels exist, `adjudge evaluate` corrects it.",
        "The additive fit lets a task be harder, not harder for one policy than for another.",
    ),
    when="By default, for scores of many tasks; ranking.iqm for few tasks with several runs, or wild scores.",
    unit="mean score over tasks",
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    missing: str = "auto",
    equal: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Estimate:
    """Mean scores of the policies over tasks.

    Arguments:
        ratings: the table; `item` is the task. Rows of one policy and task are averaged by weight first.
        metric: name of the score column; the first by default.
        missing: `common` (tasks that all policies answered), `additive` (all tasks, levelled by least squares),
            `available` (each policy's own tasks), or `auto`: common while half of the tasks are left.
        equal: count each task once, whatever its rows weigh; by default as often as a policy has rows there, by weight.
        bounds: range of the score; the table's own by default, or [0, 1] where all scores lie in it.

    Errors: an unknown metric or way with missing cells.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b", "a", "b"], item=[0, 0, 1, 1], score=[0.2, 0.5, 0.6, 0.7])
    >>> result = rank(table)
    >>> result.value.round(2), result.difference("b", "a").stderr.round(2)
    (array([0.4, 0.6]), array([0.1]))
    """
    if missing not in MISSING:
        raise AdjudgeError(f"missing is {missing!r}.", f"One of {', '.join(MISSING)}.", "Name one of them.")
    column = judge_columns(ratings, metric)[0]
    rows, findings = _rows(ratings, column, equal)
    has = _answered(rows, ratings.k)
    lost = has[has.any(axis=1)].size - int(has.sum())
    if lost:
        rows, missing, told = _complete(rows, has, missing, lost, ratings.policies)
        findings = (*findings, *told)
    edge = _edges(ratings, column, bounds)
    result = additive(ratings.policies, rows) if lost and missing == "additive" else _plain(ratings.policies, rows)
    findings = (*findings, *_told(ratings, metric, result, edge))
    if not np.isfinite(edge[1] - edge[0]):
        result = _unsure(result)
    count = cluster_count(rows, ratings.k)
    known = np.isfinite(result.value)
    reserve = None
    if np.isfinite(edge[1] - edge[0]):
        spread, reserve = opened(np.where(known, count, 0.0), result.value, result.covariance, edge)
        result = replace(result, parts=(replace(result.parts[0], covariance=spread),))
    return replace(
        result,
        bounds=edge,
        reserve=reserve,
        method="ranking.task_mean",
        findings=findings,
    )


def _rows(ratings: Ratings, column: int, equal: bool) -> tuple[Rows, tuple[Finding, ...]]:
    """The rows with a score, and the mass of each; a finding where tasks count unequally for want of rows."""
    known = np.flatnonzero(np.isfinite(ratings.score[:, column]) & (ratings.weight > 0))
    policy, item, weight = ratings.policy[known], ratings.item[known], ratings.weight[known]
    items = np.unique(item, return_inverse=True)[1]
    count = int(items.max(initial=-1)) + 1
    cell = policy * max(count, 1) + items
    total = group_sums(cell, weight, ratings.k * max(count, 1))
    answered = (total.reshape(ratings.k, -1) > 0).sum(axis=0)
    v = np.ones(max(count, 1)) if equal else total.reshape(ratings.k, -1).sum(axis=0) / np.maximum(answered, 1)
    mass = v[items] * weight / total[cell]
    cluster = np.unique(ratings.cluster[known], return_inverse=True)[1]
    rows = Rows(policy, items, cluster, ratings.score[known, column], mass)
    if not count or np.ptp(ratings.weight[known]) > 0 or v.max() <= 1.5 * v.min():
        return rows, ()
    return rows, (
        Finding(
            "tasks-unequal",
            Severity.INFO,
            f"Some tasks have {v.max() / v.min():.1f} times as many rows as others and count as much more.",
            float(v.max() / v.min()),
            1.5,
            "Use equal=True to count every task once.",
        ),
    )


def _answered(rows: Rows, k: int) -> BoolArray:
    """[k, I] whether the policy has a score on the task."""
    has = np.zeros((k, int(rows.item.max(initial=-1)) + 1), dtype=bool)
    has[rows.policy, rows.item] = True
    return has


def _complete(
    rows: Rows, has: BoolArray, missing: str, lost: int, names: tuple[str, ...]
) -> tuple[Rows, str, tuple[Finding, ...]]:
    """What is done about missing cells: the rows to use, the way, and what to tell."""
    everyone = np.all(has[has.any(axis=1)], axis=0)
    share = float(everyone.mean())
    way = ("common" if share >= ENOUGH else "additive") if missing == "auto" else missing
    how = {
        "common": f"only the {int(everyone.sum()):,} tasks that all policies answered count",
        "additive": f"{100 * share:.0f} % of the tasks were answered by all, so tasks are levelled by an additive fit",
        "available": "each policy is averaged over its own tasks, which may be the easier ones",
    }[way]
    told = Finding(
        "cells-missing",
        Severity.WARNING,
        f"{lost:,} of {int(has.any(axis=1).sum()) * has.shape[1]:,} scores of a policy on a task are missing; {how}.",
        lost,
        0,
        "Score every policy on every task.",
    )
    if way == "common":
        return rows.take(everyone[rows.item]), way, (told,)
    if way == "available":
        return rows, way, (told,)
    inside = connected(has)
    if inside.sum() == has.any(axis=1).sum():
        return rows, way, (told,)
    apart = tuple(name for name, joined in zip(names, inside, strict=True) if not joined)
    alone = Finding(
        "policies-not-connected",
        Severity.SEVERE,
        f"{len(apart)} policies share no task, not even by way of others, with the rest: they cannot be compared.",
        len(apart),
        0,
        "Score them on some of the same tasks.",
        apart,
    )
    return rows.take(inside[rows.policy]), way, (told, alone)


def _plain(names: tuple[str, ...], rows: Rows) -> Estimate:
    """Weighted means by policy; pairing comes with the clusters."""
    return clustered_means(names, rows.cluster, rows.policy, rows.score, rows.mass)


def _unsure(result: Estimate) -> Estimate:
    """The same, with a NaN error where no score differs and no range says by how much others might."""
    spread = result.covariance
    still = np.diagonal(spread) == 0
    spread[still, :] = spread[:, still] = np.nan
    return replace(result, parts=(replace(result.parts[0], covariance=spread),))


def _edges(ratings: Ratings, column: int, bounds: tuple[float, float] | None) -> tuple[float, float]:
    """The range of the score: as told, the table's where it holds, or [0, 1] where that is evident."""
    if bounds is not None:
        return bounds
    score = ratings.score[:, column]
    score = score[np.isfinite(score)]
    for low, high in (ratings.bounds, (0.0, 1.0)):
        if np.isfinite(high - low) and score.size and score.min() >= low and score.max() <= high:
            return low, high
    return -np.inf, np.inf


def _told(ratings: Ratings, metric: str | None, result: Estimate, edge: tuple[float, float]) -> tuple[Finding, ...]:
    """Findings about which metric was read, and scores that say too little."""
    found = []
    if metric is None and len(ratings.judges) > 1:
        found.append(
            Finding(
                "metric-chosen",
                Severity.INFO,
                f"The table has {len(ratings.judges)} score columns; {ratings.judges[0]} was ranked.",
                len(ratings.judges),
                1,
                f"Name another with metric=: {', '.join(ratings.judges[1:6])}.",
                ratings.judges,
            )
        )
    few = [name for name, error in zip(result.names, result.stderr, strict=True) if not np.isfinite(error)]
    if few:
        found.append(
            Finding(
                "tasks-too-few",
                Severity.SEVERE,
                f"{len(few)} policies have scores on fewer than two clusters of tasks to compare them on.",
                len(few),
                0,
                "Score them on more of the tasks of the others.",
                tuple(few),
            )
        )
    elif not np.isfinite(edge[1] - edge[0]) and np.any(result.stderr == 0):
        still = tuple(name for name, error in zip(result.names, result.stderr, strict=True) if error == 0)
        found.append(
            Finding(
                "scores-constant",
                Severity.SEVERE,
                f"All scores of {len(still)} policies are equal, so no error can be told from them.",
                len(still),
                0,
                "Give bounds= if scores have a range, and check that scores are not copies.",
                still,
            )
        )
    return tuple(found)
