"""How far a policy falls short of a good enough score, where scoring beyond it earns nothing.

    value_p = −gap_p = E min(z, γ) − γ        over F_p = 1/T Σ_t F_pt, the normalised runs pooled with equal tasks

Higher is better, so the value is minus the gap: 0 for a policy that always reaches γ. The error is a stratified
bootstrap over the runs of each task (or over tasks, where cells hold a single run).

Agarwal, Schwarzer, Castro, et al. (2021), §4.3. Limits: γ above every score is the mean score − γ.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..tables.ratings import Ratings
from . import _runs

CARD = Card(
    answers="How far does each policy fall short of a good enough score, on average over tasks and runs?",
    equation="value_p = E min(z, γ) − γ",
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
    limits=("γ above every score is the mean; a policy that always reaches γ has a gap of 0 and no spread.",),
    when="When a score of γ (such as human level) is all that is wanted; ranking.iqm where more is always better.",
    unit="minus the shortfall from a good score",
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    low: float | str | None = None,
    high: float | str | None = None,
    gamma: float = 1.0,
    resample: str = "auto",
    draws: int = 2000,
    seed: int = 0,
) -> Estimate:
    """Minus the optimality gaps of the policies; the gaps themselves are the figure `gap`.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs.
        metric: name of the score column; the first by default.
        low, high: what 0 and 1 mean on each task: a number, a policy whose mean it is, or `lowest` and `highest`.
        gamma: the score γ that is good enough, on the normalised scale.
        resample: `runs`, `tasks`, or `auto`: runs where every cell has two.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric, policy or way to resample; one end of the scale without the other.

    >>> from adjudge.tables.read import from_arrays
    >>> result = rank(from_arrays(policy=["a"] * 3, item=[0, 1, 2], score=[0.25, 0.5, 2.0]))
    >>> result.value.round(4), result.figures["gap"].value.round(4)
    (array([-0.4167]), array([0.4167]))
    """
    runs = _runs.prepare(ratings, metric=metric, low=low, high=high, resample=resample)

    def capped(score: FloatArray, weight: FloatArray, _: IntArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(weight @ np.minimum(score, gamma) / weight.sum(axis=1) - gamma)[:, None]

    short = _runs.estimate(
        runs, capped, draws=draws, seed=seed, method="ranking.optimality_gap", linear=lambda z, _: np.minimum(z, gamma)
    )
    short = replace(short, bounds=(-np.inf, 0.0))
    return replace(short, figures={"gap": short.contrast(-np.eye(runs.k), runs.names)})
