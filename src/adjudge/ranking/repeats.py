"""When every task is run several times: average, best, worst and majority of m runs, and do the runs agree?

    average_p = mean_i E y,    best_p = mean_i E max(y_1 … y_m),    worst_p = mean_i E min(y_1 … y_m)
    majority_p = mean_i P(more than half of m runs are right),      repeatability_p = mean_i P(two runs agree)

Every task's figure is the U-statistic over all subsets of its runs (`stats.runs`): unbiased for m runs however many
were made. Tasks are the independent units, so the policies are paired by task and clusters of tasks stay together.
Slices (ability, knowledge, modality, difficulty by human accuracy, and their crossings) come from the same cells.

Tang, Gao, Peng, et al. (2023), AGIBench. Hoeffding (1948) (U-statistics).
Limits: m = 1 makes average, best, worst and majority the same; equal runs have repeatability 1 and best = worst.
A row repeated is one more run that agrees, which is not the same as a row of weight 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.runs import Runs, runs
from ..stats.scored_means import unknown
from ..stats.slicing import difficulty, slice_rows
from ..tables.ratings import Ratings
from ..tables.regressors import covariate

CARD = Card(
    answers="How good is each policy on average, at its best and at its worst over repeated runs?",
    equation="best_p = mean_i Σ_j y_(j) C(j−1, m−1)/C(n, m);  repeatability_p = mean_i Σ_v n_v(n_v − 1)/(n(n − 1))",
    papers=(
        Paper(
            "AGIBench: A Multi-granularity, Multimodal, Human-referenced, Auto-scoring Benchmark for Large Language "
            "Models",
            "Tang, Gao, Peng, et al.",
            2023,
            "arXiv:2309.06495",
            "https://arxiv.org/abs/2309.06495",
        ),
        Paper(
            "A class of statistics with asymptotically normal distribution",
            "Hoeffding",
            1948,
            "Annals of Mathematical Statistics 19(3)",
            "https://doi.org/10.1214/aoms/1177730196",
            "U-statistics",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("the runs of a task are independent and alike", "tasks (or their clusters) are independent"),
    limits=("m = 1: all rules are the average", "fewer than m runs of a task: the task is left out, with a finding"),
    when="When sampling makes answers differ from run to run and the mean alone hides it.",
    unit="mean score over repeated runs",
    rows=(111,),
)
RULES = ("average", "best", "worst", "majority", "repeatability")
FEW = 20
"""Clusters of tasks below which the intervals are said to be rough."""


def rank(
    ratings: Ratings,
    *,
    rule: str = "average",
    draws: int | None = None,
    metric: str | None = None,
    answer: str | None = None,
    by: Sequence[str] = (),
    human: str | None = None,
) -> Estimate:
    """Policies by one rule over repeated runs; all the rules, and the slices of the one, are its figures.

    Arguments:
        ratings: several rows of one policy and item are repeated runs of it.
        rule: `average`, `best`, `worst`, `majority` or `repeatability`.
        draws: m, runs that best, worst and majority speak of; by default the fewest that any task has.
        metric: name of the score column; the first by default.
        answer: covariate with a code of the answer given: repeatability then compares answers, and the majority is
            the most frequent answer of all runs (ties share) instead of more than half of them being right.
        by: slices, as `stratum`, a covariate, or several joined by `*`; their values are the figure `slices`.
        human: covariate with the share of people who solve the task: the figures `difficulty` (value by its five bins)
            and `trend` (change of the value for each further bin).

    Errors: an unknown rule, column or covariate; m < 1.

    >>> from adjudge.sim.judging import Judging
    >>> found = rank(Judging(truth=(0.7, 0.5), items=101, labels=11, draws=3).draw(1).ratings, rule="worst")
    >>> found.names[int(found.value.argmax())], sorted(found.figures)
    ('p00', ['average', 'best', 'gap', 'majority', 'repeatability', 'worst'])
    """
    if rule not in RULES or (draws is not None and draws < 1):
        raise AdjudgeError(
            f"ranking.repeats: rule {rule!r}, draws {draws}.",
            f"The rule is one of {', '.join(RULES)}, and draws is at least 1.",
            "Name one of them.",
        )
    made = runs(ratings, metric=metric)
    m = draws if draws is not None else int(made.size.min(initial=2**31)) if made.size.size else 1
    code = None if answer is None else covariate(ratings, answer)
    values = _values(made, m, code)
    bounds = _bounds(made.score)
    figures = {name: made.means(ratings.policies, value, bounds=bounds) for name, value in values.items()}
    figures["gap"] = made.means(ratings.policies, values["best"] - values["worst"], bounds=bounds)
    chosen = figures[rule]
    for each in by:
        cut, names = slice_rows(ratings, each)
        figures["slices" if len(by) == 1 else f"slices {each}"] = _sliced(ratings, made, values[rule], cut, names)
    if human is not None:
        bins = difficulty(covariate(ratings, human)) - 1
        figures["difficulty"] = _sliced(
            ratings, made, values[rule], bins, tuple(f"difficulty {b}" for b in range(1, 6))
        )
        figures["trend"] = _trend(figures["difficulty"], ratings.policies)
    return replace(
        chosen,
        method="ranking.repeats",
        findings=(*_said(made, m, values[rule]), *unknown(chosen)),
        figures=figures,
    )


def _values(made: Runs, m: int, answer: FloatArray | None) -> dict[str, FloatArray]:
    """[c] each rule's figure of each cell."""
    return {
        "average": made.mean(),
        "best": made.best_of(m),
        "worst": made.worst_of(m),
        "majority": made.majority_of(m) if answer is None else _plurality(made, answer),
        "repeatability": made.agreement(answer),
    }


