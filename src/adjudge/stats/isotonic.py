"""Fits the best non-decreasing curve to labels: once, or for many reweightings of the same labels at once.

    f = argmin_{f non-decreasing} Σ_i w_i (y_i − f(x_i))²
    f(x_i) = Σ_{j in block} w_j y_j / Σ_{j in block} w_j        x_i in a block of neighbours (pool adjacent violators)

Given its blocks the fit is linear in the labels: ∂f_b/∂y_i = w_i / W_b and ∂f_b/∂log w_i = w_i (y_i − f_b) / W_b. The
weighted mean of the fit over the labels is that of the labels. Between two labelled x the curve is a straight line,
beyond the last one it is flat. Limits: already ordered labels are returned as they are; one block is the weighted mean.
Scores are sorted and ties pooled once (`levels`), so that a bootstrap replicate costs O(m) with a small constant.

Ayer, M. et al. (1955). An empirical distribution function for sampling with incomplete
information. Annals of Mathematical Statistics 26.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from .._typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Labelled rows sorted by x once, ties pooled.

    Arguments:
        point: [g] distinct x, increasing.
        level: [m] position in `point` of each row.
        order: [m] rows in the order of x.
        start: [g] first place in `order` of each level.
    """

    point: FloatArray
    level: IntArray
    order: IntArray
    start: IntArray

    def total(self, rows: FloatArray) -> FloatArray:
        """[…, g] sums over the rows [..., m] of each level."""
        return np.add.reduceat(rows[..., self.order], self.start, axis=-1)


def levels(x: FloatArray) -> Levels:
    """Sort and pool the ties of x [m], all finite."""
    order = np.argsort(x, kind="stable")
    first = np.ones(x.size, dtype=bool)
    first[1:] = x[order][1:] != x[order][:-1]
    level = np.empty(x.size, dtype=np.int64)
    level[order] = np.cumsum(first) - 1
    return Levels(x[order][first], level, order, np.flatnonzero(first))


def refit(at: Levels, y: FloatArray, weights: FloatArray) -> FloatArray:
    """[B, g] value of the curve at each level, for B weightings of the same labels.

    A level without weight takes the value of the line between its neighbours; NaN for a weighting that is all 0.

    Arguments:
        at: levels of the labelled rows.
        y: [m] labels, or [B, m] labels by weighting.
        weights: [B, m] weights, >= 0.

    >>> at = levels(np.array([0.1, 0.2, 0.3]))
    >>> refit(at, np.array([0.0, 1.0, 0.5]), np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]))
    array([[0.  , 0.75, 0.75],
           [0.  , 1.  , 1.  ]])
    """
    mass, sums = at.total(weights), at.total(weights * y)
    curve = np.full(mass.shape, np.nan)
    for b, (w, s) in enumerate(zip(mass, sums, strict=True)):
        here = w > 0
        if here.all():
            curve[b] = isotonic_regression(s / w, weights=w).x
        elif here.any():
            fitted = isotonic_regression(s[here] / w[here], weights=w[here]).x
            curve[b] = np.interp(at.point, at.point[here], fitted)
    return curve


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A fitted non-decreasing curve.

    Arguments:
        point: [g] distinct x that carry weight.
        block: [g] block of each point.
        value: [q] value of each block, increasing.
        mass: [q] weight of each block.
        centre: [q] weighted mean of x in each block.
    """

    point: FloatArray
    block: IntArray
    value: FloatArray
    mass: FloatArray
    centre: FloatArray

    def shares(self, x: FloatArray) -> tuple[IntArray, IntArray, FloatArray]:
        """Blocks left and right of each x [n], and how far x lies on the way from the one to the other, in [0, 1]."""
        right = np.searchsorted(self.point, x, side="right").clip(1, max(self.point.size - 1, 1))
        left = right - 1
        right = np.minimum(right, self.point.size - 1)
        gap = self.point[right] - self.point[left]
        with np.errstate(invalid="ignore", divide="ignore"):
            way = np.where(gap > 0, (x - self.point[left]) / gap, 0.0)
        return self.block[left], self.block[right], way.clip(0.0, 1.0)

    def respond(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Value [n] at x and its gradient [n, q] by the block values."""
        left, right, way = self.shares(x)
        gradient = np.zeros((x.size, self.value.size))
        rows = np.arange(x.size)
        gradient[rows, left] = 1.0 - way
        gradient[rows, right] += way
        return self.value[left] * (1.0 - way) + self.value[right] * way, gradient

    def slope(self, x: FloatArray) -> FloatArray:
        """[n] slope of the broken line through the block centres; 0 beyond the first and last centre."""
        if self.centre.size < 2:
            return np.zeros(x.size)
        steep = np.diff(self.value) / np.diff(self.centre)
        at = np.searchsorted(self.centre, x)
        inside = (at > 0) & (at < self.centre.size)
        return np.where(inside, steep[(at - 1).clip(0, steep.size - 1)], 0.0)


def fit(at: Levels, y: FloatArray, weight: FloatArray) -> tuple[Steps, FloatArray]:
    """The curve, and the lever [m, q] of each label: the derivative of the block values by it, given the blocks.

    Arguments:
        at: levels of the labelled rows.
        y: [m] labels.
        weight: [m] weights, >= 0, not all 0.
    """
    mass, sums = at.total(weight), at.total(weight * y)
    here = mass > 0
    solved = isotonic_regression(sums[here] / mass[here], weights=mass[here])
    starts = solved.blocks[:-1]
    block = np.repeat(np.arange(starts.size), np.diff(solved.blocks))
    block_mass = np.asarray(solved.weights, dtype=float)
    centre = np.bincount(block, mass[here] * at.point[here]) / block_mass
    steps = Steps(at.point[here], block, solved.x[starts], block_mass, centre)
    level_block = np.zeros(mass.size, dtype=np.int64)
    level_block[here] = block
    mine = level_block[at.level]
    lever = np.zeros((y.size, starts.size))
    lever[np.arange(y.size), mine] = weight / steps.mass[mine]
    return steps, lever
