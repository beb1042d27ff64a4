"""The features of a pair that a skew form sees: differences, and the area that two responses span in each plane.

    φ(l, r) = (l − r,  s·(l̃_i r̃_j − l̃_j r̃_i)_{i<j}),      x̃ = Pᵀ(x − x̄),      φ(r, l) = −φ(l, r)

Every skew-symmetric score of a pair that is linear in each side is linear in φ. Limits: one direction has no plane, and
leaves differences alone; P is the identity where there are no more features than directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..tables.preferences import Features, Preferences, dense
from .row_products import gram


@dataclass(frozen=True, slots=True, eq=False)
class Skew:
    """The map.

    Arguments:
        axes: [d, m] P.
        centre: [m] Pᵀx̄.
        stretch: s > 0, how lightly planes are penalised beside differences.
    """

    axes: FloatArray
    centre: FloatArray
    stretch: float

    def features(self, left: Features, right: Features) -> FloatArray:
        """[n, d + m(m − 1)/2] φ.

        >>> Skew(np.eye(2), np.zeros(2), 1.0).features(np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])).tolist()
        [[1.0, -2.0, 2.0]]
        """
        apart = dense(left - right)
        one, other = (np.asarray(side @ self.axes) - self.centre for side in (left, right))
        i, j = np.triu_indices(self.centre.size, 1)
        planes = one[:, i] * other[:, j] - one[:, j] * other[:, i]
        return np.column_stack([apart, self.stretch * planes])


def directions(preferences: Preferences, m: int, stretch: float) -> Skew:
    """The map to the m directions in which responses differ most.

    Arguments:
        preferences: weighted pairs.
        m: directions, >= 1.
        stretch: of the planes.
    """
    mass = preferences.weight / (2 * preferences.weight.sum())
    mean = np.asarray(mass @ (preferences.left + preferences.right)).ravel()
    axes = np.eye(preferences.d)
    if m < preferences.d:
        spread = gram(preferences.left, mass) + gram(preferences.right, mass) - np.outer(mean, mean)
        axes = np.linalg.eigh(spread)[1][:, -m:]
    return Skew(axes, mean @ axes, stretch)
