"""How often is each judge right about pairs, when a tie that gold calls a tie counts as right?

    accuracy  = mean of 1{verdict = gold} + ½·1{verdict is a tie} over verdicts on matches that gold decides
    tie-calibrated = max over ε of mean of 1{sign_ε(v − ½) = sign(g − ½)},     sign_ε(x) = 0 for |x| ≤ ε

A judge who gives chances or fine scores never ties by itself, and one who ties often is punished by plain accuracy;
with ε both are held to gold on one footing. ε is taken from the other folds of items, so that it flatters nobody.
Every verdict counts, both orders of a match among them; errors are by item.

Deutsch, Foster, Freitag (2023), §5, for ε; here cross-fitted. Limits: verdicts 1, ½, 0 make ε = 0 the plain three-way
accuracy; gold without ties makes both figures nearly the same.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.power import detectable
from ..tables.comparisons import Comparisons
from ._judge_votes import Votes, share, votes

METHOD = "audit.right_verdicts"
FOLDS = 5  # of items, for ε
SMALL = 0.1  # a lead over a coin that matters

CARD = Card(
    answers="How often is each judge right about pairs, ties counted as gold counts them?",
    equation="mean of 1{sign_ε(v − ½) = sign(g − ½)};   accuracy = mean of 1{v = g} + ½·1{tie}",
    papers=(
        Paper(
            "Ties Matter: Meta-Evaluating Modern Metrics with Pairwise Accuracy and Tie Calibration",
            "Deutsch, Foster, Freitag",
            2023,
            "EMNLP",
            "https://arxiv.org/abs/2305.14324",
            "§5",
        ),
    ),
    needs=("left", "right", "outcome", "trusted"),
    assumes=("The gold verdicts are right: their own noise lowers every judge's accuracy.",),
    limits=("With three-way verdicts ε = 0: the share of verdicts equal to gold's, ties among them.",),
    when="With gold verdicts beside a judge's; audit.position_bias tells what part of the errors the order makes.",
    unit="share of matches",
)


def check(table: Comparisons, *, level: float = 0.95) -> Audit:
    """Accuracy of each judge on pairs, with intervals by item, and who is no better than a coin.

    Arguments:
        table: votes; trusted raters' are gold, all others are judges'.
        level: 1 − the chance of naming any judge without cause, in (0, 1).

    Errors: a level outside (0, 1).

    Returns findings, and by judge the figures `accuracy`, `tie_calibrated` and `ties` (share of matches that the judge
    calls a tie); with two judges or more, `differences` of accuracy.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> n = np.zeros(202, int)
    >>> gold = np.tile([True, False], 101)  # each match judged by gold and by the judge, who is always right
    >>> told = check(from_arrays(n, n + 1, np.ones(202), match=np.arange(202) // 2, item=np.arange(202) // 2,
    ...                          rater=gold.astype(int), raters=("judge", "gold"), trusted=gold))
    >>> told.figures["accuracy"].value.tolist(), told.findings
    ([1.0], ())
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"right_verdicts: level is {level}.", "0 < level < 1.", "Change it.")
    found = votes(table)
    known = np.flatnonzero(np.isfinite(found.gold) & (found.weight > 0))
    if not known.size:
        return Audit((_nothing(),), {})
    decided = known[found.gold[known] != 0.5]
    figures = {}
    if decided.size:
        for_gold = np.where(found.gold[decided] > 0.5, found.won[decided], 1 - found.won[decided])
        accuracy = share(found, decided, for_gold, np.ones(decided.size), method=METHOD)
        figures["accuracy"] = accuracy
        if 1 < len(found.judges) <= 100:
            figures["differences"] = accuracy.differences()
    figures["tie_calibrated"] = share(found, known, _calibrated(found, known), np.ones(known.size), method=METHOD)
    ties = (found.side[known] == 0.5).astype(float)
    figures["ties"] = share(found, known, ties, np.ones(known.size), method=METHOD)
    return Audit(tuple(_told(figures["accuracy"], level)) if decided.size else (), figures)


def _calibrated(found: Votes, rows: IntArray) -> FloatArray:
    """[r] 1 where a verdict, a tie within its judge's ε, says what gold says."""
    gap, truth = found.side[rows] - 0.5, np.sign(found.gold[rows] - 0.5)
    fold = np.random.default_rng((found.unit.size, FOLDS)).permutation(int(found.unit.max()) + 1)[found.unit[rows]]
    right = np.empty(rows.size)
    for judge in range(len(found.judges)):
        mine = found.judge[rows] == judge
        for held in range(FOLDS):
            out = mine & (fold % FOLDS == held)
            epsilon = _best(gap, truth, found.weight[rows], mine & ~out)
            right[out] = (np.where(np.abs(gap[out]) <= epsilon, 0.0, np.sign(gap[out])) == truth[out]).astype(float)
    return right


def _best(gap: FloatArray, truth: FloatArray, weight: FloatArray, rows: BoolArray) -> float:
    """ε with the most right verdicts among some rows, the least of the best; 0 without rows."""
    if not rows.any():
        return 0.0
    size, turn = np.unique(np.abs(gap[rows]), return_inverse=True)
    w = weight[rows]
    as_tie = np.bincount(turn.ravel(), w * (truth[rows] == 0), size.size)
    as_said = np.bincount(turn.ravel(), w * (truth[rows] == np.sign(gap[rows])), size.size)
    # ε = size[t] makes ties of all verdicts up to t
    gained = np.concatenate([[0.0], np.cumsum(as_tie - as_said)])
    best = int(np.argmax(np.round(gained, 9)))
    return float(size[best - 1]) if best else 0.0


def _told(accuracy: Estimate, level: float) -> list[Finding]:
    told = []
    chance = accuracy.stepdown(0.5)
    least = detectable(accuracy.stderr, accuracy.df, level=level, names=len(accuracy.names))
    for name, value, p, seen in zip(accuracy.names, accuracy.value, chance, least, strict=True):
        if not np.isfinite(value):
            continue
        if p > 1 - level:
            told.append(_coin(name, float(value), float(p), float(seen)))
        elif value < 0.5:
            told.append(_inverted(name, float(value), float(p), level))
    return told


def _inverted(name: str, value: float, p: float, level: float) -> Finding:
    return Finding(
        "judge-inverted",
        Severity.SEVERE,
        f"{name} is right in {100 * value:.1f} % of the matches that gold decides: less often than a coin.",
        p,
        1 - level,
        "Check which side its verdicts name; if they are read rightly, take another judge.",
        (name,),
    )


def _coin(name: str, value: float, p: float, least: float) -> Finding:
    return Finding(
        "judge-like-a-coin",
        Severity.WARNING if least <= SMALL else Severity.INFO,
        f"{name} is right in {100 * value:.1f} % of the matches that gold decides, which a coin may be, too; a lead "
        f"over it would be seen with 80 % chance from {100 * least:.1f} % on.",
        p,
        least,
        "Label more matches if that lead is larger than what matters; else take another judge.",
        (name,),
    )


def _nothing() -> Finding:
    return Finding(
        "no-gold-verdicts",
        Severity.INFO,
        "No match has a trusted verdict: nothing can be said of how often a judge is right.",
        remedy="Let people judge some of the matches, and name them with --gold.",
    )
