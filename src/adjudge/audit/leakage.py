"""Has the gold label leaked into the judge's score, or is one policy's column a copy of another's?

    same_j = share of labelled rows whose score equals the gold label       (many-valued judges only)
    twins  = share of items on which two policies carry the same scores

A judge that repeats a many-valued gold label has seen it: it will agree on labelled rows and nowhere else, and every
interval will be too narrow. Two policies that agree on every item are one policy under two names, or a file read twice.
"""

from __future__ import annotations

import itertools

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings

CARD = Card(
    answers="Has gold leaked into the scores, or has one policy been entered twice?",
    equation="same_j = mean 1[s_ij = y_i];   twins_pq = mean 1[s_ip = s_iq] over shared items",
    papers=(
        Paper(
            "Leakage and the Reproducibility Crisis in Machine-Learning-Based Science",
            "Kapoor, Narayanan",
            2023,
            "Patterns 4(9)",
        ),
    ),
    needs=("score", "gold"),
    limits=("gold with fewer than five values is not checked for leakage: honest judges repeat it often",),
    when="Always: it costs one pass.",
)


def check(ratings: Ratings, *, threshold: float = 0.9) -> Audit:
    """Findings for leaked gold and for twin policies.

    Arguments:
        ratings: table with at least one judge.
        threshold: [0, 1] share of equal values that raises a finding.

    >>> from adjudge.sim.judging import Judging
    >>> check(Judging(items=101, labels=11).draw(1).ratings).findings
    ()
    """
    return Audit((*_leaked(ratings, threshold), *_twins(ratings, 0.99)))


def _leaked(ratings: Ratings, threshold: float) -> list[Finding]:
    gold = ratings.gold[ratings.labelled]
    if gold.size < 5 or np.unique(gold).size < 5:
        return []
    columns = [*zip(ratings.judges, ratings.score[ratings.labelled].T, strict=True)]
    columns += zip(ratings.covariate_names, ratings.covariates[ratings.labelled].T, strict=True)
    return [
        Finding(
            "gold-leaked",
            Severity.SEVERE,
            f"{name} equals the gold label on {100 * same:.0f} % of {gold.size} labelled rows: it has seen the label.",
            same,
            threshold,
            f"Score those rows again with a judge that is not shown the label, or leave {name} out.",
            (name,),
        )
        for name, column in columns
        if (same := float(np.mean(np.isclose(column, gold, rtol=0, atol=1e-12)))) > threshold
    ]


def _twins(ratings: Ratings, threshold: float) -> list[Finding]:
    if not 2 <= ratings.k <= 50 or np.unique(ratings.score[np.isfinite(ratings.score)]).size < 5:
        return []
    firsts = [_first_score(ratings, p) for p in range(ratings.k)]
    findings = []
    for (p, (item_p, score_p)), (q, (item_q, score_q)) in itertools.combinations(enumerate(firsts), 2):
        _, at_p, at_q = np.intersect1d(item_p, item_q, assume_unique=True, return_indices=True)
        if at_p.size < 20:
            continue
        same = float(np.mean(score_p[at_p] == score_q[at_q]))
        if same > threshold:
            a, b = ratings.policies[p], ratings.policies[q]
            findings.append(
                Finding(
                    "policies-identical",
                    Severity.WARNING,
                    f"{a} and {b} have the same score on {100 * same:.0f} % of {at_p.size} shared items.",
                    same,
                    threshold,
                    f"Check that {b} is not {a} under another name.",
                    (a, b),
                )
            )
    return findings


def _first_score(ratings: Ratings, p: int) -> tuple[FloatArray, FloatArray]:
    """Items of a policy and the first judge's score of its first response to each."""
    rows = np.flatnonzero(ratings.policy == p)
    item, first = np.unique(ratings.item[rows], return_index=True)
    return item.astype(float), ratings.score[rows[first], 0]
