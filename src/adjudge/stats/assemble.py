"""From influence values by (cluster, policy) to the Estimate: one covariance, one rule for what is too little data.

    Cov = Σ_g ψ_g ψ_gᵀ,      df by Satterthwaite between clusters with and without labels

Limit: a policy with fewer than 2 labelled clusters has no value, no error and a finding.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
from . import difference, power_tuning
from .cluster import covariance
from .difference import Pieces, Sums, too_few
from .reserve import reserve


def assembled(
    sums: Sums,
    pieces: Pieces,
    value: FloatArray,
    psi: FloatArray,
    *,
    method: str,
    spent: FloatArray | float = 0.0,
) -> Estimate:
    """The Estimate of k policies from values [k] and influence [c] on the scale of the value.

    Arguments:
        sums: for names and bounds.
        pieces: for the pairs, the labels-only reserve and the degrees of freedom.
        value: [k] points.
        psi: [c] influence of each (cluster, policy) pair.
        method: address.
        spent: [k] degrees of freedom used by a fitted λ.
    """
    enough = pieces.enough
    matrix = covariance(pieces.cells, psi)
    matrix[~enough] = matrix[:, ~enough] = np.nan
    return Estimate(
        names=sums.names,
        value=np.where(enough, value, np.nan),
        parts=(Part("sampling", matrix, pieces.cells.start.size),),
        df=np.where(enough, pieces.df(psi, spent=spent), np.nan),
        bounds=sums.bounds,
        reserve=reserve(pieces),
        method=method,
        findings=too_few(sums.names, enough, pieces.n),
    )


def weighted(sums: Sums, lam: FloatArray, *, method: str) -> Estimate:
    """θ = Ȳ + λ·(f̄ − h̄) with λ [J, k] given in advance."""
    pieces = difference.pieces(sums)
    value = pieces.gold + np.nan_to_num(lam * (pieces.mean - pieces.held)).sum(axis=0)
    residual = pieces.e - np.einsum("jc,jc->c", lam[:, pieces.group], pieces.h)
    forecast = np.einsum("jc,jc->c", lam[:, pieces.group], pieces.a)
    psi = pieces.influence(residual, forecast)
    return assembled(sums, pieces, value, psi, method=method)


def powered(sums: Sums, *, method: str) -> Estimate:
    """θ = Ȳ + λ·(f̄ − h̄) with λ tuned for each policy (`stats.power_tuning`); its error counts."""
    pieces = difference.pieces(sums)
    tuned = power_tuning.tune(pieces)
    value = pieces.gold + np.nan_to_num(tuned.lam * (pieces.mean - pieces.held)).sum(axis=0)
    forecast = np.einsum("jc,jc->c", tuned.lam[:, pieces.group], pieces.a)
    psi = pieces.influence(tuned.residual, forecast, spent=tuned.spent)
    return assembled(sums, pieces, value, psi, method=method, spent=tuned.spent)
