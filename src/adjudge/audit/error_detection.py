"""Do detectors find the errors in responses, does a vote of several samples help, and how far does the wording decide?

    recall = TP/(TP + FN),   precision = TP/(TP + FP),   F1 = 2TP/(2TP + FP + FN),   told = recall − alarms
    gain = metric of the majority over samples − metric of a single sample

Kamoi, Das, Lou et al. (2024), Evaluating LLMs at Detecting Errors in LLM Responses. All rows of one response stay
together. Limits: told = 0 is a detector who tosses a coin, whatever its F1: with errors in most responses a coin that
says "error" always has a high F1.
"""

from __future__ import annotations

import numpy as np

from .._typing import IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.detection import METRICS, gains, metric, spreads, voted
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.detections import Detections

METHOD = "audit.error_detection"
SMALL = 0.1  # told apart from chance by less is of little use
SENSITIVE = 0.05  # standard deviation of recall over prompts
HELPS = 0.02  # a change of recall that a vote would have to bring

CARD = Card(
    answers="Do detectors find the errors in responses, and what do votes, wordings and explanations add?",
    equation="recall = TP/(TP + FN);   precision = TP/(TP + FP);   F1;   gain = majority − single",
    papers=(
        Paper(
            "Evaluating LLMs at Detecting Errors in LLM Responses",
            "Kamoi, Das, Lou et al.",
            2024,
            "COLM",
            "https://arxiv.org/abs/2404.03602",
            "§5",
        ),
    ),
    needs=("response", "detector", "verdict", "gold"),
    assumes=("Responses, or clusters of them, are independent.", "The gold label is right."),
    limits=(
        "F1 depends on how many responses hold an error: compare it only on the same responses.",
        "Few prompts make a poor picture of all wordings: their spread has few degrees of freedom.",
    ),
    when="Before a detector is used as a filter or as a critic; audit.agreement for judges who give scores.",
    unit="share",
    rows=(226,),
)


def check(table: Detections, *, level: float = 0.95, enough: float = 0.8, human: str = "") -> Audit:
    """Measures detectors against gold.

    Arguments:
        table: verdicts of detectors.
        level: 1 − the chance of naming any detector without cause, in (0, 1).
        enough: recall, and share of right explanations, below which a detector is named, in (0, 1).
        human: detector that is the ceiling, such as an expert; the others' F1 is held against it.

    Errors: a level or share out of range; no detector of that name.

    Returns findings, and by detector the figures `recall`, `precision`, `f1`, `alarms`, `told` (recall − alarms), each
    metric `by setting`, `recall by category`, with several samples the `gain in` each metric by their majority, with
    several prompts `recall by prompt` and `spread`, with looked-at explanations `explained`, and `below human`.

    >>> from adjudge.tables.detections import detections
    >>> rng, n = np.random.default_rng(0), 401
    >>> gold = rng.random(n) < 0.5
    >>> told = check(detections([f"r{i}" for i in range(n)], ["d"] * n, gold & (rng.random(n) < 0.4), gold))
    >>> [finding.code for finding in told.findings], told.figures["precision"].value.item()
    (['misses-errors'], 1.0)
    """
    if not 0 < level < 1 or not 0 < enough < 1 or (human and human not in table.detectors):
        raise AdjudgeError(
            f"error_detection: level {level}, enough {enough}, human {human!r}.",
            f"0 < level < 1, 0 < enough < 1; detectors: {', '.join(table.detectors[:20])}.",
            "Change them.",
        )
    lost = ~np.isfinite(table.verdict) & (table.weight > 0)
    silent = float(lost.mean()) if lost.size else 0.0
    table = table.take(table.used)
    if not table.response.size:
        return Audit((_nothing(),), {})
    figures = {which: metric(table, table.detector, table.detectors, which, method=METHOD) for which in METRICS}
    figures["told"] = _told_apart(table)
    figures |= _slices(table)
    findings = [*_silent(silent), *_recall(figures["recall"], level, enough), *_chance(figures["told"], level)]
    findings += _votes(table, figures)
    findings += _wordings(table, figures)
    findings += _explanations(table, figures, level, enough)
    if human and len(table.detectors) > 1:
        others = [name for name in table.detectors if name != human]
        W = np.array([[float(n == human) - float(n == other) for n in table.detectors] for other in others])
        figures["below human"] = figures["f1"].contrast(W, others)
    return Audit(tuple(findings), figures)


def _told_apart(table: Detections) -> Estimate:
    """recall − alarms of each detector: what it says of responses with an error beyond those without."""
    j = len(table.detectors)
    names = tuple(f"{name} | {side}" for side in ("clean", "error") for name in table.detectors)
    of = table.detector + j * table.gold[table.response].astype(np.int64)
    unit, w = table.unit[table.response], table.weight
    sides = scored_means(names, unit, of, table.verdict, w, bounds=(0.0, 1.0))
    return sides.contrast(np.column_stack([-np.eye(j), np.eye(j)]), table.detectors)


def _slices(table: Detections) -> dict[str, Estimate]:
    """Metrics by setting, and recall by category."""
    figures = {}
    if len(table.settings) > 1:
        s = len(table.settings)
        names = tuple(f"{d} · {each}" for d in table.detectors for each in table.settings)
        of = table.detector * s + table.setting[table.response]
        for which in METRICS:
            figures[f"{which} by setting"] = metric(table, of, names, which, method=METHOD)
    if table.categories:
        rows, kind = np.nonzero(table.kinds[table.response])
        names = tuple(f"{d} · {each}" for d in table.detectors for each in table.categories)
        group = table.detector[rows] * len(table.categories) + kind
        figures["recall by category"] = metric(table.take(rows), group, names, "recall", method=METHOD)
    return figures


