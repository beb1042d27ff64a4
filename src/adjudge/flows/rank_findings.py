"""What a ranking is to be told of whatever its method: what became of the gold, and whether tasks are few."""

from __future__ import annotations

import numpy as np

from .. import catalogue
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings

GOLD_WHERE_GIVEN = ("ranking.multiwinner",)  # methods that use gold labels where there are some
FEW_UNITS = 10  # independent tasks below which the error of a mean is itself hardly known


def about_gold(table: Comparisons | Ratings, estimate: Estimate) -> tuple[Finding, ...]:
    """That nobody's votes are named as gold, or that the method makes no use of those that are."""
    gold = table.labelled.any() if isinstance(table, Ratings) else table.trusted.any()
    if gold and not _uses_gold(estimate.method) and not (isinstance(table, Comparisons) and table.trusted.all()):
        use = "adjudge evaluate" if isinstance(table, Ratings) else "--method ppi_bradley_terry"
        told = Finding(
            "gold-not-used",
            Severity.WARNING,
            f"{estimate.method} makes no use of the gold that is named: trusted and judges' word count alike.",
            remedy=f"Use {use}, which corrects the judges by the gold, or leave --gold out.",
        )
        return (told,)
    if isinstance(table, Ratings) or gold or not np.isfinite(estimate.value).any():
        return ()
    told = Finding(
        "votes-taken-as-true",
        Severity.INFO,
        "No rater is named as trusted, so this ranks what the raters prefer; a judge's bias is not corrected.",
        remedy="Name trusted raters with --gold, such as people who judged a tenth of the pairs.",
    )
    return (told,)


def _uses_gold(method: str) -> bool:
    return bool({"gold", "trusted"} & set(catalogue.card(method).needs)) or method in GOLD_WHERE_GIVEN


def few_tasks(table: Comparisons | Ratings, estimate: Estimate) -> tuple[Finding, ...]:
    """That an error is estimated from a handful of independent units; methods for votes say so themselves."""
    if isinstance(table, Comparisons) or table.units >= FEW_UNITS or not np.isfinite(estimate.stderr).any():
        return ()
    told = Finding(
        "units-few",
        Severity.WARNING,
        f"The scores come from {table.units:,} independent tasks or clusters: the intervals are rough.",
        number=float(table.units),
        threshold=float(FEW_UNITS),
        remedy="Score more tasks.",
    )
    return (told,)
