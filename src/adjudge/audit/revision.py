"""Does giving a verdict a second thought make it better, or does it spoil what was right?

    gain_c = mean (right after − right before) under condition c      right = 1, ½ for a tie, 0
    spoiled = P(wrong after | right before)        mended = P(right after | wrong before)
    consistency = share of verdicts on a changed case that name the winner of the clean one, before and after

Two judges of one table, such as a judge alone and the same judge inside `judges.bias_detector`, on the same cases,
clean and with known temptations (`judges.injected`). Everything is paired by case and clustered by item.
Yang, Bao, Xiao et al. (2025), RBD: accuracy, consistency, over-correction (`spoiled`, on clean cases above all).
Limits: a revision that never changes anything has gain 0 and nothing spoiled; without gold only consistency is told.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.certain import never_certain
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.trials import Trials

SMALL = 0.05  # a change of accuracy that a powerful audit should see
LOST = 0.05  # share of verdicts that revision may lose

CARD = Card(
    answers="Does a revised verdict come out better than the first one, and how often is a right one spoiled?",
    equation="gain_c = mean(right after − right before);   spoiled = P(wrong after | right before)",
    papers=(
        Paper(
            "Any Large Language Model Can Be a Reliable Judge: Debiasing with a Reasoning-based Bias Detector",
            "Yang, Bao, Xiao et al.",
            2025,
            "arXiv:2505.17100",
            "https://arxiv.org/abs/2505.17100",
            "§4",
        ),
    ),
    needs=("judge", "case", "condition", "verdict", "gold"),
    assumes=("Items, or clusters of them, are independent.", "Both judges saw the same cases."),
    limits=(
        "A judge at temperature above 0 changes verdicts by itself: spoiled and mended then hold chance as well.",
        "Ties count as half right and as no winner.",
    ),
    when="Before judges.bias_detector, judges.discussion or any second thought is used for good.",
    unit="share of verdicts",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Both verdicts on each case and condition; r rows."""

    conditions: tuple[str, ...]
    condition: IntArray
    cluster: IntArray
    before: FloatArray
    after: FloatArray
    clean_before: FloatArray
    clean_after: FloatArray
    gold: FloatArray
    weight: FloatArray

    def mean(self, rows: BoolArray, x: FloatArray, *, low: float = 0.0) -> Estimate:
        """Means of x by condition over some rows."""
        at = np.flatnonzero(rows)
        columns = self.conditions, self.cluster[at], self.condition[at], x[at], self.weight[at]
        return never_certain(scored_means(*columns, bounds=(low, 1.0)))


def check(table: Trials, *, before: str, after: str, level: float = 0.95, threshold: float = 0.05) -> Audit:
    """Compares the verdicts of one judge with those of another that revises them.

    Arguments:
        table: verdicts on pairs by both, on the same cases.
        before, after: names of the two judges.
        level: 1 − the chance of any false alarm over all conditions, for each kind of finding, in (0, 1).
        threshold: share of right verdicts spoiled above which revision over-corrects, in (0, 1).

    Errors: no such judge; scores instead of pairs; a level or threshold outside (0, 1).

    Figures by condition: `accuracy_before`, `accuracy_after`, `gain`, `spoiled`, `mended` (with gold), and for all but
    the clean one `consistency_before`, `consistency_after`, `consistency_gain`.

    >>> case, judge = np.divmod(np.arange(202), 2)
    >>> verdict = np.where((judge == 0) & (case % 2 == 0), 0.0, 1.0)  # every other verdict was wrong and was mended
    >>> told = check(Trials(("a", "b"), ("clean",), judge, case, case, 0 * case, verdict, 0.0 * case,
    ...                     np.ones(202), np.ones(202)), before="a", after="b")
    >>> told.figures["gain"].value.round(3).tolist(), told.figures["mended"].value.tolist()
    ([0.505], [1.0])
    """
    _require(table, before, after, level, threshold)
    pairs, lost = _paired(table, table.judges.index(before), table.judges.index(after))
    if not pairs.condition.size:
        text = f"No case was decided by both {before} and {after}: nothing can be said."
        remedy = "Let both judge the same cases."
        return Audit((Finding("no-paired-verdicts", Severity.INFO, text, 0, 1, remedy, (before, after)),), {})
    figures = _figures(pairs)
    return Audit((*_told(figures, (before, after), level, threshold), *_lost(lost, (before, after))), figures)


