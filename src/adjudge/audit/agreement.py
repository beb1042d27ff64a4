"""How well does each judge track gold within policies, and does any judge point the wrong way?

    r_j = Σ w (s − s̄_p)(y − ȳ_p) / √(Σ w (s − s̄_p)² · Σ w (y − ȳ_p)²)           centred by policy p
    ψ_i = w_i [ z_s z_y − r/2·(z_s² + z_y²) ] / Σ w                                 influence, summed by cluster

Centring by policy keeps differences between policies from passing for agreement. Labels save at most the factor
1 − r²: with r = 0.3 a perfect use of the judge is worth 10 % more labels. Limit: r² → 1 needs no labels at all.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.cluster import group_sums
from ..stats.design import label_weight
from ..tables.ratings import Ratings

CARD = Card(
    answers="How well does each judge track the gold label within policies?",
    equation="r_j = corr(s_j − s̄_jp, y − ȳ_p), with its influence function for the error by cluster",
    papers=(
        Paper(
            "Robust estimation and outlier detection with correlation coefficients",
            "Devlin, Gnanadesikan, Kettenring",
            1975,
            "Biometrika 62(3)",
            "https://doi.org/10.1093/biomet/62.3.531",
            "influence function of r",
        ),
    ),
    needs=("score", "gold"),
    limits=("a correlation sees straight lines: a judge can be useful through a curve and look weak here",),
    when="Always; read it as the most that the judge can save you.",
)


def check(ratings: Ratings, *, weak: float = 0.3) -> Audit:
    """Correlation of each judge with gold as an `Estimate`, and findings for weak and inverted judges.

    Arguments:
        ratings: table with labels.
        weak: correlation below which the judge is hardly worth its calls.

    >>> from adjudge.sim.judging import Judging
    >>> audit = check(Judging(items=499, labels=199).draw(1).ratings)
    >>> audit.findings, bool(audit.figures["correlation"].value[0] > 0.5)
    ((), True)
    """
    estimate = _correlations(ratings)
    findings = []
    for judge, r, (low, high) in zip(estimate.names, estimate.value, estimate.interval(0.95), strict=True):
        if not np.isfinite(r + low + high):
            continue
        if high < 0:
            code, severity = "judge-inverted", Severity.SEVERE
            message = f"{judge} falls as gold rises (r = {r:.2f}): it points the wrong way."
            remedy = "Check the direction of its scale; a calibration that may only rise cannot use it."
        elif r < weak:
            code, severity = "judge-weak", Severity.WARNING
            message = (
                f"{judge} hardly tracks gold within policies (r = {r:.2f}, 95 % interval {low:.2f} to {high:.2f}); "
                f"at this r it saves at most {100 * max(r, 0) ** 2:.0f} % of the labels."
            )
            remedy = "Improve the judge's prompt or rubric, or rely on labels alone."
        else:
            continue
        findings.append(Finding(code, severity, message, float(r), weak, remedy, (judge,)))
    return Audit(tuple(findings), {"correlation": estimate})


def _correlations(ratings: Ratings) -> Estimate:
    d = label_weight(ratings)
    parts = [_one(ratings, d, ratings.score[:, j]) for j in range(len(ratings.judges))]
    value = np.array([r for r, _ in parts])
    influence = np.column_stack([psi for _, psi in parts])
    used = influence[np.unique(ratings.cluster[ratings.labelled])]
    return Estimate(
        ratings.judges, value, (Part.from_influence("sampling", used),), np.array(len(used) - 1.0), (-1.0, 1.0)
    )


def _one(ratings: Ratings, d: FloatArray, score: FloatArray) -> tuple[float, FloatArray]:
    """r of one judge, and its influence [clusters]."""
    rows = np.flatnonzero(ratings.labelled & np.isfinite(score))
    w, p = d[rows], ratings.policy[rows]
    with np.errstate(invalid="ignore", divide="ignore"):
        mass = group_sums(p, w, ratings.k)
        s = score[rows] - (group_sums(p, w * score[rows], ratings.k) / mass)[p]
        y = ratings.gold[rows] - (group_sums(p, w * ratings.gold[rows], ratings.k) / mass)[p]
        z_s, z_y = (x / np.sqrt(w @ x**2 / w.sum()) for x in (s, y))
        r = float(w @ (z_s * z_y) / w.sum())
        psi = w * (z_s * z_y - r / 2 * (z_s**2 + z_y**2)) / w.sum()
    return r, group_sums(ratings.cluster[rows], psi, ratings.units)
