"""How well does one number track another: correlations and pairs in order, with what each row adds to their error.

    ρ = cov(F(x), G(y)) / √(var F(x) · var G(y))                  F, G the mid-distribution functions (Spearman)
    A_ε = share of pairs where the sign of x_i − x_j, read as 0 up to ε, is the sign of y_i − y_j

The influence of ρ has two terms a row adds by its own ranks, and one by moving the ranks of all others; all three are
kept. A_ε with the ε that serves x best is tie-calibrated: a metric that never ties is not beaten by one that does only
because people's scores tie.

Spearman (1904); Deutsch, Foster, Freitag (2023), Ties Matter. Limits: no ties makes ρ the textbook one; ε = 0 and no
ties make A = (τ + 1)/2; a constant side leaves correlations undefined (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from .._typing import BoolArray, FloatArray, IntArray

Told = tuple[float, FloatArray]  # a value, and [n] what each row adds to its error


def pearson(x: FloatArray, y: FloatArray, weight: FloatArray) -> Told:
    """Weighted correlation of [n] x and y with its influence [n] (already divided by n); NaN where one is constant.

    >>> round(pearson(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]), np.ones(3))[0], 9)
    1.0
    """
    share = weight / weight.sum() if weight.sum() > 0 else weight
    u, v = x - share @ x, y - share @ y
    return _ratio(share, u * v, u * u, v * v)


def spearman(x: FloatArray, y: FloatArray, weight: FloatArray) -> Told:
    """Weighted rank correlation, ties at their mid-rank, with its influence [n]; NaN where one is constant.

    >>> round(spearman(np.array([1.0, 2.0, 9.0, 5.0]), np.array([2.0, 4.0, 5.0, 6.0]), np.ones(4))[0], 9)
    0.8
    """
    share = weight / weight.sum() if weight.sum() > 0 else weight
    u, v = (mid_rank(each, share) - 0.5 for each in (x, y))
    moved = _moved(x, share, v) + _moved(y, share, u)
    return _ratio(share, u * v + moved, u * u + 2 * _moved(x, share, u), v * v + 2 * _moved(y, share, v), u, v)


def pearson_rows(x: FloatArray, y: FloatArray) -> FloatArray:
    """[…] correlations of [..., k] x and y along their last axis, weights equal; NaN where one is constant.

    >>> pearson_rows(np.array([[1.0, 2.0, 3.0], [0.1, 0.1, 0.1]]), np.array([2.0, 4.0, 6.0])).round(9).tolist()
    [1.0, nan]
    """
    u, v = (each - each.mean(axis=-1, keepdims=True) for each in (x, y))
    above, *squares = (np.einsum("...i,...i->...", *each) for each in ((u, v), (u, u), (v, v)))
    below = np.sqrt(squares[0] * squares[1])
    varied = (np.ptp(x, axis=-1) > 0) & (np.ptp(y, axis=-1) > 0) & (below > 0)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=varied)


def spearman_rows(x: FloatArray, y: FloatArray) -> FloatArray:
    """[…] rank correlations of [..., k] x and y along their last axis, ties at their mid-rank; NaN of a constant one.

    >>> spearman_rows(np.array([[1.0, 2.0, 9.0, 5.0]]), np.array([[2.0, 4.0, 5.0, 6.0]])).round(3).tolist()
    [0.8]
    """
    return pearson_rows(rankdata(x, axis=-1), rankdata(y, axis=-1))


def mid_rank(x: FloatArray, share: FloatArray) -> FloatArray:
    """[n] weight below plus half of the weight at each value; `share` adds up to 1.

    >>> mid_rank(np.array([3.0, 1.0, 3.0]), np.full(3, 1 / 3)).round(3).tolist()
    [0.667, 0.167, 0.667]
    """
    _, at = np.unique(x, return_inverse=True)
    mass = np.bincount(at.ravel(), share)
    return np.asarray((np.cumsum(mass) - mass / 2)[at.ravel()])


def _moved(x: FloatArray, share: FloatArray, other: FloatArray) -> FloatArray:
    """[n] Σ_j share_j other_j ([x_i < x_j] + ½[x_i = x_j]) − its mean: how a row at x_i moves the ranks of all."""
    _, at = np.unique(x, return_inverse=True)
    mass = np.bincount(at.ravel(), share * other)
    above = (mass.sum() - np.cumsum(mass) + mass / 2)[at.ravel()]
    return np.asarray(above - share @ above)


def _ratio(
    share: FloatArray,
    xy: FloatArray,
    xx: FloatArray,
    yy: FloatArray,
    u: FloatArray | None = None,
    v: FloatArray | None = None,
) -> Told:
    """xy/√(xx·yy) of the mean products, with the influence that the three give it."""
    t_xy, t_xx, t_yy = (
        (share @ xy, share @ xx, share @ yy)
        if u is None or v is None
        else (share @ (u * v), share @ (u * u), share @ (v * v))
    )
    if not (share.size > 1 and t_xx > 1e-15 and t_yy > 1e-15):
        return np.nan, np.full(share.size, np.nan)
    value = t_xy / np.sqrt(t_xx * t_yy)
    of = (xy - share @ xy) / np.sqrt(t_xx * t_yy)
    of = of - value / 2 * ((xx - share @ xx) / t_xx + (yy - share @ yy) / t_yy)
    return float(np.clip(value, -1.0, 1.0)), share * of


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of rows that are held against each other.

    Arguments:
        left, right: [p] rows.
    """

    left: IntArray
    right: IntArray


