"""The order of systems that most instances agree with, within each task and then over the tasks.

    one level    argmax over orders of Σ_{i above j} m_ij         m over all ballots: instance × metric
    two levels   the same within each task, then over the tasks' orders

Ballots are orders, so that no rescaling of a metric changes anything. Value is −position, averaged over all optimal
orders. `figures["mean"]` is the mean of scores, `figures["stability"]` Kendall's τ between the order and replicates'.

Colombo, Noiry, Irurozki, et al. (2022), What are the best systems? New perspectives on NLP Benchmarking, Section 3.
Limits: one task, or one level, is `ranking.kemeny` on the pairs of all ballots; `ranking.task_borda` approximates it
within a factor of five, and usually gives the same order.
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
from ..stats.voting import kemeny
from ..tables.ratings import Ratings
from . import _ballots

CARD = Card(
    answers="Which order of systems agrees with the most instances, within tasks and then over them?",
    equation="argmax over orders of Σ_{i above j} m_ij, in each task, and then over the tasks' orders",
    papers=(
        Paper(
            "What are the best systems? New perspectives on NLP Benchmarking",
            "Colombo, Noiry, Irurozki, et al.",
            2022,
            "NeurIPS",
            "https://arxiv.org/abs/2202.03799",
            "Section 3",
        ),
        Paper(
            "Mathematics without numbers",
            "Kemeny",
            1959,
            "Daedalus 88(4)",
            "https://www.jstor.org/stable/20026529",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Clusters of instances are a sample of those that matter.",
        "Metrics agree that more is better, or `lower`.",
    ),
    limits=(
        "With more than 30 policies in one circle the order is found by search, not proven.",
        "With more than 9 policies replicates are searched by moves.",
    ),
    when="For one consensus order over metrics of different units; ranking.task_borda for scores and speed.",
    unit="minus the place in the best order",
    rows=(64,),
)


def rank(ratings: Ratings, *, levels: int = 2, lower: Sequence[str] = (), draws: int = 500, seed: int = 0) -> Estimate:
    """Minus the position of each policy in the consensus order; −1 is the best.

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
    array([-2., -1.])
    """
    if levels not in (1, 2):
        raise AdjudgeError(f"levels is {levels}.", "1 pools all instances, 2 ranks within tasks first.", "Use 1 or 2.")
    ballots = _ballots.read(ratings, lower)
    proven: list[bool] = []

    def rule(M: FloatArray, weight: FloatArray) -> FloatArray:
        if levels == 1:
            with np.errstate(invalid="ignore", divide="ignore"):
                whole = np.where(weight.sum(axis=1) > 0, (M * weight).sum(axis=1) / weight.sum(axis=1), 0.0)
        else:
            whole = np.zeros((M.shape[0], *M.shape[2:]))
            for t in range(M.shape[1]):
                place = _places(M[:, t], proven)
                ahead = 0.5 * np.sign(np.round(place[:, None, :] - place[:, :, None], 9)) * (weight[:, t] > 0)
                whole += ahead / np.maximum((weight > 0).sum(axis=1), 1)
        return -_places(whole, proven)

    made = _ballots.estimate(
        ballots,
        rule,
        step=1.0,
        bounds=(-float(max(ballots.k, 2)), -1.0),
        draws=draws,
        seed=seed,
        method="ranking.task_kemeny",
    )
    return made if all(proven) else replace(made, findings=(*made.findings, _unproven(proven)))


def _places(M: FloatArray, proven: list[bool]) -> FloatArray:
    """[b, k] positions; of a single table by proof, of replicates by search."""
    if M.shape[0] == 1:
        best = kemeny.solve(M[0])
        proven.append(best.proven)
        return best.position[None]
    borda = np.argsort(np.argsort(-M.mean(axis=0).sum(axis=1))).astype(float)
    return kemeny.positions(M, start=borda)


def _unproven(proven: list[bool]) -> Finding:
    return Finding(
        "optimum-unproven",
        Severity.WARNING,
        f"{proven.count(False)} of {len(proven)} orders were found by search and are not proven to be the best.",
        proven.count(False),
        0,
        "Rank fewer policies, or use ranking.task_borda.",
    )
