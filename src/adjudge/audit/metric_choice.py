"""Which automatic metric tracks what experts say best, by criterion, and which metrics are as good for all one knows?

    ρ_m = Spearman's correlation of metric m with the experts' score;    r_m Pearson's
    A_m = share of pairs of answers that m puts in the experts' order, ties included (tie-calibrated)
    winner = Σ_h n_h/n · ρ_{m(h)}(half h),    m(h) the best metric on the other half

The best of many metrics looks better than it is, for it was chosen for that. Two figures are free of it: intervals that
hold for all metrics at once, and `winner`, the correlation on items that the choice has not seen. Errors are by item
and paired: all metrics see the same answers.

Deutsch, Foster, Freitag (2023), Ties Matter (tie calibration, here on the other half of the items); Chernozhukov,
Chetverikov, Demirer et al. (2018) (cross-fitting). Limits: one metric is chosen by nobody, and `winner` is its own
held-out correlation; below 21 items there is no `winner`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import crossfit
from ..stats.certain import never_certain
from ..stats.cluster import group_sums
from ..stats.power import POWER, detectable
from ..stats.present import present
from ..stats.rank_correlation import Told, best_width, in_order, pairs, pearson, spearman
from ..tables.ratings import Ratings

METHOD = "audit.metric_choice"
MATTERS = 0.05  # of a correlation: a metric that is better by less may as well be any other

CARD = Card(
    answers="Which automatic metric tracks an expert criterion best, and which others are as good for all one knows?",
    equation="ρ_m = Spearman(metric m, expert);   winner = Σ_h n_h/n · ρ_{best on the other half}(half h)",
    papers=(
        Paper(
            "Ties Matter: Meta-Evaluating Modern Metrics with Pairwise Accuracy and Tie Calibration",
            "Deutsch, Foster, Freitag",
            2023,
            "EMNLP",
            "https://arxiv.org/abs/2305.14324",
            "Section 5",
        ),
        Paper(
            "Automatic Personalized Impression Generation for PET Reports Using Large Language Models",
            "Tie, Shin, Pirasteh et al.",
            2024,
            "Journal of Imaging Informatics in Medicine",
            "https://arxiv.org/abs/2309.10066",
            "metric selection",
        ),
    ),
    needs=("score", "gold", "stratum"),
    assumes=(
        "Items, or clusters of them, are independent; higher scores of every metric mean better.",
        "Experts scored a random part of the answers.",
    ),
    limits=(
        "Correlations over all answers mix differences between items with those between answers to one item.",
        "Pairs are compared within items where items have two answers or more, else all with all, up to two million.",
    ),
    when="Before a metric picks a model: score some answers by experts and look which metrics they bear out.",
)


def check(ratings: Ratings, *, level: float = 0.95, seed: int = 0) -> Audit:
    """Correlations of metrics with experts' scores by criterion, and what the best is worth for having been chosen.

    Arguments:
        ratings: score columns are metrics, gold is the experts' score, strata are their criteria.
        level: of the tie with the best metric, and 1 − the chance of false findings by criterion, in (0, 1).
        seed: of the folds.

    Errors: a level outside (0, 1); no score column.

    Returns findings, and by criterion (named `CRITERION spearman`, and plain where there is one criterion) the figures
    `spearman`, `pearson`, `pairs` by metric, `behind` (best − each other, Spearman) and `winner` (held out).

    >>> from adjudge.sim.judging import Judging
    >>> from dataclasses import replace
    >>> one = Judging(items=97, labels=97).draw(0).ratings
    >>> noise = np.random.default_rng(0).normal(size=one.score.shape)
    >>> two = replace(one, judges=("good", "noise"), score=np.column_stack([one.score, noise]))
    >>> check(two).findings[0].message[:38]
    'good tracks experts best (Spearman 0.7'
    """
    if not 0 < level < 1 or not ratings.judges:
        raise AdjudgeError(
            f"metric_choice: level {level}, {len(ratings.judges)} score columns.",
            "0 < level < 1, and at least one column of a metric.",
            "Name the columns with --judge.",
        )
    table = present(ratings)
    figures: dict[str, Estimate] = {}
    findings: list[Finding] = []
    for code, criterion in enumerate(table.strata):
        rows = np.flatnonzero((table.stratum == code) & np.isfinite(table.gold))
        label = "" if len(table.strata) == 1 else criterion
        if rows.size:
            made = _figures(table.take(rows), seed)
            figures |= {f"{label} {name}".strip(): figure for name, figure in made.items()}
            findings += _told(label, made, level)
    if not figures:
        findings = [_nothing()]
    return Audit(tuple(findings), figures)


def _figures(table: Ratings, seed: int) -> dict[str, Estimate]:
    """All figures of one criterion."""
    made = {
        "spearman": _correlations(table, spearman),
        "pearson": _correlations(table, pearson),
    }
    if pairs(table.item) is not None:
        made["pairs"] = _pairs(table, seed)
    rho = made["spearman"]
    if np.isfinite(rho.value).sum() > 1:
        best = int(np.nanargmax(rho.value))
        others = [name for j, name in enumerate(rho.names) if j != best]
        turn = np.eye(len(rho.names))[best] - np.delete(np.eye(len(rho.names)), best, axis=0)
        made["behind"] = rho.contrast(turn, others)
    winner = _winner(table, seed)
    return made if winner is None else {**made, "winner": winner}


def _each(table: Ratings, of: Callable[[int, IntArray], Told]) -> Estimate:
    """One figure of every metric on the rows that it scored, with the joint error by cluster."""
    count = len(table.judges)
    clusters, unit = np.unique(table.cluster, return_inverse=True)
    value, influence, own = np.full(count, np.nan), np.zeros((clusters.size, count)), np.ones(count)
    for j in range(count):
        on = np.flatnonzero(np.isfinite(table.score[:, j]))
        value[j], psi = of(j, on)
        influence[:, j] = group_sums(unit.ravel()[on], psi, clusters.size)
        own[j] = np.unique(unit.ravel()[on]).size
    part = Part.from_influence("sampling", influence)
    return never_certain(Estimate(table.judges, value, (part,), np.maximum(own - 1, 1), (-1.0, 1.0), method=METHOD))


def _correlations(table: Ratings, of: Callable[[FloatArray, FloatArray, FloatArray], Told]) -> Estimate:
    """A correlation of every metric with gold."""
    return _each(table, lambda j, on: of(table.score[on, j], table.gold[on], table.weight[on]))


def _pairs(table: Ratings, seed: int) -> Estimate:
    """Tie-calibrated pairwise accuracy: the width of a tie is fitted on the other half of the clusters."""
    clusters, unit = np.unique(table.cluster, return_inverse=True)
    half = (np.random.default_rng((seed, 6961)).permutation(clusters.size) % 2)[unit.ravel()]

    def of(j: int, on: IntArray) -> Told:
        x, y, w = table.score[on, j], table.gold[on], table.weight[on]
        side, cluster = half[on], table.cluster[on]
        among = pairs(table.item[on])
        if among is None or not among.left.size:
            return np.nan, np.full(x.size, np.nan)
        mass = w[among.left] * w[among.right]
        inside = [(side[among.left] == h) & (side[among.right] == h) for h in (0, 1)]
        widths = [best_width(x, y, among, mass * inside[1 - h]) for h in (0, 1)]
        right = in_order(x, y, among, np.array(widths)[side[among.left]])
        value = float(mass @ right / mass.sum())
        each = mass * (right - value) / mass.sum()
        apart = cluster[among.left] != cluster[among.right]
        return value, group_sums(among.left, each, x.size) + group_sums(among.right, each * apart, x.size)

    return replace(_each(table, of), bounds=(0.0, 1.0))


def _winner(table: Ratings, seed: int) -> Estimate | None:
    """The correlation, on either half of the clusters, of the metric that was best on the other; None with too few.

    A metric that is chosen twice is high on both halves, so that the two values are not independent: their errors are
    added as if they were one and the same, which errs on the wide side.
    """
    table = table.take(np.flatnonzero(np.isfinite(table.score).all(axis=1)))
    clusters, unit = np.unique(table.cluster, return_inverse=True)
    unit = unit.ravel()
    if clusters.size <= crossfit.LEAVE_ONE_OUT_UP_TO:
        return None
    fold = crossfit.folds(unit, table.score.mean(axis=1), weight=table.weight, count=2, seed=seed)
    value, error, total = 0.0, 0.0, float(table.weight.sum())
    for f in range(2):
        out, rest = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        fitted = [spearman(x[rest], table.gold[rest], table.weight[rest])[0] for x in table.score.T]
        if not np.isfinite(fitted).any():
            return None
        x, share = table.score[:, int(np.nanargmax(fitted))], float(table.weight[out].sum()) / total
        rho, psi = spearman(x[out], table.gold[out], table.weight[out])
        own = Part.from_influence("sampling", group_sums(unit[out], psi, clusters.size)[np.unique(unit[out]), None])
        value, error = value + share * rho, error + share * float(np.sqrt(own.covariance[0, 0]))
    part = Part("sampling", np.array([[error**2]]), clusters.size)
    df = np.array([clusters.size / 2 - 1.0])
    return Estimate(("winner",), np.array([value]), (part,), df, (-1.0, 1.0), method=METHOD)


def _told(criterion: str, made: dict[str, Estimate], level: float) -> list[Finding]:
    """Who is best, who may be as good, and whether the best is worth anything."""
    rho, where = made["spearman"], f" on {criterion}" if criterion else ""
    if not np.isfinite(rho.value).any():
        text = f"No metric's correlation with experts{where} can be told: scores or metrics never differ."
        return [Finding("metrics-unknown", Severity.WARNING, text, 0.0, 1.0, "Let experts score answers that differ.")]
    best = int(np.nanargmax(rho.value))
    name, value, low = rho.names[best], rho.value[best], rho.simultaneous(level)[best, 0]
    held = f", {made['winner'].value[0]:.2f} on items the choice has not seen" if "winner" in made else ""
    ranks = rho.ranks(level)
    tied = [other for j, other in enumerate(rho.names) if j != best and not ranks[j, 0] > 1]
    text = (
        f"{name} tracks experts best{where} (Spearman {value:.2f}, surely above {low:.2f} for having been chosen{held})"
    )
    if tied:
        text += f"; {len(tied)} of {len(rho.names) - 1} others may be as good: {', '.join(tied[:5])}"
    said = [
        Finding(
            "metric-best",
            Severity.INFO,
            f"{text}.",
            float(value),
            float("nan"),
            "Score more answers by experts to tell the tied metrics apart." if tied else "Use it for this criterion.",
            (name, *tied),
        )
    ]
    if not low > 0:
        text = f"It is not shown that any metric tracks experts{where}: the best has {value:.2f}, perhaps {low:.2f}."
        remedy = "Do not pick models by these metrics; let experts score more answers."
        said.append(Finding("metrics-not-shown", Severity.WARNING, text, float(low), 0.0, remedy, (name,)))
    if tied and "behind" in made:
        apart = made["behind"]
        reach = float(np.max(detectable(apart.stderr, apart.df, level=level, names=len(apart.names))))
        if not reach <= MATTERS:
            text = (
                f"Differences between metrics{where} would be seen with {100 * POWER:.0f} % chance from {reach:.2f} on."
            )
            remedy = "Score more answers by experts."
            said.append(Finding("choice-underpowered", Severity.INFO, text, reach, MATTERS, remedy))
    return said


def _nothing() -> Finding:
    return Finding(
        "gold-absent",
        Severity.INFO,
        "No answer has an expert's score: no metric can be held against it.",
        0.0,
        1.0,
        "Let experts score a random part of the answers.",
    )
