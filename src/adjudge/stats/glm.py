"""Solves one weighted straight line or logistic curve for many weightings at once, and says how it leans on each label.

    Σ_i w_i (y_i − μ(x_i·β)) x_i − Λβ = 0          μ(η) = η   (identity)   or   1/(1 + e^−η)   (logit)
    ∂β/∂y_i = A⁻¹ w_i x_i,    ∂β/∂log w_i = A⁻¹ w_i x_i (y_i − μ_i),    A = Σ_i w_i μ'_i x_i x_iᵀ + Λ

Both derivatives are exact. The logit link takes any y in [0, 1] (quasi-binomial).
Limits: Λ = 0 is least squares or maximum likelihood; columns that repeat each other share the slope (pseudo-inverse).

McCullagh, P. & Nelder, J. (1989). Generalized Linear Models. Chapman & Hall. Section 2.5.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray

STEPS = 60
REACH = 30.0
"""Linear predictors are held inside ±REACH, so that labels which a threshold separates still give finite slopes."""


def line(X: FloatArray, y: FloatArray, weights: FloatArray, *, ridge: FloatArray) -> FloatArray:
    """[B, q] weighted ridge coefficients for weights [B, m]; NaN for a weighting that is all 0.

    Arguments:
        X: [m, q] features, on a common scale.
        y: [m] outcomes.
        weights: [B, m] weights, >= 0.
        ridge: [q] penalty on the square of each coefficient, or [q, q] matrix, or [B, q, q] by weighting, in labels.
    """
    m, q = X.shape
    gram = (weights @ (X[:, :, None] * X[:, None, :]).reshape(m, q * q)).reshape(-1, q, q) + _matrix(ridge)
    beta = _solve(gram, (weights * y) @ X)
    beta[weights.sum(axis=1) <= 0] = np.nan
    return beta


def logistic(
    X: FloatArray, y: FloatArray, weights: FloatArray, *, ridge: FloatArray, centre: FloatArray | None = None
) -> FloatArray:
    """[B, q] weighted logistic coefficients by damped Newton steps, for y [m] in [0, 1] and weights [B, m].

    Arguments:
        X: [m, q] features, on a common scale.
        y: [m] outcomes in [0, 1].
        weights: [B, m] weights, >= 0.
        ridge: [q] penalty on the square of each coefficient, in labels (half of it enters the likelihood).
        centre: [q] where the ridge pulls to and the steps start; zeros by default.
    """
    m, q = X.shape
    products = (X[:, :, None] * X[:, None, :]).reshape(m, q * q)
    origin = np.zeros(q) if centre is None else centre
    beta = np.tile(origin, (weights.shape[0], 1))
    active = weights.sum(axis=1) > 0
    beta[~active] = np.nan
    todo = np.flatnonzero(active)
    for _ in range(STEPS):
        if not todo.size:
            break
        w, now = weights[todo], beta[todo]
        mu = special.expit((now @ X.T).clip(-REACH, REACH))
        score = (w * (y - mu)) @ X - (now - origin) * ridge
        bend = ((w * mu * (1 - mu)) @ products).reshape(-1, q, q) + np.diag(ridge)
        step = _solve(bend, score)
        stride = np.abs(np.where(w > 0, step @ X.T, 0.0)).max(axis=1)
        step *= np.minimum(1.0, 4.0 / np.maximum(stride, 1e-300))[:, None]
        beta[todo] = now + step
        far = np.abs(np.where(w > 0, beta[todo] @ X.T, 0.0)).max(axis=1) > REACH
        todo = todo[(stride > 1e-10) & ~far]
    return beta


def lever(X: FloatArray, weight: FloatArray, bend: FloatArray, *, ridge: FloatArray) -> FloatArray:
    """[m, q] derivative of β by each y; times the residual, it is the derivative by each log-weight.

    Arguments:
        X: [m, q] features.
        weight: [m] weights.
        bend: [m] μ', the slope of the mean in its linear predictor (1 for the identity).
        ridge: [q] or [q, q] penalty.
    """
    gram = (X * (weight * bend)[:, None]).T @ X + _matrix(ridge)
    return (X * weight[:, None]) @ _inverse(gram)


def influence(
    X: FloatArray, residual: FloatArray, weight: FloatArray, bend: FloatArray, *, ridge: FloatArray
) -> FloatArray:
    """[m, q] derivative of β by the log-weight of each row: `lever` times the residual y − μ [m]."""
    return lever(X, weight, bend, ridge=ridge) * residual[:, None]


def _matrix(ridge: FloatArray) -> FloatArray:
    """[q, q] penalty from its diagonal or itself."""
    return np.diag(ridge) if ridge.ndim == 1 else ridge


def _solve(gram: FloatArray, right: FloatArray) -> FloatArray:
    """[B, q] minimum-norm solutions."""
    return np.einsum("bqr,br->bq", _inverse(gram), right)


def _inverse(gram: FloatArray) -> FloatArray:
    """Pseudo-inverses of [..., q, q], brought to unit diagonals first so that no stiff penalty drowns the rest."""
    size = np.sqrt(np.diagonal(gram, axis1=-2, axis2=-1))
    scale = 1.0 / np.where(size > 0, size, 1.0)
    outer = scale[..., :, None] * scale[..., None, :]
    return np.linalg.pinv(gram * outer, rcond=1e-10, hermitian=True) * outer
