"""Does a policy give the same answer when it is asked again?

    flip_p = mean_i P(two runs of task i differ) = 1 − mean_i Σ_v n_v(n_v − 1)/(n(n − 1))
    spread_p = √ mean_i s²_i,     entropy_p = mean_i [−Σ_v f_v log₂ f_v + (distinct − 1)/(2n ln 2)]

s²_i is the unbiased variance between the runs of a task; the last term of the entropy is Miller's correction. Tasks are
the units, so the intervals hold for tasks that were not asked.

Balachandran, Chen, Joshi, et al. (2024), Eureka. Miller (1955) (entropy).
Limits: equal runs give 0 everywhere; a task run once says nothing and is left out.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.runs import runs
from ..tables.ratings import Ratings
from ..tables.regressors import covariate

CARD = Card(
    answers="How often does a policy answer differently when the same task is run again?",
    equation="flip_p = 1 − mean_i Σ_v n_v(n_v − 1)/(n(n − 1));  spread_p = √ mean_i s²_i;  entropy_p in bits",
    papers=(
        Paper(
            "Eureka: Evaluating and Understanding Large Foundation Models",
            "Balachandran, Chen, Joshi, et al.",
            2024,
            "arXiv:2409.10566",
            "https://arxiv.org/abs/2409.10566",
            "§7, non-determinism",
        ),
        Paper(
            "Note on the bias of information estimates",
            "Miller",
            1955,
            "Information Theory in Psychology: Problems and Methods",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("several rows of one policy and item are repeated runs of it",),
    limits=("entropy of few runs is an estimate with bias of order 1/n²; flip and spread² are unbiased",),
    when="Before two versions are compared by single runs: part of any difference is the die.",
    rows=(68,),
)


def check(ratings: Ratings, *, metric: str | None = None, answer: str | None = None, threshold: float = 0.05) -> Audit:
    """Share of changed answers, spread of scores and entropy of answers over repeated runs, by policy.

    Arguments:
        ratings: the table; without repeated runs there is nothing to see and nothing is said.
        metric: name of the score column; the first by default.
        answer: covariate with a code of the answer; by default the score is the answer.
        threshold: [0, 1] flip rate that is surely exceeded where a finding is raised.

    Errors: no such column.

    >>> from adjudge.sim.judging import Judging
    >>> audit = check(Judging(truth=(0.7, 0.5), items=101, labels=11, draws=3).draw(1).ratings)
    >>> [finding.code for finding in audit.findings], sorted(audit.figures)
    (['answers-unsteady', 'answers-unsteady'], ['entropy', 'flip', 'spread'])
    """
    made = runs(ratings, metric=metric)
    code = None if answer is None else covariate(ratings, answer)
    flip = made.means(ratings.policies, 1 - made.agreement(code), bounds=(0.0, 1.0))
    figures = {
        "flip": flip,
        "spread": _root(made.means(ratings.policies, made.variance(), bounds=(0.0, np.inf))),
        "entropy": made.means(ratings.policies, made.entropy(code), bounds=(0.0, np.inf)),
    }
    low = flip.interval()[:, 0]
    findings = tuple(
        Finding(
            "answers-unsteady",
            Severity.WARNING,
            f"{policy} changes its answer in {100 * rate:.1f} % of repeated runs (at least {100 * least:.1f} %).",
            float(rate),
            threshold,
            "Average several runs of every task, and do not read single changed answers as progress or regress.",
            (policy,),
        )
        for policy, rate, least in zip(flip.names, flip.value, low, strict=True)
        if least > threshold
    )
    return Audit(findings, figures)


def _root(squared: Estimate) -> Estimate:
    """Square roots by the delta method; where the square is 0 its error has no straight line to follow and is NaN."""
    root = np.sqrt(np.maximum(squared.value, 0.0))
    with np.errstate(divide="ignore"):
        slope = np.where(root > 0, 0.5 / root, np.nan)
    parts = tuple(Part(part.name, part.covariance * slope[:, None] * slope, part.units) for part in squared.parts)
    return Estimate(squared.names, root, parts, squared.df, bounds=(0.0, np.inf))
