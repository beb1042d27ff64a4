"""Does a judge who marks answers right or wrong agree with people, and does it say "right" when it does not know?

    P_c = TPR − FPR                     chance that the judge knows
    P_+ = FPR / (1 − P_c)               chance that it says "right" where it does not: ½ is even-handed
    bias_jp = mean verdict of judge j on the answers of exam-taker p − the same by people

beside percent agreement, Cohen's κ, Scott's π, precision, recall, and the rank correlation of the exam-takers' scores.
Percent agreement flatters where most answers are right; a judge of low κ whose error is the same for all exam-takers
still ranks them well. All errors are by item, judges together.

Thakur, Choudhary, Ramayapally et al. (2024), Judging the Judges, §3 and §6. Limits: P_+ assumes that the judge guesses
alike on right and wrong answers; with few exam-takers the rank correlation has a coarse error.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.agreement import confusion
from ..stats.bootstrap import cluster_weights
from ..stats.power import POWER, detectable
from ..stats.rank_correlation import spearman_rows
from ..tables.ratings import Ratings
from ._marked import Marked, marked

METHOD = "audit.leniency"
DRAWS = 500
HIGH, LOW = 0.8, 0.6  # percent agreement that looks good, kappa that is not
LEAN = 0.1  # of P_+ from one half that a powerful audit should see
SHIFT = 0.05  # of the mean score likewise
MOST = 300  # judge · exam-taker names of which a joint error is kept

CARD = Card(
    answers="Does a judge of right and wrong agree with people beyond chance, and is it lenient when unsure?",
    equation="P_c = TPR − FPR;   P_+ = FPR/(1 − P_c);   bias_jp = mean(judge) − mean(gold) of exam-taker p",
    papers=(
        Paper(
            "Judging the Judges: Evaluating Alignment and Vulnerabilities in LLMs-as-Judges",
            "Thakur, Choudhary, Ramayapally et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2406.12624",
            "Sections 3 and 6",
        ),
        Paper(
            "Reliability of content analysis: the case of nominal scale coding",
            "Scott",
            1955,
            "Public Opinion Quarterly 19(3)",
            "https://doi.org/10.1086/266577",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "Gold labels are a random part of the rows: a label's propensity is not corrected for.",
        "P_+: where the judge does not know, it says right equally often of right and of wrong answers.",
    ),
    limits=(
        "Gold of one class alone leaves κ, P_c and P_+ undefined.",
        "Rank correlation of k exam-takers moves in steps: below about 7 of them read it as a picture.",
    ),
    when="Before right/wrong verdicts of a judge stand in for people's; lexical judges are compared the same way.",
    rows=(71,),
)


def check(ratings: Ratings, *, level: float = 0.95, threshold: float = 0.5, seed: int = 0) -> Audit:
    """Agreement, leniency and score bias of every judge, with intervals by item.

    Arguments:
        ratings: policies are the exam-takers, scores the judges' verdicts, gold people's.
        level: 1 − the chance of naming any judge without cause, for each kind of finding, in (0, 1).
        threshold: least score, and least gold label, that means right.
        seed: of the bootstrap of the rank correlation.

    Errors: a level outside (0, 1); no judge column.

    Returns findings, and by judge the figures `percent`, `kappa`, `pi`, `precision`, `recall`, `knows` (P_c),
    `leniency` (P_+), `bias` (mean score − mean gold), and with two exam-takers or more `bias_by_policy` and
    `rank_correlation` (Spearman's, of their mean scores).

    >>> from adjudge.sim.judging import Judging
    >>> told = check(Judging(items=97, labels=97, outcome="binary").draw(0).ratings)
    >>> sorted(told.figures)[:3]
    ['bias', 'bias_by_policy', 'kappa']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"leniency: level {level}.", "0 < level < 1.", "Change it.")
    found = marked(ratings, threshold, who="leniency")
    both = np.isfinite(found.right)
    if not both.any():
        return Audit((_nothing(),), {})
    figures = _figures(found)
    if len(found.policies) > 1:
        apart = np.where(both, found.yes - found.gold[:, None], np.nan)
        if len(found.policies) * len(found.judges) <= MOST:
            figures["bias_by_policy"] = found.by_policy(apart, low=-1.0)
        figures["rank_correlation"] = _ranks(found, both, seed)
    findings = [*_missing(found), *_flattered(figures, level), *_leaning(figures["leniency"], level)]
    findings += _shifted(figures["bias"], level)
    if "bias_by_policy" in figures:
        findings += _uneven(figures["bias_by_policy"], found, level)
    return Audit(tuple(findings), figures)


