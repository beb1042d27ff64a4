"""Fits a linear reward to ratings of single responses, and finds how many log-odds of a preference a point is worth.

    minimise ½Σ w·(y − c − xβ)² + ½λ‖β‖²,      then Σ w·(σ(s·Δr) − p̃)·Δr = 0 over pairs that were compared
    ∂s = −(score_s + C·∂β)/B,      B = Σ w·μ'·Δr²,   C = Σ (s·w·μ'·Δr + first)·Δx

The error of s counts that of β beneath it (Newey, McFadden, 1994, §6). Limits: without comparisons s = 1 and known;
λ = 0 is least squares; a response that stands in several pairs counts in each, within one cluster if they share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import BoolArray, FloatArray
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..tables.preferences import Features, Preferences
from .cluster import group_sums
from .pair_logit import Pairs, minimise, sandwich
from .row_products import gram, solve

FAINT = 1e-6  # penalty on s, in pairs: it only keeps s finite where ratings tell every pair apart


@dataclass(frozen=True, slots=True, eq=False)
class RatingFit:
    """A reward in the unit of the ratings.

    Arguments:
        coefficients: [d] β.
        intercept: c.
        scale: s, log-odds by point.
        influence: [units, d + 2] what each cluster of the table adds to the error of (β, c, s).
        effective: parameters that the penalty leaves free.
        findings: what to distrust.
    """

    coefficients: FloatArray
    intercept: float
    scale: float
    influence: FloatArray
    effective: float
    findings: tuple[Finding, ...]

    @property
    def covariance(self) -> FloatArray:
        """[d + 2, d + 2] of (β, c, s)."""
        return self.influence.T @ self.influence


def fit(preferences: Preferences, *, ridge: float) -> RatingFit:
    """Least squares on every rating that is known, and the scale on every comparison.

    Arguments:
        preferences: with a rating somewhere.
        ridge: λ > 0, in ratings.

    Errors: another penalty.
    """
    if not (np.isfinite(ridge) and ridge > 0):
        raise AdjudgeError(
            f"ratings: ridge = {ridge:g}.", "A penalty above 0.", "Give a small one such as 1e-6 for almost none."
        )
    rated = np.isfinite(preferences.rating) & (preferences.weight > 0)[:, None]
    rows = np.concatenate([np.flatnonzero(rated[:, side]) for side in (0, 1)])
    x = _with_ones(preferences, rated)
    weight, y = preferences.weight[rows], np.concatenate([preferences.rating[rated[:, side], side] for side in (0, 1)])
    d = preferences.d
    penalty = np.append(np.full(d, ridge), 0.0)
    bend = gram(x, weight)
    theta = solve(bend, penalty, x.T @ (weight * y))
    found = sandwich(x, weight * (x @ theta - y), bend, theta, preferences.cluster[rows], ridge=penalty)
    influence = np.zeros((preferences.units, d + 2))
    influence[found.units, : d + 1] = found.influence()
    scale = _scaled(preferences, theta[:d], influence)
    if found.units.size < 2:
        influence[:] = np.nan
    return RatingFit(theta[:d], float(theta[d]), scale, influence, found.effective, found.findings)


def _scaled(preferences: Preferences, beta: FloatArray, influence: FloatArray) -> float:
    """s, whose influence goes into the last column."""
    rows = preferences.compared
    if not rows.any():
        return 1.0
    pairs = preferences if rows.all() else preferences.take(rows)
    apart = pairs.difference @ beta
    logit = Pairs(apart[:, None], pairs.weight * pairs.target, pairs.weight * (1 - pairs.target))
    scale = float(minimise(logit, ridge=FAINT)[0])
    first, second = logit.slopes(scale * apart)
    bend = float(second @ apart**2) + FAINT
    score = group_sums(pairs.cluster, first * apart, preferences.units)
    units = np.unique(pairs.cluster).size
    steady = np.sqrt(units / (units - 1)) if units > 1 else np.nan  # one cluster has no spread of its own
    lean = np.asarray((scale * second * apart + first) @ pairs.difference)
    influence[:, -1] = -(score * steady + influence[:, :-2] @ lean) / bend
    return scale


def _with_ones(preferences: Preferences, rated: BoolArray) -> Features:
    """[ratings, d + 1] features of every rated response, and a column of ones."""
    sides: list[Any] = [side[rated[:, number]] for number, side in enumerate((preferences.left, preferences.right))]
    ones = np.ones((int(rated.sum()), 1))
    if any(sparse.issparse(side) for side in sides):
        columns: list[Any] = [sparse.vstack(sides), ones]
        return sparse.csr_array(sparse.hstack(columns))
    return np.column_stack([np.concatenate(sides), ones])
