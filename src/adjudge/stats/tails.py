"""Mean, spread, value-at-risk and expected shortfall of weighted losses, with influence values and a cluster bootstrap.

    VaR_τ = inf{t : F(t) >= τ},     CVaR_τ = VaR + E(X − VaR)₊ / (1 − τ),     SD = √E(X − EX)²
    ψ_mean = x − m,   ψ_sd = ((x − m)² − s²)/2s,   ψ_var = (τ − 1[x <= VaR])·dQ/dF,
    ψ_cvar = VaR + (x − VaR)₊/(1 − τ) − CVaR

each times w/Σw and summed by cluster. dQ/dF is Woodruff's. The bootstrap draws clusters with replacement, the same draw
for all groups, so that paired differences keep their pairing. Limit: τ = 0 makes CVaR the mean.

Rockafellar, Uryasev (2002), Theorem 10; Efron, Tibshirani (1993), An Introduction to the Bootstrap, chapter 8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.estimate import Part
from ..errors import AdjudgeError
from . import quantiles
from .cluster import group_sums

STATISTICS = ("mean", "sd", "var", "cvar")
CHUNK = 8_000_000
"""Resampled weights held in memory at once."""


def figures(x: FloatArray, w: FloatArray, tail: float) -> FloatArray:
    """[4] mean, SD, VaR and CVaR of losses x [n] with weights w [n]; NaN without rows.

    >>> figures(np.arange(1.0, 11.0), np.ones(10), 0.8).round(3)
    array([5.5  , 2.872, 8.   , 9.5  ])
    """
    order = np.argsort(x, kind="stable")
    return resampled(x[order], w[order][None, :], tail)[0]


def resampled(x: FloatArray, w: FloatArray, tail: float) -> FloatArray:
    """[B, 4] the same for ascending losses x [n] under many weightings w [B, n]; NaN where a weighting is all 0."""
    total = w.sum(axis=1)
    if not x.size:
        return np.full((w.shape[0], 4), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = w @ x / total
        sd = np.sqrt(np.maximum(w @ x**2 / total - mean**2, 0.0))
        height = np.cumsum(w, axis=1)
        at = np.minimum((height < (tail - 1e-12) * total[:, None]).sum(axis=1), x.size - 1)
        threshold = np.where(total > 0, x[at], np.nan)
        beyond = np.where(np.arange(x.size) > at[:, None], w, 0.0)
        excess = beyond @ x - threshold * beyond.sum(axis=1)
        cvar = threshold + excess / total / (1 - tail)
    return np.column_stack([mean, sd, threshold, cvar])


def influence(
    x: FloatArray, w: FloatArray, cluster: IntArray, units: int, tail: float, bounds: tuple[float, float]
) -> tuple[FloatArray, float, float]:
    """[units, 4] contributions of clusters to mean, SD, VaR, CVaR; CVaR's optimism, and its variance across a gap.

    See `quantiles.optimism` and `quantiles.restless`.

    Arguments:
        x: [n] losses.
        w: [n] weights.
        cluster: [n] code of the independent unit.
        units: number of units in the whole table.
        tail: [0, 1) τ.
        bounds: range of the losses.
    """
    mean, sd, threshold, _ = figures(x, w, tail)
    share = w / w.sum()

    def summed(psi: FloatArray) -> FloatArray:
        return group_sums(cluster, share * psi, units)

    below = summed((x <= threshold) - share @ (x <= threshold))
    error = float(np.sqrt(Part.from_influence("", below[:, None]).covariance[0, 0]))
    law = quantiles.distribution(x, share)
    slope, _ = quantiles.rate(law, tail, error, bounds)
    if x.max() > x.min() and not error > 0:
        slope = 0.0  # every loss is at or below the threshold: a point mass at the top
    spread = summed((x - mean) ** 2 - sd**2) / (2 * sd) if sd > 0 else np.zeros(units)

    def beyond(t: float) -> FloatArray:
        excess = quantiles.shortfall(x, t, 1 - tail, low=False)
        return summed(excess - share @ excess)

    def variance(t: float) -> float:
        return float(Part.from_influence("", beyond(t)[:, None]).covariance[0, 0])

    psi = np.column_stack([summed(x - mean), spread, -below * slope, beyond(threshold)])
    return psi, quantiles.optimism(error, slope, 1 - tail), quantiles.restless(law, tail, error, variance)


def bootstrap(
    losses: Sequence[tuple[FloatArray, FloatArray, IntArray]], units: int, tail: float, *, draws: int, seed: int
) -> FloatArray:
    """[draws, groups, 4] mean, SD, VaR, CVaR of every group under the same resampled clusters.

    Arguments:
        losses: for each group its losses, weights and cluster codes.
        units: number of clusters.
        tail: τ.
        draws: bootstrap replicates, at least 2.
        seed: of the draws.
    """
    if draws < 2:
        raise AdjudgeError(f"draws is {draws}.", "A bootstrap needs at least 2, better 1,000.", "Use bootstrap=1000.")
    ordered = []
    for x, w, cluster in losses:
        order = np.argsort(x, kind="stable")
        ordered.append((x[order], w[order], cluster[order]))
    largest = max((x.size for x, _, _ in ordered), default=1)
    blocks = []
    for counts in _counts(units, draws, max(1, CHUNK // max(largest, units)), np.random.default_rng(seed)):
        blocks.append(np.stack([resampled(x, w * counts[:, cluster], tail) for x, w, cluster in ordered], axis=1))
    return np.concatenate(blocks)


def _counts(units: int, draws: int, chunk: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Blocks of [b, units] how often each cluster was drawn."""
    for start in range(0, draws, chunk):
        b = min(chunk, draws - start)
        picks = rng.integers(units, size=(b, units)) + np.arange(b)[:, None] * units
        yield np.bincount(picks.ravel(), minlength=b * units).reshape(b, units).astype(float)
