"""Lets policies borrow strength: how far to trust the residual of each, and what to say where there are no labels.

    δ_p = θ_p + e_p,   e ~ (0, V),      θ_p ~ (μ, τ²)              residual of policy p, its truth, what all share
    a_p = τ² / (τ² + v_p),      θ̂_p = μ + a_p (δ_p − μ)            v_p = V_pp
    Var θ̂_p = a_p v_p + (1 − a_p)² Var μ + (∂a_p/∂τ²)² (δ_p − μ)² Var τ²

A policy without labels gets θ̂ = μ with variance τ² + Var μ. Var μ = max(1, Q/(k−1)) / Σ w is that of Hartung & Knapp,
never below the classical one. τ² solves Q(τ²) = k − 1 (Paule & Mandel), or maximises the restricted likelihood, or is
the moment of DerSimonian & Laird. Limits: τ² = 0 pools completely, τ² = ∞ not at all. One labelled policy says nothing
of τ²: it keeps its own residual (a = 1), and others get NaN for a variance.

Paule, R. & Mandel, J. (1982). J. Res. Natl. Bur. Stand. 87. · DerSimonian, R. & Laird, N. (1986). Controlled Clinical
Trials 7. · Viechtbauer, W. (2005, 2007). JEBS 30, Eq. 6; Statistics in Medicine 26 (Q-profile). · Knapp, G. & Hartung,
J. (2003). Statistics in Medicine 22. · Higgins, J., Thompson, S. & Spiegelhalter, D. (2009). JRSS A 172, Eq. 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import brentq

from .._typing import ArrayLike, FloatArray
from ..errors import AdjudgeError

METHODS = ("paule_mandel", "reml", "dersimonian_laird")


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Residuals after partial pooling.

    Arguments:
        mean: μ, what all policies share.
        mean_variance: Var μ.
        between: τ², variance of the truths around μ.
        share: [k] a, how much of its own residual each policy keeps; 0 without labels.
        value: [k] θ̂.
        variance: [k] Var θ̂; of a new policy's truth where there are no labels.
        df: [k] degrees of freedom of those variances: k − 2 without labels; else (k − 1)·(Var θ̂ / borrowed part)², as
            Welch and Satterthwaite count them when the sampling variances are known.
        heterogeneity: Cochran's Q at τ² = 0, on labelled policies − 1 degrees of freedom.
        policies: labelled policies behind it.
    """

    mean: float
    mean_variance: float
    between: float
    share: FloatArray
    value: FloatArray
    variance: FloatArray
    df: FloatArray
    heterogeneity: float
    policies: int

    @property
    def pvalue(self) -> float:
        """p-value of τ² = 0: do the policies differ in their residual at all?"""
        return float(special.chdtrc(self.policies - 1, self.heterogeneity)) if self.policies > 1 else float("nan")

    def interval(self, level: float = 0.95) -> FloatArray:
        """[k, 2] t intervals of θ; NaN where degrees of freedom are lacking."""
        with np.errstate(invalid="ignore"):
            half = special.stdtrit(np.where(self.df > 0, self.df, np.nan), 0.5 + level / 2) * np.sqrt(self.variance)
        return np.column_stack([self.value - half, self.value + half])


def pool(
    effect: ArrayLike, variance: ArrayLike, *, method: str = "paule_mandel", cautious: float | None = 0.8
) -> Pooled:
    """Pool the residuals of k policies.

    Arguments:
        effect: [k] residuals δ; NaN for a policy without labels.
        variance: [k] their sampling variances v, or [k, k] their covariance V; ignored where δ is NaN.
        method: how τ² is found: `paule_mandel`, `reml` or `dersimonian_laird`.
        cautious: take the upper one-sided confidence limit of τ² at this level in place of τ² itself, which is often 0
            by chance when policies are few. Counted over 2 to 10 policies, 95 % intervals then cover 94.8 % or more;
            with None (τ² itself) they fall to 91.5 %, and to 87 % for a policy without labels.

    Raises:
        AdjudgeError: for an unknown method or a negative variance.

    >>> pooled = pool([0.10, 0.30, np.nan], [0.01, 0.01, np.nan], cautious=None)
    >>> pooled.share.round(3), pooled.value.round(3)
    (array([0.5, 0.5, 0. ]), array([0.15, 0.25, 0.2 ]))
    """
    if method not in METHODS:
        raise AdjudgeError(f"pooling: method is {method!r}.", f"One of {', '.join(METHODS)}.", "Name one of them.")
    effect, V = np.asarray(effect, dtype=float), np.asarray(variance, dtype=float)
    diagonal = V if V.ndim == 1 else np.diagonal(V)
    known = np.isfinite(effect) & np.isfinite(diagonal)
    if (diagonal[known] < 0).any():
        raise AdjudgeError(
            f"pooling: {int((diagonal[known] < 0).sum())} variances are negative.",
            "A sampling variance is >= 0.",
            "Check how they were computed.",
        )
    count = int(known.sum())
    if count < 2:
        return _alone(effect, diagonal, known)
    system = _System.of(effect[known], diagonal[known] if V.ndim == 1 else V[np.ix_(known, known)])
    between = system.solve(method) if cautious is None else system.upper(cautious)
    mean, q, mass = system.at(between)
    mean_variance = max(1.0, q / (count - 1)) / mass
    v = np.maximum(np.where(known, diagonal, 1.0), system.floor)
    share = np.where(known, between / (between + v), 0.0)
    gap = np.where(known, effect - mean, 0.0)
    jolt = v / (between + v) ** 2 * gap
    borrowed = (1 - share) ** 2 * mean_variance + jolt**2 * system.between_variance(between)
    own = share * v + borrowed
    return Pooled(
        mean=mean,
        mean_variance=mean_variance,
        between=between,
        share=share,
        value=mean + share * gap,
        variance=np.where(known, own, between + mean_variance if count > 2 else np.nan),
        df=np.where(known, (count - 1) * (own / np.maximum(borrowed, 1e-300)) ** 2, count - 2.0),
        heterogeneity=system.at(0.0)[1],
        policies=count,
    )


