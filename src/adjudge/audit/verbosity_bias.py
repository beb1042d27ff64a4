"""Does a judge prefer the longer answer for its length, beyond what gold gives it?

    logit P(left) = β_j·(x_l − x_r)/s + γ_j·(2g − 1) + δ_j·first        s = root mean square of the difference
    excess_j = share of verdicts for the longer − the same share of gold,  on the same matches

β is the effect of length beside truth where gold votes exist on the same matches; elsewhere length and quality are
confounded, and it is said so. No constant: told from the other side, nothing changes. Errors are summed by item.

Zheng, Chiang, Sheng et al. (2023); Dubois, Galambosi, Liang, et al. (2024); Liang, Zeger (1986).
Limits: gold that is noisy controls for less than all of quality.
A judge whom gold, order and length explain without error has no finite β: NaN.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.certain import never_certain
from ..stats.power import POWER, detectable
from ..tables.comparisons import Comparisons
from ._judge_votes import Votes, beside, share, votes

METHOD = "audit.verbosity_bias"
SMALL = 0.3  # log-odds per standard deviation of length that a powerful audit should see

CARD = Card(
    answers="Does a judge prefer the longer answer for its length, beyond what gold gives it?",
    equation="logit P(left) = β_j·Δ/s + γ_j·(2g − 1) + δ_j·first;   excess_j = longer_j − longer_gold",
    papers=(
        Paper(
            "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
            "Zheng, Chiang, Sheng et al.",
            2023,
            "NeurIPS Datasets and Benchmarks",
            "https://arxiv.org/abs/2306.05685",
            "Section 3.3",
        ),
        Paper(
            "Length-Controlled AlpacaEval: A Simple Way to Debias Automatic Evaluators",
            "Dubois, Galambosi, Liang, et al.",
            2024,
            "arXiv:2404.04475",
            "https://arxiv.org/abs/2404.04475",
            "§3",
        ),
    ),
    needs=("left", "right", "outcome", "covariates", "match"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "Beside gold, nothing that goes with length should move a judge.",
        "Length moves the log-odds in proportion to its difference.",
    ),
    limits=(
        "Without gold on the same matches, length and quality are confounded.",
        "Noisy gold controls for less than all of quality.",
        "A judge who always agrees with gold gives nothing to fit: no effect can be told.",
        "A judge who errs at random has an excess too, towards ½: only the effect tells length from chance.",
    ),
    when="Before verdicts on answers of different length are used; ranking.length_controlled takes the effect out.",
    unit="log-odds per standard deviation of length",
)


def check(table: Comparisons, *, level: float = 0.95, length: str = "") -> Audit:
    """Measures what length does to each judge's verdicts.

    Arguments:
        table: votes; raters whose votes are not trusted are the judges.
        level: 1 − the chance of naming any judge without cause, in (0, 1).
        length: name of the covariate that holds the difference of length; empty if there is only one.

    Errors: a level outside (0, 1); no such covariate.

    Returns findings, and by judge the figures `effect` (β), `longer` (share of decisive verdicts for the longer
    answer), and with gold `longer_gold` and `excess`, both on the matches that gold decides.

    >>> from adjudge.sim.leagues import League
    >>> votes = League(policies=3, spread=0, votes=500, length=1.0, raters=1).draw(0).comparisons
    >>> [finding.code for finding in check(votes).findings]
    ['prefers-longer', 'length-confounded']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"verbosity_bias: level is {level}.", "0 < level < 1.", "Change it.")
    found, x = _usable(votes(table), _column(table, length))
    if not x.size or not np.any(x):
        return Audit((_nothing(),), {})
    gold = np.isfinite(found.gold)
    fitted = gold if gold.any() else ~gold
    figures = {"effect": _effect(found, x, fitted)}
    longer = np.where(x > 0, found.won, 1 - found.won)
    rows = np.flatnonzero(found.decided & (x != 0))
    figures["longer"] = share(found, rows, longer[rows], np.ones(rows.size), method=METHOD)
    rows = rows[gold[rows] & (found.gold[rows] != 0.5)]
    if rows.size:
        truth, sure = np.where(x > 0, found.gold > 0.5, found.gold < 0.5)[rows].astype(float), np.ones(rows.size)
        figures["longer_gold"] = share(found, rows, truth, sure, method=METHOD)
        figures["excess"] = never_certain(share(found, rows, longer[rows] - truth, sure, method=METHOD, low=-1.0))
    return Audit(tuple(_told(figures, level, gold)), figures)


def _column(table: Comparisons, length: str) -> int:
    """Position of the covariate that is the length."""
    names = table.covariate_names or tuple(f"covariate {c}" for c in range(table.covariates.shape[1]))
    if length in names:
        return names.index(length)
    if not length and len(names) == 1:
        return 0
    raise AdjudgeError(
        f"verbosity_bias: length is {length!r}; covariates here: {', '.join(names) or 'none'}.",
        "The name of a covariate that holds the difference of length, left − right.",
        "Give the table such a covariate and name it in length=.",
    )


