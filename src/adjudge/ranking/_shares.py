"""What keeps the error of a share of 0 or 1, or of scores that are all alike, from being 0.

    v_p = u_p where the sample's own variance is 0        u the steady variance of `core.interval`, by the rule of three

Limit: any variance above 0 stays as it is.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray
from ..core.interval import Reserve


def opened(
    count: FloatArray, value: FloatArray, spread: FloatArray, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[FloatArray, Reserve]:
    """The covariance without zeros on its diagonal, and the reserve that steadies its intervals.

    Arguments:
        count: [k] independent units behind each value.
        value: [k] values inside the bounds.
        spread: [k, k] their covariance.
        bounds: finite range.

    >>> spread, _ = opened(np.array([10.0]), np.array([1.0]), np.zeros((1, 1)))
    >>> spread.round(4)
    array([[0.0076]])
    """
    labels = Reserve(count, value, spread)
    still = np.diagonal(spread) <= 1e-15 * (bounds[1] - bounds[0]) ** 2
    steady = np.diagonal(labels.steadied(bounds))
    return spread + np.diag(np.where(still & np.isfinite(steady), steady, 0.0)), labels