def between_interval(effect: ArrayLike, variance: ArrayLike, *, level: float = 0.95) -> tuple[float, float]:
    """Q-profile confidence interval of τ² (exact for normal residuals of known variance).

    Arguments:
        effect: [k] residuals, k >= 2.
        variance: [k] or [k, k] sampling variances.
        level: coverage.
    """
    system = _System.of(np.asarray(effect, dtype=float), np.asarray(variance, dtype=float))
    return system.upper((1 - level) / 2), system.upper(0.5 + level / 2)


def _alone(effect: FloatArray, diagonal: FloatArray, known: np.ndarray) -> Pooled:
    """None or one labelled policy: its own residual, and nothing on how policies differ."""
    one = bool(known.any())
    mean, v = (float(effect[known][0]), float(diagonal[known][0])) if one else (np.nan, np.nan)
    return Pooled(
        mean=mean,
        mean_variance=v,
        between=np.nan,
        share=known.astype(float),
        value=np.full(effect.size, mean),
        variance=np.where(known, v, np.nan),
        df=np.zeros(effect.size),
        heterogeneity=np.nan,
        policies=int(one),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """y = x μ + noise with independent variances v + τ²: correlated residuals are rotated until they are."""

    y: FloatArray
    x: FloatArray
    v: FloatArray
    floor: float

    @classmethod
    def of(cls, effect: FloatArray, V: FloatArray) -> _System:
        """Rotate by the eigenvectors of V; a variance of 0 is raised just enough to divide by."""
        if V.ndim == 1:
            v, y, x = V, effect, np.ones(effect.size)
        else:
            v, turn = np.linalg.eigh(V)
            y, x = turn.T @ effect, turn.sum(axis=0)
        floor = 1e-12 * max(float(v.max()), float(np.var(effect)), 1e-300)
        return cls(y, x, np.maximum(v, floor), floor)

    def at(self, between: float) -> tuple[float, float, float]:
        """μ, Q and Σ w x² for a τ²."""
        w = 1.0 / (self.v + between)
        mass = float(w @ self.x**2)
        mean = float(w @ (self.x * self.y)) / mass
        return mean, float(w @ (self.y - mean * self.x) ** 2), mass

    def root(self, target: float) -> float:
        """The τ² at which Q, which falls with it, reaches a target; 0 when it starts below."""
        if self.at(0.0)[1] <= target:
            return 0.0
        high = float(self.v.max() + np.var(self.y))
        while self.at(high)[1] > target:
            high *= 4.0
        return float(brentq(lambda t: self.at(t)[1] - target, 0.0, high, xtol=1e-15, rtol=1e-12))

    def upper(self, level: float) -> float:
        """Upper one-sided confidence limit of τ²."""
        return self.root(float(special.chdtri(self.y.size - 1, level)))

    def solve(self, method: str) -> float:
        """τ² by name."""
        if method == "paule_mandel":
            return self.root(self.y.size - 1.0)
        if method == "dersimonian_laird":
            return max(0.0, (self.at(0.0)[1] - (self.y.size - 1)) / self._traces(0.0)[0])
        return self._reml()

    def between_variance(self, between: float) -> float:
        """Large-sample variance of τ²: the inverse of its restricted information."""
        return 2.0 / self._traces(between)[1]

    def _reml(self) -> float:
        """Fisher scoring on the restricted likelihood, kept at or above 0."""
        between = self.root(self.y.size - 1.0)
        for _ in range(200):
            w = 1.0 / (self.v + between)
            rest = w * (self.y - self.at(between)[0] * self.x)
            first, second = self._traces(between)
            moved = max(0.0, between + (float(rest @ rest) - first) / second)
            if abs(moved - between) <= 1e-12 * (between + self.floor):
                return moved
            between = moved
        return between

    def _traces(self, between: float) -> tuple[float, float]:
        """tr P and tr PP of the projector P = W − W x xᵀ W / xᵀ W x."""
        w = 1.0 / (self.v + between)
        mass, square, cube = (float(w**power @ self.x**2) for power in (1, 2, 3))
        return float(w.sum()) - square / mass, float((w**2).sum()) - 2 * cube / mass + (square / mass) ** 2
