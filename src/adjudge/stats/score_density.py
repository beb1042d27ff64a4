"""Estimates the slope of a log-density, (log p)′: where the bulk of a distribution lies, seen from a point.

    kernel     s(x) = p̂′(x) / p̂(x),   p̂ a Gaussian kernel estimate that keeps the variance of the values
    matched    s(x) = c·φ(x),   c = argmin E[½ s² + s′] = −E[φφᵀ]⁻¹ E[φ′],   φ = (1, x, (x − κ_1)₊, … (x − κ_r)₊)

A kernel estimate of bandwidth h adds h² to the variance and so makes every slope too flat; drawing the values towards
their mean by √(1 − h²/variance) first removes that (Jones, 1991). Limits: on Gaussian values, and in `matched` with
no knots on any values, s(x) = −(x − mean)/variance; far outside the values `matched` continues its last straight
line, `kernel` the line of a Gaussian. Neither knows of hard edges: near the end of a bounded range s is too flat.

Hyvärinen (2005), Estimation of non-normalized statistical models by score matching, JMLR 6, Theorem 2.
Jones (1991), On correcting for variance inflation in kernel density estimation, CSDA 11. Bandwidth for a first
derivative: Wand and Jones (1995), Kernel Smoothing, section 2.12.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._typing import FloatArray

LogSlope = Callable[[FloatArray], FloatArray]
"""[n] values -> [n] slope of the log-density there, per unit of the values."""

CELLS = 2048  # of the grid that values are binned to: cost is linear in rows, whatever the bandwidth
REACH = 0.05  # of one value's kernel mass: where less than this stands, the Gaussian line takes over


def gaussian(values: FloatArray, *, weight: FloatArray | None = None) -> LogSlope:
    """−(x − mean)/variance.

    >>> gaussian(np.array([-1.0, 1.0]))(np.array([0.5]))
    array([-0.5])
    """
    mean, variance, _ = _moments(values, weight)
    return lambda x: -(x - mean) / variance


def matched(values: FloatArray, *, weight: FloatArray | None = None, knots: int = 5) -> LogSlope:
    """Piecewise straight score by score matching; knots at quantiles of the values.

    Arguments:
        values: [n] finite, with some spread.
        weight: [n] >= 0; equal when None.
        knots: r; 0 is the Gaussian line.
    """
    mean, variance, w = _moments(values, weight)
    z = (values - mean) / np.sqrt(variance)
    at = np.unique(_quantiles(z, w, np.linspace(0, 1, knots + 2)[1:-1]))
    phi = np.column_stack([np.ones(z.size), z, np.maximum(z[:, None] - at, 0)])
    slope = np.column_stack([np.zeros(z.size), np.ones(z.size), z[:, None] > at])
    gram = (phi * w[:, None]).T @ phi
    c = -np.linalg.pinv(gram, rcond=1e-10, hermitian=True) @ (w @ slope)

    def score(x: FloatArray) -> FloatArray:
        u = (x - mean) / np.sqrt(variance)
        return (c[0] + c[1] * u + np.maximum(u[:, None] - at, 0) @ c[2:]) / np.sqrt(variance)

    return score


def kernel(values: FloatArray, *, weight: FloatArray | None = None, bandwidth: float | None = None) -> LogSlope:
    """Slope of a variance-keeping Gaussian kernel estimate, on a grid; linear in rows.

    Arguments:
        values: [n] finite, with some spread.
        weight: [n] >= 0; equal when None.
        bandwidth: in standard deviations of the values, in (0, 1); (4/(5 Σ weight))^(1/7) when None.
    """
    mean, variance, w = _moments(values, weight)
    sd = np.sqrt(variance)
    count = float(values.size if weight is None else weight.sum())
    h = min((4 / (5 * max(count, 1.0))) ** (1 / 7) if bandwidth is None else bandwidth, 0.95)
    z = (values - mean) / sd * np.sqrt(1 - h**2)
    edge = max(-z.min(), z.max()) + 6 * h
    grid = np.linspace(-edge, edge, CELLS)
    mass = _binned(z, w, grid)
    lag = grid - grid[CELLS // 2]
    bell = np.exp(-0.5 * (lag / h) ** 2)
    transform = np.fft.rfft(mass, 2 * CELLS)

    def smooth(shape: FloatArray) -> FloatArray:
        whole = np.fft.irfft(transform * np.fft.rfft(shape, 2 * CELLS), 2 * CELLS)
        return whole[CELLS // 2 : CELLS // 2 + CELLS]

    density, slope = smooth(bell), smooth(-lag / h**2 * bell)
    trust = density / (density + REACH / max(count, 1.0))  # mass of one row's kernel, as a share
    safe = np.maximum(density, 1e-300)
    score = trust * np.where(density > 1e-12 * density.max(), slope / safe, 0.0) - (1 - trust) * grid

    def log_slope(x: FloatArray) -> FloatArray:
        u = (x - mean) / sd
        inside = np.interp(u, grid, score)
        return np.where(np.abs(u) <= edge, inside, -u) / sd

    return log_slope


def _moments(values: FloatArray, weight: FloatArray | None) -> tuple[float, float, FloatArray]:
    """Mean, variance and weights that sum to 1."""
    w = np.ones(values.size) if weight is None else weight
    w = w / w.sum()
    mean = float(w @ values)
    return mean, max(float(w @ (values - mean) ** 2), 1e-300), w


def _quantiles(z: FloatArray, w: FloatArray, levels: FloatArray) -> FloatArray:
    """Smallest values below which at least these shares of the weight lie."""
    order = np.argsort(z, kind="stable")
    mass = np.cumsum(w[order])
    return z[order][np.searchsorted(mass, levels * mass[-1] * (1 - 1e-12)).clip(max=z.size - 1)]


def _binned(z: FloatArray, w: FloatArray, grid: FloatArray) -> FloatArray:
    """Weights shared linearly between the two nearest grid points."""
    place = (z - grid[0]) / (grid[1] - grid[0])
    left = np.clip(place.astype(np.int64), 0, grid.size - 2)
    share = place - left
    mass = np.bincount(left, weights=w * (1 - share), minlength=grid.size)
    mass += np.bincount(left + 1, weights=w * share, minlength=grid.size)
    return mass.astype(float)
