"""Several values at once: max-t intervals, step-down p-values, rank sets, probability of best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray

if TYPE_CHECKING:
    from .estimate import Estimate


def contrast_df(W: FloatArray, covariance: FloatArray, df: FloatArray) -> FloatArray:
    """[c] Satterthwaite degrees of freedom of W·value."""
    variance = np.diagonal(covariance)
    share = W**2 * variance
    with np.errstate(invalid="ignore", divide="ignore"):
        return share.sum(axis=1) ** 2 / (share**2 / df).sum(axis=1)


def simultaneous(estimate: Estimate, *, level: float, seed: int) -> FloatArray:
    """[k, 2]."""
    raise NotImplementedError


def stepdown(estimate: Estimate, *, null: float, seed: int) -> FloatArray:
    """[k]."""
    raise NotImplementedError


def ranks(estimate: Estimate, *, level: float, seed: int) -> FloatArray:
    """[k, 2]."""
    raise NotImplementedError


def p_best(estimate: Estimate, *, seed: int) -> FloatArray:
    """[k]."""
    raise NotImplementedError
