"""What are the best systems, when scores of different tasks and metrics have different units? Mean ranks, not means.

    one level    value_i = ½ + 1/(k−1) Σ_j m_ij             m over all ballots: instance × metric
    two levels   value_i = 1/T Σ_t (share of the others behind i in task t's own mean-rank order)

A ballot is the order of the policies on one instance under one metric: no rescaling of a metric changes anything.
`figures["mean"]` is the mean of scores beside it, and `figures["stability"]` Kendall's τ between the order and those of
replicates. Errors are a bootstrap of clusters of instances, the same in all tasks; the tasks are taken as given.

Colombo, Noiry, Irurozki, et al. (2022), What are the best systems? New perspectives on NLP Benchmarking, Section 3.
Limits: one task and one level is the mean rank; two policies are the share of instances won.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import BoolArray, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..errors import AdjudgeError
from ..stats.voting import rules
from ..tables.ratings import Ratings
from . import _ballots

CARD = Card(
    answers="What are the best systems over tasks and metrics of different units, by mean ranks?",
    equation="one level: ½ + 1/(k−1) Σ_j m_ij;   two levels: 1/T Σ_t share of the others behind i in task t",
    papers=(
        Paper(
            "What are the best systems? New perspectives on NLP Benchmarking",
            "Colombo, Noiry, Irurozki, et al.",
            2022,
            "NeurIPS",
            "https://arxiv.org/abs/2202.03799",
            "Section 3",
        ),
        Paper("Mémoire sur les élections au scrutin", "Borda", 1784, "Histoire de l'Académie Royale des Sciences"),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Clusters of instances are a sample of those that matter.",
        "Metrics agree that more is better, or `lower`.",
    ),
    limits=(
        "By how much a policy is better on an instance counts for nothing.",
        "A new policy that is a copy of another changes everybody's mean rank.",
        "With two levels the interval is of the order on tasks with as many instances; endless ones decide near ties.",
    ),
    when="When metrics have units that cannot be averaged; ranking.task_mean where one unit is meant.",
    unit="mean place on the tasks, 1 is first and 0 last",
    rows=(64,),
)


def rank(ratings: Ratings, *, levels: int = 2, lower: Sequence[str] = (), draws: int = 1000, seed: int = 0) -> Estimate:
    """Mean share of the others that a policy is ranked above, in [0, 1].

    Arguments:
        ratings: scores; `stratum` and score column make a task, `item` is the instance.
        levels: 2 ranks within tasks and then over tasks, which all count alike; 1 pools all ballots.
        lower: metrics of which less is better.
        draws: bootstrap replicates, at least 2.
        seed: of the draws.

    Errors: levels other than 1 and 2, an unknown metric, fewer than 2 draws, more than 40 million pairs on ballots.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b", "a", "b"], item=[0, 0, 1, 1], score=[0.2, 0.5, 0.6, 0.7])
    >>> rank(table).value
    array([0., 1.])
    """
    if levels not in (1, 2):
        raise AdjudgeError(f"levels is {levels}.", "1 pools all instances, 2 ranks within tasks first.", "Use 1 or 2.")
    ballots = _ballots.read(ratings, lower)
    steps = max(ballots.k - 1, 1) * (len(ballots.tasks) if levels == 2 else max(ballots.units, 1))
    return _ballots.estimate(
        ballots,
        pooled if levels == 1 else by_task,
        step=0.5 / max(steps, 1),
        bounds=(0.0, 1.0),
        draws=draws,
        seed=seed,
        method="ranking.task_borda",
    )


def pooled(M: FloatArray, weight: FloatArray) -> FloatArray:
    """[b, k] Borda shares of the ballots of all tasks together, from margins and weights [b, T, k, k]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.where(weight.sum(axis=1) > 0, (M * weight).sum(axis=1) / weight.sum(axis=1), 0.0)
    return rules.borda(whole)


def by_task(M: FloatArray, weight: FloatArray) -> FloatArray:
    """[b, k] mean over tasks of the share of the others behind, in each task's order of Borda shares."""
    inside: BoolArray = np.asarray((weight > 0).any(axis=3))  # who takes part in the task
    both = inside[..., :, None] & inside[..., None, :] & ~np.eye(M.shape[-1], dtype=bool)
    met = np.maximum((weight > 0).sum(axis=3), 1)
    score = M.sum(axis=3) / met
    gap = score[..., :, None] - score[..., None, :]
    ahead = np.where(np.abs(gap) <= rules.SAME, 0.0, 0.5 * np.sign(gap)) * both
    return rules.borda(ahead.sum(axis=1) / np.maximum(both.sum(axis=1), 1))
