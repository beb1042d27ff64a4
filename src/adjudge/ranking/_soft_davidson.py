"""Fits win, tie and loss to linear predictors when the verdicts are soft: averages, forecasts, corrected forecasts.

    P(win) : P(tie) : P(loss) = e^{d/2} : e^u : e^{−d/2},      d = X·β,   u = Z·γ
    max_{β,γ}  Σ_i { ½(win_i − loss_i)·d_i + tie_i·u_i − a_i·log(e^{d_i/2} + e^{u_i} + e^{−d_i/2}) } − ½Σ_j λ_j β_j²

The verdicts enter by two linear statistics, so they need be no probabilities: a corrected forecast may leave [0, 1] and
the problem stays concave. X of +1/−1 for the two policies and Z = 1 is Davidson's model with ν = e^u; no Z is
Bradley-Terry; other columns make it a regression of verdicts on features.

Davidson (1970), On extending the Bradley-Terry model to accommodate ties, JASA 65(329).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray

STEPS = 100
REACH = 40.0
TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A solved fit.

    Arguments:
        beta: [p] coefficients of d.
        gamma: [q] coefficients of u.
        information: [p+q, p+q] minus the Hessian at the answer, penalty included.
        gradient: largest absolute entry of the gradient, relative to the total weight.
    """

    beta: FloatArray
    gamma: FloatArray
    information: FloatArray
    gradient: float

    @property
    def converged(self) -> bool:
        """Whether the gradient is zero to rounding and no predictor ran away."""
        return self.gradient < 1e-7 and bool(np.all(np.isfinite(self.beta)))


def incidence(left: IntArray, right: IntArray, k: int) -> sparse.csr_array:
    """[n, k] +1 at the left policy and −1 at the right one."""
    n = left.size
    columns = np.column_stack([left, right]).ravel()
    return sparse.csr_array((np.tile([1.0, -1.0], n), columns, np.arange(0, 2 * n + 1, 2)), shape=(n, k))


def chances(d: FloatArray, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(win), P(tie), P(loss) at predictors d and u; u = −inf says that ties do not occur."""
    top = np.maximum(np.abs(d) / 2, u)
    win, tie, loss = np.exp(d / 2 - top), np.exp(u - top), np.exp(-d / 2 - top)
    total = win + tie + loss
    return win / total, tie / total, loss / total


def information(
    X: sparse.csr_array | FloatArray, Z: FloatArray, weight: FloatArray, d: FloatArray, u: FloatArray
) -> FloatArray:
    """[p+q, p+q] Σ a_i Var(statistics): the curvature of the fit at its predictors."""
    win, tie, loss = chances(d, u)
    lean = (win - loss) / 2
    lean_lean, lean_tie, tie_tie = (win + loss) / 4 - lean**2, -lean * tie, tie * (1 - tie)
    if isinstance(X, np.ndarray):
        top = X.T @ (X * (weight * lean_lean)[:, None])
    else:
        top = (X.T @ X.multiply((weight * lean_lean)[:, None])).toarray()
    side = np.asarray(X.T @ (Z * (weight * lean_tie)[:, None]))
    return np.block([[top, side], [side.T, Z.T @ (Z * (weight * tie_tie)[:, None])]])


def fit(
    X: sparse.csr_array | FloatArray,
    Z: FloatArray,
    weight: FloatArray,
    lean: FloatArray,
    tie: FloatArray,
    *,
    ridge: FloatArray | float = 0.0,
) -> Fit:
    """The maximum, by Newton steps that halve until the objective rises.

    Arguments:
        X: [n, p] design of d, dense or sparse.
        Z: [n, q] design of u; q = 0 leaves ties out.
        weight: [n] a, >= 0.
        lean: [n] a·½(win − loss), or what stands in for it.
        tie: [n] a·tie, or what stands in for it.
        ridge: [p + q] or one number: penalty on each coefficient.

    Directions in which nothing is known (a constant added to all ratings) stay at 0: steps use the pseudo-inverse.
    """
    p, q = X.shape[1], Z.shape[1]
    penalty = np.broadcast_to(np.asarray(ridge, dtype=float), (p + q,))
    scale = max(float(weight.sum()), 1e-300)
    none = np.full(weight.size, -np.inf)

    def predictors(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.asarray(X @ at[:p]), Z @ at[p:] if q else none

    def objective(at: FloatArray) -> float:
        d, u = predictors(at)
        top = np.maximum(np.abs(d) / 2, u)
        size = top + np.log(np.exp(d / 2 - top) + np.exp(u - top) + np.exp(-d / 2 - top))
        ties = float(tie @ u) if q else 0.0
        return float(lean @ d - weight @ size - 0.5 * penalty @ at**2) + ties

    def slope(at: FloatArray) -> tuple[FloatArray, FloatArray]:
        d, u = predictors(at)
        win, even, loss = chances(d, u)
        gradient = np.concatenate([X.T @ (lean - weight * (win - loss) / 2), Z.T @ (tie - weight * even)])
        return gradient - penalty * at, information(X, Z, weight, d, u) + np.diag(penalty)

    at = np.zeros(p + q)
    value, (gradient, curvature) = objective(at), slope(at)
    for _ in range(STEPS):
        if np.abs(gradient).max(initial=0.0) <= TOLERANCE * scale or np.abs(at).max(initial=0.0) > REACH:
            break
        step = np.linalg.pinv(curvature, rcond=1e-12, hermitian=True) @ gradient
        step *= min(1.0, 4.0 / max(float(np.abs(step).max(initial=0.0)), 1e-300))
        size = 1.0
        while (new := objective(at + size * step)) < value and size > 1e-8:
            size /= 2
        if size <= 1e-8:
            break
        at, value = at + size * step, new
        gradient, curvature = slope(at)
    return Fit(at[:p], at[p:], curvature, float(np.abs(gradient).max(initial=0.0)) / scale)
