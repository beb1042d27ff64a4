"""A smooth curve of each feature, as stiff as the labels ask for: natural cubic splines with a curvature penalty.

    η(x) = β₀ + Σ_j [β_j x_j + Σ_k γ_jk N_k(x_j)],      penalty  λ Σ_j ∫ η_j''(t)² dt + Σ_j β_j²
    λ = argmin GCV(λ) = RSS(λ) / (1 − edf(λ)/m)²

x_j is the feature on its labelled scale (mean 0, deviation 1); N_k are natural cubic splines, straight beyond the outer
knots; knots stand at quantiles of the labelled rows. The second derivative is a straight line between knots, so the
penalty is exact. Limits: λ = ∞ is the straight line; a feature with fewer than four distinct values enters as a line.

Hastie, T., Tibshirani, R. & Friedman, J. (2009). The Elements of Statistical Learning. Eq. 5.4, Section 5.4.
Craven, P. & Wahba, G. (1979). Smoothing noisy data with spline functions. Numerische Mathematik 31.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .._typing import FloatArray, IntArray

GRID = np.logspace(-4, 8, 25)
"""Candidate λ, in labels; the last is straight to the eye."""


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Additive features of a row: 1, the standardised columns, and the bent part of each.

    Arguments:
        centre, scale: [d] of the columns.
        knots: one array a column, on the standardised scale; empty for a straight column.
    """

    centre: FloatArray
    scale: FloatArray
    knots: tuple[FloatArray, ...]

    def __call__(self, score: FloatArray, covariates: FloatArray) -> FloatArray:
        """[n, q] features of scores [n, J] and covariates [n, d − J]."""
        x = (np.concatenate([score, covariates], axis=1) - self.centre) / self.scale
        bent = [_bends(x[:, j], knots) for j, knots in enumerate(self.knots) if knots.size]
        return np.concatenate([np.ones((len(x), 1)), x, *bent], axis=1)

    @property
    def curvature(self) -> FloatArray:
        """[q, q] matrix of Σ_j ∫ η_j''²."""
        size = 1 + self.centre.size + sum(max(knots.size - 2, 0) for knots in self.knots)
        penalty, at = np.zeros((size, size)), 1 + self.centre.size
        for knots in self.knots:
            if knots.size:
                block = _roughness(knots)
                penalty[at : at + len(block), at : at + len(block)] = block
                at += len(block)
        return penalty

    @property
    def slopes(self) -> FloatArray:
        """[q] ones at the straight parts: one label's worth of doubt on each standardised slope."""
        return np.r_[0.0, np.ones(self.centre.size), np.zeros(len(self.curvature) - 1 - self.centre.size)]


def basis(columns: FloatArray, weight: FloatArray, *, knots: int = 7) -> Basis:
    """The basis that fits labelled columns [m, d] with weights [m].

    >>> b = basis(np.arange(11.0)[:, None], np.ones(11), knots=4)
    >>> b(np.zeros((3, 1)), np.empty((3, 0))).shape
    (3, 4)
    """
    total = weight.sum()
    centre = weight @ columns / total
    scale = np.sqrt(weight @ (columns - centre) ** 2 / total)
    scale = np.where(scale > 1e-12 * (1 + np.abs(centre)), scale, 1.0)
    seen = ((columns - centre) / scale)[weight > 0]
    spread = np.linspace(0.0, 1.0, knots)
    places = []
    for x in seen.T:
        distinct = np.unique(x)
        places.append(np.unique(np.quantile(distinct, spread)) if distinct.size >= 4 else np.empty(0))
    return Basis(centre, scale, tuple(places))


def stiffness(
    X: FloatArray, y: FloatArray, weights: FloatArray, *, units: IntArray, curvature: FloatArray, ridge: FloatArray
) -> FloatArray:
    """[B] λ of least generalised cross-validation error, for each weighting of the same rows.

    Arguments:
        X: [m, q] features.
        y: [m] labels.
        weights: [B, m] weights.
        units: [B] independent clusters behind each weighting: what the labels count as.
        curvature: [q, q] penalty that λ multiplies.
        ridge: [q] penalty that stays.
    """
    best = np.full(len(weights), GRID[-1])
    for b, (w, m) in enumerate(zip(weights, units, strict=True)):
        if m < 5:
            continue
        gram = (X * w[:, None]).T @ X + np.diag(ridge)
        gram += 1e-9 * np.trace(gram) / len(gram) * np.eye(len(gram))
        bend, turn = linalg.eigh(curvature, gram)
        shrink = 1.0 / (1.0 + bend.clip(0) * GRID[:, None])
        fitted = (shrink * (turn.T @ (X.T @ (w * y)))) @ (X @ turn).T
        rss = (w * (y - fitted) ** 2).sum(axis=1) / w.sum()
        best[b] = GRID[int((rss / (1 - np.minimum(shrink.sum(axis=1) / m, 0.95)) ** 2).argmin())]
    return best


def _bends(x: FloatArray, knots: FloatArray) -> FloatArray:
    """[n, knots − 2] bent natural cubic splines, scaled by the range of the knots."""
    reach = knots[-1] - knots[0]
    cubes = np.maximum((x[:, None] - knots) / reach, 0.0) ** 3
    last = cubes[:, -1:]
    d = (cubes[:, :-1] - last) / ((knots[-1] - knots[:-1]) / reach)
    return d[:, :-1] - d[:, -1:]


def _roughness(knots: FloatArray) -> FloatArray:
    """[knots − 2, knots − 2] integrals of products of second derivatives, over knots brought to [0, 1]."""
    t = (knots - knots[0]) / (knots[-1] - knots[0])
    bend = 6 * np.maximum(t[:, None] - t, 0.0)
    d = (bend[:, :-1] - bend[:, -1:]) / (t[-1] - t[:-1])
    second = d[:, :-1] - d[:, -1:]
    h = np.diff(t)
    left, right = second[:-1], second[1:]
    middle = (left + right) / 2
    products = np.stack([left, middle, right])
    return np.einsum("s,h,shi,shj->ij", np.array([1, 4, 1]) / 6, h, products, products)
