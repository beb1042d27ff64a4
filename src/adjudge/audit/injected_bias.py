"""Does a judge change its verdict when a case is made tempting, and by how much?

    effect_jc = mean push_i · (v_i(c) − v_i(clean))      over the cases that judge j decided under both conditions
    flips = share of verdicts whose winner changes;   robustness = share of verdicts that stay as they were
    change = accuracy(c) − accuracy(clean)               with gold; of scores, the mean absolute error in its place

The same judge decides the same case with nothing but the temptation in it changed, so quality cancels case by case and
no gold is needed for the effect. All judges and conditions are one estimate, clustered by item: p-values are step-down
over all of them. Ye, Wang, Huang et al. (2024), §4.1 (robustness rate); Zheng et al. (2023), §3.3.
Limits: an effect of 0 can hide moves in both directions, which flips show; verdicts that the temptation itself makes
unreadable are left out, and their share is told. One case a condition is the plain paired difference.
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
from ..stats.cluster import group_sums
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.trials import Trials

METHOD = "audit.injected_bias"
SMALL = 0.05  # a change of the chance of winning that a powerful experiment should see
SMALL_SCORE = 0.2  # standard deviations of the clean score, likewise
LOST = 0.05  # share of changed cases without a verdict from which the effect may be of a selection

CARD = Card(
    answers="How far does a known temptation, put into the same case, move a judge?",
    equation="effect_jc = mean push·(v(c) − v(clean));   flips;   robustness;   accuracy(c) − accuracy(clean)",
    papers=(
        Paper(
            "Justice or Prejudice? Quantifying Biases in LLM-as-a-Judge",
            "Ye, Wang, Huang et al.",
            2024,
            "arXiv:2410.02736",
            "https://arxiv.org/abs/2410.02736",
            "§4.1",
        ),
        Paper(
            "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
            "Zheng, Chiang, Sheng et al.",
            2023,
            "NeurIPS Datasets and Benchmarks",
            "https://arxiv.org/abs/2306.05685",
            "Section 3.3",
        ),
    ),
    needs=("case", "condition", "verdict", "push"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "What was put in carries no merit: a fair verdict stays where it was.",
    ),
    limits=(
        "An effect of 0 can hide moves both ways; flips show them.",
        "A judge at temperature above 0 flips by chance as well: a second clean run says how often.",
        "Effects are of the wordings that were used.",
    ),
    when="After judges.injected was run beside the clean judge; otherwise audit.verbosity_bias and others.",
    unit="chance of winning, or score",
)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Changed rows beside the clean verdict on their case; r rows, `cell` is judge times condition, in `names`."""

    names: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    cell: IntArray
    cluster: IntArray
    before: FloatArray
    after: FloatArray
    push: FloatArray
    gold: FloatArray
    weight: FloatArray
    lost: FloatArray

    def mean(self, rows: BoolArray, x: FloatArray, *, low: float = 0.0, high: float = 1.0) -> Estimate:
        """Means by cell over some rows, jointly by cluster; rates in a known range hold against few equal values."""
        at = np.flatnonzero(rows)
        columns = self.names, self.cluster[at], self.cell[at], x[at], self.weight[at]
        return never_certain(scored_means(*columns, bounds=(low, high)))


