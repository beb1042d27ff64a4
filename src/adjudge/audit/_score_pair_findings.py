"""What `audit.score_pair_conflict` says of its figures: who contradicts itself, and what could not have been seen."""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..reports.numbers import p_text

POWER = 0.8
SMALL = 0.05  # a share of contradictions that a powerful audit should see


def told(figures: dict[str, Estimate], level: float, threshold: float) -> list[Finding]:
    """Judges that contradict themselves, and what could not have been seen."""
    said = []
    for name, make in (("reversal", _against_scores), ("sets_3", _intransitive)):
        if name not in figures:
            continue
        found = figures[name]
        low = found.simultaneous(level)[:, 0]
        reach = special.stdtrit(found.df, 1 - (1 - level) / (2 * len(found.names))) + special.ndtri(POWER)
        rows = zip(found.names, found.value, low, reach * _error(found, threshold), strict=True)
        for judge, value, least, far in rows:
            if least > threshold:
                said.append(make(judge, float(value), float(least), threshold))
            elif not far <= SMALL:
                said.append(_weak(judge, name, float(value), float(far), threshold))
    if "excess" in figures:
        excess, noise = figures["excess"], figures["noise"]
        for judge, more, mean, p in zip(excess.names, excess.value, noise.value, excess.stepdown(), strict=True):
            if more > 0 and p <= 1 - level:
                said.append(_beyond(judge, float(more), float(mean), float(p), level))
    return said


def _error(found: Estimate, threshold: float) -> FloatArray:
    """[k] standard error of a share at the threshold: the one seen, or that of its units where nothing was."""
    within = np.sqrt(threshold * (1 - threshold) / (found.df + 1.0))
    return np.where(found.stderr == 0, within, found.stderr)


def _against_scores(name: str, rate: float, low: float, threshold: float) -> Finding:
    return Finding(
        "scores-contradict-verdicts",
        Severity.WARNING,
        f"{name} prefers the answer that it scored lower in {100 * rate:.1f} % of pairs (at least {100 * low:.1f} %, "
        f"all judges taken together; threshold {100 * threshold:.0f} %).",
        rate,
        threshold,
        "Do not let its scores stand in for its verdicts: use judges.expected_score and judges.likelihood_pair.",
        (name,),
    )


def _intransitive(name: str, rate: float, low: float, threshold: float) -> Finding:
    return Finding(
        "verdicts-intransitive",
        Severity.WARNING,
        f"{name} contradicts itself on {100 * rate:.1f} % of sets of three answers: no ranking, ties allowed, gives "
        "its three "
        f"verdicts (at least {100 * low:.1f} %, all judges taken together; threshold {100 * threshold:.0f} %).",
        rate,
        threshold,
        "Ask in both orders by judges.likelihood_pair, or rank answers by ranking.bradley_terry over many verdicts.",
        (name,),
    )


def _beyond(name: str, more: float, mean: float, p: float, level: float) -> Finding:
    return Finding(
        "intransitive-beyond-noise",
        Severity.WARNING,
        f"{name} contradicts itself on {100 * more:.1f} % more of the sets of three than independent verdicts with the "
        f"same scores would ({100 * mean:.1f} %; {p_text(p)}).",
        p,
        1 - level,
        "More samples will not mend it: what it judges by changes from pair to pair; fix the criteria.",
        (name,),
    )


def _weak(name: str, figure: str, rate: float, least: float, threshold: float) -> Finding:
    what = "preferring the lower score" if figure == "reversal" else "contradictions among three verdicts"
    seen = (
        f"a share {100 * least:.1f} % above {100 * threshold:.0f} % would be"
        if least <= 1 - threshold
        else "no share would surely be"
    )
    return Finding(
        f"{'conflict' if figure == 'reversal' else 'intransitivity'}-not-shown",
        Severity.INFO,
        f"{name}: {what} in {100 * rate:.1f} %; with so few items {seen} named with {100 * POWER:.0f} % chance.",
        least,
        SMALL,
        "Judge more items.",
        (name,),
    )


def nothing() -> Finding:
    """There is nothing to count."""
    return Finding(
        "consistency-unknown",
        Severity.INFO,
        "No pair has scores beside its verdict, and no judge decided all pairs of three answers to one item.",
        0,
        1,
        "Score the compared answers too, or compare three answers or more to each prompt in all pairs.",
    )
