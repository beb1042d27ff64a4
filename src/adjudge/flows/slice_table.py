"""Values of each policy on each group of rows, for reports that were asked for them."""

from __future__ import annotations

import numpy as np

from ..reports import numbers
from ..reports.story import Table
from ..value import slices
from .answer import Answer

MOST = 400  # rows of the table


def slice_table(answer: Answer) -> Table | None:
    """A line for each policy and group with an interval that holds for all lines at once; None when not asked for."""
    by = answer.run.settings.get("by")
    ratings = answer.ratings
    if not by or len(ratings.strata) < 2:
        return None
    found = slices.estimate(ratings, seed=answer.seed)
    low_high = found.simultaneous(answer.level, seed=answer.seed)
    cell = ratings.policy * len(ratings.strata) + ratings.stratum
    kept, rows = np.unique(cell, return_counts=True)
    labels = np.bincount(cell[ratings.labelled], minlength=int(kept.max()) + 1)[kept]
    lines = tuple(
        (
            ratings.policies[cell // len(ratings.strata)],
            ratings.strata[cell % len(ratings.strata)],
            numbers.estimate(float(value), float(stderr)),
            numbers.interval(float(low), float(high), float(stderr)),
            int(count),
            int(gold),
        )
        for cell, value, stderr, (low, high), count, gold in zip(
            kept.tolist(), found.value, found.stderr, low_high, rows, labels, strict=True
        )
    )
    return Table(
        title=f"By {by}",
        columns=(
            "Policy",
            str(by),
            "Value",
            f"{numbers.coverage(answer.level)} interval, all at once",
            "Rows",
            "Labels",
        ),
        rows=lines[:MOST],
        caption="Slices borrow the judge's correction from one another as far as their labels agree.",
    )
