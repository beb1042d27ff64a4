"""How far to trust a forecast: the λ that makes a difference estimator narrowest, shrunk where the labels cannot tell.

    λ̂ = (Σ_g h_g h_gᵀ + ridge)⁻¹ Σ_g h_g e_g        over labelled clusters, e and h as in `stats.difference`
    λ = s·λ̂,   s = max(0, 1 − 1/F),   F = (n − 1 − r)·R² / (r·(1 − R²))

R² is the share of the labels' variance that the r forecasts explain and F its test statistic; s is the James-Stein
weight under which the expected squared error is least. The error of λ̂ itself enters by its gradient f̄ − h̄.

Angelopoulos, Duchi, Zrnic (2023), PPI++: Efficient prediction-powered inference, §6; James, Stein (1961).
Limits: s = 0 (weak evidence, a constant forecast) is the mean of the labels; R² = 1 gives s = 1.
With one forecast the ridge is 0; several identical forecasts do what one does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from .difference import Pieces

RIDGE = 1.0  # prior weight of each forecast beyond the first, in labelled clusters
TINY = np.finfo(float).tiny


@dataclass(frozen=True, slots=True, eq=False)
class Tuning:
    """A tuned λ and what it cost.

    Arguments:
        lam: [J, k] weight of each forecast in each group, already shrunk.
        shrink: [k] s, in [0, 1].
        spent: [k] degrees of freedom that the fit used, s·r.
        residual: [c] label contributions e − λh, with the error of λ in them.
    """

    lam: FloatArray
    shrink: FloatArray
    spent: FloatArray
    residual: FloatArray


def tune(pieces: Pieces) -> Tuning:
    """λ for each group from its own labelled clusters."""
    e, h, by = pieces.e, pieces.h, pieces.cells.by_group
    J, k = pieces.mean.shape
    S = np.array([[by(h[i] * h[j]) for j in range(J)] for i in range(J)]).reshape(J, J, k).transpose(2, 0, 1)
    c = by(h * e).T
    scale = np.sqrt(np.maximum(np.diagonal(S, axis1=1, axis2=2), TINY))
    moving = scale > 1e-12 * np.maximum(np.abs(pieces.held), 1.0).T / np.maximum(pieces.n, 1)[:, None]
    R = S / (scale[:, :, None] * scale[:, None, :]) * moving[:, :, None] * moving[:, None, :]
    slope, rank = _ridge(R, np.where(moving, c / scale, 0.0), pieces.n)
    explained = np.einsum("kj,kj->k", slope, np.where(moving, c / scale, 0.0))
    shrink = james_stein(explained, by(e**2), pieces.n - 1 - rank, rank)
    full = np.where(moving, slope / scale, 0.0)  # [k, J], before shrinking
    lam = (shrink[:, None] * full).T
    return Tuning(lam, shrink, shrink * rank, _residual(pieces, lam, R, scale, shrink, moving))


def _ridge(R: FloatArray, c: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """([k, J] standardised slopes, [k] effective number of forecasts) by eigenvalues of the correlations R."""
    eigen, basis = np.linalg.eigh(R)
    ridge = RIDGE * (R.shape[-1] - 1) / np.maximum(n, 1)
    live = eigen > 1e-10
    inverse = np.where(live, 1.0 / np.maximum(eigen + ridge[:, None], 1e-10), 0.0)
    slope = np.einsum("kji,ki,kli,kl->kj", basis, inverse, basis, c)
    return slope, np.einsum("ki,ki->k", np.where(live, eigen, 0.0), inverse)


def james_stein(explained: FloatArray, total: FloatArray, df: FloatArray, rank: FloatArray) -> FloatArray:
    """[k] s = max(0, 1 − 1/F); 0 where there is nothing to explain or no degree of freedom is left.

    >>> james_stein(np.array([0.5]), np.array([1.0]), np.array([8.0]), np.array([1.0]))
    array([0.875])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        unexplained = np.maximum(total - explained, 0.0)
        s = 1.0 - rank * unexplained / (df * explained)
    return np.where((df > 0) & (explained > 0) & (total > 0), np.clip(np.nan_to_num(s), 0.0, 1.0), 0.0)


def _residual(
    pieces: Pieces, lam: FloatArray, R: FloatArray, scale: FloatArray, shrink: FloatArray, moving: FloatArray
) -> FloatArray:
    """[c] (e − λh)·(1 + s·(f̄ − h̄)ᵀ S⁻¹ h): each residual also moves λ, in proportion to its leverage."""
    group = pieces.group
    gap = np.nan_to_num(pieces.mean - pieces.held).T  # [k, J]
    lever, _ = _ridge(R, np.where(moving, gap / scale, 0.0), pieces.n)
    lever = shrink[:, None] * np.where(moving, lever / scale, 0.0)
    residual = pieces.e - np.einsum("jc,jc->c", lam[:, group], pieces.h)
    return residual * (1.0 + np.einsum("jc,jc->c", lever.T[:, group], pieces.h))
