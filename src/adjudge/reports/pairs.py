"""What a report shows of pairs, as plain data: who beats whom by how much, and who won how often."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._typing import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """All pairwise differences, row − column.

    Arguments:
        names: [k], in the order to show.
        difference: [k, k] row − column; the diagonal is not read.
        low, high: [k, k] intervals (simultaneous, as a rule).
        p_adjusted: [k, k] p-values of no difference, adjusted for looking at all pairs.
        stderr: [k, k] standard errors, to round by; empty when unknown.
    """

    names: tuple[str, ...]
    difference: FloatArray
    low: FloatArray
    high: FloatArray
    p_adjusted: FloatArray
    stderr: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    level: float = 0.95
    title: str = "Who beats whom"
    caption: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Wins:
    """Who won how often, as seen and as the model predicts: where they part, the model is wrong.

    Arguments:
        names: [k], in the order to show.
        observed: [k, k] share of the comparisons that the row won, ties half; NaN where the two never met.
        predicted: [k, k] what the fitted ratings give; NaN where they give nothing.
        games: [k, k] comparisons behind each share.
    """

    names: tuple[str, ...]
    observed: FloatArray
    predicted: FloatArray
    games: FloatArray
    title: str = "Wins, seen and predicted"
    caption: str = ""
