"""Watch votes come in and stop when the best is decided: evidence that may be looked at after every vote.

    K_ij(t) = mean over λ of Π_{s<=t} (1 + λ·(y_s − ½))      λ in (0, 2), y_s the vote for i of unit s of i and j
    i is surely better than j     when ½·K_ij ever reached m/(1 − level),      m = k(k−1)/2
    i is decided to be the best   when K_ij ever reached k/(1 − level) against every other j

If i is not better than j, K_ij is a fair game or worse, and nobody grows rich in one: by Ville's inequality the chance
that any false claim is ever made, at any time and however one stops, is at most 1 − level. No model is assumed: only
the votes of i against j speak about i and j. Votes of one cluster on a pair are one unit, their mean, settled when the
next cluster votes on it; what a cluster says later, after others, is no part of the evidence, for a bet that is settled
twice is not fair. The value is the mean share of votes won against the others; its error is widened to hold at every
time (asymptotic confidence sequence), where clusters do not take turns; where they do, at one time fixed beforehand.

Ville (1939); Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86(1) (betting; Theorem 2 for the pair's sequence);
Waudby-Smith, Arbour, Sinha, et al. (2024), Ann. Stat. 52(6) (asymptotic). Limits: k = 2 is one two-sided test of a
coin; all ties leave every K at 1.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons
from ._pair_bets import History, Units, collect, follow, peaks

CARD = Card(
    answers="Is it decided who is best, or must more votes be collected?",
    equation="K_ij = mean_λ Π (1 + λ(y_s − ½));  i is best when K_ij reached k/(1 − level) against every j",
    papers=(
        Paper(
            "Estimating Means of Bounded Random Variables by Betting",
            "Waudby-Smith, Ramdas",
            2024,
            "J. R. Stat. Soc. B 86(1)",
            "https://doi.org/10.1093/jrsssb/qkad009",
            "Theorem 2, §4",
        ),
        Paper(
            "Time-uniform Central Limit Theory and Asymptotic Confidence Sequences",
            "Waudby-Smith, Arbour, Sinha, et al.",
            2024,
            "Annals of Statistics 52(6)",
            "https://arxiv.org/abs/2103.06476",
            "Theorem 2.2",
        ),
    ),
    needs=("left", "right", "outcome", "time"),
    assumes=(
        "Given the past, the next unit of a pair has the pair's mean: pairs may be chosen by what was seen, votes not.",
        "Clusters are independent.",
    ),
    limits=("Two policies: one coin.", "Policies that never met are never decided; ranking.bradley_terry infers them."),
    when="Votes arrive one by one and cost money; for a finished table ranking.bradley_terry is sharper.",
    unit="share of votes won",
)

CHECKPOINTS = 60


def rank(table: Comparisons, *, level: float = 0.95) -> Estimate:
    """Mean shares of votes won, with what is decided so far.

    Arguments:
        table: votes; `time` orders them, `count` repeats them, `weight` (known before the vote) scales the bets.
        level: 1 − chance that any false claim is ever made.

    `figures`: `pairs` (share of votes for the earlier name), their `evidence` (log₁₀ of the most that bets on either
    side ever made), and the `trajectory` of leader against runner-up. Findings say `top-two-decided` or `top-two-open`.

    Errors: a level outside (0, 1).

    >>> from adjudge.sim.leagues import League
    >>> seen = rank(League(ability=(0.9, 0.0, -0.5), votes=600, clusters=()).draw(1).comparisons)
    >>> [finding.code for finding in seen.findings]
    ['top-two-decided']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"ranking.top_two: level is {level:g}.", "A probability inside (0, 1).", "Try level=0.95.")
    units = collect(table)
    bets = collect(table, closed=True) if table.cluster.shape[1] else units
    seen, held = follow(units, level), follow(bets, level)
    k, p = table.k, units.pairs
    last = seen.last
    share, spread = np.full(p, np.nan), np.full(p, np.nan)
    share[last >= 0] = seen.mean[last[last >= 0]]
    spread[last >= 0] = seen.wide[last[last >= 0]]
    win = np.full((k, k), np.nan)
    left, right = np.triu_indices(k, 1)
    win[left, right], win[right, left] = share, 1 - share
    met = np.isfinite(win)
    value = np.where(met.any(axis=1), np.nansum(win, axis=1) / np.maximum(met.sum(axis=1), 1), np.nan)
    peak = peaks(bets, held)
    return Estimate(
        names=table.policies,
        value=value,
        parts=(_sampling(k, left, right, spread, met, units.size),),
        df=np.full(k, np.inf),
        bounds=(0.0, 1.0),
        method="ranking.top_two",
        findings=(*table.findings, *_findings(table, value, peak, level)),
        figures=_figures(table, bets, held, value, share, peak),
    )


