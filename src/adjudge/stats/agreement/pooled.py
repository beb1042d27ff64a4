"""Agreement of any number of interchangeable raters: percent agreement, Scott's π, Fleiss' κ, Gwet's AC1 and AC2.

    p_a  = mean over items with 2 labels or more of Σ_c n_ic (Σ_k a_ck n_ik − 1) / (n_i (n_i − 1))
    π_c  = mean over items of n_ic/n_i
    p_e  = Σ_ck a_ck π_c π_k                              Scott, Fleiss: labels drawn anew from the pool
    p_e  = Σ a / (C (C − 1)) · Σ_c π_c (1 − π_c)          Gwet: only labels given by guessing agree by chance
    κ    = (p_a − p_e)/(1 − p_e)

Scott (1955), Fleiss (1971), Gwet (2008). Limits: Fleiss' κ of two raters is Scott's π; with nominal weights AC2 is AC1.
One class alone leaves Scott's and Fleiss' coefficients undefined (NaN): nothing could have disagreed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..._typing import FloatArray
from .coefficient import Coefficient, distinct

Chance = Callable[[FloatArray, FloatArray], FloatArray]


def percent(counts: FloatArray, *, weights: FloatArray | None = None) -> Coefficient:
    """Share of pairs of labels of one item that agree, mean over items.

    Arguments:
        counts: [m, C] labels of each class that an item got, from any raters.
        weights: [C, C] agreement between classes (`weights.agreement`); nominal by default.

    >>> round(percent(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).value, 3)
    0.667
    """
    return _made("percent agreement", counts, weights, lambda share, _: np.zeros(share.shape[:-1]))


def fleiss(counts: FloatArray, *, weights: FloatArray | None = None) -> Coefficient:
    """Fleiss' kappa; with two labels an item it is Scott's pi.

    Arguments:
        counts: [m, C] labels of each class that an item got.
        weights: [C, C] agreement between classes; nominal by default.

    >>> round(fleiss(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).value, 3)
    0.333
    """
    return _made("Fleiss' kappa", counts, weights, lambda share, a: np.asarray(((share @ a) * share).sum(axis=-1)))


def gwet(counts: FloatArray, *, weights: FloatArray | None = None) -> Coefficient:
    """Gwet's AC1, or AC2 with weights: steady where nearly all labels are of one class.

    Arguments:
        counts: [m, C] labels of each class that an item got; C counts classes that nobody used.
        weights: [C, C] agreement between classes; nominal by default.

    >>> round(gwet(np.array([[2.0, 0.0], [1.0, 1.0], [0.0, 2.0]])).value, 3)
    0.333
    """

    def chance(share: FloatArray, a: FloatArray) -> FloatArray:
        classes = share.shape[-1]
        return np.asarray(a.sum() * (share * (1 - share)).sum(axis=-1) / (classes * (classes - 1)))

    return _made("Gwet's AC1" if weights is None else "Gwet's AC2", counts, weights, chance)


def _made(name: str, counts: FloatArray, weights: FloatArray | None, chance: Chance) -> Coefficient:
    a = np.eye(counts.shape[1]) if weights is None else weights
    rows, item = distinct(counts)
    n = rows.sum(axis=1)
    pairs = n > 1
    agreed = np.zeros(n.size)
    np.divide((rows * (rows @ a)).sum(axis=1) - n, n * (n - 1), out=agreed, where=pairs)
    share = np.divide(rows, n[:, None], out=np.zeros_like(rows), where=n[:, None] > 0)
    sums = np.column_stack([pairs, n > 0, agreed, share]).astype(float)

    def of(total: FloatArray) -> FloatArray:
        observed = total[..., 2] / total[..., 0]
        by_chance = chance(total[..., 3:] / total[..., 1:2], a)
        return np.asarray((observed - by_chance) / (1 - by_chance))

    return Coefficient(name, sums, item, of)