def _figures(found: Marked) -> dict[str, Estimate]:
    """Everything that needs no exam-takers."""
    both, gold = np.isfinite(found.right), found.gold[:, None]
    tables = found.cells

    def of(name: str, low: float = -1.0) -> Estimate:
        return confusion.joint(found.judges, tables, getattr(confusion, name), bounds=(low, 1.0), method=METHOD)

    return {
        "percent": found.percent,
        "kappa": of("cohen"),
        "pi": of("scott"),
        "precision": found.share(np.where(both & (found.yes > 0.5), gold, np.nan)),
        "recall": found.share(np.where(both & (gold > 0.5), found.yes, np.nan)),
        "knows": of("knows"),
        "leniency": of("lenient", low=-np.inf),  # a judge worse than chance leaves [0, 1]
        "bias": found.share(np.where(both, found.yes - gold, np.nan), low=-1.0),
    }


def _ranks(found: Marked, both: FloatArray, seed: int) -> Estimate:
    """Spearman's correlation of the exam-takers' scores by each judge with those by people; errors by cluster draws."""
    rng = np.random.default_rng((seed, 7129))
    draws = np.vstack([np.ones(found.units), cluster_weights(found.units, DRAWS, rng)])
    value = np.full((DRAWS + 1, len(found.judges)), np.nan)
    for j in range(len(found.judges)):
        by_judge = found.means(np.where(both[:, j], found.yes[:, j], np.nan), draws)
        by_gold = found.means(np.where(both[:, j], found.gold, np.nan), draws)
        on = np.isfinite(by_judge[0] + by_gold[0])  # every draw weighs every cluster, so that all know the same ones
        if on.sum() > 1:
            value[:, j] = spearman_rows(by_judge[:, on], by_gold[:, on])
    point, drawn = value[0], value[1:]
    known = np.isfinite(drawn).all(axis=0) & np.isfinite(point)
    spread = np.full((point.size, point.size), np.nan)
    if known.any():
        spread[np.ix_(known, known)] = np.cov(drawn[:, known], rowvar=False) + np.eye(int(known.sum())) / DRAWS
    part = Part("sampling", spread, found.units)
    return Estimate(
        found.judges, point, (part,), np.full(point.size, max(found.units - 1, 1)), (-1.0, 1.0), method=METHOD
    )


def _missing(found: Marked) -> list[Finding]:
    """Judges without a verdict on rows that people marked."""
    rows = np.isfinite(found.gold)
    share = np.isnan(found.yes[rows]).mean(axis=0)
    return [
        Finding(
            "verdicts-missing",
            Severity.WARNING,
            f"{name} gave no verdict on {100 * part:.1f} % of the answers that people marked; these are left out.",
            float(part),
            0.0,
            "Ask again for them, or say what a missing verdict counts as.",
            (name,),
        )
        for name, part in zip(found.judges, share, strict=True)
        if part > 0
    ]