def _require(table: Trials, before: str, after: str, level: float, threshold: float) -> None:
    missing = [name for name in (before, after) if name not in table.judges]
    if missing or before == after:
        raise AdjudgeError(
            f"revision: before={before!r}, after={after!r}.",
            f"Two of the judges: {', '.join(table.judges[:20])}.",
            "Rename them.",
        )
    if table.scored:
        raise AdjudgeError(
            "revision: the verdicts are scores.", "Verdicts on pairs, which are right or wrong.", "Judge pairs."
        )
    if not 0 < level < 1 or not 0 < threshold < 1:
        raise AdjudgeError(f"revision: level {level}, threshold {threshold}.", "Both inside (0, 1).", "Change them.")


def _paired(table: Trials, before: int, after: int) -> tuple[_Pairs, float]:
    """Cells (case, condition) that both decided; share of the first judge's verdicts that the second has none for."""
    conditions = len(table.conditions)
    names, cell = np.unique(table.case * conditions + table.condition, return_inverse=True)
    size, cell = names.size, cell.ravel()

    def by_cell(x: FloatArray, rows: BoolArray) -> FloatArray:
        mass = np.bincount(cell[rows], table.weight[rows], minlength=size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.bincount(cell[rows], (table.weight * x)[rows], minlength=size) / mass

    given = np.isfinite(table.verdict) & (table.weight > 0)
    said = [by_cell(table.verdict, given & (table.judge == one)) for one in (before, after)]
    ours = np.isin(table.judge, (before, after))
    gold = by_cell(table.gold, np.isfinite(table.gold) & ours)
    one, other = (np.bincount(cell, table.weight * (given & (table.judge == j)), size) for j in (before, after))
    weight = (one + other) / 2  # a row of weight 3 is three rows
    cluster = np.zeros(size, dtype=np.int64)
    cluster[cell] = table.cluster
    clean = np.searchsorted(names, names // conditions * conditions)  # at most the cell itself: names are sorted
    there = names[clean] == names // conditions * conditions
    keep = np.flatnonzero(np.isfinite(said[0] + said[1]))
    kept = np.unique(names[keep] % conditions, return_inverse=True)
    pairs = _Pairs(
        conditions=tuple(table.conditions[c] for c in kept[0]),
        condition=kept[1].astype(np.int64).ravel(),
        cluster=cluster[keep],
        before=said[0][keep],
        after=said[1][keep],
        clean_before=np.where(there, said[0][clean], np.nan)[keep],
        clean_after=np.where(there, said[1][clean], np.nan)[keep],
        gold=gold[keep],
        weight=weight[keep],
    )
    return pairs, float(one[~np.isfinite(said[1])].sum() / max(one.sum(), 1e-300))


def _right(verdict: FloatArray, gold: FloatArray) -> FloatArray:
    """1 where a verdict names the winner, ½ for a tie, 0 where it names the other."""
    return np.asarray((1 + np.sign(verdict - 0.5) * np.sign(gold - 0.5)) / 2)


def _figures(pairs: _Pairs) -> dict[str, Estimate]:
    """Everything that is measured; what no row can tell is left out."""
    figures: dict[str, Estimate] = {}
    known = np.isfinite(pairs.gold) & (pairs.gold != 0.5)
    if known.any():
        first, last = (_right(each, pairs.gold) for each in (pairs.before, pairs.after))
        figures["accuracy_before"], figures["accuracy_after"] = pairs.mean(known, first), pairs.mean(known, last)
        figures["gain"] = pairs.mean(known, last - first, low=-1.0)
        figures["spoiled"] = pairs.mean(known & (first == 1), (last == 0).astype(float))
        figures["mended"] = pairs.mean(known & (first == 0), (last == 1).astype(float))
    changed = np.array([name != "clean" for name in pairs.conditions])[pairs.condition]
    rows = changed & np.isfinite(pairs.clean_before + pairs.clean_after)
    if rows.any():
        same = [
            (np.sign(now - 0.5) == np.sign(then - 0.5)).astype(float)
            for now, then in ((pairs.before, pairs.clean_before), (pairs.after, pairs.clean_after))
        ]
        figures["consistency_before"], figures["consistency_after"] = (pairs.mean(rows, each) for each in same)
        figures["consistency_gain"] = pairs.mean(rows, same[1] - same[0], low=-1.0)
    return figures


def _told(figures: dict[str, Estimate], subject: tuple[str, str], level: float, threshold: float) -> list[Finding]:
    """Conditions under which revision harms or over-corrects, and what could not have been seen."""
    if "gain" not in figures:
        text = "No case has a gold verdict: whether revision makes verdicts better cannot be told."
        return [Finding("gold-missing", Severity.INFO, text, 0, 1, "Label some cases.", subject)]
    gain, spoiled, said = figures["gain"], figures["spoiled"], []
    reach = detectable(gain.stderr, gain.df, level=level, names=len(gain.names))
    rows = zip(gain.names, gain.value, gain.stepdown(), gain.stderr, reach, strict=True)
    for name, value, p, error, least in rows:
        if value < 0 and p <= 1 - level:
            said.append(_harms(name, float(value), float(p), level, subject))
        elif not p <= 1 - level and not least <= SMALL and not (value == 0 and not error > 0):
            said.append(_weak(name, float(value), float(least), subject))
    for name, value, low in zip(spoiled.names, spoiled.value, spoiled.simultaneous(level)[:, 0], strict=True):
        if low > threshold:
            said.append(_spoils(name, float(value), float(low), threshold, subject))
    return said


def _harms(name: str, value: float, p: float, level: float, subject: tuple[str, str]) -> Finding:
    points = 100 * abs(value)
    text = f"On {name} cases {subject[1]} is right {points:.1f} points less often than {subject[0]} ({p_text(p)})."
    remedy = "Do not revise these verdicts, or take another detector."
    return Finding("revision-harms", Severity.SEVERE, text, p, 1 - level, remedy, subject)


def _spoils(name: str, value: float, low: float, threshold: float, subject: tuple[str, str]) -> Finding:
    return Finding(
        "over-corrects",
        Severity.WARNING,
        f"{100 * value:.1f} % of the verdicts on {name} cases that {subject[0]} had right are wrong after revision (at "
        f"least {100 * low:.1f} %; threshold {100 * threshold:.0f} %).",
        value,
        threshold,
        "Have the detector call fewer verdicts biased, or revise only where it names what it saw.",
        subject,
    )


def _weak(name: str, value: float, least: float, subject: tuple[str, str]) -> Finding:
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {least:.3g} on" if np.isfinite(least) else "cannot be seen"
    )
    return Finding(
        "revision-gain-not-shown",
        Severity.INFO,
        f"Revision changes accuracy on {name} cases by {100 * value:+.1f} points; a change {seen}.",
        least,
        SMALL,
        "For smaller changes judge more items.",
        subject,
    )


def _lost(share: float, subject: tuple[str, str]) -> list[Finding]:
    if share <= LOST:
        return []
    text = (
        f"{subject[1]} gives no verdict on {100 * share:.1f} % of the cases that {subject[0]} decided: figures are of "
        "the rest."
    )
    return [Finding("revision-verdicts-lost", Severity.WARNING, text, share, LOST, "Ask again.", subject)]
