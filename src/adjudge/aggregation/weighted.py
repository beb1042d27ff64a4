"""A vote in which better raters count for more: weights are the log-odds of being right, learnt from the others.

    v_j = log( a_j (C − 1) / (1 − a_j) )        p_i ∝ exp( Σ_j v_j 1[label_ij = c] )
    a_j = share of j's labels that agree with the weighted vote of the others, two labels' worth of the mean added

Log-odds are the best weights when accuracies are known; here they and the votes are found in turn until neither moves.

Nitzan, Paroush (1982); Li, Yu (2014). Limits: raters of equal accuracy are the majority; a rater who is wrong more
often than chance counts against what is said; endless labels of one-coin raters are aggregation.one_coin.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..tables.annotations import Annotations, Consensus
from . import _cells, _others

NAME = "aggregation.weighted"

CARD = Card(
    answers="Which class wins when each rater's vote counts by the log-odds that the rater is right?",
    equation="v_j = log(a_j (C − 1)/(1 − a_j)),  p_i ∝ exp(Σ_j v_j 1[label_ij = c]),  in turn",
    papers=(
        Paper(
            "Error Rate Bounds and Iterative Weighted Majority Voting for Crowdsourcing",
            "Li, Yu",
            2014,
            "arXiv",
            "https://arxiv.org/abs/1411.4086",
            "with log-odds weights, and each rater held against the others",
        ),
        Paper(
            "Optimal Decision Rules in Uncertain Dichotomous Choice Situations",
            "Nitzan, Paroush",
            1982,
            "Int. Econ. Rev. 23(2)",
            "https://doi.org/10.2307/2526438",
        ),
    ),
    needs=("item", "rater", "label"),
    assumes=(
        "Each rater errs independently, with one accuracy on all items and all wrong classes alike.",
        "Most of the vote is right to begin with.",
    ),
    limits=(
        "Raters of equal accuracy are aggregation.majority.",
        "A rater who mistakes one class for another keeps one weight for both.",
    ),
    when="When a weight for each rater must be easy to explain; aggregation.dawid_skene where errors have directions.",
    unit="share of labels that agree with the weighted vote of the others",
)

_PRIOR = 2.0  # labels' worth of the mean accuracy


def aggregate(table: Annotations, *, rounds: int = 100) -> Consensus:
    """Weighted vote, and each rater's accuracy against the weighted vote of the others.

    Arguments:
        table: labels; a weight counts repetitions.
        rounds: most times that weights and votes are found in turn.

    Errors: no item, rater or class. Weights that do not settle are a finding.

    >>> from adjudge.tables.read_annotations import read
    >>> said = {"a": "xyxyxy", "b": "xyxyxy", "c": "xyxyxx", "d": "yxyxyx"}
    >>> rows = [(i, name, label) for name, labels in said.items() for i, label in enumerate(labels)]
    >>> item, rater, label = zip(*rows)
    >>> votes = read({"item": item, "rater": rater, "label": label})
    >>> "".join(votes.classes[label] for label in aggregate(votes).label)
    'xyxyxy'
    """
    found = _cells.cells(table)
    power, seen = np.ones(found.J), _others.against_others(found, np.ones(found.J))
    settled = False
    for _ in range(rounds if found.C > 1 else 0):
        before, power = power, _log_odds(seen, found.C)
        settled = bool(np.allclose(before, power, rtol=0, atol=1e-9))
        if settled:
            break
        seen = _others.against_others(found, power)
    score = _others.votes(found, power)
    probability = np.exp(score - score.max(axis=1, keepdims=True))
    probability /= probability.sum(axis=1, keepdims=True)
    findings = _cells.tie_finding(found, probability) + (() if settled or found.C < 2 else (_unsettled(rounds),))
    raters = _others.estimate(found, seen, names=table.raters, method=NAME, findings=findings)
    return _cells.consensus(found, probability, raters)


def _log_odds(seen: _others.Agreement, classes: int) -> FloatArray:
    """[J] v_j; a rater whom nobody can be held against counts as the mean rater."""
    mean = seen.right.sum() / seen.total.sum() if seen.total.sum() else 1.0
    size = seen.total + _PRIOR
    edge = 0.5 / size
    a = np.clip((seen.right + _PRIOR * mean) / size, edge, 1 - edge)
    return np.asarray(np.log(a * (classes - 1) / (1 - a)))


def _unsettled(rounds: int) -> Finding:
    return Finding(
        "weights-unsettled",
        Severity.WARNING,
        f"The weights of the raters still moved after {rounds:,} rounds.",
        number=float(rounds),
        remedy="Allow more rounds, or use aggregation.one_coin.",
    )
