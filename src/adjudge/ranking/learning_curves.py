"""Whole learning curves of a few runs on some tasks: how good at the end, how good on the way, how soon good enough.

    curve_p(s) = IQM over tasks and runs of the normalised return at step s, on a common grid of steps
    value_p    = curve_p at the last step,  or  1/(s_1 − s_0) ∫ curve_p ds  (area)
    time_p     = mean over tasks and runs of min(first step at which a run reaches the threshold, s_1)

Runs are interpolated linearly between the steps they logged, from the last first step to the first last step of any.
One stratified bootstrap over the runs of each task gives every error: of the value, of the curves (figures
`curve: policy`), of `area`, `final` and `time`, which is restricted to the grid, so that a run that never gets there
counts with all of it and not as missing (`reached` says how many do).

Agarwal, Schwarzer, Castro, et al. (2021); Huang, Gallouédec, Felten, et al. (2024), Open RL Benchmark; Irwin (1949).
Limits: one step on the grid is `ranking.iqm`; a threshold below every first return is time 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from . import _curves, _runs
from ._shares import opened
from .iqm import interquartile_mean, middle

VALUES = ("final", "area")

CARD = Card(
    answers="Which policy learns best: at the end, over the whole run, and how soon is it good enough?",
    equation="curve_p(s) = IQM of returns at step s;   value_p = curve_p(s_1)  or  mean of curve_p over the steps",
    papers=(
        Paper(
            "Open RL Benchmark: Comprehensive Tracked Experiments for Reinforcement Learning",
            "Huang, Gallouédec, Felten, et al.",
            2024,
            "arXiv:2402.03046",
            "https://arxiv.org/abs/2402.03046",
        ),
        Paper(
            "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
            "Agarwal, Schwarzer, Castro, et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2108.13264",
            "§4.3",
        ),
        Paper(
            "The standard error of an estimate of expectation of life",
            "Irwin",
            1949,
            "Journal of Hygiene 47(2)",
            "https://doi.org/10.1017/S0022172400014443",
        ),
    ),
    needs=("policy", "item", "score", "cluster", "covariates"),
    assumes=(
        "Runs of a policy on a task are independent; rows of one policy, item and cluster are one run.",
        "Returns of different tasks are on one scale, or are put on one by low and high.",
    ),
    limits=(
        "Says nothing beyond the steps that all runs reached.",
        "Between logged steps a run is a straight line.",
    ),
    when="Tracked runs with their steps; ranking.iqm where only final returns are known.",
    unit="score along the run",
    rows=(113,),
)


def rank(
    ratings: Ratings,
    *,
    step: str = "step",
    metric: str | None = None,
    low: float | str | None = None,
    high: float | str | None = None,
    value: str = "final",
    threshold: float | None = None,
    points: int = 41,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Rankings by learning curves, with the curves themselves as figures.

    Arguments:
        ratings: the table, such as `tables.tracked.read` makes: `item` is the task, `cluster` the run.
        step: the covariate that counts steps.
        metric: name of the score column, the return; the first by default.
        low, high: what 0 and 1 mean on each task: a return, a policy whose mean final return it is, or `lowest` and
            `highest` of those.
        value: `final`, the curve at the last common step, or `area`, its mean over the steps.
        threshold: the normalised return that is good enough; half-way between the least and the highest by default.
        points: steps on the grid.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: no covariate of that name, an unknown value, or runs without a common step.

    >>> from adjudge.tables.tracked import read
    >>> log = {"algo": ["a"] * 4, "env": ["e"] * 4, "seed": [1, 1, 2, 2], "step": [0, 10, 0, 10],
    ...        "return": [0.0, 1.0, 0.0, 3.0]}
    >>> result = rank(read(log), threshold=1.0)
    >>> result.value, result.figures["area"].value, result.figures["time"].value.round(2)
    (array([2.]), array([1.]), array([6.67]))
    """
    if value not in VALUES:
        raise AdjudgeError(f"value is {value!r}.", f"One of {', '.join(VALUES)}.", "Name one of them.")
    curves = _curves.aligned(ratings, step=step, metric=metric, points=points, low=low, high=high)
    goal = (curves.height.min() + curves.height.max()) / 2 if threshold is None else float(threshold)
    time, reached = _curves.first_time(curves.height, curves.steps, float(goal))
    runs = _runs.prepare(curves.with_score(curves.height[:, -1]), resample="runs")
    runs = replace(runs, tag=curves.order())
    G = curves.steps.size

    def all_figures(_: FloatArray, weight: FloatArray, run: IntArray) -> FloatArray:
        if not run.size:
            return np.full((weight.shape[0], G + 3), np.nan)
        share = weight / weight.sum(axis=1, keepdims=True)
        levels = [interquartile_mean(*_sorted(curves.height[run, g], weight))[:, 0] for g in range(G)]
        path = np.stack(levels, axis=1)
        area = (path[:, 1:] + path[:, :-1]) / 2 @ np.diff(curves.steps) / max(np.ptp(curves.steps), 1e-300)
        ends = [area if G > 1 else path[:, 0], share @ time[run], share @ reached[run]]
        return np.column_stack([path, *ends])

    found = _runs.at_once(runs, all_figures)[0]
    lost = np.full((draws, runs.k, G + 3), np.nan)
    drawn = _runs.replicates(runs, all_figures, draws=draws, seed=seed) if runs.tasks else lost
    made = {"final": _figure(runs, found, drawn, G - 1), "area": _figure(runs, found, drawn, G)}
    made["time"] = _figure(runs, found, drawn, G + 1)
    made["reached"] = _figure(runs, found, drawn, G + 2, bounds=(0.0, 1.0))
    paths = {f"curve: {name}": _path(runs, p, curves.steps, found, drawn) for p, name in enumerate(runs.names)}
    main = made[value]
    return Estimate(
        main.names,
        main.value,
        main.parts,
        main.df,
        method="ranking.learning_curves",
        findings=(
            *curves.findings,
            *runs.findings,
            *_runs.without_spread(runs, main.covariance),
            *_censored(runs.names, found[:, G + 2], goal, threshold is None),
        ),
        figures=made | paths,
    )


