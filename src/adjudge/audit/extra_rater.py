"""Can a judge take a person's place among raters, and does it help as one rater more?

    replace   Δα = α(one random human label of each item replaced by the judge's) − α(humans)
    add       gain_k = P(majority of k humans and the judge = gold) − P(majority of k humans = gold),    k = 1 … 5

Both over all choices of humans, exactly; ties of a majority share. Errors are by item (leave one out), judges together.

Brassard, Heinzerling, Kudo et al. (2024), ACORN, §5 and §6. Limits: where gold is the majority of the very humans, more
of them come closer to it by construction, which leaves a judge little to add; give gold labels of other people.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.agreement import krippendorff
from ..stats.agreement.coefficient import Coefficient
from ..stats.certain import never_certain
from ..stats.power import POWER, detectable
from ..stats.rank_correlation import spearman
from ..stats.scored_means import scored_means
from ..tables.annotations import Annotations
from ._panel import change, hits, majority, replaced

METHOD = "audit.extra_rater"
MATTERS = 0.05  # of alpha, and of a chance of being right, that a powerful audit should see

CARD = Card(
    answers="Can a judge take a person's place among raters, and does it help as one rater more?",
    equation="Δα = α(a human replaced) − α(humans);   gain_k = P(maj(k + judge) = gold) − P(maj(k) = gold)",
    papers=(
        Paper(
            "ACORN: Aspect-wise Commonsense Reasoning Explanation Evaluation",
            "Brassard, Heinzerling, Kudo et al.",
            2024,
            "COLM",
            "https://arxiv.org/abs/2405.04818",
            "Sections 5 and 6",
        ),
    ),
    needs=("item", "rater", "label", "gold"),
    assumes=("Items are independent; the humans of an item are interchangeable.",),
    limits=(
        "Agreement is not truth: a judge who shares the humans' error raises alpha.",
        "Gold that is the majority of the same humans favours humans; a finding says where it is.",
    ),
    when="Before a judge replaces or joins a panel of people.",
    rows=(87,),
)


def check(table: Annotations, *, judges: Sequence[str] = (), level: float = 0.95, most: int = 5) -> Audit:
    """Change of alpha when a judge replaces a human, and what it adds to majorities of k humans.

    Arguments:
        table: labels of humans and judges; gold classes are optional (else the humans' majority, without ties).
        judges: raters who are judges; all others are humans.
        level: 1 − the chance of any false finding of a kind, in (0, 1).
        most: humans k up to which majorities are formed, >= 1.

    Errors: no judge named, or one who is no rater; a level outside (0, 1); most below 1.

    Returns findings, and the figures `alpha` (of humans alone, on the items of each judge), `replaced` (Δα), by judge,
    `JUDGE humans`, `JUDGE with judge`, `JUDGE gain` by k, and where classes are in order `spearman` of each judge
    with the humans' majority.

    >>> rng = np.random.default_rng(0)
    >>> truth = rng.integers(2, size=211)
    >>> said = np.where(rng.random((211, 4)) < [0.9, 0.9, 0.9, 0.5], truth[:, None], 1 - truth[:, None])
    >>> item, rater = np.divmod(np.arange(844), 4)
    >>> made = Annotations(tuple(f"{i:03}" for i in range(211)), tuple("abcz"), ("no", "yes"), item, rater,
    ...                    said.ravel(), truth, np.ones(844), np.array([0.0, 1.0]))
    >>> [finding.code for finding in check(made, judges=["z"]).findings][0]
    'replacing-lowers-agreement'
    """
    lost = [name for name in judges if name not in table.raters]
    if not judges or lost or not 0 < level < 1 or most < 1:
        raise AdjudgeError(
            f"extra_rater: judges {list(judges)}, level {level}, most {most}.",
            f"One judge or more among the raters ({', '.join(table.raters[:8])} …), 0 < level < 1, most >= 1.",
            "Name the judges with judges=.",
        )
    human = np.isin(table.rater, [r for r, name in enumerate(table.raters) if name not in judges])
    counts = np.rint(table.take(np.flatnonzero(human)).counts)
    gold = table.gold if table.known.any() else majority(counts)[0]
    figures: dict[str, Estimate] = {}
    before, apart, ranks = [], [], []
    for name in judges:
        extra = _labels(table, name)
        on = np.flatnonzero((extra >= 0) & (counts.sum(axis=1) > 1))
        first, after = _alphas(table, counts[on], extra[on])
        before.append((on, first))
        apart.append((on, change(first, after)))
        ranks.append(_spearman(table, counts, extra))
        figures |= _majorities(name, counts, extra, gold, most)
    names, m = tuple(judges), len(table.items)
    figures["alpha"] = _joint(names, [(on, each.value, each.influence()) for on, each in before], m)
    figures["replaced"] = _joint(names, [(on, each.value, each.influence()) for on, each in apart], m, low=-2.0)
    if table.ordinal:
        figures["spearman"] = _joint(names, ranks, m)
    findings = [*_on_replacing(figures["replaced"], level)]
    for name in judges:
        if f"{name} gain" in figures:
            findings += _on_adding(name, figures[f"{name} gain"], 1 - (1 - level) / len(judges))
    if not table.known.any() and any(f"{name} gain" in figures for name in judges):
        findings.append(_circular())
    return Audit(tuple(findings), figures)


def _labels(table: Annotations, name: str) -> IntArray:
    """[m] class that a judge gave each item most often, of equals the first; −1 for none."""
    own = table.take(np.flatnonzero(table.rater == table.raters.index(name))).counts
    return np.where(own.sum(axis=1) > 0, np.argmax(own, axis=1), -1)


def _alphas(table: Annotations, counts: FloatArray, extra: IntArray) -> tuple[Coefficient, Coefficient]:
    """Alpha of the humans, and with one of them replaced; interval, ordinal or nominal as the classes are."""

    def interval(each: FloatArray) -> Coefficient:
        m, classes = each.shape  # all cells, also empty ones, so that every table is centred on one and the same number
        value = np.tile(table.value, m)
        return krippendorff.interval(np.repeat(np.arange(m), classes), value, each.ravel(), items=m)

    numbers = table.ordinal and bool(np.isfinite(table.value).all())
    alpha = interval if numbers else krippendorff.ordinal if table.ordinal else krippendorff.nominal
    if not extra.size:
        empty = alpha(np.zeros((0, counts.shape[1])))
        return empty, empty
    return alpha(counts), replaced(counts, extra, alpha)


def _spearman(table: Annotations, counts: FloatArray, extra: IntArray) -> tuple[IntArray, float, FloatArray]:
    """Rank correlation of a judge with the humans' majority; a tie is the mean of its classes."""
    on = np.flatnonzero((extra >= 0) & (counts.sum(axis=1) > 0))
    worth = table.value if np.isfinite(table.value).all() else np.arange(float(len(table.classes)))
    value, psi = spearman(worth[extra[on]], majority(counts[on])[1] @ worth, np.ones(on.size))
    return on, value, psi


def _majorities(name: str, counts: FloatArray, extra: IntArray, gold: IntArray, most: int) -> dict[str, Estimate]:
    """Chance of being gold by k, without and with the judge, on items where both can be had."""
    on = np.flatnonzero((extra >= 0) & (gold >= 0))
    top = int(min(most, counts[on].sum(axis=1).max(initial=0)))
    if top < 1:
        return {}
    none = np.full(on.size, -1)
    columns = [hits(counts[on], which, gold[on], k) for which in (none, extra[on]) for k in range(1, top + 1)]
    table = np.column_stack(columns)
    i, g = np.nonzero(np.isfinite(table))
    names = tuple(str(k) for k in range(1, top + 1))
    both = scored_means(
        (*names, *(f"{k} + judge" for k in names)), on[i], g, table[i, g], np.ones(i.size), bounds=(0.0, 1.0)
    )
    gain = both.contrast(np.hstack([-np.eye(top), np.eye(top)]), names)
    humans, joined = both.select(names), both.select([f"{k} + judge" for k in names])
    return {f"{name} humans": humans, f"{name} with judge": joined, f"{name} gain": gain}


def _joint(
    names: tuple[str, ...], found: list[tuple[IntArray, float, FloatArray]], items: int, *, low: float = -1.0
) -> Estimate:
    """Coefficients on different items, with their joint error."""
    influence = np.zeros((items, len(names)))
    for j, (on, _, psi) in enumerate(found):
        influence[on, j] = psi
    value = np.array([each for _, each, _ in found])
    df = np.array([max(on.size - 1.0, 1.0) for on, _, _ in found])
    part = Part.from_influence("sampling", influence)
    return never_certain(Estimate(names, value, (part,), df, (low, -low), method=METHOD))


def _on_replacing(apart: Estimate, level: float) -> list[Finding]:
    said = []
    least = detectable(apart.stderr, apart.df, level=level, names=len(apart.names))
    for name, value, p, reach in zip(apart.names, apart.value, apart.stepdown(0.0), least, strict=True):
        if p <= 1 - level:
            turn = "lowers" if value < 0 else "raises"
            text = f"{name} in a person's place {turn} Krippendorff's alpha by {abs(value):.3f} (p = {p:.3g})."
            remedy = "Keep the person." if value < 0 else "Check that it does not merely share the raters' errors."
            severity = Severity.WARNING if value < 0 else Severity.INFO
            said.append(Finding(f"replacing-{turn}-agreement", severity, text, float(value), 0.0, remedy, (name,)))
        elif not reach <= MATTERS:
            text = (
                f"Whether {name} in a person's place changes alpha cannot be told; a change shows with "
                f"{100 * POWER:.0f} % "
            )
            text += f"chance from {reach:.2f} on." if np.isfinite(reach) else "chance only where labels differ."
            remedy = "Let it label more items."
            said.append(Finding("replacing-not-shown", Severity.INFO, text, float(reach), MATTERS, remedy, (name,)))
    return said


def _on_adding(name: str, gain: Estimate, level: float) -> list[Finding]:
    """At which k the judge helps, and at which it harms; and what could not have been seen."""
    said = []
    p = np.nan_to_num(gain.stepdown(0.0), nan=1.0)
    for turn, sign in (("helps", 1), ("harms", -1)):
        at = [k for k, each in enumerate(p) if each <= 1 - level and sign * gain.value[k] > 0]
        if at:
            which = ", ".join(f"{gain.names[k]} ({100 * gain.value[k]:+.1f} %)" for k in at)
            text = f"As one rater more {name} {turn} the majority of k humans at k = {which}."
            remedy = "Add it where people are that few." if sign > 0 else "Leave it out where people are that many."
            severity = Severity.INFO if sign > 0 else Severity.WARNING
            said.append(Finding(f"extra-{turn}", severity, text, float(gain.value[at[0]]), 0.0, remedy, (name,)))
    reach = float(np.max(np.nan_to_num(detectable(gain.stderr, gain.df, level=level, names=len(p)), nan=np.inf)))
    if not said and reach > MATTERS:
        text = (
            f"Whether {name} as one rater more helps cannot be told; a gain shows with {100 * POWER:.0f} % chance from "
        )
        remedy = "Let it label more items that have gold labels."
        said.append(
            Finding("extra-not-shown", Severity.INFO, f"{text}{100 * reach:.1f} % on.", reach, MATTERS, remedy, (name,))
        )
    return said


def _circular() -> Finding:
    return Finding(
        "gold-contains-raters",
        Severity.WARNING,
        "Gold is the majority of the very humans that are chosen from: more of them are nearer to it by construction.",
        1.0,
        0.0,
        "Give gold labels of other people.",
    )
