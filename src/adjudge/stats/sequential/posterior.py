"""What some successes and failures say of a rate: its Beta posterior, and the chance that one rate exceeds another.

    rate | s of n  ~  Beta(s + c, n − s + c)            c = ½ (Jeffreys) or 1 (uniform)
    P(A > B) = ∫₀¹ F_B(Q_A(u)) du                       by Gauss-Legendre over the quantiles of A

Limits: no trial gives the prior, and P(A > B) = ½ for two equal posteriors. A posterior does not know that somebody
looked and stopped: it describes belief, and controls no error over repetitions.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from ..._typing import FloatArray

PRIORS = {"jeffreys": 0.5, "uniform": 1.0}
NODES = 400


def moments(success: FloatArray, trials: FloatArray, prior: float) -> tuple[FloatArray, FloatArray]:
    """[k] mean and [k] variance of the posterior."""
    a, b = success + prior, trials - success + prior
    return a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))


def quantiles(success: FloatArray, trials: FloatArray, prior: float, at: FloatArray) -> FloatArray:
    """[k, q] quantiles of the posterior at the probabilities `at`: the ends of an interval, or a violin."""
    a, b = (success + prior)[:, None], (trials - success + prior)[:, None]
    return np.asarray(special.betaincinv(a, b, at[None, :]))


def superiority(success: FloatArray, trials: FloatArray, prior: float) -> FloatArray:
    """[k, k] chance that the row's rate exceeds the column's; ½ on the diagonal.

    >>> superiority(np.array([9.0, 5.0]), np.array([10.0, 10.0]), 0.5).round(3)
    array([[0.5  , 0.977],
           [0.023, 0.5  ]])
    """
    nodes, weight = np.polynomial.legendre.leggauss(NODES)
    a, b = success + prior, trials - success + prior
    x = quantiles(success, trials, prior, (nodes + 1) / 2)
    below = special.betainc(a[None, :, None], b[None, :, None], x[:, None, :])
    chance = below @ (weight / 2)
    return (chance + 1 - chance.T) / 2
