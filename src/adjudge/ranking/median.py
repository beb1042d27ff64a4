"""The median over tasks of a policy's mean score: what most game-playing papers reported, with its honest, wide error.

    median_p = median over tasks t of the mean over runs of z_pt

The error is a stratified bootstrap over the runs of each task (or over tasks, where cells hold a single run).

Agarwal, Schwarzer, Castro, et al. (2021), §4.3: the median moves with one or two tasks only, is noisy, and is blind to
the score of almost half of the tasks. Limits: one task is its mean; an even number of tasks averages the middle two.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..tables.ratings import Ratings
from . import _runs

CARD = Card(
    answers="What does each policy score on the task in the middle of its own list?",
    equation="median_p = median_t mean_runs z_pt",
    papers=(
        Paper(
            "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
            "Agarwal, Schwarzer, Castro, et al.",
            2021,
            "NeurIPS",
            "https://arxiv.org/abs/2108.13264",
            "§4.3",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Runs of a policy on a task are independent.",
        "Scores of different tasks are on one scale, or are put on one by low and high.",
    ),
    limits=(
        "Blind to everything but the middle: scores of 0 on just under half of the tasks change nothing.",
        "Biased upwards with few runs, where skewed run scores are averaged first: with 3 to 5 skewed runs on 6 tasks "
        "a 95 % interval covers 85 % of the time.",
    ),
    when="To reproduce published medians; ranking.iqm says the same thing with a third of the variance.",
    unit="score on the median task",
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    low: float | str | None = None,
    high: float | str | None = None,
    resample: str = "auto",
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Medians over tasks of the policies' mean scores.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs.
        metric: name of the score column; the first by default.
        low, high: what 0 and 1 mean on each task: a number, a policy whose mean it is, or `lowest` and `highest`.
        resample: `runs`, `tasks`, or `auto`: runs where every cell has two.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric, policy or way to resample; one end of the scale without the other.

    >>> from adjudge.tables.read import from_arrays
    >>> rank(from_arrays(policy=["a"] * 3, item=[0, 1, 2], score=[0.0, 1.0, 90.0])).value
    array([1.])
    """
    runs = _runs.prepare(ratings, metric=metric, low=low, high=high, resample=resample)
    return _runs.estimate(runs, task_median, draws=draws, seed=seed, method="ranking.median")


def task_median(score: FloatArray, weight: FloatArray, task: IntArray) -> FloatArray:
    """[b, 1] weighted median over tasks of the mean of scores [r] under weights [b, r], for tasks [r].

    >>> task_median(np.array([1.0, 3.0, 9.0]), np.array([[0.5, 0.5, 1.0]]), np.array([0, 0, 1]))
    array([[5.5]])
    """
    if not score.size:
        return np.full((weight.shape[0], 1), np.nan)
    order = np.argsort(task, kind="stable")
    start = np.flatnonzero(np.diff(task[order], prepend=-1))
    mass = np.add.reduceat(weight[:, order], start, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.add.reduceat((weight * score)[:, order], start, axis=1) / mass
    mean = np.where(mass > 0, mean, np.inf)
    by_size = np.argsort(mean, axis=1, kind="stable")
    mean, mass = np.take_along_axis(mean, by_size, axis=1), np.take_along_axis(mass, by_size, axis=1)
    half = np.cumsum(mass, axis=1) / mass.sum(axis=1, keepdims=True) - 0.5
    low = np.argmax(half >= -1e-12, axis=1)[:, None]
    high = np.argmax(half > 1e-12, axis=1)[:, None]
    return np.asarray(np.take_along_axis(mean, low, axis=1) + np.take_along_axis(mean, high, axis=1)) / 2
