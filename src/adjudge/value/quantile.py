"""The median or any quantile of gold quality for each policy, from a judge and some labels.

    F̂_p(t) = Σ_b s_pb F̂_b(t) + mean over own labels of (1[y <= t] − F̂_b^{−fold}(t)),     Q_p(q) = inf{t : F̂_p↑(t) >= q}

F̂_b is the label distribution in a bin of the judge's score, pooled over policies; s_pb the share of policy p's rows in
the bin. The judge's scores need not be on the scale of gold. Errors invert the test of F(t) = q (Woodruff), by cluster,
jointly over policies, so that differences of quantiles are paired.

Robins, Rotnitzky, Zhao (1994); Woodruff (1952); monotone version: Chernozhukov, Fernández-Val, Galichon (2009).
Where no label differs, the rule of three says how many may (part `unseen`).
Limits: every row labelled is the sample quantile with Woodruff's error; a judge of one value is labels only.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import quantiles
from ..stats.present import present
from ..stats.pseudo import constant
from ..stats.reweighted import from_ratings, thin
from ..tables.ratings import Ratings

CARD = Card(
    answers="What gold quality do the worst 10 %, the typical half or the best 10 % of a policy's responses reach?",
    equation="F̂_p(t) = Σ_b s_pb F̂_b(t) + Σ_j c_j (1[y_j <= t] − F̂_b^{−fold}(t));  Q_p(q) = inf{t : F̂_p↑(t) >= q}",
    papers=(
        Paper(
            "Confidence intervals for medians and other position measures",
            "Woodruff",
            1952,
            "Journal of the American Statistical Association",
            "https://doi.org/10.1080/01621459.1952.10483443",
            equation="interval by inverting F",
        ),
        Paper(
            "Estimation of regression coefficients when some regressors are not always observed",
            "Robins, Rotnitzky, Zhao",
            1994,
            "Journal of the American Statistical Association",
            "https://doi.org/10.1080/01621459.1994.10476818",
            equation="augmented estimator",
        ),
        Paper(
            "Improving point and interval estimators of monotone functions by rearrangement",
            "Chernozhukov, Fernández-Val, Galichon",
            2009,
            "Biometrika",
            "https://doi.org/10.1093/biomet/asp030",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "labelled rows of a policy are a random sample of its rows, or carry recorded propensities",
        "clusters are independent",
    ),
    limits=(
        "all rows labelled: the sample quantile",
        "a policy without labels borrows the bins of the others, which is flagged severe",
        "near q = 0 or 1 the range of gold stands in where labels end; without a range the error is NaN",
    ),
    when="The mean hides the shape. For the average of the worst share use value.cvar; when the judge's scores already "
    "are predictions of gold and rows are millions, value.ppi_quantile.",
)


def estimate(ratings: Ratings, *, q: float = 0.5, judge: str = "", folds: int = 5, seed: int = 0) -> Estimate:
    """The q-quantile of gold for each policy.

    Arguments:
        ratings: table with a judge and gold labels on some rows.
        q: (0, 1) which quantile; 0.5 is the median.
        judge: whose score makes the bins; the forecast when there is one, else the first judge.
        folds, seed: of the cross-fit.

    Errors: q outside (0, 1); no such judge; no label at all.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=1009, labels=307).draw(1)
    >>> found = estimate(world.ratings)
    >>> true = [np.median(world.gold[world.ratings.policy == p]) for p in range(2)]
    >>> bool((abs(found.value - true) < 3 * found.stderr).all())
    True
    """
    if not 0 < q < 1:
        raise AdjudgeError(f"q is {q:g}.", "A quantile lies between 0 and 1.", "Use q=0.5 for the median.")
    ratings = present(ratings)
    made = from_ratings(ratings, judge=judge, folds=folds, seed=seed)
    y, blank = ratings.gold[made.labels], np.zeros(ratings.k)
    value, psi, findings = (
        np.full(ratings.k, np.nan),
        np.full((made.units, ratings.k), np.nan),
        list(thin(ratings, made)),
    )
    for p in range(ratings.k):
        if not np.isfinite(made.omega[p]).all():
            continue
        law = quantiles.distribution(y, made.omega[p])
        value[p] = law.quantile(q)
        if constant(y):
            continue
        below = made.influence(p, (y <= value[p]).astype(float))
        error = float(np.sqrt(Part.from_influence("", below[:, None]).covariance[0, 0]))
        if not error > 1e-12:
            blank[p] = quantiles.unseen(1.0, float(made.own[p]))
            error = float(np.sqrt(blank[p]))
        slope, off = quantiles.rate(law, q, error, ratings.bounds)
        psi[:, p], blank[p] = -below * slope, blank[p] * slope**2
        if off:
            findings.append(_edge(ratings, p, q))
    return Estimate(
        ratings.policies,
        value,
        (Part.from_influence("sampling", psi), Part("unseen", np.diag(blank), made.units)),
        np.where(made.own >= 2, made.own - 1.0, max(1.0, made.own.sum() - 1.0)),
        bounds=ratings.bounds,
        method="value.quantile",
        findings=tuple(findings),
    )


def _edge(ratings: Ratings, p: int, q: float) -> Finding:
    name = ratings.policies[p]
    return Finding(
        "quantile-beyond-labels",
        Severity.WARNING,
        f"The labels of {name} cannot bound its {q:.3g}-quantile on one side; the range of gold stands in there.",
        q,
        remedy=f"Label more rows of {name} with scores in that tail.",
        subject=(name,),
    )
