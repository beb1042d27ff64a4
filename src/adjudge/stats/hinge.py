"""Fits a smooth curve that goes on as a straight line beyond the data: hinges at quantiles, held back by a penalty.

    f(x) = β₀ + Σ_j [β_j x_j + Σ_r γ_jr (x_j − κ_jr)₊],     min Σ w (y − f)² + λ Σ γ²
    GCV(λ) = n Σ w (y − f)² / (n − tr S_λ)²

Several targets and several weightings share one design, so a cross-fit costs one solve a fold. Additive: features do
not interact. Limits: λ = ∞ or no hinges is the straight line; beyond the first and last hinge f is straight.

Ruppert, Wand, Carroll (2003), Semiparametric Regression, sections 3.5 and 5.3; Craven, Wahba (1979) for GCV.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from . import glm

GRID = np.logspace(-2, 4, 13)  # λ in labels, on standardised features: from nearly free to nearly straight


@dataclass(frozen=True, slots=True, eq=False)
class Hinges:
    """The design: [1, standardised features, hinges].

    Arguments:
        centre, scale: [d] of the features.
        knots: [d, r] places of the hinges, on the standardised scale.
    """

    centre: FloatArray
    scale: FloatArray
    knots: FloatArray

    def __call__(self, features: FloatArray) -> FloatArray:
        """[n, 1 + d + d·r] design of features [n, d]."""
        z = (features - self.centre) / self.scale
        bent = np.maximum(z[:, :, None] - self.knots, 0).reshape(len(z), -1)
        return np.column_stack([np.ones(len(z)), z, bent])

    def penalty(self, strength: float) -> FloatArray:
        """[1 + d + d·r] λ on the hinges; the straight part is nearly free."""
        straight = 1 + self.centre.size
        return np.concatenate([np.zeros(straight), np.full(self.knots.size, strength)])


def place(features: FloatArray, *, weight: FloatArray, hinges: int = 5) -> Hinges:
    """Hinges at quantiles of the rows that carry weight; fewer of them where there are fewer than 8 rows for each.

    >>> place(np.arange(101.0)[:, None], weight=np.ones(101), hinges=3)(np.array([[50.0]])).round(2)
    array([[1.  , 0.  , 0.86, 0.  , 0.  ]])
    """
    total = weight.sum()
    centre = weight @ features / total
    scale = np.sqrt(weight @ (features - centre) ** 2 / total)
    scale = np.where(scale > 1e-12 * (1 + np.abs(centre)), scale, 1.0)
    d = features.shape[1]
    count = int(min(hinges, total // (8 * max(d, 1))))
    z = (features - centre) / scale
    order = np.argsort(z, axis=0, kind="stable")
    mass = np.cumsum(weight[order], axis=0) / total
    levels = np.linspace(0, 1, count + 2)[1:-1]
    at = [np.searchsorted(mass[:, j], levels - 1e-12).clip(max=len(z) - 1) for j in range(d)]
    knots = [z[order[at[j], j], j] for j in range(d)]
    return Hinges(centre, scale, np.array(knots).reshape(d, count))


def smooth(X: FloatArray, target: FloatArray, weights: FloatArray, design: Hinges) -> tuple[FloatArray, FloatArray]:
    """Coefficients [B, q] for weights [B, m] (the first row chooses λ by GCV) and the penalty [q] that was chosen."""
    w = weights[0]
    gram = (X * w[:, None]).T @ X
    right = X.T @ (w * target)
    n = float(w.sum())
    best, chosen = np.inf, design.penalty(GRID[-1])
    for strength in GRID if design.knots.size else GRID[-1:]:
        ridge = design.penalty(float(strength))
        inverse = np.linalg.pinv(gram + np.diag(ridge), rcond=1e-10, hermitian=True)
        error = float(w @ (target - X @ (inverse @ right)) ** 2)
        free = n - 1.4 * float(np.sum(inverse * gram))  # 1.4: the usual guard of GCV against following noise
        if free > 0 and error / free**2 < best:
            best, chosen = error / free**2, ridge
    return glm.line(X, target, weights, ridge=chosen), chosen
