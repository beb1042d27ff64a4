"""Who won how often, seen beside what the ratings predict."""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate
from ..reports.pairs import Wins
from ..stats.paired.scale import POINTS
from ..tables.comparisons import Comparisons


def win_block(table: Comparisons, estimate: Estimate, order: IntArray) -> Wins:
    """The block, in the order of the ranking.

    Arguments:
        table: votes.
        estimate: ratings; where they are not in rating points nothing is predicted.
        order: [k] positions from best to worst.
    """
    k, known = table.k, table.known
    left, right, y = table.left[known], table.right[known], table.outcome[known]
    count = table.count[known]
    cell, turned = left * k + right, right * k + left
    games = np.bincount(cell, count, k * k) + np.bincount(turned, count, k * k).astype(float)
    won = np.bincount(cell, count * y, k * k) + np.bincount(turned, count * (1 - y), k * k)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = (won / games).reshape(k, k)
    grid = np.ix_(order, order)
    return Wins(
        tuple(table.policies[p] for p in order),
        seen[grid],
        predicted(estimate)[grid],
        games.reshape(k, k)[grid],
        caption="Share of comparisons that the row won against the column, ties half.",
    )


def predicted(estimate: Estimate) -> FloatArray:
    """[k, k] expected share of the row against the column, ties half; NaN where the ratings say nothing of odds.

    Davidson: (e^{η/2} + ν/2) / (e^{η/2} + ν + e^{−η/2}) with η the difference in log-odds.
    """
    k = len(estimate.names)
    tie = estimate.figures.get("tie")
    if tie is None:
        return np.full((k, k), np.nan)
    eta = (estimate.value[:, None] - estimate.value[None, :]) / POINTS
    nu = max(float(np.nan_to_num(tie.value[0])), 0.0)
    up, down = np.exp(np.clip(eta / 2, -300, 300)), np.exp(np.clip(-eta / 2, -300, 300))
    return np.asarray((up + nu / 2) / (up + nu + down))
