"""Is the policy as good for every group of prompts? Values by slice, judged together.

    θ_ps = Σ_b s_psb ȳ_b + a_ps · mean over own labels of (y − ȳ_b^{−fold}),      a = τ²/(τ² + v) pooled,  1 alone

ȳ_b is the mean label in a bin of the judge's score, pooled over all slices; s_psb the share of slice s of policy p in
that bin. With `pool=False` each slice is corrected by its own labels in full, and one without them gets NaN. Pooled
(the default), corrections shrink to 0 by random effects, which costs (1 − a)²τ² of `transport` error and lets slices
with few labels or none speak. All intervals together: `Estimate.simultaneous`, differences by `Estimate.difference`.

Robins, Rotnitzky, Zhao (1994); DerSimonian, Laird (1986) (τ²); Fay, Herriot (1979) (small areas).
Limits (up to the cross-fit): one slice is the policy's value; a = 1 is the augmented estimator alone; τ² = 0 borrows
the pooled bins in full.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..stats.present import labels_only, present
from ..stats.pseudo import constant
from ..stats.reweighted import Reweighted, from_ratings
from ..stats.slicing import slice_rows
from ..tables.ratings import Ratings

CARD = Card(
    answers="How good is each policy on each group of prompts, and do the groups differ?",
    equation="θ_ps = Σ_b s_psb ȳ_b + a_ps Σ_j c_j (y_j − ȳ_b^{−fold});   a = τ²/(τ² + v)",
    papers=(
        Paper(
            "Estimation of regression coefficients when some regressors are not always observed",
            "Robins, Rotnitzky, Zhao",
            1994,
            "Journal of the American Statistical Association",
            "https://doi.org/10.1080/01621459.1994.10476818",
        ),
        Paper(
            "Estimates of income for small places: an application of James-Stein procedures to census data",
            "Fay, Herriot",
            1979,
            "Journal of the American Statistical Association",
            "https://doi.org/10.1080/01621459.1979.10482505",
            equation="small-area shrinkage",
        ),
        Paper(
            "Meta-analysis in clinical trials",
            "DerSimonian, Laird",
            1986,
            "Controlled Clinical Trials",
            "https://doi.org/10.1016/0197-2456(86)90046-2",
            equation="moment estimate of τ²",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "labels of a slice are a random sample of its rows, or carry recorded propensities",
        "pooled: the judge's error in a slice is a draw from one law over slices",
    ),
    limits=("one slice: the policy's value", "a slice without labels: NaN alone, borrowed when pooled"),
    when="Before shipping: a good mean can hide a group that fares badly. The number of slices costs width: name those "
    "that matter.",
    rows=(29,),
)


def estimate(
    ratings: Ratings, *, by: str = "stratum", pool: bool = True, judge: str = "", folds: int = 5, seed: int = 0
) -> Estimate:
    """Values of each policy on each slice, named `policy · slice` (the policy alone when there is one slice).

    Arguments:
        ratings: table with a judge and gold labels on some rows.
        by: `stratum`, a covariate of few values, or several joined by `*` for every combination.
        pool: whether slices borrow the judge's correction from one another.
        judge: whose score makes the bins; the forecast when there is one, else the first judge.
        folds, seed: of the cross-fit.

    Errors: no such covariate; too many values; no label at all.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=1009, labels=307).draw(1)
    >>> found = estimate(world.ratings)
    >>> bool((abs(found.value - world.truth) < 3 * found.stderr).all())
    True
    """
    ratings = present(ratings)
    code, slices = slice_rows(ratings, by)
    cells, arm = np.unique(ratings.policy * len(slices) + code, return_inverse=True)
    names = tuple(
        ratings.policies[cell // len(slices)] + (f" · {slices[cell % len(slices)]}" if len(slices) > 1 else "")
        for cell in cells.tolist()
    )
    arm, k = arm.astype(np.int64), cells.size
    made = from_ratings(ratings, judge=judge, arm=arm, arms=k, folds=folds, seed=seed)
    y = ratings.gold[made.labels]
    between, spare = 0.0, np.zeros(k)
    if pool:
        between, pull = _random_effects(made, y, k)
        made = from_ratings(ratings, judge=judge, arm=arm, arms=k, pull=pull, folds=folds, seed=seed)
        spare = (1 - pull) ** 2 * between
    value = made.omega @ y
    psi = np.column_stack([made.influence(a, y) for a in range(k)])
    total = float(made.own.sum())
    df = np.where(made.own >= 2, made.own - 1.0, max(total - 1, 1.0)) if not pool else np.full(k, max(total - k, 1.0))
    if not pool:
        value = np.where(made.own >= 2, value, np.nan)
        psi[:, made.own < 2] = np.nan
    if constant(y):
        psi[:] = np.nan
    parts = [Part.from_influence("sampling", psi)]
    if pool:
        parts.append(Part("transport", np.diag(spare), int((made.own >= 2).sum())))
    return Estimate(
        names,
        np.clip(value, *ratings.bounds),
        tuple(parts),
        df,
        bounds=ratings.bounds,
        reserve=labels_only(ratings, arm, names),
        method="value.slices",
        findings=tuple(_said(names, made, y, between, pool)),
    )


def _random_effects(made: Reweighted, y: FloatArray, k: int) -> tuple[float, FloatArray]:
    """τ² between slices, and [k] the share of its own residual that each slice uses."""
    able = np.flatnonzero(made.own >= 2)
    mean, variance = np.zeros(k), np.full(k, np.inf)
    for a in able:
        mean[a], psi = made.residuals(int(a), y)
        units = np.bincount(made.cluster[made.labels], psi, made.units)
        own = float(made.own[a])
        variance[a] = float(np.square(units).sum()) * own / (own - 1)
    sure = able[variance[able] > 0]
    if sure.size < 3:
        return 0.0, (made.own >= 2).astype(float)
    precision = 1 / variance[sure]
    between = max(0.0, float((precision * mean[sure] ** 2).sum() - sure.size) / float(precision.sum()))
    pull = between / (between + variance) if between > 0 else np.zeros(k)
    return between, pull


def _said(names: tuple[str, ...], made: Reweighted, y: FloatArray, between: float, pool: bool) -> list[Finding]:
    found = []
    bare = [name for name, own in zip(names, made.own, strict=True) if own < 2]
    if bare:
        found.append(
            Finding(
                "labels-missing",
                Severity.WARNING if pool else Severity.SEVERE,
                f"{len(bare)} of {len(names)} slices have fewer than 2 labelled clusters"
                + (" and borrow their correction: " if pool else " and get no value: ")
                + ", ".join(bare[:10])
                + ".",
                len(bare),
                0,
                "Label rows of these slices" + ("." if pool else ", or use pool=True."),
                tuple(bare),
            )
        )
    found += constant(y)
    if pool:
        found.append(
            Finding(
                "slices-pooled",
                Severity.INFO,
                f"The judge's error varies between slices with standard deviation {between**0.5:.3g}.",
                between**0.5,
            )
        )
    return found
