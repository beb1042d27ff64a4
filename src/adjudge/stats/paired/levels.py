"""Which outcomes occur: wins, losses and ties alone, or probabilities among them, and then what a ½ means.

    0, ½, 1        verdicts: a ½ is a tie
    0.9, ½, 0.2 …  a judge's probabilities: a ½ is one of them, where they outnumber the 0s and 1s

Limit: no outcome but 0, ½ and 1 is the plain case, found in one pass.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...tables.comparisons import Comparisons

BLOCK = 1 << 18  # rows looked at at once
MOST = 64  # distinct outcomes; with more, rows are not summed


def outcome_levels(table: Comparisons) -> tuple[FloatArray | None, bool]:
    """The distinct outcomes in order, None when there are too many to sum by; whether a ½ is a probability.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> outcome_levels(from_arrays(np.array([0, 1]), np.array([1, 0]), np.array([0.9, 0.5])))
    (array([0. , 0.5, 0.9, 1. ]), True)
    """
    found, soft, decisive = {0.0, 0.5, 1.0}, 0, 0
    for start in range(0, table.n, BLOCK):
        y = table.outcome[start : start + BLOCK]
        sure = (y == 0) | (y == 1)
        between = y[~sure & (y != 0.5) & np.isfinite(y)]
        decisive, soft = decisive + int(np.count_nonzero(sure)), soft + between.size
        if between.size and len(found) <= MOST:
            found.update(np.unique(between).tolist())
    return (None if len(found) > MOST else np.array(sorted(found))), soft > decisive
