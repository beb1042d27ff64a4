"""Fits the laws by which gold rises and falls as a policy is optimised against a proxy, and says where the peak lies.

    best_of_n:        R(d) = c + α·d − β·d²          d* = α/(2β)
    policy_gradient:  R(d) = c + α·d − β·d·log d      d* = exp(α/β − 1)         d = √KL

Both are linear in (c, α, β): least squares on the steps' means, weighted by their precision. The steps share prompts,
and so their errors: Cov(c, α, β) = A·Σ·Aᵀ with the joint covariance Σ over prompts, rather than with Σ⁻¹ as weights,
which a law that holds only nearly would punish with a curve that misses every point. d* is a function of the ratio
α/β, whose interval is Fieller's (exact for normal coefficients, and unbounded where β may be 0) or a bootstrap's.

Gao, Schulman, Hilton (2023), Section 3 (laws); Fieller (1954). Limits: β = 0 is a proxy as good at every d, without
a peak; tilting of a Gaussian world, exp(λ·proxy), follows the first law exactly. KL is taken as known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..errors import AdjudgeError
from ..tables.proxy_curve import ProxyCurve
from .bootstrap import cluster_weights
from .cluster import group_sums

LAWS = ("best_of_n", "policy_gradient")
FEWEST = 4  # steps at different d: three coefficients, and one to see whether they fit
FLOOR = 0.01  # of the median variance: no step counts as much as a hundred others
NOTHING = 1e-12  # of the largest mean: rounding
OWN = 190_097
SCARCE, PRIOR = 20, 8  # labels below which a step's own spread is not trusted alone, and labels the others' counts as


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A law fitted to a curve.

    Arguments:
        law: which.
        coefficients: `start`, `alpha` and `beta`, with their joint error over prompts.
        r2: share of the weighted variance between steps that the law explains.
        misfit: p-value of the means being this far from any such law (Hotelling's T²); NaN with too few prompts.
        projection: [3, J] coefficients = projection · means of the steps; 0 at those without gold.
    """

    law: str
    coefficients: Estimate
    r2: float
    misfit: float
    projection: FloatArray

    @property
    def peak(self) -> float:
        """d* at which gold is highest; ∞ where it never falls."""
        _, rise, fall = self.coefficients.value.tolist()
        return float(_peaks(self.law, np.array([rise]), np.array([fall]))[0])

    def fieller(self, level: float = 0.95) -> tuple[float, float]:
        """Interval of d*, at this coverage: its upper end is ∞ where β may be 0."""
        _, rise, fall = self.coefficients.value.tolist()
        ((va, vab), (_, vb)) = self.coefficients.covariance[1:, 1:].tolist()
        t2 = float(special.stdtrit(self.coefficients.df[0], 0.5 + level / 2)) ** 2
        a, b, c = fall**2 - t2 * vb, rise * fall - t2 * vab, rise**2 - t2 * va
        if not np.isfinite(a + b + c):
            return np.nan, np.nan
        if a > 0:
            if fall < 0:
                return np.inf, np.inf
            half = np.sqrt(max(b * b - a * c, 0.0))
            ends = np.array([b - half, b + half]) / a
        elif c > 0 and rise > 0:  # the slope is sure, its fall is not: all ratios from here on, and no peak at all
            ends = np.array([c / (b + np.sqrt(b * b - a * c)), np.inf])
        else:
            ends = np.array([-np.inf, np.inf])
        low, high = _at_ratio(self.law, ends)
        return float(low), float(high)

    def change(self, start: float, end: float) -> Estimate:
        """R(end) − R(start) by the law, with the error of its coefficients."""
        step = (design(self.law, np.array([end])) - design(self.law, np.array([start])))[0]
        return self.coefficients.contrast(step, ["change"])


def design(law: str, d: FloatArray) -> FloatArray:
    """[J, 3] what c, α and β are multiplied by at each d; d·log d is 0 at 0."""
    return np.column_stack([np.ones(d.size), d, -(d**2) if law == "best_of_n" else -special.xlogy(d, d)])


