"""Rows that repeat a response: their labels attach to its first row, and nothing is counted twice.

Two rows are copies when policy, prompt, draw and all judge scores agree. Without a draw column copies can only be told
from draws by the whole table: if any policy answers any prompt with differing scores, or any unlabelled row stands
there twice, the table holds draws, and equal rows are kept. (Keeping a copy is the safer mistake: it lies in the
cluster of its prompt, so intervals do not narrow; merging two draws would change the mean.)

Several labels of one response are several raters: their mean is the label and s²/m its variance; where they differ,
the pooled s² goes to labels by a single rater, as in `labels`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding, Severity
from .labels import pooled_spread, rater_noise
from .numbers import Door


@dataclass(frozen=True, slots=True)
class Merged:
    """What is left of the rows.

    Arguments:
        keep: [m] positions of the rows that stay, in order.
        gold, gold_variance, propensity: [n] as before, with the labels of copies attached to the first row.
    """

    keep: IntArray
    gold: FloatArray
    gold_variance: FloatArray
    propensity: FloatArray


def merge(
    key: IntArray,
    draw: IntArray | None,
    score: FloatArray,
    gold: FloatArray,
    gold_variance: FloatArray,
    propensity: FloatArray,
    door: Door,
) -> Merged:
    """Merges copies of a response.

    Arguments:
        key: [n] code of (policy, prompt).
        draw: [n] code of the draw; None when there is no such column.
        score: [n, J] judge scores, NaN counts as equal to NaN.
        gold, gold_variance, propensity: [n] as in `Ratings`.
        door: takes the findings.
    """
    n = key.size
    unchanged = Merged(np.arange(n), gold, gold_variance, propensity)
    response = key if draw is None else key * (draw.max(initial=0) + 1) + draw
    repeated = _repeated(response)
    if not repeated.any():
        return unchanged
    rows = np.flatnonzero(repeated)
    group = _groups(response[rows], score[rows])
    size = np.bincount(group)
    if draw is None and _holds_draws(response[rows], group, np.isfinite(gold[rows])):
        _tell_ambiguous(int((size[group] > 1).sum()), door)
        return unchanged
    if size.max() == 1:
        return unchanged
    return _merge_groups(rows, group, unchanged, door)


def _repeated(response: IntArray) -> BoolArray:
    order = np.argsort(response, kind="stable")
    same = np.diff(response[order]) == 0
    repeated = np.zeros(response.size, dtype=bool)
    repeated[order[1:][same]] = True
    repeated[order[:-1][same]] = True
    return repeated


def _groups(response: IntArray, score: FloatArray) -> IntArray:
    """Code of (response, scores) for each row."""
    code = np.unique(response, return_inverse=True)[1]
    columns = np.column_stack([code, np.where(np.isnan(score), np.inf, score)])
    order = np.lexsort(columns.T[::-1])
    change = np.r_[False, (columns[order][1:] != columns[order][:-1]).any(axis=1)]
    group = np.empty(order.size, dtype=np.int64)
    group[order] = np.cumsum(change)
    return group


def _holds_draws(response: IntArray, group: IntArray, labelled: BoolArray) -> bool:
    """Whether some response key has differing scores, or an unlabelled row stands there twice."""
    keys = np.unique(response).size
    return bool(group.max() + 1 > keys or (np.bincount(group, weights=~labelled) > 1).any())


def _tell_ambiguous(copies: int, door: Door) -> None:
    if copies:
        door.note(
            "draws-ambiguous",
            Severity.WARNING,
            f"{copies:,} rows share policy, prompt and scores with another and no draw column tells copies from draws; "
            "all were counted.",
            number=copies,
            remedy="Number the draws in a column and name it with --draw; equal rows of one draw are then merged.",
        )


def _merge_groups(rows: IntArray, group: IntArray, before: Merged, door: Door) -> Merged:
    """Moves what the rows of a group know to its first row, and keeps that one alone."""
    groups = int(group.max()) + 1
    home = rows[_first(group, groups, np.ones(rows.size, dtype=bool))]
    count, mean, spread = _labels(before.gold[rows], group, groups)

    gold, variance, propensity = before.gold.copy(), before.gold_variance.copy(), before.propensity.copy()
    gold[home] = mean
    labelled = rows[_first(group, groups, np.isfinite(before.gold[rows]))]
    variance[home[count == 1]] = before.gold_variance[labelled[count == 1]]
    contradictory = int((spread > 0).sum())
    if contradictory:
        variance[home] = np.where(count > 1, rater_noise(spread, count), variance[home])
        # labels by one rater carry the noise that the others show, unless theirs is known already
        single = np.isfinite(gold) & (variance == 0)
        single[home[count > 1]] = False
        variance[single] = pooled_spread(spread, count)
    recorded = np.isfinite(before.propensity[rows])
    source = rows[_first(group, groups, recorded)]
    propensity[home] = before.propensity[source]

    keep = np.ones(gold.size, dtype=bool)
    keep[rows] = False
    keep[home] = True
    attached = int(((count > 0) & ~np.isfinite(before.gold[home])).sum())
    _tell_merged(rows.size - groups, gold.size, attached, contradictory, door)
    return Merged(np.flatnonzero(keep), gold, variance, propensity)


def _first(group: IntArray, groups: int, eligible: BoolArray) -> IntArray:
    """[groups] position of the first eligible row of each group; of its first row where none is eligible."""
    first = np.empty(groups, dtype=np.int64)
    for rows in (np.arange(group.size), np.flatnonzero(eligible)):
        first[group[rows][::-1]] = rows[::-1]
    return first


def _labels(labels: FloatArray, group: IntArray, groups: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """[groups] number, mean and sample variance of the labels; NaN where there are none, or only one."""
    known = np.isfinite(labels)
    group, labels = group[known], labels[known]
    count = np.bincount(group, minlength=groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, weights=labels, minlength=groups) / count
        gap = labels - mean[group]
        gap[np.isclose(labels, mean[group], rtol=1e-12, atol=0.0)] = 0.0  # the mean of three 0.1 is not quite 0.1
        square = np.bincount(group, weights=gap**2, minlength=groups)
        return count, mean, np.where(count > 1, square / (count - 1), np.nan)


def _tell_merged(copies: int, n: int, attached: int, contradictory: int, door: Door) -> None:
    door.note(
        "duplicate-rows",
        Severity.INFO,
        f"{copies:,} of {n:,} rows repeat a response that stands there already; they were not counted twice, and "
        f"{attached:,} gold labels were attached to the first rows.",
        number=copies,
        remedy="Nothing to do if these rows add labels; otherwise number the draws in a column named with --draw.",
    )
    if contradictory:
        door.findings.append(
            Finding(
                "gold-contradictory",
                Severity.WARNING,
                f"{contradictory:,} responses carry several gold labels that differ; their mean was taken, and their "
                "spread counts as rater noise.",
                number=contradictory,
                remedy="Nothing to do if several raters labelled them; otherwise correct the labels.",
            )
        )
