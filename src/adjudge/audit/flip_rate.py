"""How often is a preference label turned round: by known truth, by repeats of the same pair, and by a model of rewards?

    anchors:  f_j = share of decisive votes against the gold verdict, and by where the better answer was shown
    repeats:  E s_i s_j = c_i c_j for two votes on one pair, c = 1 − 2ε;  one rate: ε = (1 − √(1 − 2D))/2
    order:    both first = f_2(1 − f_1),  both second = f_1(1 − f_2)   of pairs judged in both orders by one judge
    model:    P(y = 1|x) = ε_j + (1 − 2ε_j)·σ(x·θ),  x: who is compared, and the covariates

What each can see differs. Anchors see every error that gold does not share. Repeats see only errors that are made
independently: where all judges fall for the same thing they agree, and the rate is a lower bound. The model sees only
what is too clear to be lost so often, and calls it a flip; hard pairs are none. Where two of them differ, that is a
finding, and where none of them tells a rate, that is one too.

Dawid, Skene (1979); Raykar, Yu, Zhao et al. (2010); Ray Chowdhury, Kini, Natarajan (2024) for what the rate is needed
for. Limits: ties are no flips; one vote a pair without gold leaves the model alone; repeats tell two judges' rates
together only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..reports.numbers import p_text
from ..stats.flips import mixture, repeats
from ..tables.comparisons import Comparisons
from ._judge_votes import Votes, share, votes

METHOD = "audit.flip_rate"
PANEL = 12  # judges up to which each gets a rate of its own from repeats and from the model
POLICIES = 40  # policies up to which the model gives each a reward
CELLS = 20_000_000  # votes times parameters up to which the model is fitted: they are held at once
ALL = ("all judges",)
ORDERS = ("better shown first", "better shown second")

CARD = Card(
    answers="How often is a preference label turned round, as far as gold, repeats and rewards can tell?",
    equation="f = share against gold;   ε = (1 − √(1 − 2D))/2;   P(y = 1|x) = ε + (1 − 2ε)·σ(x·θ)",
    papers=(
        Paper(
            "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
            "Dawid, Skene",
            1979,
            "J. R. Stat. Soc. C 28(1)",
            "https://doi.org/10.2307/2346806",
        ),
        Paper(
            "Learning From Crowds",
            "Raykar, Yu, Zhao et al.",
            2010,
            "JMLR 11",
            "https://www.jmlr.org/papers/v11/raykar10a.html",
            "Section 2",
        ),
        Paper(
            "Provably Robust DPO: Aligning Language Models with Noisy Feedback",
            "Ray Chowdhury, Kini, Natarajan",
            2024,
            "ICML",
            "https://arxiv.org/abs/2403.00409",
            "Section 3",
        ),
    ),
    needs=("left", "right", "outcome", "rater", "match"),
    assumes=(
        "Items, or clusters of them, are independent.",
        "Repeats: given the truth, votes on a pair err independently, and alike on all pairs.",
        "Model: rewards are linear in policies and covariates.",
    ),
    limits=(
        "Repeats give a lower bound where judges share errors or rates vary by pair; gold shows the rest.",
        "The model tells a rate only where some pairs are clear, and is left out of very large tables.",
    ),
    when="Before labels train a reward or a policy: the rate goes into the objective as `flip`.",
    unit="share of labels",
)


def check(table: Comparisons, *, level: float = 0.95, threshold: float = 0.25) -> Audit:
    """Flip rates of preference labels from every source that the table has, and what the sources cannot tell.

    Arguments:
        table: votes; those that are trusted are the gold, all others are judged.
        level: 1 − the chance of naming any judge without cause, for each kind of finding, in (0, 1).
        threshold: flip rate above which labels are called noisy, in (0, 0.5).

    Errors: a level outside (0, 1) or a threshold outside (0, 0.5).

    Returns findings, and where the table has them the figures `anchors` and `anchors_order` (by judge), `repeats` (one
    rate), `repeats_by_judge`, `repeats_order` (votes of the same judge on a pair in both orders) and `model` (by
    judge).

    >>> from adjudge.tables.comparisons import from_arrays
    >>> match = np.repeat(np.arange(152), 2)
    >>> outcome = np.where(np.arange(304) % 8 == 1, 0.0, 1.0)  # a quarter of pairs got two different votes
    >>> told = check(from_arrays(0 * match, 0 * match + 1, outcome, match=match, item=match))
    >>> told.figures["repeats"].value.round(3).tolist()
    [0.146]
    """
    if not 0 < level < 1 or not 0 < threshold < 0.5:
        raise AdjudgeError(
            f"flip_rate: level {level}, threshold {threshold}.",
            "Level in (0, 1), threshold in (0, 0.5).",
            "Change them.",
        )
    found = votes(table)
    figures = _anchors(found) | _repeats(found) | _model(found, _features(table))
    return Audit(tuple(_told(figures, level, threshold)), figures)


def _anchors(found: Votes) -> dict[str, Estimate]:
    """Shares of decisive votes against gold."""
    rows = np.flatnonzero(found.decided & np.isfinite(found.gold) & (found.gold != 0.5))
    if not rows.size:
        return {}
    good = found.gold > 0.5
    wrong = ((found.won > 0.5) != good).astype(float)
    figures = {"anchors": share(found, rows, wrong[rows], np.ones(rows.size), method=METHOD)}
    rows = rows[found.first[rows] != 0]
    if rows.size:
        behind = (found.first > 0) != good
        names = tuple(f"{judge}, {order}" for judge in found.judges for order in ORDERS)
        split = replace(found, judges=names, judge=2 * found.judge + behind)
        figures["anchors_order"] = share(split, rows, wrong[rows], np.ones(rows.size), method=METHOD)
    return figures


def _repeats(found: Votes) -> dict[str, Estimate]:
    """Rates from votes on the same pair."""
    rows = np.flatnonzero(found.decided)
    match, judge, unit, weight = found.match[rows], found.judge[rows], found.unit[rows], found.weight[rows]
    sign = 2 * found.won[rows] - 1
    if not np.any(np.bincount(match, minlength=1) > 1):
        return {}
    figures = {"repeats": repeats.rates(match, sign, 0 * judge, unit, weight, names=ALL, method=METHOD)}
    if 1 < len(found.judges) <= PANEL:
        figures["repeats_by_judge"] = repeats.rates(match, sign, judge, unit, weight, names=found.judges, method=METHOD)
    picked = np.where(found.first[rows] > 0, found.won[rows], 1 - found.won[rows])
    own = match * len(found.judges) + judge
    order = repeats.by_order(own, found.first[rows], picked, unit, weight, method=METHOD)
    if np.isfinite(order.value).all():
        figures["repeats_order"] = order
    return figures


def _features(table: Comparisons) -> FloatArray:
    """[n, d] who is compared and the covariates, of the rows and from the sides that `votes` takes."""
    told = table.swapped(table.left > table.right)
    told = told.take(told.known & ~told.trusted)
    columns = [np.nan_to_num(told.covariates)]
    if table.k <= POLICIES:
        who = np.arange(1, table.k)  # the first policy is 0
        columns.append((told.left[:, None] == who).astype(float) - (told.right[:, None] == who))
    X = np.hstack(columns)
    scale = np.sqrt((X**2).mean(axis=0)) if X.size else np.ones(X.shape[1])
    return np.asarray(X[:, scale > 0] / scale[scale > 0])


def _model(found: Votes, X: FloatArray) -> dict[str, Estimate]:
    """Rates from a model of rewards, by judge where there are few."""
    rows = np.flatnonzero(found.decided)
    apart = len(found.judges) <= PANEL
    if not rows.size or not X.shape[1] or rows.size * (X.shape[1] + len(found.judges) * apart) > CELLS:
        return {}
    judge: IntArray = found.judge[rows] if apart else 0 * found.judge[rows]
    names = found.judges if apart else ALL
    unit, weight = found.unit[rows], found.weight[rows]
    fitted = mixture.fit(X[rows], found.won[rows], judge, judge, unit, weight, names=names, method=METHOD)
    return {"model": fitted.rates}


def _told(figures: dict[str, Estimate], level: float, threshold: float) -> list[Finding]:
    """Rates that are high, depend on the order, differ between sources, or cannot be told."""
    said: list[Finding] = []
    source = next((each for each in ("anchors", "repeats_by_judge", "repeats") if _known(figures.get(each))), "")
    if source:
        rates = figures[source]
        ends = rates.simultaneous(level)
        for name, rate, (low, high) in zip(rates.names, rates.value, ends, strict=True):
            if low > threshold:
                said.append(_many(name, float(rate), float(low), float(high), threshold, source))
    elif not _known(figures.get("model")):
        said.append(_unknown())
    for order in ("anchors_order", "repeats_order"):
        if order in figures:
            said += _by_order(figures[order], level)
            break
    if "anchors" in figures and _known(figures.get("repeats")):
        said += _shared(figures, level)
    return said


def _known(rates: Estimate | None) -> bool:
    """Whether an estimate says anything."""
    return rates is not None and bool(np.isfinite(rates.value).any())


def _many(name: str, rate: float, low: float, high: float, threshold: float, source: str) -> Finding:
    by = "by gold" if source == "anchors" else "by repeats alone"
    code, severity, text = "flips-many", Severity.WARNING, f"{name} turns round many labels"
    remedy = "Give the rate to the objective as `flip`, or leave this judge's labels out."
    if low > 0.5:
        code, severity, text = "labels-turned", Severity.SEVERE, f"{name} is wrong more often than right"
        remedy = "Leave this judge's labels out; turn them round only if it reads the scale backwards."
    elif high >= 0.5:
        code, severity, text = "labels-at-chance", Severity.SEVERE, f"Labels of {name} cannot be told from coins"
        remedy = "Leave this judge's labels out: no objective can put right what says nothing."
    message = (
        f"{text}: {100 * rate:.1f} % are turned round {by}, between {100 * low:.1f} % and "
        f"{100 * high:.1f} % (threshold {100 * threshold:.0f} %)."
    )
    return Finding(code, severity, message, rate, threshold, remedy, (name,))


def _by_order(rates: Estimate, level: float) -> list[Finding]:
    """Judges whose flips depend on where the better answer is shown."""
    pairs = len(rates.names) // 2
    said = []
    for at in range(pairs):
        first, second = rates.names[2 * at], rates.names[2 * at + 1]
        p = float(rates.difference(first, second).pvalue(0.0)[0])
        if not p <= (1 - level) / pairs:
            continue
        f_1, f_2 = rates.value[2 * at : 2 * at + 2]
        who = first.removesuffix(f", {ORDERS[0]}") if ORDERS[0] != first else "The judge of both orders"
        message = (
            f"{who} turns round {100 * f_1:.1f} % of labels where the better answer is shown first and {100 * f_2:.1f} "
            f"% where second"
        )
        remedy = "Give each label the rate of its own order as `flip`, or ask in both orders."
        said.append(
            Finding("flips-by-order", Severity.WARNING, f"{message} ({p_text(p)}).", p, 1 - level, remedy, (who,))
        )
    return said


def _shared(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """Gold shows more errors than repeats do: judges err together, or rates vary by pair."""
    repeated = float(figures["repeats"].interval(level)[0, 1])
    gold = figures["anchors"]
    k = len(gold.names)
    mean = gold.contrast(np.full((1, k), 1 / k), ALL)
    low = float(mean.interval(level)[0, 0])
    if not low > repeated:
        return []
    rate = float(figures["repeats"].value[0])
    return [
        Finding(
            "errors-shared",
            Severity.WARNING,
            f"Gold shows {100 * mean.value[0]:.1f} % of labels turned round (at least {100 * low:.1f} %), repeats "
            f"{100 * rate:.1f} % "
            f"(at most {100 * repeated:.1f} %): judges make the same errors.",
            low,
            repeated,
            "Use the rate that gold shows; more repeats of these judges will not show the rest.",
        )
    ]


def _unknown() -> Finding:
    return Finding(
        "flip-rate-unknown",
        Severity.WARNING,
        "How often labels are turned round cannot be told: no gold, no pair judged twice that tells, no clear rewards.",
        0,
        1,
        "Have some pairs judged again, by a third judge or in both orders, or label some yourself.",
    )
