"""Says how far predicted probabilities are from what follows them: one signed figure without bins, two with bins.

    balance_i = sign(p̂_i − ½)·(y_i − p̂_i)                       E[balance_i] = sign(p̂_i − ½)·(p_i − p̂_i)
    Brier     = mean (y − p̂)²
    ECE       = Σ_b |mean_b y − mean_b p̂|·n_b/n                  biased upwards: E|N(δ, v)| > |δ|
    debiased  = Σ_b (2·|δ̂_b| − E|N(δ̂_b, v̂_b)|)·n_b/n            δ̂_b the gap of bin b, v̂_b its variance
    true ECE  = mean |p − p̂|                                     in worlds where p is known

The balance is + 1 − c when the favoured side wins and −c when it loses, c = max(p̂, 1 − p̂): positive means that the
favoured side wins more often than was said (too little confidence), negative too much. It needs no bins and is
unbiased for any n, but over- and under-confidence on different rows cancel: 0 does not prove calibration. |E balance|
<= true ECE, with equality when the sign of p − p̂ against p̂ − ½ is the same on all rows. It is an identity in
expectation and not a proper score: the best possible value 0 is also reached by predictions that know nothing.

Choi, Kim, Lee (2023), Rethinking evaluation metric for probability estimation models (balance); Brier (1950); Naeini
et al. (2015, ECE); Kumar, Liang, Ma (2019) and Bröcker (2012) on the bias of binned errors.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from .cluster import group_sums


def balance(prediction: FloatArray, outcome: FloatArray) -> FloatArray:
    """[n] signed gain or loss of backing the favoured side; a prediction of ½ favours y = 1.

    >>> balance(np.array([0.7, 0.7, 0.2, 0.2]), np.array([1.0, 0.0, 0.0, 1.0])).round(9)
    array([ 0.3, -0.7,  0.2, -0.8])
    """
    return np.where(prediction >= 0.5, 1.0, -1.0) * (outcome - prediction)


def brier(prediction: FloatArray, outcome: FloatArray, *, weight: FloatArray | None = None) -> float:
    """Weighted mean squared error.

    >>> brier(np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    0.125
    """
    return float(np.average((prediction - outcome) ** 2, weights=weight))


def true_ece(probability: FloatArray, prediction: FloatArray) -> float:
    """Mean distance from the true probability; only a simulation knows it."""
    return float(np.abs(probability - prediction).mean())


def binned_ece(
    prediction: FloatArray,
    outcome: FloatArray,
    *,
    bins: int = 15,
    equal_mass: bool = True,
    weight: FloatArray | None = None,
    debias: bool = False,
) -> float:
    """Expected calibration error in bins of the prediction.

    Arguments:
        prediction: [n] in [0, 1].
        outcome: [n] in [0, 1].
        bins: number of bins.
        equal_mass: bins of equally many rows; of equal width when False.
        weight: [n] >= 0; equal when None.
        debias: takes off the upward bias of |gap|, bin by bin, in the normal approximation; the sum may then fall
            below 0, as an unbiased estimate of a small positive number must. Bins of one row are left as they are.

    >>> binned_ece(np.array([0.2, 0.2, 0.8, 0.8]), np.array([0.0, 1.0, 1.0, 1.0]), bins=2)
    0.25
    """
    gap, variance, share = gaps(prediction, outcome, _bin(prediction, bins, equal_mass), weight=weight)
    size = np.abs(gap)
    if debias:
        size = 2 * size - folded_mean(gap, variance)
    return float(share @ size)


def gaps(
    prediction: FloatArray,
    outcome: FloatArray,
    bin_of: IntArray,
    *,
    weight: FloatArray | None = None,
    cluster: IntArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gap mean y − mean p̂ of each bin that holds rows, its variance (0 for one row), and its share of the weight.

    Arguments:
        prediction, outcome: [n].
        bin_of: [n] from 0.
        weight: [n] >= 0; equal when None.
        cluster: [n] codes from 0 of what is independent; the rows when None.
    """
    w = np.ones(prediction.size) if weight is None else weight
    total = np.bincount(bin_of, w)
    used = total > 0
    safe = np.where(used, total, 1.0)
    difference = outcome - prediction
    gap = np.bincount(bin_of, w * difference) / safe
    off, of_off, counts = w * (difference - gap[bin_of]), bin_of, (w > 0).astype(float)
    if cluster is not None:
        cells, of_row = np.unique(np.stack([bin_of, cluster]), axis=1, return_inverse=True)
        off, counts = (group_sums(of_row, column, cells.shape[1]) for column in (off, w))
        of_off, counts = cells[0], (counts > 0).astype(float)
    squares = np.bincount(of_off, off**2) / safe**2
    n = np.bincount(of_off, counts)
    variance = squares * np.where(n > 1, n / np.maximum(n - 1, 1), 0.0)
    return gap[used], variance[used], total[used] / total.sum()


def folded_mean(mean: FloatArray, variance: FloatArray) -> FloatArray:
    """E|N(mean, variance)|.

    >>> folded_mean(np.array([0.0, -2.0]), np.array([1.0, 0.0])).round(4)
    array([0.7979, 2.    ])
    """
    sd = np.sqrt(variance)
    spread = sd > 0
    ratio = np.divide(mean, sd, out=np.zeros(mean.shape), where=spread)
    folded = sd * np.sqrt(2 / np.pi) * np.exp(-0.5 * ratio**2) + mean * (1 - 2 * special.ndtr(-ratio))
    return np.where(spread, folded, np.abs(mean))


def _bin(prediction: FloatArray, bins: int, equal_mass: bool) -> IntArray:
    """[n] bin of each prediction; equal predictions share a bin."""
    if not equal_mass:
        return np.minimum((prediction * bins).astype(np.int64), bins - 1)
    edges = np.unique(np.quantile(prediction, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, prediction, side="right")
