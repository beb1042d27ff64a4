"""The mean gold quality of each policy's worst (or best) share of responses, from a judge and some labels.

    CVaR_p(τ) = max_t { t − E_p(t − Y)₊ / τ } = Σ_l ω_pl [t_p − (t_p − y_l)₊/τ],     t_p = Q_p(τ)

ω_p are the label weights of `value.quantile`. By the envelope theorem the error of t_p does not matter to first order,
so the influence is that of the mean of t − (t − Y)₊/τ, by cluster and jointly over policies: differences are paired.

Rockafellar, Uryasev (2002), Journal of Banking & Finance 26; Brazauskas, Jones, Puri, Zitikis (2008), JSPI 138.
An optimum over t of one sample is a little hopeful: the interval is longer by that (`slack`) on the safe side.
Where labels leave a gap at the threshold, part `threshold` adds what not knowing its side costs.
Where all labels of the tail are the same, the rule of three says how much may differ (part `unseen`).
Limits: τ = 1 is the mean; τ → 0 is the worst response; every row labelled is the plain mean of the worst share.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import quantiles
from ..stats.present import present
from ..stats.pseudo import constant
from ..stats.reweighted import Reweighted, from_ratings, thin
from ..tables.ratings import Ratings

CARD = Card(
    answers="How good are a policy's responses when they are bad: the mean of its worst share?",
    equation="CVaR_p(τ) = Σ_l ω_pl [t_p − (t_p − y_l)₊/τ],  t_p = Q_p(τ)",
    papers=(
        Paper(
            "Conditional value-at-risk for general loss distributions",
            "Rockafellar, Uryasev",
            2002,
            "Journal of Banking & Finance",
            "https://doi.org/10.1016/S0378-4266(02)00271-6",
            equation="Theorem 10",
        ),
        Paper(
            "Estimating conditional tail expectation with actuarial applications in view",
            "Brazauskas, Jones, Puri, et al.",
            2008,
            "Journal of Statistical Planning and Inference",
            equation="Theorem 2.1 (asymptotic variance)",
        ),
    ),
    needs=("score", "gold"),
    assumes=(
        "labelled rows of a policy are a random sample of its rows, or carry recorded propensities",
        "the tail holds labels: the error is learned from them alone",
    ),
    limits=(
        "τ = 1: the mean",
        "fewer than about 10 labels in the tail: a finding, and intervals that may be too narrow",
        "a policy without labels borrows the bins of the others, which is flagged severe",
    ),
    when="Means tie but the failures differ. For risks that judges score on every row, with no labels, value.sharp.",
    rows=(358,),
)
ENOUGH = 10


def estimate(
    ratings: Ratings, *, tail: float = 0.1, side: str = "low", judge: str = "", folds: int = 5, seed: int = 0
) -> Estimate:
    """Mean gold of the worst share of responses, for each policy.

    Arguments:
        ratings: table with a judge and gold labels on some rows.
        tail: (0, 1] share τ.
        side: `low` for the lowest gold, `high` for the highest.
        judge: whose score makes the bins; the forecast when there is one, else the first judge.
        folds, seed: of the cross-fit.

    Errors: tail outside (0, 1]; another side; no such judge; no label at all.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=1009, labels=307).draw(1)
    >>> found = estimate(world.ratings, tail=0.25)
    >>> bool((found.value < world.truth).all())
    True
    """
    if not 0 < tail <= 1 or side not in ("low", "high"):
        raise AdjudgeError(
            f"tail is {tail:g} and side is {side!r}.",
            "A share in (0, 1], and low or high.",
            "Use tail=0.1, side='low'.",
        )
    low = side == "low"
    ratings = present(ratings)
    made = from_ratings(ratings, judge=judge, folds=folds, seed=seed)
    y, blank = ratings.gold[made.labels], np.zeros(ratings.k)
    slack, gap = np.zeros((ratings.k, 2)), np.zeros(ratings.k)
    value, psi, findings = (
        np.full(ratings.k, np.nan),
        np.full((made.units, ratings.k), np.nan),
        list(thin(ratings, made)),
    )
    for p in range(ratings.k):
        if not np.isfinite(made.omega[p]).all():
            continue
        law = quantiles.distribution(y, made.omega[p])
        t = law.quantile(tail if low else 1 - tail + 1e-9)
        g = quantiles.shortfall(y, t, tail, low=low)
        value[p] = made.omega[p] @ g
        if constant(y):
            continue
        psi[:, p] = made.influence(p, g)
        slack[p, 0 if low else 1], gap[p] = _threshold(made, law, p, y, tail, ratings.bounds, low)
        beyond = made.omega[p] * ((y <= t) if low else (y >= t))
        mass = np.bincount(made.cluster[made.labels], beyond)
        effective = float(mass.sum() ** 2 / max(float(mass @ mass), 1e-300))
        if effective < ENOUGH:
            findings.append(_few(ratings, p, effective, tail))
        if float(np.square(psi[:, p]).sum()) < 1e-24:
            blank[p] = quantiles.unseen(_width(ratings, y), effective)
    return Estimate(
        ratings.policies,
        np.clip(value, *ratings.bounds),
        (
            Part.from_influence("sampling", psi),
            Part("threshold", np.diag(gap), made.units),
            Part("unseen", np.diag(blank), made.units),
        ),
        np.where(made.own >= 2, made.own - 1.0, max(1.0, made.own.sum() - 1.0)),
        bounds=ratings.bounds,
        slack=slack,
        method="value.cvar",
        findings=tuple(findings),
    )


def _threshold(
    made: Reweighted,
    law: quantiles.Distribution,
    p: int,
    y: FloatArray,
    tail: float,
    bounds: tuple[float, float],
    low: bool,
) -> tuple[float, float]:
    """What not knowing the threshold costs: the optimism of an optimum, and the variance across a gap."""
    q = tail if low else 1 - tail

    def variance(psi: FloatArray) -> float:
        return float(Part.from_influence("", psi[:, None]).covariance[0, 0])

    def at(t: float) -> float:
        return variance(made.influence(p, quantiles.shortfall(y, t, tail, low=low)))

    error = float(np.sqrt(variance(made.influence(p, (y <= law.quantile(q)).astype(float)))))
    slope, _ = quantiles.rate(law, q, error, bounds)
    return quantiles.optimism(error, slope, tail), quantiles.restless(law, q, error, at)


def _width(ratings: Ratings, y: FloatArray) -> float:
    width = ratings.bounds[1] - ratings.bounds[0]
    return width if np.isfinite(width) else float(y.max() - y.min())


def _few(ratings: Ratings, p: int, effective: float, tail: float) -> Finding:
    name = ratings.policies[p]
    return Finding(
        "tail-labels-too-few",
        Severity.WARNING,
        f"Only {effective:.1f} effective labels lie in the {100 * tail:.0f} % tail of {name}, too few to trust its "
        "interval.",
        effective,
        ENOUGH,
        f"Label rows of {name} whose scores are in that tail (with recorded propensities), or ask for a larger share.",
        (name,),
    )
