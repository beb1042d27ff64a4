"""Puts the scores of different tasks on one scale: 0 is what `low` reaches on a task, 1 what `high` does.

    z = (x − low_t)/(high_t − low_t)

An end is a number for all tasks, or a policy's mean on the task, taken as known. Limit: without ends scores stay.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums

UNEVEN = 10.0  # times by which the spread of one task may exceed another's before somebody should know


def normalised(
    names: tuple[str, ...],
    policy: IntArray,
    item: IntArray,
    score: FloatArray,
    mass: FloatArray,
    *,
    low: float | str | None,
    high: float | str | None,
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """[r] scores on the common scale, NaN on tasks where both ends fall together, and what to distrust.

    Arguments:
        names: [k] policies.
        policy, item, score, mass: [r] of the runs.
        low, high: number, name of a policy, `lowest` or `highest`; both or neither.

    Errors: one end without the other, or a name that is no policy.
    """
    if low is None and high is None:
        return score, _uneven(item, score)
    if low is None or high is None:
        raise AdjudgeError("ranking: one end of the scale is given.", "low and high belong together.", "Give both.")
    zero, width = ends(names, policy, item, score, mass, low=low, high=high)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(width[item] != 0, (score - zero[item]) / width[item], np.nan)
    flat = np.unique(item[~np.isfinite(z)]).size
    if not flat:
        return z, ()
    return z, (
        Finding(
            "tasks-without-scale",
            Severity.WARNING,
            f"{flat} tasks were left out: low and high fall together there, or one is not known.",
            flat,
            0,
            "Give both ends on every task.",
        ),
    )


def ends(
    names: tuple[str, ...],
    policy: IntArray,
    item: IntArray,
    score: FloatArray,
    mass: FloatArray,
    *,
    low: float | str,
    high: float | str,
) -> tuple[FloatArray, FloatArray]:
    """([items] the lower end of the scale, [items] its width); arguments and errors as of `normalised`."""
    items = int(item.max(initial=-1)) + 1
    cell = item * len(names) + policy
    total = group_sums(cell, mass, items * len(names))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (group_sums(cell, mass * score, total.size) / total).reshape(items, -1)
    zero = _end(low, names, mean)
    return zero, _end(high, names, mean) - zero


def _end(end: float | str, names: tuple[str, ...], mean: FloatArray) -> FloatArray:
    """[items] one end of the scale on every task."""
    if not isinstance(end, str):
        return np.full(mean.shape[0], float(end))
    if end in names:
        return mean[:, names.index(end)]
    if end in ("lowest", "highest"):
        lost = np.inf if end == "lowest" else -np.inf
        filled = np.where(np.isfinite(mean), mean, lost)
        edge: FloatArray = filled.min(axis=1) if end == "lowest" else filled.max(axis=1)
        return np.where(np.isfinite(edge), edge, np.nan)
    raise AdjudgeError(
        f"ranking: an end of the scale is {end!r}.",
        f"A number, `lowest`, `highest`, or a policy: {', '.join(names[:20])}.",
        "Name one of them.",
    )


def _uneven(item: IntArray, score: FloatArray) -> tuple[Finding, ...]:
    """A finding where the scores of one task spread far more than another's: pooled, that task decides."""
    codes, counts = np.unique(item, return_inverse=True)[1], np.bincount(np.unique(item, return_inverse=True)[1])
    if counts.size < 2:
        return ()
    mean = group_sums(codes, score, counts.size) / counts
    sd = np.sqrt(group_sums(codes, (score - mean[codes]) ** 2, counts.size) / counts)
    sd = sd[(counts > 2) & (sd > 0)]
    if sd.size < 2 or np.quantile(sd, 0.9) <= UNEVEN * np.quantile(sd, 0.1):
        return ()
    ratio = float(np.quantile(sd, 0.9) / np.quantile(sd, 0.1))
    return (
        Finding(
            "scores-not-normalised",
            Severity.WARNING,
            f"Scores spread {ratio:.0f} times as wide on some tasks as on others: those tasks decide what is pooled.",
            ratio,
            UNEVEN,
            "Give low= and high=: numbers, two reference policies, or low='lowest', high='highest'.",
        ),
    )


def resampled(over: str, asked: str, once: int, tasks: int) -> tuple[Finding, ...]:
    """A finding where `auto` took the tasks for the sample, since some cells hold one run."""
    if asked != "auto" or over == "runs" or not tasks:
        return ()
    return (
        Finding(
            "tasks-resampled",
            Severity.INFO,
            f"{once} cells hold a single run, so the tasks were resampled: the intervals speak of tasks like these.",
            once,
            0,
            "For the spread between runs of these very tasks, run each policy twice or more on each.",
        ),
    )


def absent() -> Finding:
    """A finding for a table without a score."""
    return Finding(
        "scores-absent",
        Severity.SEVERE,
        "No row has a score that counts.",
        0,
        1,
        "Name the column of the score, and check its weights.",
    )
