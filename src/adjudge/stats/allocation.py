"""How to spend a budget on several sources of variance, and what the spending can show.

    minimise  Σ_i v_i / x_i    subject to  Σ_i c_i x_i <= budget,  lower_i <= x_i <= upper_i
    solution  x_i = clip( √(v_i / (c_i μ)), lower_i, upper_i ),   μ found so that the budget is spent

the square-root (Neyman, Tschuprow) law with bounds: rows that are already paid for are a lower bound, rows that exist
an upper one. The dual problem, the cheapest x with Σ v_i / x_i <= target, has the same solution at another μ.
Minimum detectable effect: (z_{(1+level)/2} + z_power) · stderr (Bloom 1995).
Limit: equal v and c give equal x.

Sources: Neyman (1934), J. R. Stat. Soc. 97; Cochran, Sampling Techniques (1977), § 5.5; Bloom (1995), Eval. Review 19.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from .._typing import ArrayLike, FloatArray
from ..errors import AdjudgeError


def allocate(
    variance: ArrayLike, cost: ArrayLike, budget: float, *, lower: ArrayLike = 0.0, upper: ArrayLike = np.inf
) -> FloatArray:
    """[r] numbers of units that make Σ v/x least for a budget.

    Arguments:
        variance: [r] v, variance of one unit of each source, >= 0.
        cost: [r] c, price of one unit, > 0.
        budget: money in all, spent on all units including the lower bounds.
        lower, upper: [r] fewest and most units.

    Errors: a budget that does not pay for the lower bounds.

    >>> allocate([4.0, 1.0], [1.0, 1.0], 30.0)
    array([20., 10.])
    """
    v, c, low, high = _columns(variance, cost, lower, upper)
    least = float(c @ low)
    if budget < least * (1 - 1e-12):
        raise AdjudgeError(
            f"plan: a budget of {budget:g} does not pay for what is already planned ({least:g}).",
            "A budget of at least that much.",
            f"Raise it to {least:g} or more.",
        )
    return _solve(v, c, low, high, lambda x: float(c @ x) <= budget)


def cheapest(
    variance: ArrayLike, cost: ArrayLike, target: float, *, lower: ArrayLike = 0.0, upper: ArrayLike = np.inf
) -> FloatArray:
    """[r] numbers of units of least cost with Σ v/x <= target; NaN when even `upper` does not reach it.

    >>> cheapest([4.0, 1.0], [1.0, 1.0], 0.3)
    array([20., 10.])
    """
    v, c, low, high = _columns(variance, cost, lower, upper)
    if _total(v, high) > target:
        return np.full(v.size, np.nan)
    return _solve(v, c, low, high, lambda x: _total(v, x) > target)


def minimum_detectable_effect(stderr: ArrayLike, *, level: float = 0.95, power: float = 0.8) -> FloatArray:
    """Smallest true difference that a two-sided test at 1 − level finds with the given power, in the value's unit.

    >>> round(float(minimum_detectable_effect(1.0)), 3)
    2.802
    """
    return (special.ndtri(0.5 + level / 2) + special.ndtri(power)) * np.asarray(stderr, dtype=float)


def _columns(
    variance: ArrayLike, cost: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    v, c, low, high = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (variance, cost, lower, upper)))
    if not (np.all(v >= 0) and np.all(c > 0) and np.all(low >= 0) and np.all(high >= low)):
        raise AdjudgeError(
            f"plan: variance {v.tolist()}, cost {c.tolist()}, lower {low.tolist()}, upper {high.tolist()}.",
            "Variances and bounds >= 0, costs > 0 and lower <= upper.",
            "Check --judge-cost and --gold-cost.",
        )
    return v, c, low, high


def _total(v: FloatArray, x: FloatArray) -> float:
    """Σ v/x, where a source without variance needs no units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(v > 0, v / x, 0.0).sum())


def _solve(
    v: FloatArray, c: FloatArray, low: FloatArray, high: FloatArray, more: Callable[[FloatArray], bool]
) -> FloatArray:
    """Bisection on log μ: x grows as μ falls; `more(x)` says whether x may still grow."""

    def x(log_mu: float) -> FloatArray:
        return np.clip(np.sqrt(v / c) * math.exp(-log_mu / 2), low, high)

    few, many = 200.0, -200.0  # e^±100 units: beyond any budget
    for _ in range(200):
        middle = (few + many) / 2
        few, many = (middle, many) if more(x(middle)) else (few, middle)
    return x(few)
