"""Self-preference as a covariate: does a rater that is itself a model favour the models of its own family?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .comparisons import Comparisons
from .sources import Source, open_source


def with_families(table: Comparisons, families: Mapping[str, str] | str | Path) -> Comparisons:
    """The table with a covariate `self_family`: +1 where the rater is of left's family alone, −1 of right's.

    Arguments:
        table: votes whose raters have names.
        families: family by name of policy or rater, or a file with these two columns.

    Errors: no rater has a family.
    """
    given = families if isinstance(families, Mapping) else _family_file(open_source(families))
    number = {family: position for position, family in enumerate(dict.fromkeys(given.values()))}
    if not any(name in given for name in table.raters):
        raise AdjudgeError(
            "families: no rater has a family.",
            f"The raters are: {', '.join(table.raters[:20])}.",
            "Give the family of each rater that is a model, by the same name.",
        )
    of_policy = np.array([number.get(given.get(name, ""), -1) for name in table.policies])
    of_rater = np.array([number.get(given.get(name, ""), -2) for name in table.raters])[table.rater]
    own = (of_policy[table.left] == of_rater).astype(float) - (of_policy[table.right] == of_rater)
    if not own.any():
        finding = Finding(
            "self-family-absent",
            Severity.INFO,
            "No rater compares a policy of its own family with another, so there is no self-preference to estimate.",
        )
        return replace(table, findings=(*table.findings, finding))
    return replace(
        table,
        covariates=np.column_stack([table.covariates, own]),
        covariate_names=(*table.covariate_names, "self_family"),
    )


def _family_file(opened: Source) -> dict[str, str]:
    names = [name for name in opened.names if not name.startswith("(")]
    if len(names) < 2:
        raise AdjudgeError(f"{opened.label} has one column.", "Two: name and family.", "Write both.")
    frame = opened.take(names[:2]).cast(pl.String)
    return dict(zip(frame[names[0]].to_list(), frame[names[1]].to_list(), strict=True))
