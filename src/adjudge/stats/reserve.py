"""What the trusted labels alone say: the classical answer that caps and steadies every other one.

    Ȳ_p = Σ d_i Y_i / Σ d_i,      Cov(Ȳ_p, Ȳ_q) = √(n_p/(n_p−1) · n_q/(n_q−1)) · Σ_g e_gp e_gq

Sources as in `stats.difference`, whose limit λ = 0 this is. Limits: one label per cluster and equal weights give
s²/n; fewer than 2 labelled clusters give a NaN variance.
"""

from __future__ import annotations

import numpy as np

from ..core.interval import Reserve
from .cluster import covariance
from .difference import Pieces


def reserve(pieces: Pieces) -> Reserve:
    """The labels-only means with their clustered covariance."""
    psi = pieces.influence(pieces.e, np.zeros_like(pieces.e))
    matrix = covariance(pieces.cells, psi)
    matrix[~pieces.enough] = matrix[:, ~pieces.enough] = np.nan
    both = covariance(pieces.cells, pieces.has_label.astype(float))
    shared = both / np.maximum(np.minimum.outer(pieces.n, pieces.n), 1.0)
    return Reserve(pieces.n, pieces.gold, matrix, shared=shared)
