"""Are there responses whose scores no label has ever been near?

    share_p = Σ_i w_i·1[s_i < min_l s_l  or  s_i > max_l s_l] / Σ_i w_i,          i in policy p, l labelled

If labelled and unlabelled scores are exchangeable, share_p ~ Beta(2, m − 1) for m labels (two extreme spacings of
uniform order statistics), so a few labels always leave some rows outside. Only a share that both matters (above 5 %)
and exceeds the 99 % point of that law is a finding. Limit: m → ∞ is the plain range check.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ..core.card import Card, Paper
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which policies have responses with scores outside the range that labels have covered?",
    equation="share_p = Σ w·1[s outside labelled range] / Σ w;  compared with the 99 % point of Beta(2, m − 1)",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            equation="boundary card",
        ),
        Paper("Order Statistics", "David, Nagaraja", 2003, "Wiley", equation="section 2.3: spacings"),
    ),
    needs=("score", "gold"),
    assumes=("scores are continuous enough for order statistics; ties only make the check milder",),
    limits=("a range is one-dimensional: holes inside it are not seen",),
    when="Always. A finding here means that the calibration curve is being extended where nobody has looked.",
    rows=(29,),
)


def check(ratings: Ratings, *, threshold: float = 0.05) -> Audit:
    """Findings for policies with a share of rows outside the labelled score range.

    Arguments:
        ratings: table with at least one judge and some gold labels.
        threshold: [0, 1] share of a policy's rows that is tolerated in any case.

    >>> from adjudge.sim.judging import Judging
    >>> check(Judging(items=101, labels=97, truth=(0.6, 0.5)).draw(1).ratings).findings
    ()
    """
    m = int(ratings.labelled.sum())
    if m < 2:
        return Audit()
    limit = max(threshold, float(special.betaincinv(2.0, m - 1.0, 0.99)))
    findings = []
    for j, judge in enumerate(ratings.judges):
        score = ratings.score[:, j]
        seen = score[ratings.labelled & np.isfinite(score)]
        if seen.size < 2:
            continue
        outside = np.isfinite(score) & ((score < seen.min()) | (score > seen.max()))
        total = np.bincount(ratings.policy, ratings.weight, ratings.k)
        with np.errstate(invalid="ignore"):
            share = np.bincount(ratings.policy, ratings.weight * outside, ratings.k) / total
        findings += [
            Finding(
                "scores-outside-labels",
                Severity.SEVERE if share[p] > 0.2 else Severity.WARNING,
                f"{100 * share[p]:.0f} % of the rows of {ratings.policies[p]} have a {judge} outside the labelled "
                f"range [{seen.min():.3g}, {seen.max():.3g}]; their calibration is an extrapolation.",
                float(share[p]),
                limit,
                f"Label rows of {ratings.policies[p]} with {judge} below {seen.min():.3g} or above {seen.max():.3g}.",
                (ratings.policies[p],),
            )
            for p in np.flatnonzero(share > limit)
        ]
    return Audit(tuple(findings))
