"""Does the order in which two answers are shown decide a judge's verdict?

    first_j = share of decisive verdicts for the answer shown first                     ½ without bias
    a, b = verdict for one answer when it is shown first, second;   flips_j = mean a(1−b) + (1−a)b
    δ_j = ½ log( (Σ a(1−b) + ½) / (Σ (1−a)b + ½) )                  log-odds of being shown first, McNemar's pairs

Zheng, Chiang, Sheng et al. (2023); Wang, Li, Chen, et al. (2024). Errors are summed by item; all judges at once.
Limits: a judge who never flips has first = ½ where both orders were judged; δ → ±∞ if all flips go one way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.cluster import group_sums
from ..stats.power import POWER, detectable
from ..tables.comparisons import Comparisons
from ._judge_votes import Votes, joint, share, votes

METHOD = "audit.position_bias"
SMALL = 0.05  # a lean of the share from ½ that a powerful audit should see

CARD = Card(
    answers="Does the order in which two answers are shown decide a judge's verdict?",
    equation="first_j = share of verdicts for the first;   flips_j = mean a(1−b) + (1−a)b;   δ_j = ½ log(F/S)",
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
            "Large Language Models are not Fair Evaluators",
            "Wang, Li, Chen, et al.",
            2024,
            "ACL",
            "https://arxiv.org/abs/2305.17926",
            "conflict rate",
        ),
    ),
    needs=("left", "right", "outcome", "first", "match"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "Where only one order was judged, it was drawn at random: better answers are not shown first more often.",
    ),
    limits=(
        "Flips, the accuracies and the order effect need matches that a judge decided in both orders.",
        "A flip is order or chance: a judge who tosses a coin flips half the time without leaning either way.",
    ),
    when="Before a judge's pairwise verdicts are used; where it flips, ask in both orders and count flips as ties.",
    unit="share of verdicts",
)


def check(table: Comparisons, *, level: float = 0.95, threshold: float = 0.25) -> Audit:
    """Measures what the order of showing does to each judge's verdicts.

    Arguments:
        table: votes; raters whose votes are not trusted are the judges.
        level: 1 − the chance of naming any judge without cause, for flips and for leaning each, in (0, 1).
        threshold: flip rate above which verdicts are called order-driven, in (0, 1).

    Errors: a level or threshold outside (0, 1).

    Returns findings, and by judge the figures `first`, `flips`, `flips_first` (share of flips towards the first),
    `order` (δ, log-odds), with gold also `accuracy` (mean of both orders) and `accuracy_both` (right in both), and
    with two judges or more `differences` of the flip rates, earlier name − later name.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> import numpy as np
    >>> n = np.zeros(202, int)
    >>> order = np.tile([1.0, -1.0], 101)  # each pair in both orders; the judge always takes the first
    >>> told = check(from_arrays(n, n + 1, (order + 1) / 2, match=np.arange(202) // 2, item=np.arange(202) // 2,
    ...                          first=order))
    >>> [finding.code for finding in told.findings], told.figures["flips"].value.tolist()
    (['order-driven', 'prefers-first'], [1.0])
    """
    if not 0 < level < 1 or not 0 < threshold < 1:
        raise AdjudgeError(
            f"position_bias: level {level}, threshold {threshold}.", "Both inside (0, 1).", "Change them."
        )
    found = votes(table)
    rows = np.flatnonzero(found.decided & (found.first != 0))
    if not rows.size:
        return Audit((_nothing(),), {})
    for_first = np.where(found.first > 0, found.won, 1 - found.won)[rows]
    figures = {"first": share(found, rows, for_first, np.ones(rows.size), method=METHOD)}
    figures |= _both(_paired(found))
    return Audit(tuple(_told(figures, level, threshold)), figures)


def _paired(found: Votes) -> Votes:
    """One row for each match that a judge decided in both orders: `side` is a, `first` is b."""
    j, used = len(found.judges), found.decided & (found.first != 0)
    _, at, key = np.unique(found.match * j + found.judge, return_index=True, return_inverse=True)
    sums = [
        group_sums(key.ravel(), found.weight * each * used, at.size)
        for order in (found.first > 0, found.first < 0)
        for each in (order.astype(float), order * found.won)
    ]
    keep = (sums[0] > 0) & (sums[2] > 0)
    at, (n_1, won_1, n_2, won_2) = at[keep], (each[keep] for each in sums)
    return replace(
        found,
        judge=found.judge[at],
        match=found.match[at],
        unit=found.unit[at],
        side=won_1 / n_1,
        first=won_2 / n_2,
        covariates=found.covariates[at],
        gold=found.gold[at],
        weight=(n_1 + n_2) / 2,
    )


def _both(pairs: Votes) -> dict[str, Estimate]:
    """The figures that rest on matches judged in both orders."""
    if not pairs.side.size:
        return {}
    rows, a, b = np.arange(pairs.side.size), pairs.side, pairs.first
    one, other = a * (1 - b), (1 - a) * b
    flips = share(pairs, rows, one + other, np.ones(rows.size), method=METHOD)
    figures = {
        "flips": flips,
        "flips_first": share(pairs, rows, one, one + other, method=METHOD),
        "order": _order(pairs),
    }
    if 1 < len(pairs.judges) <= 100:
        figures["differences"] = flips.differences()
    known = np.flatnonzero(np.isfinite(pairs.gold) & (pairs.gold != 0.5))
    if known.size:
        good = pairs.gold[known] > 0.5
        a, b, sure = a[known], b[known], np.ones(known.size)
        right = np.where(good, (a + b) / 2, 1 - (a + b) / 2)
        figures["accuracy"] = share(pairs, known, right, sure, method=METHOD)
        figures["accuracy_both"] = share(pairs, known, np.where(good, a * b, (1 - a) * (1 - b)), sure, method=METHOD)
    return figures


def _order(pairs: Votes) -> Estimate:
    """δ of each judge from its flips; the error is NaN where they all go one way."""
    j, w = len(pairs.judges), pairs.weight
    one, other = pairs.side * (1 - pairs.first), (1 - pairs.side) * pairs.first
    F, S = (group_sums(pairs.judge, w * each, j) for each in (one, other))
    with np.errstate(invalid="ignore", divide="ignore"):
        size = [np.sqrt(each * (each + 0.5)) for each in (F, S)]  # a flip's share of 1/(F + ½), the half put back
        psi = w * (one / size[0][pairs.judge] - other / size[1][pairs.judge]) / 2
    covariance, units, effective, _ = joint(pairs, np.arange(w.size), np.nan_to_num(psi), w)
    lost = (F == 0) | (S == 0)
    covariance = np.where(lost[:, None] | lost, np.nan, covariance)
    value = np.where(F + S > 0, 0.5 * np.log((F + 0.5) / (S + 0.5)), np.nan)
    part = Part("sampling", covariance, int(units.max(initial=0)))
    return Estimate(pairs.judges, value, (part,), np.maximum(effective - 1.0, 1.0), method=METHOD)


def _told(figures: dict[str, Estimate], level: float, threshold: float) -> list[Finding]:
    """Judges whose verdicts are order-driven, those who lean, and what could not have been seen."""
    first, said = figures["first"], []
    if flips := figures.get("flips"):
        least = flips.simultaneous(level)[:, 0]
        for name, rate, low in zip(flips.names, flips.value, least, strict=True):
            if low > threshold:
                said.append(_driven(name, float(rate), float(low), threshold))
    else:
        said.append(_one_order())
    reach = detectable(first.stderr, first.df, level=level, names=len(first.names))
    for name, rate, p, least in zip(first.names, first.value, first.stepdown(0.5), reach, strict=True):
        if p <= 1 - level:
            said.append(_leans(name, float(rate), float(p), level))
        elif not least <= SMALL:
            said.append(_weak(name, float(rate), float(least)))
    return said


def _driven(name: str, rate: float, low: float, threshold: float) -> Finding:
    return Finding(
        "order-driven",
        Severity.SEVERE,
        f"{name} changes its verdict in {100 * rate:.1f} % of matches when the answers change places "
        f"(at least {100 * low:.1f} %, all judges taken together; threshold {100 * threshold:.0f} %).",
        rate,
        threshold,
        "Do not use single verdicts of this judge: ask in both orders and count a flip as a tie, or take another.",
        (name,),
    )


def _leans(name: str, rate: float, p: float, level: float) -> Finding:
    to = "first" if rate > 0.5 else "second"
    return Finding(
        f"prefers-{to}",
        Severity.WARNING,
        f"{name} gives {100 * rate:.1f} % of its decisive verdicts to the answer shown first (50 % without bias; "
        f"{p_text(p)}).",
        p,
        1 - level,
        "Judge each match in both orders, or draw the order at random and model it.",
        (name,),
    )


def _weak(name: str, rate: float, least: float) -> Finding:
    seen = (
        f"would be seen with {100 * POWER:.0f} % chance from {100 * least:.1f} % on"
        if least <= 0.5
        else "could not be seen"
    )
    return Finding(
        "position-bias-not-shown",
        Severity.INFO,
        f"{name} gives {100 * rate:.1f} % of its decisive verdicts to the first answer; a lean away from 50 % {seen}.",
        least,
        SMALL,
        "For smaller leans judge more items, each in both orders.",
        (name,),
    )


def _one_order() -> Finding:
    return Finding(
        "one-order-only",
        Severity.INFO,
        "No judge decided a match in both orders: flips cannot be counted, and the share for the first is free of "
        "quality only if the order was drawn at random.",
        0,
        1,
        "Judge some matches again with the answers swapped.",
    )


def _nothing() -> Finding:
    return Finding(
        "order-unknown",
        Severity.INFO,
        "No judge's decisive verdict says which answer was shown first: nothing can be said about position bias.",
        0,
        1,
        "Record the order of showing with each verdict.",
    )
