"""The door of the item response model: a table as successes and trials, and what to say of the fit.

Repeated rows of one policy and item are independent trials, so weight 2 is the row twice.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .._typing import BoolArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings
from . import _irt

MODELS = ("1pl", "2pl")
MARGINAL = ("auto", "items", "policies")
EXAM = 100
"""Policies from which on, where they outnumber the tasks, abilities are integrated out."""
FEW = 30
"""Clusters of tasks below which the errors are said to be rough."""
SETTLED = 1e-3


def gathered(
    ratings: Ratings, model: str, guess: float, prior: float, marginal: str, metric: str | None
) -> tuple[_irt.Counts, IntArray, IntArray, list[Finding]]:
    """[t, k] counts, [t] cluster and [t] code of the tasks that were answered, and what the table leaves doubtful."""
    if model not in MODELS or marginal not in MARGINAL or not 0 <= guess < 1 or not prior > 0:
        raise AdjudgeError(
            f"ranking.item_response: model {model!r}, marginal {marginal!r}, guess {guess}, prior {prior}.",
            f"A model of {', '.join(MODELS)}; marginal of {', '.join(MARGINAL)}; guess in [0, 1); prior > 0.",
            "Correct the one that is not.",
        )
    score = ratings.score[:, judge_columns(ratings, metric)[0]]
    rows = np.flatnonzero((ratings.weight > 0) & np.isfinite(score))
    y, w = score[rows], ratings.weight[rows]
    outside = np.flatnonzero((y < 0) | (y > 1))
    if outside.size:
        raise AdjudgeError(
            f"ratings.score: {outside.size:,} of {rows.size:,} scores are not in [0, 1] (first: row "
            f"{ratings.row[rows[outside[0]]]}, {y[outside[0]]:g}).",
            "An item response model is about solved (1) and not solved (0), or shares between.",
            "Rescale the score, or say from which score on a task is solved.",
        )
    codes, task = np.unique(ratings.item[rows], return_inverse=True)
    cell, slots = task * ratings.k + ratings.policy[rows], codes.size * ratings.k
    success, trials = (group_sums(cell, x, slots).reshape(codes.size, ratings.k) for x in (w * y, w))
    unit = np.full(codes.size, np.iinfo(np.int64).max)
    np.minimum.at(unit, task, ratings.cluster[rows])
    findings = []
    graph = sparse.coo_array(
        (np.ones(rows.size), (task, codes.size + ratings.policy[rows])), shape=(sum(success.shape),) * 2
    )
    label = csgraph.connected_components(graph, directed=False)[1]
    islands = np.unique(label[codes.size :][trials.sum(axis=0) > 0]).size
    if islands > 1:
        findings.append(
            Finding(
                "tasks-not-shared",
                Severity.WARNING,
                f"The policies fall into {islands} groups that share no task: they are compared only by the assumption "
                "that all tasks are drawn from one law.",
                islands,
                1,
                "Let some policies of each group answer the same tasks.",
            )
        )
    return _irt.Counts(success, trials), np.unique(unit, return_inverse=True)[1], codes.astype(np.int64), findings


def columns(counts: _irt.Counts, kept: IntArray) -> _irt.Counts:
    """The counts of some of the policies."""
    return _irt.Counts(counts.success[:, kept], counts.trials[:, kept])


def unbounded(counts: _irt.Counts, prior: float) -> BoolArray:
    """[k] whether a policy has no finite ability: it solved all or nothing, or answered nothing."""
    right, tried = counts.success.sum(axis=0), counts.trials.sum(axis=0)
    return np.asarray((tried <= 0) | (np.isinf(prior) & ((right <= 0) | (right >= tried))))


def exam(counts: _irt.Counts, marginal: str) -> bool:
    """Whether the abilities are integrated out instead of the tasks."""
    t, k = counts.success.shape
    return bool(t) and (marginal == "policies" or (marginal == "auto" and k >= EXAM and k > t))


def settled(gradient: float) -> list[Finding]:
    """A finding where the likelihood still climbs at the answer."""
    if gradient <= SETTLED:
        return []
    return [
        Finding(
            "fit-not-settled",
            Severity.WARNING,
            f"The likelihood still climbs at the answer (slope {gradient:.2g}).",
            gradient,
            SETTLED,
            "Give a prior, or use model='1pl'.",
        )
    ]


def said(policies: tuple[str, ...], edge: BoolArray, units: int) -> list[Finding]:
    """Findings on policies without an ability and on few tasks."""
    found = []
    if edge.any():
        names = tuple(name for name, out in zip(policies, edge, strict=True) if out)
        found.append(
            Finding(
                "ability-unbounded",
                Severity.SEVERE,
                f"{len(names)} policies solved all of their tasks, none, or had none, and get no rating: "
                f"{', '.join(names[:10])}.",
                len(names),
                0,
                "Add harder or easier tasks, or hold abilities by a prior (prior=2).",
                names,
            )
        )
    if (~edge).sum() == 1:
        found.append(
            Finding(
                "policies-few",
                Severity.WARNING,
                "One policy alone has no rating: ratings are distances between policies.",
                1,
                2,
                "Add a policy that answered the same tasks.",
            )
        )
    if units < FEW:
        found.append(
            Finding(
                "tasks-few",
                Severity.WARNING,
                f"{units} independent tasks: the intervals are rough.",
                units,
                FEW,
                "Add tasks.",
            )
        )
    return found
