"""The class that most raters name, and how often each rater agrees with the majority of the others.

    p_ic = 1[c among the most named of item i] / (how many are)        a_j = mean over j's labels of p^{(−j)}_{i, label}

The majority without the rater is the yardstick: with the rater's own vote in it, everybody would look better.

Condorcet (1785). Limits: a tie splits the probability; two raters are held against each other; with one rater alone
there is a consensus but no accuracy. Raters who are wrong together look right.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..tables.annotations import Annotations, Consensus
from . import _cells, _others

NAME = "aggregation.majority"

CARD = Card(
    answers="Which class do most raters name, and how often does each rater agree with the others?",
    equation="p_ic = 1[c is most named] / number of most named\na_j = mean of p^(−j) at the labels of rater j",
    papers=(
        Paper(
            "Essai sur l'application de l'analyse à la probabilité des décisions rendues à la pluralité des voix",
            "Condorcet",
            1785,
            "Imprimerie Royale, Paris",
        ),
    ),
    needs=("item", "rater", "label"),
    assumes=(
        "Raters are right more often than they name any one wrong class, and err independently.",
        "Items are independent of each other.",
    ),
    limits=(
        "Ties split the probability; the label is the first of the tied classes.",
        "Accuracy against the others lies below the accuracy against the truth, as the others err too.",
    ),
    when="As the baseline, or with many raters an item; aggregation.dawid_skene where raters differ in quality.",
    unit="share of labels that agree with the majority of the others",
)


def aggregate(table: Annotations) -> Consensus:
    """Majority vote, and each rater's accuracy against the majority of the others, with errors clustered by item.

    Arguments:
        table: labels; a weight counts repetitions.

    Errors: no item, rater or class. Items without labels and ties are findings.

    >>> from adjudge.tables.read_annotations import read
    >>> votes = read({"item": [1, 1, 1, 2, 2], "rater": ["a", "b", "c", "a", "b"], "label": list("xxyyy")})
    >>> told = aggregate(votes)
    >>> [votes.classes[label] for label in told.label], told.raters.value.tolist()
    (['x', 'y'], [0.75, 0.75, 0.0])
    """
    found = _cells.cells(table)
    equal = np.ones(found.J)
    probability = _cells.top(_others.votes(found, equal))
    ties = _cells.tie_finding(found, probability)
    seen = _others.against_others(found, equal)
    raters = _others.estimate(found, seen, names=table.raters, method=NAME, findings=ties)
    return _cells.consensus(found, probability, raters)
