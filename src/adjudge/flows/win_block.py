"""Who won how often, seen beside what the ratings predict."""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.estimate import Estimate
from ..reports.pairs import Wins
from ..stats.paired.scale import POINTS
from ..tables.comparisons import Comparisons

LOGISTIC = ("ranking.bradley_terry", "ranking.elo")
"""Methods whose expected share, ties half, is logistic in the difference where they have no figure `tie`."""


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

    Davidson: (e^{η/2} + ν/2) / (e^{η/2} + ν + e^{−η/2}) with η the difference in log-odds; Rao-Kupper: ½ + ½(P(win) −
    P(loss)) with P(win) = e^η / (e^η + θ). What else a method calls its ties is not understood, and predicts nothing.
    """
    tie, k = estimate.figures.get("tie"), len(estimate.names)
    told = {} if tie is None else dict(zip(tie.names, tie.value.tolist(), strict=True))
    eta = np.clip((estimate.value[:, None] - estimate.value[None, :]) / POINTS, -600, 600)
    up, down = np.exp(eta / 2), np.exp(-eta / 2)
    if "theta" in told:
        theta = told["theta"]
        return np.asarray(0.5 + 0.5 * (up / (up + theta * down) - down / (down + theta * up)))
    if "tie of equals" in told:  # ν / (2 + ν) whichever way the law writes its parameter
        nu = 2 * told["tie of equals"] / (1 - told["tie of equals"])
    elif "log ν" in told:
        nu = float(np.exp(told["log ν"]))
    elif tie is None and estimate.method in LOGISTIC:
        nu = 0.0
    else:
        return np.full((k, k), np.nan)
    return np.asarray((up + nu / 2) / (up + nu + down))
