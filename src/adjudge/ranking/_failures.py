"""Counts of failed attempts before the first success, from counts or from single attempts, and what to say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings
from ..tables.regressors import covariate

FEW = 50
"""Tasks in the tail below which Clauset and colleagues do not trust an exponent."""
UNFIT = 0.1
"""p-value below which they call a power law ruled out."""


@dataclass(frozen=True, slots=True, eq=False)
class Failures:
    """One entry a policy and task (or a row, where rows are counts); c entries.

    Arguments:
        policy, cluster: [c] codes.
        count: [c] failed attempts before the first success.
        censored: [c] whether no success came: the count is at least that.
        weight: [c].
    """

    policy: IntArray
    cluster: IntArray
    count: FloatArray
    censored: BoolArray
    weight: FloatArray


def gathered(ratings: Ratings, *, attempts: str | None, cap: float, metric: str | None) -> Failures:
    """Counts of the rows with a score and weight, from counts or from attempts in order."""
    score = ratings.score[:, judge_columns(ratings, metric)[0]]
    rows = np.flatnonzero((ratings.weight > 0) & np.isfinite(score))
    x = score[rows]
    if attempts is not None:
        return _capped(_from_attempts(ratings, rows, x, covariate(ratings, attempts)[rows]), cap)
    wrong = np.flatnonzero((x < 0) | (x != np.floor(x)))
    if wrong.size:
        raise AdjudgeError(
            f"ratings.score: {wrong.size:,} of {rows.size:,} are no counts (first: row "
            f"{ratings.row[rows[wrong[0]]]}, {x[wrong[0]]:g}).",
            "The score is the number of failed attempts before the first success: 0, 1, 2 ….",
            "Name the column of counts, or with attempts= the column that orders single attempts.",
        )
    plain = Failures(
        ratings.policy[rows], ratings.cluster[rows], x, np.zeros(rows.size, dtype=bool), ratings.weight[rows]
    )
    return _capped(plain, cap)


def _capped(seen: Failures, cap: float) -> Failures:
    over = seen.count >= cap
    return Failures(seen.policy, seen.cluster, np.where(over, cap, seen.count), seen.censored | over, seen.weight)


def _from_attempts(ratings: Ratings, rows: IntArray, solved: FloatArray, order: FloatArray) -> Failures:
    if not np.isin(solved, (0.0, 1.0)).all():
        raise AdjudgeError(
            "ratings.score: attempts are neither 0 nor 1.", "1 is a success, 0 a failure.", "Say what success is."
        )
    key = ratings.item[rows] * ratings.k + ratings.policy[rows]
    by = np.lexsort((order, key))
    rows, solved = rows[by], solved[by]
    _, start, cell, size = np.unique(key[by], return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(rows.size) - start[cell]
    first = np.array(size, dtype=float)
    np.minimum.at(first, cell[solved == 1], place[solved == 1].astype(float))
    return Failures(
        ratings.policy[rows][start],
        ratings.cluster[rows][start],
        first,
        first >= size,
        ratings.weight[rows][start],
    )


def said(
    policies: tuple[str, ...],
    seen: Failures,
    exponent: Estimate,
    fits: list[tuple[float, float]],
    levels: FloatArray,
) -> list[Finding]:
    """Findings on tails too short, tails that are no power law, given-up tasks and infinite means."""
    found = []
    low_high = exponent.interval()
    for p, (name, (points, fitness)) in enumerate(zip(policies, fits, strict=True)):
        if points < FEW:
            found.append(_short(name, points, known=bool(np.isfinite(exponent.value[p]))))
        if fitness < UNFIT:
            found.append(_unfit(name, fitness))
        if levels[p, 0] > 0.5:
            found.append(_infinite(name, float(levels[p, 0]), *low_high[p].tolist()))
    if seen.censored.any():
        count = int(seen.censored.sum())
        message = (
            f"{count:,} of {seen.count.size:,} counts end without a success: means are of counts up to the cap, "
            "exponents take them as censored."
        )
        found.append(Finding("attempts-capped", Severity.INFO, message, count, 0))
    return found


def _short(name: str, points: float, *, known: bool) -> Finding:
    return Finding(
        "tail-too-short",
        Severity.WARNING,
        f"{name} has {points:.0f} tasks in the tail of its failure counts: "
        + ("its exponent is rough." if known else "no exponent."),
        points,
        FEW,
        "Add tasks, above all hard ones.",
        (name,),
    )


def _unfit(name: str, fitness: float) -> Finding:
    return Finding(
        "tail-no-power-law",
        Severity.WARNING,
        f"The failure counts of {name} do not follow a power law (p = {fitness:.3f}): its exponent is the slope here "
        "and says nothing of larger counts.",
        fitness,
        UNFIT,
        "Rank by='failures', or look at the counts themselves.",
        (name,),
    )


def _infinite(name: str, chance: float, low: float, high: float) -> Finding:
    return Finding(
        "mean-may-be-infinite",
        Severity.WARNING,
        f"{name} is Limited with probability {chance:.2f} (α from {low:.2f} to {high:.2f}): its mean number of "
        "failures has no limit, and the one shown grows with the number of tasks.",
        chance,
        0.5,
        "Read the exponent, not the mean.",
        (name,),
    )
