"""How good is a judge on JudgerBench: right by people's votes, of one mind with a strong judge, readable, unswayed?

    accuracy_j = share of replies that give the trusted verdict; a reply that cannot be read is wrong
    correlation_j = mean over benchmarks of r(Σ reference verdicts of a model, Σ the judge's),  r over the models
    consistency_j = share of pairs judged in both orders whose two verdicts name the same answer

Cao, Lam, Duan et al. (2024), §4: the arena part holds judges against people, the benchmark part against a reference
judge's verdicts on AlignBench, AlpacaEval, Arena-Hard, WildBench and FoFo. Errors are by question, over all judges.
Limits: a judge that agrees with the reference agrees with its faults too; two models have no correlation (NaN here, ±1
as published).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.certain import never_certain
from ..stats.scored_means import scored_means, unknown
from ._judger_file import FORMAT, Answers, load

__all__ = ["CARD", "Answers", "load", "score"]

METHOD = "suites.judger_bench"

CARD = Card(
    answers="How good is a judge by people's votes and by a reference judge, and what do bad format and order cost it?",
    equation="accuracy = share of trusted verdicts given;   correlation = mean_b r_models(Σ reference, Σ judge)",
    papers=(
        Paper(
            "CompassJudger-1: All-in-one Judge Model Helps Model Evaluation and Evolution",
            "Cao, Lam, Duan et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2410.16256",
            "§4",
        ),
    ),
    needs=("prediction", "gold"),
    assumes=("Questions are independent.", "People's votes, and the reference judge's verdicts, are what is wanted."),
    limits=(
        "Agreement with a reference judge is agreement with its faults too: compare with the arena part.",
        "Models are taken as given: with few models a correlation says little, whatever its interval.",
    ),
    when="To choose a judge for benchmarks that others run with a strong judge; audit.agreement takes your own labels.",
    unit="share of trusted verdicts",
    rows=(107,),
)


def score(answers: Answers, *, threshold: float = 0.05) -> Estimate:
    """Accuracy of each judge by people's votes; by the reference judge where there are no votes.

    Arguments:
        answers: what judges said.
        threshold: share of unreadable replies from which on a finding tells, in (0, 1).

    Figures, by judge: `arena`, `benchmark` (accuracies of the two parts), `PART` (accuracy of each category or
    benchmark), `correlation`, `unreadable` (share of replies), `read` (accuracy of readable replies), `consistency`,
    and of the arena `read and unswayed` (accuracy where both orders name the same answer).

    Errors: no rows; a threshold outside (0, 1).

    >>> n = np.arange(40)
    >>> gold = np.where(n % 2 == 0, 1.0, -1.0)
    >>> said = np.where(n % 4 == 0, np.nan, gold)
    >>> table = Answers(("j",), ("en",), (), 0 * n, 0 * n, n >= 0, 0 * n - 1, n // 2, n // 2, said, gold, gold < 0)
    >>> found = score(table)
    >>> found.value.tolist(), found.figures["unreadable"].value.tolist(), found.figures["read"].value.tolist()
    ([0.75], [0.25], [1.0])
    """
    if not answers.said.size or not 0 < threshold < 1:
        raise AdjudgeError(
            f"judger_bench: {answers.said.size} replies, threshold {threshold}.",
            "One reply at least, and a threshold inside (0, 1).",
            "Read the results again, or say threshold=0.05.",
        )
    right, readable = (answers.said == answers.gold).astype(float), np.isfinite(answers.said)
    everything, bench = np.ones(answers.said.size, dtype=bool), ~answers.arena
    figures: dict[str, Estimate] = {}
    for name, rows in (("arena", answers.arena), ("benchmark", bench)):
        if rows.any():
            figures[name] = _share(answers, rows, right)
    for at, part in enumerate(answers.parts):
        figures[part] = _share(answers, answers.part == at, right)
    figures["unreadable"] = _share(answers, everything, 1.0 - readable)
    if readable.any():
        figures["read"] = _share(answers, readable, right)
    if bench.any():
        figures["correlation"] = _correlation(answers, bench)
    figures |= _orders(answers, right)
    found = figures["arena" if answers.arena.any() else "benchmark"]
    told = (*unknown(found), *_told(figures, threshold))
    return replace(found, figures=figures, findings=(*found.findings, *told))


def _share(answers: Answers, rows: BoolArray, x: FloatArray) -> Estimate:
    """Mean of [n] values over some rows by judge, errors by question."""
    return _means(answers.judges, answers.question[rows], answers.judge[rows], x[rows])


def _means(judges: tuple[str, ...], unit: IntArray, judge: IntArray, x: FloatArray) -> Estimate:
    on, code = np.unique(judge, return_inverse=True)
    names = tuple(judges[j] for j in on)
    found = scored_means(names, unit, code.astype(np.int64).ravel(), x, np.ones(x.size), bounds=(0.0, 1.0))
    return replace(found, method=METHOD)


def _orders(answers: Answers, right: FloatArray) -> dict[str, Estimate]:
    """Figures of the pairs that a judge read in both orders."""
    paired = ~np.isin(answers.part, [at for at, part in enumerate(answers.parts) if part in FORMAT])
    rows = np.flatnonzero(paired & np.isfinite(answers.said))
    told = np.where(answers.swapped, -answers.said, answers.said)[rows]
    _, at, key = np.unique(
        answers.pair[rows] * len(answers.judges) + answers.judge[rows], return_index=True, return_inverse=True
    )
    turned = answers.swapped[rows].astype(float)
    sides = []
    for side in (1.0 - turned, turned):
        n = np.bincount(key.ravel(), side, minlength=at.size)
        with np.errstate(invalid="ignore"):
            sides.append(np.bincount(key.ravel(), side * told, minlength=at.size) / n)
    both = np.isfinite(sides[0] + sides[1])
    if not both.any():
        return {}
    one = rows[at[both]]
    same = np.sign(sides[0][both]) == np.sign(sides[1][both])
    unit, judge = answers.question[one], answers.judge[one]
    figures = {"consistency": _means(answers.judges, unit, judge, same.astype(float))}
    if (firm := same & answers.arena[one]).any():
        figures["read and unswayed"] = _means(answers.judges, unit[firm], judge[firm], right[one][firm])
    return figures


def _correlation(answers: Answers, bench: BoolArray) -> Estimate:
    """Mean over benchmarks of r between the models' sums; errors by leaving questions out."""
    j, q = len(answers.judges), int(answers.question.max()) + 1
    value, psi = np.zeros((j, len(answers.parts))), np.zeros((len(answers.parts), q, j))
    sign = np.where(answers.swapped, -1.0, 1.0)
    for part in range(len(answers.parts)):
        for judge in range(j):
            rows = np.flatnonzero(bench & (answers.part == part) & (answers.judge == judge))
            verdicts = np.array([sign * answers.gold, sign * np.nan_to_num(answers.said)])[:, rows]
            value[judge, part], psi[part, :, judge] = _models(verdicts, answers.model[rows], answers.question[rows], q)
    known = np.isfinite(value)
    many = known.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, value, 0.0).sum(axis=1) / np.where(many > 0, many, np.nan)
        total = np.where(known.T[:, None], psi, 0.0).sum(axis=0) / many
    units = np.unique(answers.question[bench]).size
    covariance = total.T @ total * (units / max(units - 1, 1)) if units > 1 else np.full((j, j), np.nan)
    part_of = (Part("sampling", covariance, units),)
    df = np.full(j, max(units - 1.0, 1.0))
    return never_certain(Estimate(answers.judges, mean, part_of, df, bounds=(-1.0, 1.0), method=METHOD))


