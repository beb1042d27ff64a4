"""Intraclass correlations: which share of the variance of graded labels lies between items.

    ICC(1)   = (MSB − MSW)/(MSB + (J − 1) MSW)                        each item has its own raters
    ICC(2,1) = (MSB − MSE)/(MSB + (J − 1) MSE + J (MSJ − MSE)/m)      raters drawn at random; their levels count
    ICC(3,1) = (MSB − MSE)/(MSB + (J − 1) MSE)                        these raters only; their levels do not count

Shrout, Fleiss (1979), cases 1 to 3. Limits: where all raters have one level ICC(2,1) is close to ICC(3,1); constant
labels give NaN. Items without a label of every rater are left out.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...errors import AdjudgeError
from .coefficient import Coefficient, distinct

KINDS = ("ICC(1)", "ICC(2,1)", "ICC(3,1)")


def icc(table: FloatArray, kind: str = "ICC(2,1)") -> Coefficient:
    """One intraclass correlation of single labels.

    Arguments:
        table: [m, J] number that each rater gave each item; NaN where there is none.
        kind: `ICC(1)`, `ICC(2,1)` or `ICC(3,1)`.

    Errors: an unknown kind.

    >>> icc(np.array([[1.0, 2.0], [2.0, 3.0], [4.0, 5.0]]), "ICC(3,1)").value
    1.0
    """
    if kind not in KINDS:
        raise AdjudgeError(f"icc kind is {kind!r}.", f"One of {', '.join(KINDS)}.", "Name one of them.")
    whole = table[np.isfinite(table).all(axis=1)]
    whole = whole - (whole.mean() if whole.size else 0.0)
    raters = whole.shape[1]
    rows, item = distinct(whole)
    sums = np.column_stack([np.ones(len(rows)), (rows**2).sum(axis=1), rows.sum(axis=1) ** 2, rows])

    def of(total: FloatArray) -> FloatArray:
        m, squares, of_items, by_rater = total[..., 0], total[..., 1], total[..., 2] / raters, total[..., 3:]
        mean = by_rater.sum(axis=-1) ** 2 / (m * raters)
        of_raters = (by_rater**2).sum(axis=-1) / m - mean
        between = (of_items - mean) / (m - 1)
        within = (squares - of_items) / (m * (raters - 1))
        error = np.maximum(squares - of_items - of_raters, 0.0) / ((m - 1) * (raters - 1))
        noise = within if kind == "ICC(1)" else error
        levels = raters * (of_raters / (raters - 1) - error) / m if kind == "ICC(2,1)" else 0.0
        size = between + (raters - 1) * noise + levels
        return np.where(m > 1, (between - noise) / size, np.nan)

    return Coefficient(kind, sums, item, of)
