"""The tail of whole numbers: how fast do large counts become rare, from where on, and is it a power law at all?

    P(X = x | X >= m) = x^{−α}/ζ(α, m)           x = m, m + 1, …        ζ the Hurwitz zeta function
    log L(α) = −α Σ log x − n log ζ(α, m) + Σ_censored log ζ(α, c)      c: the count is known to be at least c
    m = argmin over candidates of the Kolmogorov-Smirnov distance between the tail and its fit

The likelihood is linear in three sums for every α and m, so all candidates of all bootstrap samples are one matrix
product. With censored counts the empirical tail is Kaplan and Meier's.

Clauset, Shalizi, Newman (2009), Power-law distributions in empirical data, SIAM Review 51(4).
Limits: m fixed is the plain discrete maximum likelihood; counts of 0 are below every tail.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray

ALPHAS = np.concatenate([np.linspace(1.02, 4.0, 299), np.linspace(4.05, 12.0, 160)])
"""Exponents that are tried; between them the likelihood is a parabola."""
CANDIDATES = 40
SHORTEST = 10
"""Tail points below which a threshold is not considered."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Distinct values, ascending, with the weight of exact and of censored counts; B samples side by side.

    Arguments:
        value: [v] whole numbers >= 1.
        exact, censored: [B, v] weights.
    """

    value: FloatArray
    exact: FloatArray
    censored: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """Fits of B samples.

    Arguments:
        alpha: [B] exponent; NaN where no tail has ten points and two distinct values.
        start: [B] m.
        points: [B] weight of the tail.
        distance: [B] Kolmogorov-Smirnov distance.
    """

    alpha: FloatArray
    start: FloatArray
    points: FloatArray
    distance: FloatArray


def fit(counts: Counts, *, start: float | None = None) -> Tail:
    """Exponent and threshold of each sample.

    Arguments:
        counts: of values >= 1.
        start: m; chosen by the distance where None.

    >>> x = np.arange(1.0, 2000.0)
    >>> round(float(fit(Counts(x, 1e5 * x[None] ** -2.5, 0 * x[None]), start=1.0).alpha[0]), 2)
    2.5
    """
    value, samples = counts.value, counts.exact.shape[0]
    best = Tail(*(np.full(samples, np.nan) for _ in range(4)))
    if not value.size:
        return best
    log_value = np.log(value)
    upper = special.zeta(ALPHAS[:, None], value + 1.0)  # Σ over x > v
    lower = upper + value ** -ALPHAS[:, None]  # Σ over x >= v
    log_lower = np.log(lower)
    best.distance[:] = np.inf
    for j in _candidates(counts, start):
        D, C = counts.exact[:, j:], counts.censored[:, j:]
        n, size = D.sum(axis=1), D.sum(axis=1) + C.sum(axis=1)
        loglik = -np.outer(D @ log_value[j:], ALPHAS) - np.outer(size, log_lower[:, j]) + C @ log_lower[:, j:].T
        alpha, at, way = _peak(loglik)
        model = (1 - way)[:, None] * upper[at, j:] + way[:, None] * upper[at + 1, j:]
        head = (1 - way) * lower[at, j] + way * lower[at + 1, j]
        gap = np.abs(_survival(D, C) - model / head[:, None])
        gap[:, -1] = 0.0 if C.any() else gap[:, -1]
        distance = gap.max(axis=1)
        able = (n >= SHORTEST if start is None else n > 0) & ((D > 0).sum(axis=1) > 1)
        better = able & (distance < best.distance)
        for field, found in ((best.alpha, alpha), (best.points, size), (best.distance, distance)):
            field[better] = found[better]
        best.start[better] = value[j]
    best.distance[~np.isfinite(best.distance)] = np.nan
    return best


def curvature(exponent: float, start: float) -> tuple[float, float]:
    """First and second derivative of log ζ(α, start) by α."""
    h = 1e-3
    at = np.log(special.zeta(exponent + h * np.arange(-1, 2), start))
    return float((at[2] - at[0]) / (2 * h)), float((at[2] - 2 * at[1] + at[0]) / h**2)


def draw(exponent: float, start: float, size: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Whole numbers >= start with P(X = x) ∝ x^{−α}: exact up to 20,000 above the start, rounded continuous beyond.

    >>> draw(2.5, 1.0, (3,), np.random.default_rng(0)).shape
    (3,)
    """
    support = start + np.arange(20_001.0)
    survival = special.zeta(exponent, support) / special.zeta(exponent, start)  # P(X >= x)
    u = 1.0 - rng.random(size)  # in (0, 1]
    place = np.searchsorted(-survival, -u, side="right") - 1
    far = np.floor(support[-1] * (u / survival[-1]) ** (-1.0 / (exponent - 1.0)))
    return np.where(u < survival[-1], far, support[np.maximum(place, 0)])