def _sampling(k: int, left: IntArray, right: IntArray, spread: FloatArray, met: BoolArray, units: int) -> Part:
    """Pairs are independent; each pair moves two values in opposite directions."""
    games = np.maximum(met.sum(axis=1), 1)
    W = np.zeros((k, spread.size))
    columns = np.arange(spread.size)
    W[left, columns], W[right, columns] = 1 / games[left], -1 / games[right]
    variance = spread**2
    unknown = np.isnan(variance) & met[left, right]
    covariance = (W * np.nan_to_num(variance)) @ W.T
    lost = np.zeros(k, dtype=bool)
    lost[left[unknown]] = lost[right[unknown]] = True
    lost |= ~met.any(axis=1)
    covariance[lost, :] = covariance[:, lost] = np.nan
    return Part("sampling, at every time", covariance, units)


def _figures(
    table: Comparisons, units: Units, history: History, value: FloatArray, share: FloatArray, peak: FloatArray
) -> dict[str, Estimate]:
    k = table.k
    left, right = np.triu_indices(k, 1)
    names = tuple(f"{table.policies[i]} − {table.policies[j]}" for i, j in zip(left, right, strict=True))
    ends = np.full((units.pairs, 2), np.nan)
    ends[history.last >= 0] = history.low_high[history.last[history.last >= 0]]
    figures = {
        "pairs": _sequence(names, share, ends),
        "evidence": _sequence(
            names, peak.max(axis=0) / np.log(10), np.repeat(peak.max(axis=0)[:, None], 2, 1) / np.log(10)
        ),
    }
    order = [int(p) for p in np.argsort(-value, kind="stable") if np.isfinite(value[p])][:2]
    if len(order) == 2:
        a, b = sorted(order)
        rows = np.flatnonzero(units.pair == a * k - a * (a + 1) // 2 + b - a - 1)
        rows = (
            rows[np.unique(np.linspace(0, rows.size - 1, min(rows.size, CHECKPOINTS)).astype(int))]
            if rows.size
            else rows
        )
        seen = _sequence(
            tuple(f"{order_ + 1}" for order_ in units.order[rows]), history.mean[rows], history.low_high[rows]
        )
        figures["trajectory"] = seen
    return figures


def _sequence(names: tuple[str, ...], value: FloatArray, low_high: FloatArray) -> Estimate:
    """An estimate whose interval is a confidence sequence: all of it in the slack, none in a normal error."""
    size = len(names)
    slack = np.maximum(np.column_stack([value - low_high[:, 0], low_high[:, 1] - value]), 0.0)
    part = Part("in the slack: a confidence sequence", np.where(np.isnan(value), np.nan, 0.0) * np.eye(size), size)
    return Estimate(names, value, (part,), np.full(size, np.inf), slack=slack, method="ranking.top_two")


def _findings(table: Comparisons, value: FloatArray, peak: FloatArray, level: float) -> list[Finding]:
    k, names = table.k, table.policies
    found: list[Finding] = []
    rated = [int(p) for p in np.argsort(-value, kind="stable") if np.isfinite(value[p])]
    if table.cluster.shape[1] > 1:
        found.append(
            Finding(
                "one-way-clusters-only",
                Severity.WARNING,
                "Votes were clustered by the first cluster column only.",
                float(table.cluster.shape[1]),
                1.0,
                "Put the column with the stronger dependence first.",
            )
        )
    if len(rated) < 2:
        return [
            *found,
            Finding(
                "top-two-open",
                Severity.SEVERE,
                "There are no two policies with votes.",
                float(len(rated)),
                2.0,
                "Collect votes.",
            ),
        ]
    made = np.zeros((k, k))
    left, right = np.triu_indices(k, 1)
    made[left, right], made[right, left] = peak
    others = made + np.where(np.eye(k, dtype=bool), np.inf, 0.0)
    weakest = others.min(axis=1)
    best, need = int(np.argmax(weakest)), float(np.log(k / (1 - level)))
    pairs = int(np.sum(made - np.log(2) >= np.log(k * (k - 1) / 2 / (1 - level))))
    if weakest[best] >= need:
        said, code = f"{names[best]} is the best: decided at level {level:g}; stop.", "top-two-decided"
        subject: tuple[str, ...] = (names[best],)
    else:
        rival = int(np.argmin(others[rated[0]]))
        said = f"Not decided: the evidence for {names[rated[0]]} over {names[rival]} does not suffice yet; go on."
        subject, code = (names[rated[0]], names[rival]), "top-two-open"
    message = f"{said} {pairs} of {k * (k - 1) // 2} pairs are decided."
    remedy = "Stop collecting votes for the first place." if code == "top-two-decided" else "Compare these two again."
    found.append(
        Finding(code, Severity.INFO, message, float(np.exp(min(weakest[best], 700))), k / (1 - level), remedy, subject)
    )
    return found
