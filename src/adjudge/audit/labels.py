"""Are there enough gold labels for each policy, and do the labelled rows look like the others?

    n_p = labelled clusters of policy p;      gap_p = (mean score, labelled − mean score, all) / SD of scores

The gap is tested with errors by cluster, labels weighted by 1/propensity, and Bonferroni over policies and judges.
Labels drawn at random have gap 0 in expectation; where they were picked by hand, means over labels are biased, and only
as far as the forecast explains the picking does calibration repair it. Limit: all rows labelled is gap exactly 0.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..stats.design import label_weight
from ..stats.means import clustered_means
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
    cells = np.unique(np.column_stack([ratings.policy, ratings.cluster])[ratings.labelled], axis=0)
    n = np.bincount(cells[:, 0], minlength=ratings.k)
    few = [
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
    gaps = {judge: _gaps(ratings, j) for j, judge in enumerate(ratings.judges)}
    picked = [finding for judge, found in gaps.items() for finding in _picked(ratings, judge, found, gap, level)]
    return Audit((*few, *picked), gaps)


def _gaps(ratings: Ratings, judge: int) -> Estimate:
    """Standardised gap of each policy: labelled rows − all rows."""
    k = ratings.k
    score = ratings.score[:, judge]
    seen = np.isfinite(score)
    d = np.where(seen, label_weight(ratings), 0.0)
    rows, labelled = np.flatnonzero(seen), np.flatnonzero(seen & ratings.labelled)
    both = clustered_means(
        tuple(f"{name}{part}" for part in ("", " labelled") for name in ratings.policies),
        np.concatenate([ratings.cluster[rows], ratings.cluster[labelled]]),
        np.concatenate([ratings.policy[rows], ratings.policy[labelled] + k]),
        np.concatenate([score[rows], score[labelled]]),
        np.concatenate([ratings.weight[rows], d[labelled]]),
    )
    mass = np.bincount(ratings.policy[rows], ratings.weight[rows], k)
    square = np.bincount(ratings.policy[rows], ratings.weight[rows] * score[rows] ** 2, k)
    with np.errstate(invalid="ignore", divide="ignore"):
        sd = np.sqrt(np.maximum(square / mass - both.value[:k] ** 2, 0))
        scale = np.diag(1 / np.where(sd > 0, sd, np.nan))
    return _contrast_known(both, np.hstack([-np.nan_to_num(scale), np.nan_to_num(scale)]), ratings.policies)


def _contrast_known(both: Estimate, weights: np.ndarray, names: tuple[str, ...]) -> Estimate:
    """The contrast row by row, so that a policy without labels is NaN and leaves the others alone."""
    k = len(names)
    known = [p for p in range(k) if np.isfinite(both.stderr[[p, p + k]]).all() and weights[p].any()]
    part = both.select([both.names[p] for p in known] + [both.names[p + k] for p in known])
    columns = known + [p + k for p in known]
    return part.contrast(weights[np.ix_(known, columns)], [names[p] for p in known]) if known else both.select([])


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