def distances(table: ProxyCurve) -> FloatArray:
    """[J] d = √KL of each step, the KL being the mean over its rows by weight."""
    mass = np.bincount(table.step, table.weight)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.sqrt(np.bincount(table.step, table.weight * table.kl) / mass))


def means(table: ProxyCurve, score: FloatArray, *, method: str = "") -> Estimate:
    """Mean score of each step over prompts, with their joint error; NaN errors at a step with one prompt.

    Of two labels that agree, none would say how wrong their mean is: a step with fewer than twenty prompts is no surer
    than its own spread together with that of all steps, which counts as eight labels more.

    Arguments:
        table: the curve.
        score: [r] of its rows; NaN where not known.
        method: address of the method that asks.
    """
    mass, total = _cells(table, score)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = total.sum(axis=0) / mass.sum(axis=0)
        influence = (total - mass * value) / mass.sum(axis=0)
        units, several = float((mass > 0).any(axis=1).sum()), (mass > 0).sum(axis=0)
        # Part.from_influence corrects for all prompts; a step that has fewer needs more.
        influence *= np.sqrt(several / (several - 1.0) * (units - 1) / units)
    influence[:, several < 2] = np.nan
    sampling = Part.from_influence("sampling", influence[(mass > 0).any(axis=1)])
    scarce = Part("few labels", np.diag(_unseen(np.diag(sampling.covariance), several)), sampling.units)
    return Estimate(
        tuple(f"step {j}" for j in range(table.steps)),
        value,
        (sampling, scarce) if scarce.covariance.any() else (sampling,),
        np.maximum(several - 1.0, 1.0),
        method=method,
    )


def _unseen(own: FloatArray, several: IntArray) -> FloatArray:
    """[J] variance of a mean of few labels that their own spread does not show, by the spread within all steps."""
    free = np.where(np.isfinite(own), np.maximum(several - 1.0, 0.0), 0.0)
    within = float((free * several * np.nan_to_num(own)).sum() / max(free.sum(), 1.0))
    both = (free * np.nan_to_num(own) + PRIOR * within / np.maximum(several, 1)) / (free + PRIOR)
    return np.where((free > 0) & (several < SCARCE), np.maximum(both - np.nan_to_num(own), 0.0), 0.0)


def fit(table: ProxyCurve, *, law: str = "best_of_n") -> Fit:
    """One law, fitted to the gold means of the steps.

    Arguments:
        table: the curve.
        law: `best_of_n` or `policy_gradient` (tilting too, where no exact law is known).

    Errors: a law of another name; fewer than four steps at different d with the gold of two prompts or more.

    >>> from ..tables.proxy_curve import from_arrays
    >>> d, lead = np.arange(5) / 2, np.array([-1.0, 0.0, 1.0])
    >>> prompt, step = np.divmod(np.arange(15), 5)
    >>> gold = 2 * d[step] - 0.5 * d[step] ** 2 + lead[prompt]
    >>> fit(from_arrays(d[step] ** 2, gold, gold, step=step, prompt=prompt)).coefficients.value[1:].round(6).tolist()
    [2.0, 0.5]
    """
    if law not in LAWS:
        raise AdjudgeError(f"over-optimisation: law {law!r}.", f"One of {', '.join(LAWS)}.", "Name one of them.")
    d, gold = distances(table), means(table, table.gold)
    spread = gold.stderr**2
    used = np.isfinite(spread) & np.isfinite(d)
    if np.unique(d[used].round(9)).size < FEWEST:
        raise AdjudgeError(
            f"over-optimisation: {np.unique(d[used].round(9)).size} steps at different KL with the gold of 2 prompts.",
            f"At least {FEWEST}.",
            "Label prompts at more steps.",
        )
    middle = float(np.median(spread[used]))
    weight = 1 / np.maximum(spread[used], FLOOR * middle) if middle > 0 else np.ones(int(used.sum()))
    weight /= weight.sum()
    X = design(law, d[used])
    projection = np.zeros((3, d.size))
    projection[:, used] = np.linalg.pinv(X * np.sqrt(weight)[:, None]) * np.sqrt(weight)
    y = gold.value[used]
    value = projection[:, used] @ y
    value[np.abs(value) <= NOTHING * np.abs(y).max()] = 0.0  # gold that never varies, but for rounding
    apart = float(weight @ (y - weight @ y) ** 2)
    r2 = 1 - float(weight @ (y - X @ value) ** 2) / apart if apart > 0 else np.nan
    coefficients = Estimate(
        ("start", "alpha", "beta"),
        value,
        (Part("sampling", projection[:, used] @ gold.covariance[np.ix_(used, used)] @ projection[:, used].T,
              gold.parts[0].units),),
        np.full(3, _freedom(projection[1:, used], gold, used)),
        method=gold.method,
    )  # fmt: skip
    return Fit(
        law, coefficients, r2, _misfit(X, y, gold.covariance[np.ix_(used, used)], gold.df[used].min()), projection
    )