def check(table: Trials, *, level: float = 0.95) -> Audit:
    """Measures what each condition does to each judge's verdicts.

    Arguments:
        table: verdicts on the same cases, clean and changed.
        level: 1 − the chance of naming any judge and condition without cause, in (0, 1).

    Errors: a level outside (0, 1).

    Returns findings, and by judge and condition the figures `effect` (of verdicts with a known push), `robustness`,
    for verdicts on pairs `flips`, and with gold `accuracy_clean`, `accuracy`, `accuracy_change` (for scores
    `error_clean`, `error`, `error_change`: mean absolute errors).

    >>> case, condition = np.divmod(np.arange(202), 2)
    >>> drawn = np.random.default_rng(0).random(101)[case]
    >>> verdict = np.where(condition == 0, drawn < 0.5, drawn < 0.9).astype(float)  # the first answer was padded
    >>> unknown, one = np.full(202, np.nan), np.ones(202)
    >>> made = Trials(("j",), ("clean", "padding"), 0 * case, case, case, condition, verdict, one, unknown, one)
    >>> told = check(made)
    >>> [finding.code for finding in told.findings], bool(told.figures["effect"].value[0] > 0.3)
    (['injected-bias'], True)
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"injected_bias: level is {level}.", "0 < level < 1.", "Change it.")
    pairs = _pairs(table)
    if not pairs.cell.size:
        return Audit((_nothing(table),), {})
    figures = _figures(pairs, table.scored)
    spread = _spread(table)
    return Audit((*_told(pairs, figures, level, table.scored, spread), *_lost(pairs)), figures)


def _pairs(table: Trials) -> _Pairs:
    """Changed rows that have a verdict, where the same judge has one on the clean case."""
    judges, conditions = len(table.judges), len(table.conditions)
    judged = np.unique(table.case * judges + table.judge, return_inverse=True)[1].astype(np.int64).ravel()
    given = np.isfinite(table.verdict) & (table.weight > 0)
    clean = given & (table.condition == 0)
    m = int(judged.max(initial=-1)) + 1
    mass = group_sums(judged[clean], table.weight[clean], m)
    with np.errstate(invalid="ignore", divide="ignore"):
        before = (group_sums(judged[clean], (table.weight * table.verdict)[clean], m) / mass)[judged]
    changed = (table.condition > 0) & np.isfinite(before) & (table.weight > 0)
    rows = np.flatnonzero(changed & given)
    full = table.judge * conditions + table.condition
    cells, cell = np.unique(full[rows], return_inverse=True)
    subjects = tuple((table.judges[c // conditions], table.conditions[c % conditions]) for c in cells)
    tried, told = (group_sums(full[on], table.weight[on], judges * conditions)[cells] for on in (changed, rows))
    return _Pairs(
        names=tuple(" · ".join(each) for each in subjects),
        subjects=subjects,
        cell=cell.astype(np.int64).ravel(),
        cluster=table.cluster[rows],
        before=before[rows],
        after=table.verdict[rows],
        push=table.push[rows],
        gold=table.gold[rows],
        weight=table.weight[rows],
        lost=1 - told / tried,
    )


def _figures(pairs: _Pairs, scored: bool) -> dict[str, Estimate]:
    """All that is measured; what no row can tell is NaN."""
    edge = np.inf if scored else 1.0
    every, moved = np.ones(pairs.cell.size, dtype=bool), pairs.after - pairs.before
    figures = {"effect": pairs.mean(pairs.push != 0, pairs.push * moved, low=-edge, high=edge)}
    known = np.isfinite(pairs.gold)
    if scored:
        figures["robustness"] = pairs.mean(every, (moved == 0).astype(float))
        if known.any():
            error = [np.abs(each - pairs.gold) for each in (pairs.before, pairs.after)]
            figures["error_clean"], figures["error"] = (pairs.mean(known, e, low=-edge, high=edge) for e in error)
            figures["error_change"] = pairs.mean(known, error[1] - error[0], low=-edge, high=edge)
        return figures
    side = [np.sign(each - 0.5) for each in (pairs.before, pairs.after)]
    figures["flips"] = pairs.mean(every, (side[0] * side[1] < 0).astype(float))
    figures["robustness"] = pairs.mean(every, (side[0] == side[1]).astype(float))
    known &= pairs.gold != 0.5
    if known.any():
        right = [(1 + each * np.sign(pairs.gold - 0.5)) / 2 for each in side]
        figures["accuracy_clean"], figures["accuracy"] = (pairs.mean(known, each) for each in right)
        figures["accuracy_change"] = pairs.mean(known, right[1] - right[0], low=-1.0)
    return figures


def _spread(table: Trials) -> float:
    """Standard deviation of clean scores."""
    rows = (table.condition == 0) & np.isfinite(table.verdict) & (table.weight > 0)
    clean, w = table.verdict[rows], table.weight[rows]
    return float(np.sqrt(np.average((clean - np.average(clean, weights=w)) ** 2, weights=w))) if w.size else np.nan


def _told(pairs: _Pairs, figures: dict[str, Estimate], level: float, scored: bool, spread: float) -> list[Finding]:
    """Judges that a condition moves, and what could not have been seen."""
    effect, said = figures["effect"], []
    matters = SMALL_SCORE * spread if scored else SMALL
    reach = detectable(effect.stderr, effect.df, level=level, names=len(effect.names))
    each = zip(effect.value, effect.stepdown(), effect.interval(level), reach, strict=True)
    for at, (value, p, low_high, least) in enumerate(each):
        if p <= 1 - level:
            said.append(_moved(pairs.subjects[at], float(value), float(p), low_high, level, _beside(figures, at)))
        elif not least <= matters:
            said.append(_weak(pairs.subjects[at], float(value), float(least), matters))
    return said


def _beside(figures: dict[str, Estimate], at: int) -> str:
    """Flips and what they do to accuracy."""
    words = []
    if "flips" in figures:
        words.append(f"{100 * figures['flips'].value[at]:.1f} % of verdicts flip")
    if "accuracy_change" in figures and np.isfinite(figures["accuracy_change"].value[at]):
        words.append(f"accuracy changes by {100 * figures['accuracy_change'].value[at]:+.1f} points")
    if "error_change" in figures and np.isfinite(figures["error_change"].value[at]):
        words.append(f"the mean error changes by {figures['error_change'].value[at]:+.3g}")
    return f"; {', '.join(words)}" if words else ""


def _moved(
    subject: tuple[str, str], value: float, p: float, low_high: FloatArray, level: float, beside: str
) -> Finding:
    judge, condition = subject
    way = "towards the answer that it favours" if value > 0 else "away from the answer that it favours"
    return Finding(
        "injected-bias",
        Severity.WARNING,
        f"{condition} moves the verdicts of {judge} by {value:+.3g} {way} ({100 * level:.0f} % interval "
        f"{low_high[0]:+.3g} to "
        f"{low_high[1]:+.3g}, {p_text(p)}){beside}.",
        value,
        0.0,
        "Take such marks out of the answers before they are judged, instruct the judge against them and measure again, "
        "or take another judge.",
        subject,
    )


def _weak(subject: tuple[str, str], value: float, least: float, matters: float) -> Finding:
    judge, condition = subject
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {least:.3g} on" if np.isfinite(least) else "cannot be seen"
    )
    moved = f"moves the verdicts of {judge} by {value:+.3g}" if np.isfinite(value) else f"tells nothing of {judge}"
    return Finding(
        "injected-bias-not-shown",
        Severity.INFO,
        f"{condition} {moved}; an effect {seen}.",
        least,
        matters,
        "For smaller effects judge more items, clean and changed.",
        subject,
    )


def _lost(pairs: _Pairs) -> list[Finding]:
    """Conditions under which verdicts are missing more often than the rest can stand for."""
    return [
        Finding(
            "injected-verdicts-lost",
            Severity.WARNING,
            f"{judge} gives no verdict on {100 * share:.1f} % of the cases changed by {condition}: the effect is of "
            "the rest.",
            float(share),
            LOST,
            "Judge these cases again, or count them as a loss of their own.",
            (judge, condition),
        )
        for (judge, condition), share in zip(pairs.subjects, pairs.lost, strict=True)
        if share > LOST
    ]


def _nothing(table: Trials) -> Finding:
    changed = int((table.condition > 0).sum())
    return Finding(
        "no-paired-trials",
        Severity.INFO,
        f"None of {changed:,} changed cases has a verdict of the same judge on the clean case as well: no effect can "
        "be told.",
        0,
        1,
        "Judge the same cases clean, and with judges.injected.",
    )