def _usable(found: Votes, column: int) -> tuple[Votes, FloatArray]:
    """Votes on answers whose lengths are known, and the differences in length."""
    x = found.covariates[:, column]
    rows = np.flatnonzero(np.isfinite(x))
    by_row = ("judge", "match", "unit", "side", "first", "covariates", "gold", "weight")
    return replace(found, **{name: getattr(found, name)[rows] for name in by_row}), x[rows]


def _effect(found: Votes, x: FloatArray, fitted: BoolArray) -> Estimate:
    """β of each judge; NaN without votes of unequal length, or where all are explained."""
    scale = np.sqrt(found.weight @ x**2 / found.weight.sum())
    return beside(found, x / scale, np.flatnonzero(fitted), [2 * found.gold - 1, found.first], method=METHOD)


def _told(figures: dict[str, Estimate], level: float, gold: BoolArray) -> list[Finding]:
    """Judges whom length moves, what could not have been seen, and what the effect stands beside."""
    effect, longer, said = figures["effect"], figures["longer"], []
    always = _always(figures)
    reach = detectable(effect.stderr, effect.df, level=level, names=len(effect.names))
    each = zip(effect.names, effect.value, effect.stepdown(), reach, longer.value, strict=True)
    for at, (name, beta, p, least, share_longer) in enumerate(each):
        if p <= 1 - level:
            beside = _beside(figures, at) if gold.any() else "; quality is not controlled for"
            said.append(_prefers(name, float(beta), float(p), level, float(share_longer), beside))
        elif always[at] <= 1 - level:
            said.append(_only(name, float(share_longer), float(always[at]), level))
        elif not least <= SMALL:
            said.append(_weak(name, float(beta), float(least)))
    if not gold.all():
        said.append(_confounded(gold))
    return said


def _always(figures: dict[str, Estimate]) -> FloatArray:
    """[j] p-values, over all judges, of those who look at length alone, so that β is not finite; NaN for others.

    Beside gold: gold gives the longer answer the same share; without gold: it wins half the time.
    """
    longer = figures["longer"]
    chance = figures["excess"].stepdown() if "excess" in figures else longer.stepdown(0.5)
    return np.where((longer.value == 0) | (longer.value == 1), chance, np.nan)


def _beside(figures: dict[str, Estimate], at: int) -> str:
    """What gold gives the longer answer on the same matches."""
    if "excess" not in figures or not np.isfinite(figures["excess"].value[at]):
        return ""
    return f", {100 * figures['excess'].value[at]:+.1f} points beside gold"


def _prefers(name: str, beta: float, p: float, level: float, longer: float, beside: str) -> Finding:
    return Finding(
        f"prefers-{'longer' if beta > 0 else 'shorter'}",
        Severity.WARNING,
        f"{name}: a standard deviation more of length moves the log-odds of winning by {beta:+.2f} ({p_text(p)}); "
        f"{100 * longer:.1f} % of its verdicts go to the longer answer{beside}.",
        p,
        1 - level,
        "Control for length (ranking.length_controlled, or a covariate of ranking.bradley_terry), or rely on gold.",
        (name,),
    )


def _only(name: str, longer: float, p: float, level: float) -> Finding:
    which = "longer" if longer == 1 else "shorter"
    return Finding(
        f"prefers-{which}",
        Severity.WARNING,
        f"{name} always takes the {which} answer ({p_text(p)}): its verdicts tell lengths apart and nothing else.",
        p,
        1 - level,
        "Do not use this judge.",
        (name,),
    )


def _weak(name: str, beta: float, least: float) -> Finding:
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {least:.2f} on" if np.isfinite(least) else "cannot be seen"
    )
    return Finding(
        "verbosity-bias-not-shown",
        Severity.INFO,
        f"{name}: a standard deviation more of length moves the log-odds of winning by {beta:+.2f}; an effect {seen}."
        if np.isfinite(beta)
        else f"{name}: all its verdicts are told by gold, order and length together, so that no effect can be given.",
        least,
        SMALL,
        "For smaller effects judge more items, of more different length.",
        (name,),
    )


def _confounded(gold: BoolArray) -> Finding:
    known = float(gold.mean())
    what = "the effect of length rests on those alone" if gold.any() else "length and quality are confounded"
    return Finding(
        "length-confounded",
        Severity.INFO,
        f"{100 * known:.1f} % of the verdicts stand beside a gold verdict on the same match: {what}.",
        known,
        1,
        "Label more of the matches with trusted votes.",
    )


def _nothing() -> Finding:
    return Finding(
        "length-unknown",
        Severity.INFO,
        "No judge has voted on answers of different, known length: nothing can be said about verbosity bias.",
        0,
        1,
        "Give the difference of length as a covariate.",
    )
