"""Krippendorff's alpha: one scale of reliability for any number of raters, missing labels and three kinds of classes.

    α = 1 − D_o/D_e,    D_o = (1/n) Σ_ck o_ck δ²_ck,    D_e = 1/(n (n − 1)) Σ_ck n_c n_k δ²_ck
    o_ck = Σ_i n_ic (n_ik − [c = k])/(n_i − 1)          labels of items that got two or more
    δ²   = [c ≠ k] nominal,  (R_c − R_k)² ordinal with R the mid-ranks of the pooled labels,  (v_c − v_k)² interval

Krippendorff (2011), Computing Krippendorff's alpha-reliability.
Limits: with many items and equally many labels each, nominal α is Fleiss' κ. Only one class in use gives NaN.
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from .coefficient import Coefficient, distinct

NAME = "Krippendorff's alpha"


def nominal(counts: FloatArray) -> Coefficient:
    """Alpha of classes that only differ.

    Arguments:
        counts: [m, C] labels of each class that an item got.

    >>> round(nominal(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).value, 3)
    0.444
    """
    rows, item = distinct(counts)
    n, used = _pairable(rows)
    rows = rows * used[:, None]
    apart = np.zeros(n.size)
    np.divide(n**2 - (rows**2).sum(axis=1), n - 1, out=apart, where=used)

    def of(total: FloatArray) -> FloatArray:
        by_class = total[..., 1:]
        mass = by_class.sum(axis=-1)
        return np.asarray(1.0 - (mass - 1) * total[..., 0] / (mass**2 - (by_class**2).sum(axis=-1)))

    return Coefficient(NAME, np.column_stack([apart, rows]), item, of)


def ordinal(counts: FloatArray) -> Coefficient:
    """Alpha of classes in order: how many labels lie between two classes is how far they are apart.

    Arguments:
        counts: [m, C] labels of each class that an item got, classes in order; takes C² numbers a distinct item.

    >>> round(ordinal(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).value, 3)
    0.444
    """
    rows, item = distinct(counts)
    classes = rows.shape[1]
    n, used = _pairable(rows)
    together = rows[:, :, None] * rows[:, None, :] - rows[:, :, None] * np.eye(classes)
    together *= np.divide(1.0, n - 1, out=np.zeros(n.size), where=used)[:, None, None]

    def of(total: FloatArray) -> FloatArray:
        o = total.reshape(*total.shape[:-1], classes, classes)
        by_class = o.sum(axis=-1)
        mass = by_class.sum(axis=-1)
        rank = (np.cumsum(by_class, axis=-1) - by_class / 2) / mass[..., None]
        far = (rank[..., :, None] - rank[..., None, :]) ** 2
        expected = 2 * (mass * (by_class * rank**2).sum(axis=-1) - (by_class * rank).sum(axis=-1) ** 2)
        return np.asarray(1.0 - (mass - 1) * (o * far).sum(axis=(-2, -1)) / expected)

    return Coefficient(NAME, together.reshape(n.size, -1), item, of)


def interval(item: IntArray, value: FloatArray, weight: FloatArray, *, items: int) -> Coefficient:
    """Alpha of numbers, whose squared differences count.

    Arguments:
        item: [n] code of the item of each label.
        value: [n] the label as a number.
        weight: [n] how many equal labels a row stands for.
        items: number of items m.

    >>> at = np.array([0, 0, 1, 1, 2, 2])
    >>> round(interval(at, np.array([0.0, 0, 0, 1, 1, 1]), np.ones(6), items=3).value, 3)
    0.444
    """
    v = value - (float(np.mean(value)) if value.size else 0.0)  # sums of squares keep their digits near 0
    moments = np.column_stack([np.bincount(item, weight * v**power, items) for power in range(3)]).astype(float)
    rows, at = distinct(moments)
    n, used = _pairable(rows[:, :1])
    rows = rows * used[:, None]
    apart = np.zeros(n.size)
    np.divide(2 * (n * rows[:, 2] - rows[:, 1] ** 2), n - 1, out=apart, where=used)

    def of(total: FloatArray) -> FloatArray:
        mass = total[..., 1]
        expected = 2 * (mass * total[..., 3] - total[..., 2] ** 2)
        least = 1e-12 * mass * total[..., 3]  # below it the numbers differ by rounding only
        return np.where(expected > least, 1.0 - (mass - 1) * total[..., 0] / expected, np.nan)

    return Coefficient(NAME, np.column_stack([apart, rows]), at, of)


def _pairable(rows: FloatArray) -> tuple[FloatArray, BoolArray]:
    """[u] labels of each distinct item, and whether there are two to compare."""
    n = rows.sum(axis=1)
    return n, n > 1
