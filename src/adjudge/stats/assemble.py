"""From influence values by (cluster, policy) to the Estimate: one covariance, one rule for what is too little data.

    Cov = Σ_g ψ_g ψ_gᵀ,      df by Satterthwaite between clusters with and without labels

Limit: a policy with fewer than 2 labelled clusters has no value, no error and a finding.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
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
        parts=(Part("sampling", matrix, int(np.unique(pieces.cells.cluster).size)),),
        df=np.where(enough, pieces.df(psi, spent=spent), np.nan),
        bounds=sums.bounds,
        reserve=reserve(pieces),
        method=method,
        findings=too_few(sums.names, enough, pieces.n),
    )
