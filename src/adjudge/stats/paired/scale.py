"""Shows log-odds as rating points: 400 points are odds of ten to one, and the policies of a table average 1000.

    value_p = 1000 + 400/ln 10 · (θ_p − mean θ)        Cov = (400/ln 10)² · J Cov(θ) Jᵀ,   J = I − 11ᵀ/k

Only differences of θ are identified, so the error of a rating is that of its distance from the mean of the policies,
whatever θ was pinned by. NaN policies (never played, infinitely strong) have no part in the mean.
Elo, A. (1978), The Rating of Chessplayers (the 400 and the ten to one).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..._typing import ArrayLike, FloatArray
from ...core.estimate import Estimate, Part
from ...core.finding import Finding

POINTS = 400.0 / np.log(10.0)
"""Rating points for one unit of log-odds: 173.7."""
CENTRE = 1000.0
"""Mean of the rated policies, in rating points."""


def points(theta: ArrayLike) -> FloatArray:
    """[k] rating points of log-odds θ; NaN stays NaN and has no part in the mean.

    >>> points([np.log(10), 0.0]).round(1).tolist()
    [1200.0, 800.0]
    """
    theta = np.asarray(theta, dtype=float)
    rated = np.isfinite(theta)
    return CENTRE + POINTS * (theta - (theta[rated].mean() if rated.any() else np.nan))


def centring(rated: FloatArray) -> FloatArray:
    """[k, k] J, which takes the mean of the rated policies from θ; NaN in rows and columns of the others."""
    on = np.asarray(rated, dtype=bool)
    return np.where(np.outer(on, on), np.eye(on.size) - 1.0 / max(int(on.sum()), 1), np.nan)


def covariance_points(theta: ArrayLike, covariance: FloatArray) -> FloatArray:
    """[k, k] covariance in points² of centred ratings, from that of θ in any gauge; NaN where θ is not finite."""
    on = np.flatnonzero(np.isfinite(np.asarray(theta, dtype=float)))
    out = np.full(covariance.shape, np.nan)
    inner = covariance[np.ix_(on, on)]
    if on.size:
        inner = inner - inner.mean(axis=0) - inner.mean(axis=1)[:, None] + inner.mean()
    out[np.ix_(on, on)] = inner * POINTS**2
    return out


def to_points(
    names: tuple[str, ...],
    theta: ArrayLike,
    *,
    covariance: FloatArray | None = None,
    influence: ArrayLike | None = None,
    units: int,
    df: ArrayLike | None = None,
    method: str = "",
    findings: tuple[Finding, ...] = (),
    figures: Mapping[str, Estimate] | None = None,
) -> Estimate:
    """An `Estimate` in rating points from log-odds and their covariance, or their influence by independent unit.

    Arguments:
        names: [k] policies.
        theta: [k] log-odds in any gauge; NaN where nothing can be said.
        covariance: [k, k] of θ in log-odds².
        influence: [u, k] instead: what each unit adds to θ.
        units: independent units behind it.
        df: degrees of freedom; units − 1 by default.
        method, findings, figures: as of `Estimate`.

    >>> to_points(("a", "b"), [1.0, 0.0], covariance=np.eye(2) * 0.01, units=50).value.round(1).tolist()
    [1086.9, 913.1]
    """
    theta = np.asarray(theta, dtype=float)
    if covariance is None:
        psi = np.asarray(influence, dtype=float)
        covariance = Part.from_influence("sampling", np.where(np.isfinite(theta), psi, 0.0)).covariance
    return Estimate(
        names=tuple(names),
        value=points(theta),
        parts=(Part("sampling", covariance_points(theta, covariance), int(units)),),
        df=np.asarray(max(units - 1, 0) if df is None else df, dtype=float),
        method=method,
        findings=findings,
        figures=dict(figures or {}),
    )
