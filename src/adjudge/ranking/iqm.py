"""The interquartile mean: a policy's typical score over tasks and runs, without its lucky and its hopeless quarter.

    IQM_p = 2 ∫_{¼}^{¾} F_p⁻¹(u) du        F_p = 1/T Σ_t F_pt, the normalised runs of p pooled with equal tasks

The error is a stratified bootstrap over the runs of each task (or over tasks, where cells hold a single run). Quarters
of a run that straddle a quartile count in part; where runs are a multiple of four that is the usual trimmed mean.

Agarwal, Schwarzer, Castro, et al. (2021), Deep RL at the edge of the statistical precipice.
Limits: one run is its score; adding a constant adds it; a quarter of wild scores at either end moves nothing.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..tables.ratings import Ratings
from . import _runs

CARD = Card(
    answers="What does each policy typically score over tasks and runs, whatever its luckiest and worst quarter do?",
    equation="IQM_p = 2 ∫_{¼}^{¾} F_p⁻¹(u) du",
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
        "Speaks of the tasks at hand when runs are resampled, of tasks like them when tasks are.",
        "Says nothing of the worst quarter: ranking.performance_profile shows it.",
    ),
    when="A few runs of each agent on each of some tasks; with one run on many tasks, ranking.task_mean is the habit.",
    unit="interquartile mean of the score",
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
    """Interquartile means of the policies.

    Arguments:
        ratings: the table; `item` is the task, and rows of one policy and item are its runs.
        metric: name of the score column; the first by default.
        low, high: what 0 and 1 mean on each task: a number, a policy whose mean it is, or `lowest` and `highest`.
        resample: `runs`, `tasks`, or `auto`: runs where every cell has two.
        draws: bootstrap replicates.
        seed: of the replicates.

    Errors: an unknown metric, policy or way to resample; one end of the scale without the other.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a"] * 4, item=[0] * 4, score=[0.0, 1.0, 2.0, 90.0], draw=range(4))
    >>> rank(table).value
    array([1.5])
    """
    runs = _runs.prepare(ratings, metric=metric, low=low, high=high, resample=resample)
    return _runs.estimate(
        runs, lambda z, w, _: interquartile_mean(z, w), draws=draws, seed=seed, method="ranking.iqm", linear=middle
    )


def interquartile_mean(score: FloatArray, weight: FloatArray) -> FloatArray:
    """[b, 1] mean of the middle half of ascending scores [r] under weights [b, r].

    >>> interquartile_mean(np.arange(8.0) ** 2, np.ones((1, 8)))
    array([[13.5]])
    """
    total = np.cumsum(weight, axis=1)
    with np.errstate(invalid="ignore"):
        upto = np.clip(total / total[:, -1:] if score.size else total, 0.25, 0.75)
    kept = np.diff(upto, axis=1, prepend=0.25)
    return np.asarray(2 * kept @ score if score.size else np.full(weight.shape[0], np.nan))[:, None]


def middle(score: FloatArray, share: FloatArray) -> FloatArray:
    """[r] ascending scores held inside their quartiles under shares [r]: how the interquartile mean moves with each.

    >>> middle(np.arange(8.0), np.full(8, 0.125))
    array([1., 1., 2., 3., 4., 5., 5., 5.])
    """
    if not score.size:
        return score
    upto = np.cumsum(share)
    low, high = (score[np.searchsorted(upto / upto[-1], at - 1e-12)] for at in (0.25, 0.75))
    return np.clip(score, low, high)
