"""Are there enough gold labels for each policy, and do the labelled rows look like the others?

    n_p = labelled clusters of policy p;      (Σ_g w_g)² / Σ_g w_g² = the equally weighted ones that they count as
    gap_p = (mean score, labelled − mean score, all) / SD of scores

The gap is tested with errors by cluster, labels weighted by 1/propensity, and Bonferroni over policies and judges.
Labels drawn at random have gap 0 in expectation; where they were picked by hand, means over labels are biased, and only
as far as the forecast explains the picking does calibration repair it. Limit: all rows labelled is gap exactly 0.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.cluster import covariance, from_rows, group_sums
from ..stats.design import effective_clusters, label_weight
from ..tables.ratings import Ratings

CARD = Card(
    answers="Are there enough gold labels for each policy, and are the labelled rows like the others?",
    equation="n_p labelled clusters;  gap_p = (mean_labelled s − mean_all s) / sd s",
    papers=(
        Paper(
            "An Introduction to Propensity Score Methods for Reducing the Effects of Confounding",
            "Austin",
            2011,
            "Multivariate Behavioral Research 46(3)",
            "https://doi.org/10.1080/00273171.2011.568786",
            "standardised differences",
        ),
        Paper("Inference and missing data", "Rubin", 1976, "Biometrika 63(3)"),
    ),
    needs=("score", "gold", "propensity"),
    assumes=("recorded propensities are right",),
    limits=("only what the judge sees is compared: rows may still differ in ways that no score shows",),
    when="Always. Cheap insurance against labels that were picked by hand.",
)

UNEVEN = 0.25
"""Share of the prompts that must be left after Kish's correction for unequal weights."""


def check(ratings: Ratings, *, enough: int = 20, gap: float = 0.2, level: float = 0.99) -> Audit:
    """Findings for policies with few labels and for labelled rows that differ from the rest.

    Arguments:
        ratings: table with at least one judge.
        enough: labelled clusters below which the interval rests on its small-sample correction.
        gap: standardised difference of mean scores that matters.
        level: 1 − family-wise error of the tests of the gaps.

    >>> from adjudge.sim.judging import Judging
    >>> check(Judging(items=499, labels=199, truth=(0.6, 0.5)).draw(1).ratings).findings
    ()
    """
    gaps = {judge: _gaps(ratings, j) for j, judge in enumerate(ratings.judges)}
    picked = [finding for judge, found in gaps.items() for finding in _picked(ratings, judge, found, gap, level)]
    return Audit((*_few(ratings, enough), *_uneven(ratings), *picked), gaps)


def _few(ratings: Ratings, enough: int) -> list[Finding]:
    """Policies with labels, but fewer than enough."""
    cells = np.unique(np.column_stack([ratings.policy, ratings.cluster])[ratings.labelled], axis=0)
    n = np.bincount(cells[:, 0], minlength=ratings.k)
    return [
        Finding(
            "labels-too-few",
            Severity.SEVERE if n[p] < 5 else Severity.WARNING,
            f"{ratings.policies[p]} has {n[p]} labelled {'prompt' if n[p] == 1 else 'prompts'} of its own.",
            float(n[p]),
            float(enough),
            f"Label {enough - n[p]} more of its rows, drawn at random (`adjudge plan` writes the list).",
            (ratings.policies[p],),
        )
        for p in np.flatnonzero((n > 0) & (n < enough))
    ]


def _uneven(ratings: Ratings) -> list[Finding]:
    """Policies whose rows, or labels, are so unevenly weighted that a few of them decide its value."""
    findings = []
    for what, weight in (("prompts", ratings.weight), ("labelled prompts", label_weight(ratings))):
        cells = from_rows(ratings.cluster, ratings.policy, [weight], k=ratings.k)
        mass = cells.sums[0]
        n = np.bincount(cells.group[mass > 0], minlength=ratings.k)
        count = effective_clusters(cells.group, mass, ratings.k)
        findings += [
            Finding(
                "weights-uneven",
                Severity.SEVERE if count[p] < 5 else Severity.WARNING,
                f"The {n[p]:,} {what} of {ratings.policies[p]} weigh so unevenly that they count as {count[p]:.2g} of "
                "equal weight: a few decide its value, and its interval is too narrow.",
                float(count[p]),
                float(UNEVEN * n[p]),
                "Check the weights and propensities, and cap the largest.",
                (ratings.policies[p],),
            )
            for p in np.flatnonzero((count < UNEVEN * n) & (count < 20))
        ]
    return findings


def _gaps(ratings: Ratings, judge: int) -> Estimate:
    """Standardised gap, labelled rows − all rows, of each policy with two labelled clusters and scores that vary."""
    k, policy = ratings.k, ratings.policy
    score = ratings.score[:, judge]
    seen = np.isfinite(score)
    s, w, d = (np.where(seen, column, 0.0) for column in (score, ratings.weight, label_weight(ratings)))
    cells = from_rows(ratings.cluster, policy, [w, w * s, d, d * s], k=k)
    mass, moment, labels, labelled = cells.sums
    n = np.bincount(cells.group[labels > 0], minlength=k)
    with np.errstate(invalid="ignore", divide="ignore"):
        total, drawn = cells.by_group(mass), cells.by_group(labels)
        everyone, chosen = cells.by_group(moment) / total, cells.by_group(labelled) / drawn
        sd = np.sqrt(group_sums(policy, w * (s - everyone[policy]) ** 2, k) / total)
        known = np.flatnonzero((n >= 2) & (sd > 0))
        g = cells.group
        own = np.sqrt(n / (n - 1))[g] * (labelled - chosen[g] * labels) / drawn[g]
        psi = (own - (moment - everyone[g] * mass) / total[g]) / sd[g]
    spread = covariance(cells, np.where(np.isin(g, known), psi, 0.0))[np.ix_(known, known)]
    return Estimate(
        tuple(ratings.policies[p] for p in known),
        (chosen - everyone)[known] / sd[known],
        (Part("sampling", spread, int(n.max(initial=0))),),
        effective_clusters(g, labels, k)[known] - 1,
    )


def _picked(ratings: Ratings, judge: str, gaps: Estimate, gap: float, level: float) -> list[Finding]:
    if not gaps.names:
        return []
    p_value = np.minimum(gaps.pvalue(0.0) * len(gaps.names) * len(ratings.judges), 1.0)
    return [
        Finding(
            "labels-unrepresentative",
            Severity.WARNING,
            f"The labelled rows of {name} have a {judge} {abs(value):.2f} standard deviations "
            f"{'higher' if value > 0 else 'lower'} than its rows as a whole: they were not drawn at random.",
            float(value),
            gap,
            "Record how rows were chosen (--propensity), or label a random sample.",
            (name,),
        )
        for name, value, p in zip(gaps.names, gaps.value, p_value, strict=True)
        if abs(value) > gap and p < 1 - level
    ]