def _recall(found: Estimate, level: float, enough: float) -> list[Finding]:
    return [
        Finding(
            "misses-errors",
            Severity.WARNING,
            f"{name} finds {100 * value:.1f} % of the errors (at most {100 * high:.1f} %, all detectors taken "
            f"together).",
            float(value),
            enough,
            "Do not take its silence for a sound response; let another detector, or a person, look too.",
            (name,),
        )
        for name, value, high in zip(found.names, found.value, found.simultaneous(level)[:, 1], strict=True)
        if high < enough
    ]


def _chance(found: Estimate, level: float) -> list[Finding]:
    said = []
    chance = found.stepdown()
    least = detectable(found.stderr, found.df, level=level, names=len(found.names))
    for name, value, p, seen in zip(found.names, found.value, chance, least, strict=True):
        if not np.isfinite(value) or (p <= 1 - level and value > 0):
            continue
        weak = not seen <= SMALL
        reach = f"from {100 * seen:.1f} % on" if np.isfinite(seen) else "at no size"
        said.append(
            Finding(
                "told-from-chance-unknown" if weak else "no-better-than-chance",
                Severity.INFO if weak else Severity.WARNING,
                f"{name} says error {100 * value:+.1f} % more often where there is one than where there is none "
                f"({p_text(p)})"
                + (
                    f"; a difference would be seen with {100 * POWER:.0f} % chance {reach}."
                    if weak
                    else ": it cannot tell."
                ),
                float(seen if weak else value),
                SMALL,
                "Label more responses." if weak else "Do not use it to detect errors.",
                (name,),
            )
        )
    return said


def _votes(table: Detections, figures: dict[str, Estimate]) -> list[Finding]:
    """What the majority of several samples changes."""
    most = voted(table)
    if most.response.size == table.response.size:
        return []
    for name, gain in gains(table, most, method=METHOD).items():
        figures[f"gain in {name}"] = gain
    said, gain = [], figures["gain in recall"]
    for name, value, (low, high) in zip(gain.names, gain.value, gain.interval(), strict=True):
        if np.isfinite(value) and low < HELPS:
            said.append(
                Finding(
                    "vote-adds-nothing" if high < HELPS else "vote-not-shown-to-help",
                    Severity.INFO,
                    f"The majority of {name}'s samples finds {100 * value:+.1f} % of the errors beyond a single sample "
                    f"({100 * low:+.1f} % to {100 * high:+.1f} %).",
                    float(value),
                    HELPS,
                    "Spend the calls on another wording or another model; or lower the share of samples that is asked.",
                    (name,),
                )
            )
    return said


def _wordings(table: Detections, figures: dict[str, Estimate]) -> list[Finding]:
    """How far the wording of the question decides what is found."""
    P = len(table.prompts)
    if P < 2:
        return []
    names = tuple(f"{d} · {each or 'plain'}" for d in table.detectors for each in table.prompts)
    of: IntArray = table.detector * P + table.prompt
    figures["recall by prompt"] = metric(table, of, names, "recall", method=METHOD)
    figures["spread"] = found = spreads(table, method=METHOD)
    said = []
    for at, name in enumerate(table.detectors):
        over, within = found.value[2 * at : 2 * at + 2]
        if over > SENSITIVE and not over <= within:
            beside = f"; over samples of one wording by {100 * within:.1f} %" if np.isfinite(within) else ""
            said.append(
                Finding(
                    "wording-decides",
                    Severity.WARNING,
                    f"Recall of {name} differs between wordings of the same question with a standard deviation of "
                    f"{100 * over:.1f} %{beside}.",
                    float(over),
                    SENSITIVE,
                    "Choose the wording on labelled responses, and report the results of several.",
                    (name,),
                )
            )
    return said


def _explanations(table: Detections, figures: dict[str, Estimate], level: float, enough: float) -> list[Finding]:
    """How often a found error is the error that is there."""
    rows = np.flatnonzero(np.isfinite(table.explained) & (table.verdict * table.gold[table.response] == 1))
    if not rows.size:
        return []
    unit = table.unit[table.response[rows]]
    figures["explained"] = found = scored_means(
        table.detectors, unit, table.detector[rows], table.explained[rows], table.weight[rows], bounds=(0.0, 1.0)
    )
    return [
        Finding(
            "right-for-wrong-reasons",
            Severity.WARNING,
            f"{name} names the actual error in {100 * value:.1f} % of the errors that it finds (at most "
            f"{100 * high:.1f} %).",
            float(value),
            enough,
            "Do not feed its explanations back to the model that is to correct itself.",
            (name,),
        )
        for name, value, high in zip(found.names, found.value, found.simultaneous(level)[:, 1], strict=True)
        if high < enough
    ]


def _silent(share: float) -> list[Finding]:
    if share == 0:
        return []
    return [
        Finding(
            "verdicts-missing",
            Severity.WARNING if share > 0.05 else Severity.INFO,
            f"{100 * share:.1f} % of the rows have no verdict and are left out.",
            share,
            0.05,
            "Ask again, or count silence as no error found.",
        )
    ]


def _nothing() -> Finding:
    return Finding(
        "no-detections",
        Severity.INFO,
        "No verdict stands beside a gold label: nothing can be said about error detection.",
        0,
        1,
        "Have some responses labelled by people who know.",
    )
