"""Does the judge give so many rows its top (or bottom) mark that it can no longer tell them apart?

    ceiling_p = share of rows with the highest score seen,   floor_p = share with the lowest,   p a policy

A judge with two values is a verdict, not a saturated scale, and is left alone.
Limit: a continuous judge has both shares at 1/n.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings

CARD = Card(
    answers="Does the judge still tell responses apart at the ends of its scale?",
    equation="ceiling_p = Σ w·1[s = max s] / Σ w;  floor_p alike",
    papers=(
        Paper(
            "Robustness of statistical methods when measure is affected by ceiling and/or floor effect",
            "Šimkovic, Träuble",
            2019,
            "PLOS ONE 14(8)",
            "https://doi.org/10.1371/journal.pone.0220889",
        ),
        Paper(
            "Judging LLM-as-a-Judge with MT-Bench and Chatbot Arena",
            "Zheng, Chiang, Sheng et al.",
            2023,
            "NeurIPS",
            equation="§ 3.4",
        ),
    ),
    needs=("score",),
    limits=("two-valued judges are not scales and are not checked",),
    when="Always; most useful before optimising on a judge, since a policy at the ceiling cannot be seen to improve.",
)


def check(ratings: Ratings, *, threshold: float = 0.5) -> Audit:
    """Findings for policies that sit at an end of the judge's scale.

    Arguments:
        ratings: table with at least one judge.
        threshold: [0, 1] share of a policy's rows at one end that raises a finding.

    >>> from adjudge.sim.judging import Judging
    >>> check(Judging(items=101, labels=11).draw(1).ratings).findings
    ()
    """
    findings = []
    for j, judge in enumerate(ratings.judges):
        score = ratings.score[:, j]
        present = np.isfinite(score)
        values = np.unique(score[present])
        if values.size < 3:
            continue
        total = np.bincount(ratings.policy[present], ratings.weight[present], ratings.k)
        for end, name in ((values[-1], "highest"), (values[0], "lowest")):
            with np.errstate(invalid="ignore"):
                share = np.bincount(ratings.policy, ratings.weight * (score == end), ratings.k) / total
            findings += [
                Finding(
                    "judge-saturated",
                    Severity.WARNING,
                    f"{100 * share[p]:.0f} % of the rows of {ratings.policies[p]} get the {name} {judge} seen "
                    f"({end:.3g}); there the judge cannot tell better from worse.",
                    float(share[p]),
                    threshold,
                    "Give the judge a finer scale or a harder rubric, or label more rows at this score.",
                    (ratings.policies[p],),
                )
                for p in np.flatnonzero(share > threshold)
            ]
    return Audit(tuple(findings))
