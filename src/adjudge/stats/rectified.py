"""Regressions that add an unlabelled sample with predictions to a labelled one, with the trust λ in them tuned.

    linear     β = λ β̂(X̃, f̃) + β̂(X, y) − λ β̂(X, f)
    logistic   λ/N Σ_unlabelled x̃(f̃ − μ(x̃β)) + 1/n Σ_labelled x(y − λf − (1 − λ)μ(xβ)) = 0
    error      ψ_g = A_g − λB_g,       λ̂ = tr AᵀB / tr BᵀB, held inside [0, 1]

A holds what the labels contribute to each cluster g and B what the predictions do (labelled minus unlabelled), both
already times H⁻¹, so λ̂ minimises the sum of the coefficients' variances, clusters that are partly labelled included.
With unequal propensities labelled rows weigh w/π. Limits: λ = 0 is classical least squares or maximum likelihood with
HC1 errors; λ = 1 is prediction-powered inference.

Angelopoulos, Duchi, Zrnic (2023), PPI++: Efficient Prediction-Powered Inference, arXiv:2311.01453, Eqs. 3, 6 and 12.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from . import moments
from .pseudo import constant, unknown


def regress(
    y: FloatArray,
    X: FloatArray,
    prediction: FloatArray,
    *,
    cluster: IntArray | None = None,
    weight: FloatArray | None = None,
    label_weight: FloatArray | None = None,
    names: Sequence[str] = (),
    model: str = "linear",
    strength: float | None = None,
) -> Estimate:
    """Coefficients with their joint covariance.

    Arguments:
        y: [n] outcome, NaN where unlabelled.
        X: [n, d] regressors.
        prediction: [n] predicted outcome, in its unit, on every row.
        cluster: [n] code of the independent unit; each row its own by default.
        weight: [n] row weights.
        label_weight: [n] weight of a label, w/π; the row weight by default.
        names: [d].
        model: `linear` or `logistic`.
        strength: λ; None tunes it.
    """
    n, d = X.shape
    known = np.isfinite(y)
    units = np.arange(n) if cluster is None else cluster
    w = np.ones(n) if weight is None else weight
    own = tuple(names) or tuple(f"x{index}" for index in range(d))
    v = w if label_weight is None else label_weight
    clusters = np.unique(units[known]).size
    if clusters <= d:
        return unknown(own, clusters)
    parts = _Samples(y, X, prediction, known, units, w, v, own)
    solve = parts.linear if model == "linear" else parts.logistic
    power = 0.0 if known.all() else 1.0 if strength is None else strength
    if strength is None and power > 0:
        power = _tuned(*solve(0.0)[1:])
    coef, A, B = solve(power)
    psi = (A - power * B) * np.sqrt((clusters - 1) / (clusters - d))
    if y[known].max() == y[known].min():
        psi = np.full_like(psi, np.nan)
    return Estimate(
        own,
        coef,
        (Part.from_influence("sampling", psi),),
        np.full(d, clusters - d, dtype=float),
        findings=_said(power, strength, clusters, d) + constant(y[known]),
    )


def _tuned(A: FloatArray, B: FloatArray) -> float:
    """λ̂ from [u, d] cluster contributions."""
    A, B = A - A.mean(axis=0), B - B.mean(axis=0)
    size = float(np.square(B).sum())
    return float(np.clip((A * B).sum() / size, 0.0, 1.0)) if size > 0 else 0.0


class _Samples:
    """The labelled and the unlabelled sample, each weighted to 1, and the regressions on them."""

    def __init__(
        self,
        y: FloatArray,
        X: FloatArray,
        f: FloatArray,
        known: BoolArray,
        units: IntArray,
        w: FloatArray,
        v: FloatArray,
        names: tuple[str, ...],
    ) -> None:
        self.names, self.count = names, int(units.max()) + 1
        self.X, self.y, self.f, self.unit = X[known], y[known], f[known], units[known]
        self.v = v[known] / v[known].sum()
        if known.all():
            known = np.zeros(known.size, dtype=bool)  # λ = 0: the unlabelled sample is not used, any will do
        self.X2, self.f2, self.unit2 = X[~known], f[~known], units[~known]
        self.w = w[~known] / w[~known].sum()

    def sums(self, psi: FloatArray, unit: IntArray) -> FloatArray:
        """[u, d] contributions of the clusters."""
        """Contributions of the rows, summed by cluster."""
        return moments.by_cluster(psi, unit, self.count)

    def linear(self, power: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Three least-squares fits; [d] coefficients and the cluster contributions A, B."""
        gold, A = self._fit(self.X, self.y, self.v)
        hat, own = self._fit(self.X, self.f, self.v)
        far, other = self._fit(self.X2, self.f2, self.w)
        B = self.sums(own, self.unit) - self.sums(other, self.unit2)
        return gold + power * (far - hat), self.sums(A, self.unit), B

    def _fit(self, X: FloatArray, y: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
        root = moments.solve(X, w, X.T @ (w * y), names=self.names)
        return root.coef, (X * (w * (y - X @ root.coef))[:, None]) @ root.inverse

    def logistic(self, power: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """One convex moment equation over both samples."""
        X = np.vstack([self.X, self.X2])
        t = np.r_[(1 - power) * self.v, power * self.w]
        b = self.X.T @ (self.v * (self.y - power * self.f)) + power * (self.X2.T @ (self.w * self.f2))
        root = moments.solve(X, t, b, model="logistic", names=self.names)

        def score(X: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
            rows = X * (y - moments.mean(X @ root.coef, "logistic"))[:, None]
            return ((rows - w @ rows) * w[:, None]) @ root.inverse

        own = self.sums(score(self.X, self.f, self.v), self.unit)
        other = self.sums(score(self.X2, self.f2, self.w), self.unit2)
        return root.coef, self.sums(score(self.X, self.y, self.v), self.unit), own - other


def _said(power: float, strength: float | None, clusters: int, d: int) -> tuple[Finding, ...]:
    found = []
    if strength is None:
        found.append(
            Finding(
                "prediction-strength",
                Severity.INFO,
                f"Predictions were used at strength λ = {power:.3g} (0 = not at all, 1 = in full).",
                power,
            )
        )
    return (*found, *moments.few_clusters(clusters, d))
