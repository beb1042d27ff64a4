"""Quantiles of gold for each policy from millions of judge scores and some labels, in seconds and little memory.

    F(t) = λ F_f̃(t) + F_y(t) − λ F_f(t),      Q(q) = inf{t : F↑(t) >= q},      interval {t : |F(t) − q| <= z·se(t)}

f are the judge's scores as predictions of gold, on labelled rows (F_f) and unlabelled ones (F_f̃). One sort and a
running sum: time n log n, memory a few copies of one column. λ is 1 unless told, or tuned at the answer.

Angelopoulos, Bates, Fannjiang, Jordan, Zrnic (2023), Science 382, Algorithm 2; λ: PPI++ (2023), section 6.
Limits: λ = 0 or no unlabelled rows is the sample quantile of the labels; perfect scores are the quantile of all rows.
Where no label differs, the rule of three says how many may (part `unseen`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import quantiles
from ..stats.blended import blend
from ..stats.cluster import group_sums
from ..stats.design import label_weight
from ..stats.present import present
from ..stats.pseudo import constant
from ..stats.regression import prediction
from ..tables.ratings import Ratings

CARD = Card(
    answers="What is the median (or any quantile) of gold, when the judge's scores already predict gold?",
    equation="F(t) = λ F_f̃(t) + F_y(t) − λ F_f(t);   interval {t : |F(t) − q| <= z·se(t)}",
    papers=(
        Paper(
            "Prediction-powered inference",
            "Angelopoulos, Bates, Fannjiang, et al.",
            2023,
            "Science",
            "https://doi.org/10.1126/science.adi6000",
            equation="Algorithm 2 (quantile)",
        ),
        Paper(
            "PPI++: Efficient Prediction-Powered Inference",
            "Angelopoulos, Duchi, Zrnic",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2311.01453",
            equation="Eq. 12 (λ)",
        ),
    ),
    needs=("score", "gold"),
    assumes=("labelled rows are a random sample, or carry recorded propensities", "clusters are independent"),
    limits=("λ = 0: the labels' sample quantile", "fewer than 2 labelled clusters: NaN"),
    when="The judge's score is on gold's scale. Otherwise value.quantile, which bins the score, is narrower.",
)
GRID = 1024
"""Points between which the test of F(t) = q is inverted, over three times its expected width."""


def estimate(ratings: Ratings, *, q: float = 0.5, judge: str = "", strength: float | None = 1.0) -> Estimate:
    """The q-quantile of gold for each policy.

    Arguments:
        ratings: table with a judge and gold labels on some rows.
        q: (0, 1).
        judge: which score predicts gold; the forecast when there is one, else the first judge.
        strength: λ; None tunes it at the answer of λ = 1, inside [0, 1].

    Errors: q outside (0, 1); no such judge.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=1009, labels=307).draw(1)
    >>> bool(np.isfinite(estimate(world.ratings, q=0.25).stderr).all())
    True
    """
    if not 0 < q < 1:
        raise AdjudgeError(f"q is {q:g}.", "A quantile lies between 0 and 1.", "Use q=0.5 for the median.")
    ratings = present(ratings)
    f, d = prediction(ratings, judge), label_weight(ratings)
    value, df = np.full(ratings.k, np.nan), np.full(ratings.k, np.nan)
    psi, blank = np.full((ratings.units, ratings.k), np.nan), np.zeros(ratings.k)
    findings: list[Finding] = []
    spoke = np.isfinite(f)
    for p in range(ratings.k):
        rows = spoke if ratings.k == 1 else spoke & (ratings.policy == p)
        sample = _split(ratings, f, d, rows)
        clusters = np.unique(sample.unit).size
        if clusters < 2:
            findings.append(_missing(ratings, p, clusters))
            continue
        power = 0.0 if not sample.f2.size else 1.0 if strength is None else strength
        at, law = _solve(sample, q, power)
        if strength is None and sample.f2.size:
            power = _tuned(sample, at)
            at, law = _solve(sample, q, power)
        below = sample.influence(at, power, ratings.units)
        error = float(np.sqrt(Part.from_influence("", below[:, None]).covariance[0, 0]))
        value[p], df[p] = at, clusters - 1
        if not error > 1e-9:
            findings += constant(sample.y)
            blank[p] = quantiles.unseen(1.0, clusters)
            error = float(np.sqrt(blank[p]))
        slope = _rate(sample, law, q, power, error, ratings.bounds)
        psi[:, p], blank[p] = -below * slope, blank[p] * slope**2
    return Estimate(
        ratings.policies,
        value,
        (Part.from_influence("sampling", psi), Part("unseen", np.diag(blank), ratings.units)),
        df,
        bounds=ratings.bounds,
        method="value.ppi_quantile",
        findings=tuple(findings),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """Labelled y, f, weights v (sum 1) and clusters; unlabelled f2, weights w (sum 1; None if equal), clusters.

    `far_points` are f2 in order and `far_height` the running sum of their weights, from 0.
    """

    y: FloatArray
    f: FloatArray
    v: FloatArray
    unit: IntArray
    f2: FloatArray
    w: FloatArray | None
    unit2: IntArray
    far_points: FloatArray
    far_height: FloatArray

    def far(self, t: float) -> FloatArray:
        """[N] contributions 1[f̃ <= t] − F, times the weight."""
        inside = (self.f2 <= t).astype(float)
        if self.w is None:
            inside -= inside.mean() if inside.size else 0.0
            inside /= max(inside.size, 1)
            return inside
        return self.w * (inside - self.w @ inside)

    def influence(self, t: float, power: float, units: int) -> FloatArray:
        """[units] ψ of F(t)."""
        g = (self.y <= t) - power * (self.f <= t)
        psi = group_sums(self.unit, self.v * (g - self.v @ g), units)
        if power and self.f2.size:
            psi += np.bincount(self.unit2, power * self.far(t), units)
        return psi


def _split(ratings: Ratings, f: FloatArray, d: FloatArray, rows: BoolArray) -> _Sample:
    own = rows & ratings.labelled & (d > 0)
    other = rows & ~ratings.labelled
    w = ratings.weight[other]
    equal = not w.size or bool((w == w[0]).all())
    v, f2 = d[own], f[other]
    if equal:
        points, height = np.sort(f2), np.linspace(0.0, 1.0, f2.size + 1)
    else:
        order = np.argsort(f2)
        points, height = f2[order], np.r_[0.0, np.cumsum(w[order]) / w.sum()]
    return _Sample(
        ratings.gold[own],
        f[own],
        v / v.sum() if v.size else v,
        ratings.cluster[own],
        f2,
        None if equal else w / w.sum(),
        ratings.cluster[other],
        points,
        height,
    )


def _solve(sample: _Sample, q: float, power: float) -> tuple[float, quantiles.Law]:
    """The quantile and the distribution it comes from."""
    if power == 0 or not sample.f2.size:
        law: quantiles.Law = quantiles.distribution(sample.y, sample.v)
    else:
        few = np.concatenate([sample.y, sample.f]), np.concatenate([sample.v, -power * sample.v])
        law = blend(sample.far_points, power * sample.far_height, *few)
    return law.quantile(q), law


def _tuned(sample: _Sample, t: float) -> float:
    """λ̂ = Cov(1[y <= t], 1[f <= t]) / n  over  Var(1[f <= t])/n + Var(1[f̃ <= t])/N."""
    units = int(max(sample.unit.max(), sample.unit2.max())) + 1
    A = sample.influence(t, 0.0, units)
    B = A - sample.influence(t, 1.0, units)
    size = float(B @ B)
    return float(np.clip(A @ B / size, 0.0, 1.0)) if size > 0 else 0.0


def _rate(
    sample: _Sample,
    law: quantiles.Law,
    q: float,
    power: float,
    error: float,
    bounds: tuple[float, float],
) -> float:
    """dQ/dF as the length of the inverted interval over 2·z·se; Woodruff's where the test passes beyond the grid."""
    plain, off = quantiles.rate(law, q, error, bounds)
    low, high, _ = quantiles.woodruff(law, q, 3 * quantiles.Z95 * error)
    if off or not error > 0 or not high > low:
        return plain
    grid = np.linspace(low, high, GRID)
    height, spread = _along(sample, grid, power)
    at = int(np.searchsorted(grid, law.quantile(q)))
    scale = error / max(float(spread[min(at, GRID - 1)]), 1e-300)  # clusters and weights, as felt at the answer
    ends = quantiles.invert(grid, height, spread * scale, q)
    length = ends[1] - ends[0]
    return float(length / (2 * quantiles.Z95 * error)) if length > 0 else plain