def _plurality(made: Runs, answer: FloatArray) -> FloatArray:
    """[c] mean score of the most frequent answer over all runs; answers that tie share."""
    cell, given, count = made.shares(answer)
    most = np.zeros(made.size.size)
    np.maximum.at(most, cell, count)
    keep = count == most[cell]
    chosen, value = cell[keep], given[keep]
    # Where two runs of the same answer were scored differently, their mean is the answer's score.
    _, code = np.unique(np.concatenate([value, answer[made.row]]), return_inverse=True)
    width = int(code.max(initial=0)) + 1
    wanted, of_run = chosen * width + code[: value.size], made.cell * width + code[value.size :]
    order = np.argsort(wanted)
    at = np.minimum(np.searchsorted(wanted[order], of_run), max(wanted.size - 1, 0))
    counts = wanted[order][at] == of_run if wanted.size else np.zeros(0, dtype=bool)
    with np.errstate(invalid="ignore"):
        return made.total(made.score * counts) / made.total(counts.astype(float))


def _bounds(score: FloatArray) -> tuple[float, float]:
    """0 to 1 where every score lies there, else none."""
    return (0.0, 1.0) if score.size and score.min() >= 0 and score.max() <= 1 else (-np.inf, np.inf)


def _sliced(ratings: Ratings, made: Runs, value: FloatArray, cut: np.ndarray, names: tuple[str, ...]) -> Estimate:
    """Mean by policy and slice, named `policy · slice`; a cell lies in the slice of its first row."""
    first = np.full(made.size.size, ratings.n, dtype=np.int64)
    np.minimum.at(first, made.cell, cut[made.row])
    labels = tuple(f"{policy} · {name}" for policy in ratings.policies for name in names)
    group = made.policy * len(names) + first
    return made.means(labels, value, bounds=_bounds(made.score), group=group)


def _trend(by_bin: Estimate, policies: tuple[str, ...]) -> Estimate:
    """Least-squares slope of the value over the difficulties that occur, by policy."""
    bins = len(by_bin.names) // max(len(policies), 1)
    known = np.isfinite(by_bin.value + by_bin.stderr).reshape(-1, bins)
    place = np.where(known, np.arange(bins), 0)
    count = known.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = np.where(known, place - place.sum(axis=1, keepdims=True) / count, 0.0)
        slope = np.where(count > 1, centred / (centred**2).sum(axis=1, keepdims=True), np.nan)
    W = np.zeros((len(policies), len(by_bin.names)))
    for p in range(len(policies)):
        W[p, p * bins : (p + 1) * bins] = np.where(known[p], slope[p], 0.0)
    found = by_bin.contrast(W, policies)
    found.value[np.isnan(slope).any(axis=1)] = np.nan
    return found


def _said(made: Runs, m: int, value: FloatArray) -> list[Finding]:
    found = []
    most = int(made.size.max(initial=0))
    if most < 2:
        found.append(
            Finding(
                "runs-single",
                Severity.WARNING,
                "No policy ran any task twice: repeatability is unknown, and best and worst are the average.",
                most,
                2,
                "Run every task at least three times.",
            )
        )
    short = int(np.isnan(value).sum())
    if short and most >= 2:
        found.append(
            Finding(
                "runs-too-few",
                Severity.WARNING,
                f"{short:,} of {value.size:,} tasks of a policy have fewer than {max(m, 2)} runs and are left out.",
                short,
                0,
                "Run them again, or ask for fewer draws.",
            )
        )
    units = np.unique(made.cluster).size
    if units < FEW:
        found.append(
            Finding(
                "tasks-few",
                Severity.WARNING,
                f"{units} independent tasks: the intervals are rough.",
                units,
                FEW,
                "Add tasks; further runs of the same tasks do not help.",
            )
        )
    return found
