"""The whole distribution of a policy's scores over tasks and runs, read as how often it gets past each mark.

    profile_p(τ) = P(z > τ) under F_p = 1/T Σ_t F_pt,      value_p = profile_p(at)

Each policy's curve is the figure `profile: policy`, with pointwise intervals, and bands that hold at all marks together
through `simultaneous`. The error is a stratified bootstrap over the runs of each task (or over tasks, where cells hold
a single run). A curve above another at every mark is a policy that dominates.

Agarwal, Schwarzer, Castro, et al. (2021), §4.2; Dolan, Moré (2002) for solvers.
Limits: the area under the curve between two marks is the mean score clipped to them; below all scores it is 1.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings
from . import _runs
from ._shares import opened

MARKS = 41

CARD = Card(
    answers="On what share of its runs does each policy get past a mark, and is one policy better at every mark?",
    equation="profile_p(τ) = P(z > τ),   value_p = profile_p(at)",
    papers=(
        Paper(
            "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
            "Agarwal, Schwarzer, Castro, et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2108.13264",
            "§4.2",
        ),
        Paper(
            "Benchmarking optimization software with performance profiles",
            "Dolan, Moré",
            2002,
            "Mathematical Programming 91(2)",
            "https://doi.org/10.1007/s101070100263",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Runs of a policy on a task are independent.",
        "Scores of different tasks are on one scale, or are put on one by low and high.",
    ),
    limits=("One mark says little; curves that cross have no single best policy.",),
    when="When a mean hides who fails outright; ranking.iqm for one number that does not hang on a mark.",
    unit="share of runs past the mark",
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    low: float | str | None = None,
    high: float | str | None = None,
    at: float | None = None,
    resample: str = "auto",
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Shares of runs past one mark, and the whole profiles as figures.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs.
        metric: name of the score column; the first by default.
        low, high: what 0 and 1 mean on each task: a number, a policy whose mean it is, or `lowest` and `highest`.
        at: the mark of the value, on the normalised scale; by default the median of all runs, or the next score below
            it where no run is past the median.
        resample: `runs`, `tasks`, or `auto`: runs where every cell has two.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric, policy or way to resample; one end of the scale without the other.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a"] * 4, item=[0] * 4, score=[0.0, 1.0, 2.0, 3.0], draw=range(4))
    >>> rank(table, at=0.5).value
    array([0.75])
    """
    runs = _runs.prepare(ratings, metric=metric, low=low, high=high, resample=resample)
    if not runs.tasks:
        empty = Part("sampling", np.full((runs.k, runs.k), np.nan), 0)
        return Estimate(
            runs.names,
            np.full(runs.k, np.nan),
            (empty,),
            np.zeros(runs.k),
            method="ranking.performance_profile",
            findings=runs.findings,
        )
    mark = _usual(runs.score) if at is None else float(at)
    marks = np.append(np.linspace(runs.score.min(), runs.score.max(), MARKS), mark)

    def past(score: FloatArray, weight: FloatArray, _: IntArray) -> FloatArray:
        total = np.cumsum(weight, axis=1)
        upto = np.concatenate([np.zeros((weight.shape[0], 1)), total], axis=1)
        below = upto[:, np.searchsorted(score, marks, side="right")]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 - below / total[:, -1:])

    value = _runs.at_once(runs, past)[0]
    drawn = _runs.replicates(runs, past, draws=draws, seed=seed)
    profiles = {
        f"profile: {name}": _curve(runs, p, marks[:-1], value[p, :-1], drawn[:, p, :-1])
        for p, name in enumerate(runs.names)
    }
    spread, labels = opened(_counts(runs), value[:, -1], _runs.covariance(runs, drawn[:, :, -1], share=True))
    of = "the median of all runs" if mark == np.median(runs.score) else "the next score below the median of all runs"
    chosen = Finding(
        "mark-chosen",
        Severity.INFO,
        f"Policies are compared by their share of runs past {mark:.4g}, {of}.",
        mark,
        remedy="Name the mark that matters with at=.",
    )
    return Estimate(
        runs.names,
        value[:, -1],
        (Part("sampling", spread, runs.units),),
        _runs.degrees(runs),
        (0.0, 1.0),
        labels,
        method="ranking.performance_profile",
        findings=(*runs.findings, *((chosen,) if at is None else ())),
        figures=profiles,
    )


def _usual(score: FloatArray) -> float:
    """The median, if a run is past it; else the next score below."""
    middle = float(np.median(score))
    below = score[score < middle]
    return middle if score.max() > middle or not below.size else float(below.max())


def _counts(runs: _runs.Runs) -> FloatArray:
    """[k] independent units behind each policy."""
    if runs.over == "tasks":
        return np.full(runs.k, float(runs.units))
    return np.bincount(runs.policy, minlength=runs.k).astype(float)


def _curve(runs: _runs.Runs, p: int, marks: FloatArray, value: FloatArray, drawn: FloatArray) -> Estimate:
    """One policy's profile at all marks, with its joint error."""
    centred = drawn - drawn.mean(axis=0)
    raw = centred.T @ centred / max(drawn.shape[0] - 1, 1)
    spread, labels = opened(np.full(marks.size, _counts(runs)[p]), value, raw)
    return Estimate(
        tuple(f"{mark:.6g}" for mark in marks),
        value,
        (Part("sampling", spread, runs.units),),
        np.full(marks.size, _runs.degrees(runs)[p]),
        (0.0, 1.0),
        labels,
        method="ranking.performance_profile",
    )