def _freedom(projection: FloatArray, gold: Estimate, used: BoolArray) -> float:
    """Degrees of freedom of slopes (Welch, Satterthwaite): few labels at one step of many do not speak for all."""
    share = projection**2 * gold.stderr[used] ** 2
    share = share / np.where(share.sum(axis=1) > 0, share.sum(axis=1), 1.0)[:, None]
    together = 1 / np.maximum((share**2 / gold.df[used]).sum(axis=1), 1e-300)
    return float(min(together.min(), gold.parts[0].units - 1.0))


def bootstrap(
    table: ProxyCurve, fitted: Fit, *, level: float = 0.95, draws: int = 999, seed: int = 0
) -> tuple[float, float]:
    """Interval of d* by reweighting prompts (Bayesian bootstrap), the law refitted with the same precision weights."""
    mass, total = _cells(table, table.gold)
    xi = cluster_weights(mass.shape[0], draws, np.random.default_rng((seed, OWN)))
    used = np.any(fitted.projection != 0, axis=0)
    drawn = (xi @ total[:, used]) / (xi @ mass[:, used]) @ fitted.projection[:, used].T
    peaks = _peaks(fitted.law, drawn[:, 1], drawn[:, 2])
    low, high = np.quantile(peaks, [0.5 - level / 2, 0.5 + level / 2], method="inverted_cdf")
    return float(low), float(high)


def _misfit(X: FloatArray, y: FloatArray, covariance: FloatArray, df: float) -> float:
    """Hotelling's T² of what no coefficients can explain: means in directions at right angles to the law."""
    apart = np.linalg.qr(X, mode="complete")[0][:, X.shape[1] :]
    p, spread = apart.shape[1], apart.T @ covariance @ apart
    if df < p or np.linalg.matrix_rank(spread) < p:
        return np.nan
    t2 = float((apart.T @ y) @ np.linalg.solve(spread, apart.T @ y))
    return float(special.fdtrc(p, df + 1 - p, t2 * (df + 1 - p) / (p * df)))


def _cells(table: ProxyCurve, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[m, J] weight and weighted sum of each prompt at each step, of rows whose score is known."""
    known = np.isfinite(score)
    cell, shape = table.prompt * table.steps + table.step, (table.prompts, table.steps)
    mass = np.where(known, table.weight, 0.0)
    total = mass * np.where(known, score, 0.0)
    mass_of, total_of = group_sums(cell, np.stack([mass, total]), shape[0] * shape[1])
    return mass_of.reshape(shape), total_of.reshape(shape)


def _at_ratio(law: str, ratio: FloatArray) -> FloatArray:
    """d* where α/β is this; no peak lies below d = 0."""
    if law == "best_of_n":
        return np.maximum(ratio / 2, 0.0)
    return np.asarray(np.where(ratio > 500, np.inf, np.exp(np.minimum(ratio, 500.0) - 1)))


def _peaks(law: str, rise: FloatArray, fall: FloatArray) -> FloatArray:
    """d* of coefficients α and β; ∞ where β <= 0."""
    ratio = np.divide(rise, fall, out=np.full(rise.shape, np.inf), where=fall > 0)
    return np.where(np.isnan(rise + fall), np.nan, _at_ratio(law, ratio))
