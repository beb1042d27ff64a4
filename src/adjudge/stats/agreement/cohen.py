"""Agreement of two named raters beyond what their own habits make by chance: Cohen's kappa, plain and weighted.

    κ_w = 1 − Σ_ck d_ck o_ck / Σ_ck d_ck r_c s_k,      d = 1 − a,   r, s the raters' own shares of each class

Cohen (1960; weighted 1968). Limits: with quadratic weights and equal margins κ_w is the correlation of the labels; if
both raters always use one class nothing could have disagreed (NaN).
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray, IntArray
from .coefficient import Coefficient, distinct


def kappa(left: FloatArray, right: FloatArray, *, weights: FloatArray | None = None) -> Coefficient:
    """Cohen's kappa over the items that both raters labelled.

    Arguments:
        left: [m, C] share of each class among the labels that the first rater gave an item; all 0 where none.
        right: [m, C] the same of the second rater.
        weights: [C, C] agreement between classes (`weights.agreement`); nominal by default.

    >>> both = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> kappa(both, both).value
    1.0
    """
    classes = left.shape[1]
    apart = 1.0 - (np.eye(classes) if weights is None else weights)
    rows, item = distinct(np.column_stack([left, right]))
    one, two = rows[:, :classes], rows[:, classes:]
    shared = ((one.sum(axis=1) > 0) & (two.sum(axis=1) > 0))[:, None]
    one, two = one * shared, two * shared
    sums = np.column_stack([shared, ((one @ apart) * two).sum(axis=1), one, two]).astype(float)

    def of(total: FloatArray) -> FloatArray:
        r, s = total[..., 2 : 2 + classes], total[..., 2 + classes :]
        return np.asarray(1.0 - total[..., 1] * total[..., 0] / ((r @ apart) * s).sum(axis=-1))

    return Coefficient("Cohen's kappa", sums, item, of)


def shares(item: IntArray, label: IntArray, weight: FloatArray, *, items: int, classes: int) -> FloatArray:
    """[m, C] share of each class among the labels that one rater gave each item.

    >>> shares(np.array([0, 0, 2]), np.array([0, 1, 1]), np.ones(3), items=3, classes=2).tolist()
    [[0.5, 0.5], [0.0, 0.0], [0.0, 1.0]]
    """
    counts = np.bincount(item * classes + label, weight, items * classes).reshape(items, classes).astype(float)
    n = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, n, out=np.zeros_like(counts), where=n > 0)