def _models(verdicts: FloatArray, model: IntArray, question: IntArray, q: int) -> tuple[float, FloatArray]:
    """r over models of [2, n] verdicts summed by model, and [q] what each question adds to its error."""
    models, code = np.unique(model, return_inverse=True)
    units, unit = np.unique(question, return_inverse=True)
    psi, m = np.zeros(q), units.size
    if models.size < 3:
        return np.nan, psi
    key = unit.ravel() * models.size + code.ravel()
    sums = np.array([np.bincount(key, row, minlength=m * models.size).reshape(m, models.size) for row in verdicts])
    whole = _r(*sums.sum(axis=1))
    psi[units] = (m - 1) / m * (whole - _r(*(sums.sum(axis=1, keepdims=True) - sums)))
    return float(whole), psi


def _r(x: FloatArray, y: FloatArray) -> FloatArray:
    """[…] correlation along the last axis; NaN where one is constant."""
    x, y = (each - each.mean(axis=-1, keepdims=True) for each in (x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((x * y).sum(axis=-1) / np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1)))


def _told(figures: dict[str, Estimate], threshold: float) -> list[Finding]:
    """Judges whose replies cannot be read, and parts that put another judge first."""
    told, unread = [], figures["unreadable"]
    low = unread.interval()[:, 0]
    for name, share, least in zip(unread.names, unread.value, np.nan_to_num(low), strict=True):
        if share > threshold:
            told.append(_unreadable(name, float(share), float(least), threshold))
    if "arena" in figures and "benchmark" in figures:
        people, reference = (figures[part] for part in ("arena", "benchmark"))
        best = [each.names[int(np.argmax(each.value))] for each in (people, reference)]
        if best[0] != best[1]:
            told.append(_other_best(best[0], best[1], people, reference))
    return told


def _unreadable(name: str, share: float, least: float, threshold: float) -> Finding:
    return Finding(
        "replies-unreadable",
        Severity.WARNING if least > threshold else Severity.INFO,
        f"{100 * share:.1f} % of the replies of {name} cannot be read, and count as wrong.",
        share,
        threshold,
        "Look at them: a repair step or a stricter form may win back most; figure `read` shows how much.",
        (name,),
    )


def _other_best(people: str, reference: str, arena: Estimate, bench: Estimate) -> Finding:
    chance = bench.difference(reference, people).pvalue()[0] if people in bench.names else np.nan
    return Finding(
        "parts-disagree",
        Severity.INFO,
        f"By people's votes {people} is best ({100 * arena.value.max():.1f} %), by the reference judge {reference} "
        f"({100 * bench.value.max():.1f} %; p = {chance:.2g} that the two are equal there).",
        float(chance),
        0.05,
        "Choose by people's votes where people are who the judge stands for.",
        (people, reference),
    )