def _along(sample: _Sample, grid: FloatArray, power: float) -> tuple[FloatArray, FloatArray]:
    """F and its standard error for independent rows, at each point of a grid."""

    def law(x: FloatArray, w: FloatArray) -> FloatArray:
        return np.minimum(np.cumsum(np.bincount(np.searchsorted(grid, x), w, grid.size + 1)[: grid.size]), 1.0)

    y, f = law(sample.y, sample.v), law(sample.f, sample.v)
    both = law(np.maximum(sample.y, sample.f), sample.v)
    near = y * (1 - y) + power**2 * f * (1 - f) - 2 * power * (both - y * f)
    variance = np.maximum(near, 0.0) * _concentration(sample.unit, sample.v)
    height = y
    if power and sample.f2.size:
        far = sample.far_height[np.searchsorted(sample.far_points, grid, side="right")]
        variance = variance + power**2 * far * (1 - far) * _concentration(sample.unit2, sample.w)
        height = power * far + y - power * f
    return height, np.sqrt(variance)


def _concentration(unit: IntArray, w: FloatArray | None) -> float:
    """Σ_g (weight of cluster g)², weights summing to 1."""
    mass = np.bincount(unit, w) / (unit.size if w is None else 1.0)
    return float(mass @ mass)


def _missing(ratings: Ratings, p: int, clusters: int) -> Finding:
    name = ratings.policies[p]
    return Finding(
        "labels-missing",
        Severity.SEVERE,
        f"{name} has {clusters} labelled clusters; nothing is said of its quantile.",
        clusters,
        2,
        f"Label rows of {name}, or use value.quantile, which borrows from other policies.",
        (name,),
    )