def _sorted(height: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    order = np.argsort(height, kind="stable")
    return height[order], weight[:, order]


def _figure(
    runs: _runs.Runs,
    found: FloatArray,
    drawn: FloatArray,
    column: int,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """One number a policy, with the error of its replicates."""
    share = bool(np.isfinite(bounds[1]))
    value, spread = found[:, column], _runs.covariance(runs, drawn[:, :, column], share=share)
    labels = None
    if share:
        spread, labels = opened(np.bincount(runs.policy, minlength=runs.k).astype(float), value, spread, bounds)
    return Estimate(
        runs.names,
        value,
        (Part("sampling", spread, runs.units),),
        _runs.degrees(runs, middle),
        bounds,
        labels,
        method="ranking.learning_curves",
    )


def _path(runs: _runs.Runs, p: int, steps: FloatArray, found: FloatArray, drawn: FloatArray) -> Estimate:
    """One policy's curve with its joint error; a point at which no run differs has none that could be known."""
    G = steps.size
    centred = drawn[:, p, :G] - drawn[:, p, :G].mean(axis=0)
    spread = centred.T @ centred / max(drawn.shape[0] - 1, 1)
    still = ~(np.diagonal(spread) > 0)
    spread[still, :] = spread[:, still] = np.nan
    return Estimate(
        tuple(f"{step:.12g}" for step in steps),
        found[p, :G],
        (Part("sampling", spread, runs.units),),
        np.full(G, _runs.degrees(runs, middle)[p]),
        method="ranking.learning_curves",
    )


def _censored(names: tuple[str, ...], reached: FloatArray, goal: float, chosen: bool) -> tuple[Finding, ...]:
    """Findings on the threshold: how it was chosen, and where runs never reached it."""
    late = tuple(name for name, share in zip(names, reached, strict=True) if share < 1)
    told = Finding(
        "threshold-chosen",
        Severity.INFO,
        f"Times are those to a return of {goal:.4g}, half-way between the least and the highest of all runs.",
        goal,
        remedy="Name the return that is good enough with threshold=.",
    )
    if not late:
        return (told,) if chosen else ()
    return (
        *((told,) if chosen else ()),
        Finding(
            "threshold-not-reached",
            Severity.INFO,
            f"Runs of {len(late)} policies end below the threshold (up to {100 * (1 - np.nanmin(reached)):.0f} % of a "
            f"policy's); "
            "they count with the whole of the steps, so times are least times.",
            float(1 - np.nanmin(reached)),
            0.0,
            "Compare `reached` with `time`, run longer, or lower threshold=.",
            late,
        ),
    )