def fit_pvalue(
    exponent: float, start: float, points: int, distance: float, *, cap: float, samples: int, seed: int
) -> float:
    """Share of samples from the fitted tail that lie further from their own fit; small means: no power law.

    The threshold is taken as known, which makes the answer a little too kind.

    Arguments:
        exponent, start, points, distance: of the fit.
        cap: counts from here on are only known to reach it; inf for none.
        samples: drawn tails.
        seed: of the draws.
    """
    rng = np.random.default_rng((seed, 125))
    x = np.minimum(draw(exponent, start, (samples, points), rng), cap)
    value, code = np.unique(x, return_inverse=True)
    rows = np.repeat(np.arange(samples), points)
    both = np.zeros((samples, value.size))
    np.add.at(both, (rows, code.ravel()), 1.0)
    if value.size > 4000:  # KS needs few of the far values: they are put together, which moves no sum by much
        keep = np.unique(np.linspace(0, value.size - 1, 4000).astype(int))
        group = np.searchsorted(keep, np.arange(value.size))
        thin = np.zeros((samples, keep.size))
        np.add.at(thin.T, group, both.T)
        value, both = value[keep], thin
    capped = value >= cap
    made = fit(Counts(value, both * ~capped, both * capped), start=float(value[0]))
    return float((1 + np.sum(made.distance >= distance)) / (samples + 1))


def _candidates(counts: Counts, start: float | None) -> IntArray:
    """Positions of the thresholds that are tried, evenly among those that leave a tail."""
    total = counts.exact.mean(axis=0)
    if start is not None:
        return np.flatnonzero(counts.value >= start)[:1]
    left = total[::-1].cumsum()[::-1]
    able = np.flatnonzero((left >= SHORTEST) & (total > 0))
    if able.size <= CANDIDATES:
        return able
    return np.unique(able[np.linspace(0, able.size - 1, CANDIDATES).astype(int)])


def _peak(loglik: FloatArray) -> tuple[FloatArray, IntArray, FloatArray]:
    """[B] maximum between the grid points, the grid point below it and the way to the next."""
    top = np.clip(np.argmax(loglik, axis=1), 1, ALPHAS.size - 2)
    rows = np.arange(top.size)
    a, b, c = ALPHAS[top - 1], ALPHAS[top], ALPHAS[top + 1]
    fa, fb, fc = loglik[rows, top - 1], loglik[rows, top], loglik[rows, top + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        bend = (b - a) * (fb - fc) - (b - c) * (fb - fa)
        peak = b - 0.5 * ((b - a) ** 2 * (fb - fc) - (b - c) ** 2 * (fb - fa)) / bend
    peak = np.clip(np.where(np.isfinite(peak), peak, b), a, c)
    at = np.clip(np.searchsorted(ALPHAS, peak, side="right") - 1, 0, ALPHAS.size - 2)
    return peak, at, (peak - ALPHAS[at]) / (ALPHAS[at + 1] - ALPHAS[at])


def _survival(D: FloatArray, C: FloatArray) -> FloatArray:
    """[B, v] Kaplan-Meier P(X > v) of a tail, with censored counts known to be >= their value."""
    from_here = D[:, ::-1].cumsum(axis=1)[:, ::-1]
    later = C[:, ::-1].cumsum(axis=1)[:, ::-1] - C
    risk = from_here + later
    with np.errstate(invalid="ignore", divide="ignore"):
        stay = np.where(risk > 0, 1 - D / risk, 1.0)
    survival: FloatArray = np.cumprod(stay, axis=1, dtype=np.float64)
    return survival
