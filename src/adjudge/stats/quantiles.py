"""Quantiles and tails of a distribution that is known as points with weights of either sign.

    F(t) = Σ_l ω_l 1[y_l <= t],  Σ ω = 1           monotone: F↑ = ½(running max + reversed running min) in [0, 1]
    Q(q) = inf{t : F↑(t) >= q}                     dQ/dF ≈ (Q(q + h) − Q(q − h)) / 2h,   h = z·se(F(Q(q)))
    CVaR_τ = t ± Σ ω_l (y_l − t)_± / τ at t = Q    (Rockafellar and Uryasev)

Prediction-powered estimates of a distribution function are such sums and need not rise everywhere; the monotone version
is at most as far from the truth, in the largest error. With h taken from the error itself (Woodruff), a quantile's
standard error is the half-length of the interval got by inverting the test of F(t) = q, over z. Limits: equal positive
weights are the sample quantile and the mean of the worst share τ.

Woodruff (1952), JASA 47; Francisco, Fuller (1991), Ann. Stat. 19; Chernozhukov, Fernández-Val, Galichon (2009),
Biometrika 96 (monotone versions are no worse); Rockafellar, Uryasev (2002), J. Banking & Finance 26, Theorem 10.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from .._typing import FloatArray

Z95 = float(special.ndtri(0.975))
NODES, MASS = special.roots_hermitenorm(5)
MASS = MASS / MASS.sum()


class Law(Protocol):
    """A monotone distribution function with quantiles."""

    def quantile(self, q: float) -> float:
        """inf{t : F↑(t) >= q}."""
        ...

    def neighbours(self, t: float, bounds: tuple[float, float]) -> tuple[float, float]:
        """The points next to t on either side."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """A monotone distribution function.

    Arguments:
        points: [s] ascending support.
        height: [s] F↑ at each point, ascending inside [0, 1].
    """

    points: FloatArray
    height: FloatArray

    def quantile(self, q: float) -> float:
        """inf{t : F↑(t) >= q}, held inside the support."""
        at = int(np.searchsorted(self.height, q - 1e-12, side="left"))
        return float(self.points[min(at, self.points.size - 1)])

    def neighbours(self, t: float, bounds: tuple[float, float]) -> tuple[float, float]:
        """The points next to t on either side; where there is none, the end of the range."""
        left = int(np.searchsorted(self.points, t, side="left")) - 1
        right = int(np.searchsorted(self.points, t, side="right"))
        return (
            float(self.points[left]) if left >= 0 else bounds[0],
            float(self.points[right]) if right < self.points.size else bounds[1],
        )


def woodruff(at: Law, q: float, error: float) -> tuple[float, float, bool]:
    """Q(q − error), Q(q + error), and whether either fell off the end of [0, 1]."""
    ends = (q - error, q + error)
    low, high = at.quantile(max(ends[0], 1e-12)), at.quantile(min(ends[1], 1.0))
    return low, high, ends[0] <= 0 or ends[1] >= 1


def distribution(points: FloatArray, weights: FloatArray) -> Distribution:
    """The monotone distribution function of signed weights that sum to 1.

    >>> distribution(np.array([3.0, 1.0, 2.0]), np.array([0.25, 0.5, 0.25])).quantile(0.6)
    2.0
    """
    order = np.argsort(points)
    support = points[order]
    height = np.cumsum(weights[order])
    last = support[1:] != support[:-1]  # between points that tie, the running sum means nothing
    if not last.all():
        at = np.r_[last, True]
        support, height = support[at], height[at]
    np.clip(height, 0.0, 1.0, out=height)
    falls = height[1:] < height[:-1]
    if falls.any():
        upper = np.maximum.accumulate(height)
        np.minimum.accumulate(height[::-1], out=height[::-1])
        height += upper
        height /= 2
    return Distribution(support, height)


def rate(at: Law, q: float, error: float, bounds: tuple[float, float]) -> tuple[float, bool]:
    """dQ/dF at the q-quantile by Woodruff's interval, and whether that interval left what the points can tell.

    Beyond the first or last point the range of the label stands in for the quantile (the widest it can be); NaN where
    there is no finite range, or where the error is 0 or unknown.

    Arguments:
        at: the distribution.
        q: (0, 1).
        error: standard error of F at the quantile.
        bounds: range of the label.
    """
    if not error > 0:
        return float("nan"), False
    low, high, off = woodruff(at, q, Z95 * error)
    if off:
        low = bounds[0] if q - Z95 * error <= 0 else low
        high = bounds[1] if q + Z95 * error >= 1 else high
    if high == low:  # a point mass holds both ends: the answer is known to half a step of the labels' grid
        before, after = at.neighbours(low, bounds)
        low, high = (low + before) / 2, (high + after) / 2
    length = high - low
    return (length / (2 * Z95 * error) if np.isfinite(length) else float("nan")), off


def shortfall(y: FloatArray, t: float, tail: float, *, low: bool) -> FloatArray:
    """[m] terms whose weighted mean is CVaR at threshold t: t − (t − y)₊/τ in the low tail, t + (y − t)₊/τ in the high.

    >>> float(shortfall(np.arange(10.0), 1.0, 0.2, low=True).mean())
    0.5
    """
    return t - np.maximum(t - y, 0.0) / tail if low else t + np.maximum(y - t, 0.0) / tail


def optimism(error: float, slope: float, tail: float) -> float:
    """How far an estimated CVaR is, on average, on the hopeful side: it is an optimum over t of the same sample.

        E min_t − min_t E ≈ −½ se(F(t))² · dQ/dF / τ

    Arguments:
        error: standard error of F at the threshold.
        slope: dQ/dF there.
        tail: share τ.

    >>> round(optimism(0.01, 2.0, 0.1), 6)
    0.001
    """
    size = 0.5 * error**2 * slope / tail
    return float(size) if np.isfinite(size) else 0.0


def restless(at: Law, q: float, error: float, variance: Callable[[float], float]) -> float:
    """Variance that a CVaR has because its threshold might lie elsewhere: 0 where the distribution is smooth there.

        Σ_k m_k Var(t_k) − Var(t),   t_k = Q(q + error·z_k),   (z_k, m_k) five Gauss-Hermite nodes

    Where losses leave a gap at the threshold (a few failures, all bad) the linear error is that of one side of the gap
    only; this averages over both, as a bootstrap would.

    Arguments:
        at: the distribution.
        q: level of the threshold.
        error: standard error of F there.
        variance: of the estimate with its threshold held at t.
    """
    if not error > 0:
        return 0.0
    here = [variance(at.quantile(float(np.clip(q + error * z, 1e-12, 1.0)))) for z in NODES]
    return max(0.0, float(MASS @ here) - variance(at.quantile(q)))


def unseen(width: float, units: float) -> float:
    """Variance to add where all that was seen in a tail is the same: 3/units of it may differ (rule of three).

        (3·width / (units + 3) / z)²

    Arguments:
        width: how far a value that was not seen may lie from those that were.
        units: effective independent units behind the tail.

    >>> round(unseen(1.0, 27.0) ** 0.5, 3)
    0.051
    """
    return float((3 * width / (units + 3) / Z95) ** 2)


def invert(
    grid: FloatArray, height: FloatArray, error: FloatArray, q: float, *, level: float = 0.95
) -> tuple[float, float]:
    """The ends of {t : |F(t) − q| <= z·se(t)} over a grid; NaN where no point passes.

    Arguments:
        grid: [s] ascending points.
        height: [s] F there.
        error: [s] its standard error there.
        q: (0, 1).
        level: of the interval.
    """
    z = float(special.ndtri(0.5 + level / 2))
    inside = np.flatnonzero(np.abs(height - q) <= z * error)
    return (float(grid[inside[0]]), float(grid[inside[-1]])) if inside.size else (float("nan"), float("nan"))
