"""Small-sample confidence intervals for bounded means, and the labels-only reserve that caps them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Reserve:
    """What the trusted labels alone say of each value.

    Arguments:
        n: [k] labelled clusters.
        mean: [k] labels-only means; NaN where n = 0.
        covariance: [k, k] covariance of those means (classical, clustered); NaN where n < 2.
    """

    n: FloatArray
    mean: FloatArray
    covariance: FloatArray

    def select(self, index: Sequence[int]) -> Reserve:
        """The same for some of the names."""
        return Reserve(self.n[list(index)], self.mean[list(index)], self.covariance[np.ix_(index, index)])


def interval(
    value: FloatArray,
    variance: FloatArray,
    df: FloatArray,
    *,
    level: float,
    bounds: tuple[float, float],
    reserve: Reserve | None,
) -> FloatArray:
    """[k, 2] t intervals inside the bounds."""
    half = special.stdtrit(np.maximum(df, 1), 0.5 + level / 2) * np.sqrt(variance)
    return np.clip(np.column_stack([value - half, value + half]), *bounds)


def pvalue(interval: Callable[[float], FloatArray], value: FloatArray, null: FloatArray) -> FloatArray:
    """[k] p-values by inverting the interval (bisection on the level)."""
    raise NotImplementedError
