"""The gap between two success rates where conditions differ: compared within each condition, and put together.

    Δ_MH = Σ_s w_s (a_s/n_s − b_s/m_s) / Σ_s w_s,   w_s = n_s·m_s/(n_s + m_s)
    Var = Σ_s [ a_s(n_s−a_s) m_s²/n_s + b_s(m_s−b_s) n_s²/m_s ] / (n_s+m_s)² / (Σ_s w_s)²

Mantel, Haenszel (1959); the variance is Greenland and Robins (1985) for a few large conditions. Limits: one condition
is the plain difference with its unpooled variance; a condition that only one of two policies met counts for nothing.
"""

from __future__ import annotations

from ..._typing import FloatArray


def difference(left: FloatArray, left_n: FloatArray, right: FloatArray, right_n: FloatArray) -> tuple[float, float]:
    """The common gap and its variance; NaN when no condition was met by both.

    Arguments:
        left, left_n: [S] successes and trials of one policy in each condition.
        right, right_n: [S] of the other.

    >>> import numpy as np
    >>> one = lambda x: np.array([x])
    >>> [round(number, 6) for number in difference(one(7.0), one(10.0), one(4.0), one(10.0))]
    [0.3, 0.045]
    """
    both = (left_n > 0) & (right_n > 0)
    a, n, b, m = (column[both].astype(float) for column in (left, left_n, right, right_n))
    total = float((n * m / (n + m)).sum())
    if not total:
        return float("nan"), float("nan")
    gap = float((n * m / (n + m) * (a / n - b / m)).sum() / total)
    noise = (a * (n - a) * m**2 / n + b * (m - b) * n**2 / m) / (n + m) ** 2
    return gap, float(noise.sum() / total**2)