def _flattered(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """High percent agreement over a κ that is surely not."""
    names, percent, kappa = figures["percent"].names, figures["percent"].value, figures["kappa"]
    high = kappa.simultaneous(level)[:, 1]
    return [
        Finding(
            "agreement-flatters",
            Severity.WARNING,
            f"{name} agrees with people on {100 * share:.1f} % of answers, but kappa is {value:.2f} (at most "
            f"{top:.2f}): "
            "much of the agreement is what the shares of right answers alone would give.",
            float(value),
            LOW,
            "Report kappa beside percent agreement, and mark more answers of the rarer kind.",
            (name,),
        )
        for name, share, value, top in zip(names, percent, kappa.value, high, strict=True)
        if share >= HIGH and top < LOW
    ]


def _leaning(leniency: Estimate, level: float) -> list[Finding]:
    """Judges who, unsure, say right more or less than half the time; and what could not have been seen."""
    said = []
    least = detectable(leniency.stderr, leniency.df, level=level, names=len(leniency.names))
    for name, value, p, reach in zip(leniency.names, leniency.value, leniency.stepdown(0.5), least, strict=True):
        if p <= 1 - level:
            how, do = ("lenient", "up") if value > 0.5 else ("strict", "down")
            text = f"Where {name} does not know, it says right with chance {value:.2f} (½ is even-handed; p = {p:.3g})."
            remedy = f"Its scores are pushed {do}: calibrate them on people's labels before use."
            said.append(Finding(f"judge-{how}", Severity.WARNING, text, float(value), 0.5, remedy, (name,)))
        elif not reach <= LEAN:
            text = f"No leniency of {name} is shown; it {_seen(reach, 0.5)}."
            remedy = "Mark more answers on which this judge errs."
            said.append(Finding("leniency-not-shown", Severity.INFO, text, float(reach), LEAN, remedy, (name,)))
    return said


def _shifted(bias: Estimate, level: float) -> list[Finding]:
    """Judges whose mean score is not people's; and what could not have been seen."""
    said = []
    least = detectable(bias.stderr, bias.df, level=level, names=len(bias.names))
    for name, value, p, reach in zip(bias.names, bias.value, bias.stepdown(0.0), least, strict=True):
        if p <= 1 - level:
            text = f"{name} scores exam-takers {100 * value:+.1f} % against people on average (p = {p:.3g})."
            remedy = "Correct its scores with labels, for example by value.ppi_plus."
            said.append(Finding("scores-shifted", Severity.WARNING, text, float(value), 0.0, remedy, (name,)))
        elif not reach <= SHIFT:
            text = f"No shift of the scores by {name} is shown; it {_seen(reach, 1.0)}."
            said.append(
                Finding("shift-not-shown", Severity.INFO, text, float(reach), SHIFT, "Mark more answers.", (name,))
            )
    return said


def _uneven(bias: Estimate, found: Marked, level: float) -> list[Finding]:
    """Judges whose shift differs between exam-takers: a common correction cannot mend these."""
    k, said = len(found.policies), []
    for j, name in enumerate(found.judges):
        own = [each for each in bias.names[j * k : (j + 1) * k] if np.isfinite(bias.stderr[bias.index(each)])]
        if len(own) < 2:
            continue
        mine = bias.select(own)
        apart = mine.contrast(np.eye(len(own)) - 1.0 / len(own), own)
        if np.nanmin(apart.stepdown(0.0)) > (1 - level) / len(found.judges):
            continue
        low, high = int(np.argmin(mine.value)), int(np.argmax(mine.value))
        ends = tuple(own[at].removeprefix(f"{name} · ") for at in (low, high))
        said.append(
            Finding(
                "shift-uneven",
                Severity.SEVERE,
                f"{name} shifts scores unevenly: {100 * mine.value[low]:+.1f} % for {ends[0]}, "
                f"{100 * mine.value[high]:+.1f} % for "
                f"{ends[1]}, so that it can put exam-takers in the wrong order.",
                float(np.ptp(mine.value)),
                0.0,
                "Label answers of every exam-taker and correct each by its own labels.",
                (name, *ends),
            )
        )
    return said


def _seen(reach: float, most: float) -> str:
    return (
        f"would be seen with {100 * POWER:.0f} % chance from {100 * reach:.1f} % on"
        if reach <= most
        else "could not be seen"
    )


def _nothing() -> Finding:
    return Finding(
        "gold-absent",
        Severity.INFO,
        "No answer has both a verdict and a gold label: nothing can be said about agreement or leniency.",
        0.0,
        1.0,
        "Let people mark a random part of the answers.",
    )
