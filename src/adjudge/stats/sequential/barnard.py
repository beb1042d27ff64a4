"""Two success rates after all trials: Barnard's test, exact at the worst common rate.

    Z = (a/n − b/m) / √( p̂(1−p̂)(1/n + 1/m) ),   p̂ = (a + b)/(n + m)
    p-value = sup_p Σ_{tables with |Z| >= |Z_seen|}  Bin(i; n, p)·Bin(j; m, p)

Barnard (1945), A new test for 2×2 tables, Nature 156; the pooled Z as its order is Suissa and Shuster (1985). It fixes
nothing but the numbers of trials, so it is less cautious than Fisher's test, which fixes the successes too. Limits: no
trial of one policy gives NaN; equal rates, or all (or no) successes, give 1. One look only: looked at after each trial,
it errs as a t-test does (`two_rates` is for that).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ..._typing import FloatArray

GRID = 257
ROUNDS = 3
"""Times that the grid is laid anew around its worst rate."""


def pvalue(a: int, n: int, b: int, m: int) -> float:
    """Two-sided p-value of equal success rates.

    Arguments:
        a, n: successes and trials of one policy.
        b, m: of the other.

    >>> round(pvalue(7, 15, 12, 15), 3)
    0.068
    """
    if min(n, m) < 1:
        return float("nan")
    z = np.abs(_statistic(n, m))
    extreme = (z >= z[a, b] - 1e-9).astype(float)
    if z[a, b] <= 1e-12:
        return 1.0
    low, high, worst = 0.0, 1.0, 0.0
    for _ in range(ROUNDS):
        p = np.linspace(low, high, GRID)
        chance = ((_binomial(m, p) @ extreme.T) * _binomial(n, p)).sum(axis=1)
        at = int(chance.argmax())
        worst = max(worst, float(chance[at]))
        low, high = float(p[max(at - 1, 0)]), float(p[min(at + 1, GRID - 1)])
    return min(1.0, worst)


def _statistic(n: int, m: int) -> FloatArray:
    """[n + 1, m + 1] pooled Z of every table; 0 where nothing varies."""
    i, j = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    pooled = (i + j) / (n + m)
    variance = pooled * (1 - pooled) * (1 / n + 1 / m)
    return np.where(variance > 0, (i / n - j / m) / np.sqrt(np.where(variance > 0, variance, 1.0)), 0.0)


def _binomial(n: int, p: FloatArray) -> FloatArray:
    """[g, n + 1] Bin(i; n, p)."""
    i = np.arange(n + 1)
    log = special.gammaln(n + 1) - special.gammaln(i + 1) - special.gammaln(n - i + 1)
    return np.exp(log + special.xlogy(i, p[:, None]) + special.xlog1py(n - i, -p[:, None]))
