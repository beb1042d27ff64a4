"""A distribution function that mixes very many points of one sign with few of either, without sorting them together.

    F(t) = Σ_i h_i 1[x_i <= t] + Σ_j u_j 1[p_j <= t],      h_i >= 0,  u_j of either sign,  all weights sum to 1

Between two of the few points p the function only rises, so its running maximum and minimum need to be known at those
points alone; the many points x are sorted once and searched. Same answers as `quantiles.distribution` on all points.
Limits: no many points is that very distribution; no few points is the plain weighted one.

Monotone version: Chernozhukov, Fernández-Val, Galichon (2009), Biometrika 96.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Blended:
    """Made by `blend`.

    Arguments:
        many: [N] ascending.
        height: [N+1] sum of the weights of the first i many points.
        few: [s] ascending, distinct.
        shift: [s+1] sum of the few weights before each interval [few[k−1], few[k]).
        ceiling: [s+1] highest F before the interval.
        floor: [s+1] lowest F after it.
        end: [s+1] monotone height at the interval's end.
    """

    many: FloatArray
    height: FloatArray
    few: FloatArray
    shift: FloatArray
    ceiling: FloatArray
    floor: FloatArray
    end: FloatArray

    def _monotone(self, k: int, count: int) -> float:
        raw = min(1.0, max(0.0, float(self.height[count] + self.shift[k])))
        return (max(float(self.ceiling[k]), raw) + min(float(self.floor[k]), raw)) / 2

    def quantile(self, q: float) -> float:
        """inf{t : F↑(t) >= q}, held inside the support."""
        goal = q - 1e-12
        k = min(int(np.searchsorted(self.end, goal, side="left")), self.few.size)
        first = 0 if k == 0 else int(np.searchsorted(self.many, self.few[k - 1], side="right"))
        last = self.many.size if k == self.few.size else int(np.searchsorted(self.many, self.few[k], side="left"))
        if k > 0 and (self._monotone(k, first) >= goal or first == last):
            return float(self.few[k - 1])
        at = bisect_left(range(first + 1, last + 1), goal, key=lambda count: self._monotone(k, count))
        return float(self.many[min(first + at, self.many.size - 1)])

    def neighbours(self, t: float, bounds: tuple[float, float]) -> tuple[float, float]:
        """The points next to t on either side; where there is none, the end of the range."""
        below, above = [], []
        for points in (self.many, self.few):
            left = int(np.searchsorted(points, t, side="left")) - 1
            right = int(np.searchsorted(points, t, side="right"))
            below += [float(points[left])] if left >= 0 else []
            above += [float(points[right])] if right < points.size else []
        return max(below, default=bounds[0]), min(above, default=bounds[1])


def blend(many: FloatArray, height: FloatArray, points: FloatArray, weights: FloatArray) -> Blended:
    """The monotone mixture.

    Arguments:
        many: [N] ascending points.
        height: [N+1] running sum of their weights, from 0.
        points: [m] the few points, in any order.
        weights: [m] their weights.

    >>> law = blend(np.array([1.0, 2.0]), np.array([0.0, 0.5, 1.0]), np.array([1.5]), np.array([0.0]))
    >>> law.quantile(0.5), law.quantile(0.6)
    (1.0, 2.0)
    """
    few, code = np.unique(points, return_inverse=True)
    shift = np.r_[0.0, np.cumsum(np.bincount(code, weights, few.size))]
    start = np.r_[0.0, height[np.searchsorted(many, few, side="right")] + shift[1:]]
    stop = np.r_[height[np.searchsorted(many, few, side="left")], height[-1]] + shift
    start, stop = np.clip(start, 0.0, 1.0), np.clip(stop, 0.0, 1.0)
    stop = np.maximum(start, stop)
    ceiling = np.r_[0.0, np.maximum.accumulate(stop)[:-1]]
    floor = np.r_[np.minimum.accumulate(start[::-1])[::-1][1:], 1.0]
    end = (np.maximum(ceiling, stop) + np.minimum(floor, stop)) / 2
    return Blended(many, height, few, shift, ceiling, floor, end)