def pairs(group: IntArray, most: int = 2_000_000) -> Pairs | None:
    """All pairs of rows of one group; where no group has two rows all pairs there are; None above `most`.

    >>> pairs(np.array([0, 1, 0])).left.tolist(), pairs(np.array([0, 1, 0])).right.tolist()
    ([0], [2])
    """
    order = np.argsort(group, kind="stable")
    size = np.bincount(group)
    if size.max(initial=0) < 2:
        size, order = np.array([group.size]), np.arange(group.size)
    if (size * (size - 1) // 2).sum() > most:
        return None
    start, made = np.cumsum(size) - size, []
    for many in np.unique(size[size > 1]):
        i, j = np.triu_indices(int(many), 1)
        first = start[size == many][:, None]
        made.append(np.array([(first + i).ravel(), (first + j).ravel()]))
    left, right = order[np.concatenate(made, axis=1)] if made else np.zeros((2, 0), dtype=np.int64)
    return Pairs(left, right)


def in_order(x: FloatArray, y: FloatArray, among: Pairs, width: FloatArray | float) -> FloatArray:
    """[p] whether x orders a pair as y does; x ties up to `width`.

    >>> in_order(np.array([1.0, 1.2, 3.0]), np.array([0.0, 0.0, 5.0]), pairs(np.zeros(3, int)), 0.5).tolist()
    [1.0, 1.0, 1.0]
    """
    return same_order(x[among.left] - x[among.right], y[among.left] - y[among.right], width).astype(float)


def same_order(dx: FloatArray, dy: FloatArray, width: FloatArray | float) -> BoolArray:
    """Whether differences of x have the sign of those of y; x ties up to `width`.

    >>> same_order(np.array([-2.0, 0.3, 0.3]), np.array([-1.0, 0.0, 1.0]), 0.5).tolist()
    [True, True, False]
    """
    return np.asarray(((dx > width) == (dy > 0)) & ((dx < -width) == (dy < 0)))


def best_width(x: FloatArray, y: FloatArray, among: Pairs, weight: FloatArray) -> float:
    """The ε at which x orders the most pairs as y does; the smallest of equally good ones.

    Arguments:
        x, y: [n] numbers.
        among: pairs.
        weight: [p] of the pairs, >= 0.
    """
    d, g = x[among.left] - x[among.right], y[among.left] - y[among.right]
    apart = np.abs(d)
    order = np.argsort(apart, kind="stable")
    tied, right = (g == 0) * weight, (np.sign(d) == np.sign(g)) * (g != 0) * weight
    below, above = np.cumsum(tied[order]), right.sum() - np.cumsum(right[order])
    last = np.append(apart[order][1:] != apart[order][:-1], True)[: order.size]
    at = np.flatnonzero(last)
    if not at.size:
        return 0.0
    score = (below + above)[at]
    plain = tied[apart == 0].sum() + right.sum()  # nothing but exact ties
    top = int(np.argmax(score))
    return float(apart[order][at[top]]) if score[top] > plain + 1e-12 else 0.0
