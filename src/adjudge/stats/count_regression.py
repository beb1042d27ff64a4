"""Predicts how well a mix performs from how many rows of each kind are in it, and says what one more row would add.

    P(c) = β₀ + Σ_f β_f c̃_f  [+ Σ_f γ_f c̃_f²  + Σ_{f<g} γ_fg c̃_f c̃_g],    c̃ = counts, standardised
    gain_i = P(c + x_i) − P(c)                                              x_i the features of row i

Least squares with a ridge chosen by leave-one-out error (PRESS, exact from the hat matrix). Limits: the linear form
gives each row a gain that does not depend on the mix; with no features P is the mean of the performances seen.

Miranda et al. (2025), Hybrid Preferences, section 3 (performance prediction model); Allen (1974) for PRESS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError

FORMS = ("linear", "quadratic", "interactions")
GRID = np.logspace(-3, 3, 13)


@dataclass(frozen=True, slots=True, eq=False)
class Performance:
    """A fitted performance model; calling it on counts [r, F] gives predicted performances [r].

    Arguments:
        form: `linear`, `quadratic` or `interactions`.
        centre, scale: [F] of the counts.
        beta: [1 + terms] coefficients on the standardised terms.
        error: leave-one-out root mean squared error, in performance units.
        explained: 1 − error²/variance of the performances: 0 or less means that the model predicts nothing.
    """

    form: str
    centre: FloatArray
    scale: FloatArray
    beta: FloatArray
    error: float
    explained: float

    def __call__(self, counts: FloatArray) -> FloatArray:
        """[r] predicted performance of mixes with counts [r, F]."""
        return _terms((counts - self.centre) / self.scale, self.form) @ self.beta

    def gain(self, features: FloatArray, *, at: FloatArray) -> FloatArray:
        """[n] what adding one row with features [n, F] to a mix with counts [F] adds to the prediction."""
        return self(at + features) - self(at[None])


def fit(counts: FloatArray, performance: FloatArray, *, form: str = "linear") -> Performance:
    """Least squares of performance [r] on the terms of counts [r, F].

    Errors: an unknown form, or fewer than three mixes.

    >>> counts = np.array([[0.0], [1.0], [2.0], [5.0]])
    >>> bool(abs(fit(counts, 3 + 2 * counts[:, 0]).gain(np.ones((1, 1)), at=np.zeros(1))[0] - 2) < 0.01)
    True
    """
    if form not in FORMS or len(counts) < 3:
        raise AdjudgeError(
            f"routing: form={form!r}, {len(counts)} mixes.",
            f"A form of {', '.join(FORMS)}, and at least three mixes whose performance is known.",
            "Try more mixes.",
        )
    centre, scale = counts.mean(axis=0), counts.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    X = _terms((counts - centre) / scale, form)
    best = (np.inf, np.zeros(X.shape[1]))
    for strength in GRID:
        ridge = np.full(X.shape[1], strength)
        ridge[0] = 0.0
        inverse = np.linalg.pinv(X.T @ X + np.diag(ridge), rcond=1e-12, hermitian=True)
        beta = inverse @ (X.T @ performance)
        leverage = np.einsum("rq,qp,rp->r", X, inverse, X).clip(max=1 - 1e-9)
        press = float((((performance - X @ beta) / (1 - leverage)) ** 2).mean())
        if press < best[0]:
            best = (press, beta)
    r = performance.size
    spread = float(performance.var()) * (r / (r - 1)) ** 2  # leave-one-out error of the plain mean
    return Performance(form, centre, scale, best[1], best[0] ** 0.5, 1 - best[0] / spread if spread > 0 else 0.0)


def _terms(z: FloatArray, form: str) -> FloatArray:
    """[r, 1 + terms] of standardised counts [r, F]."""
    parts = [np.ones((len(z), 1)), z]
    if form != "linear":
        parts.append(z**2)
    if form == "interactions":
        first, second = np.triu_indices(z.shape[1], 1)
        parts.append(z[:, first] * z[:, second])
    return np.hstack(parts)
