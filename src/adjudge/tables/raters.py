"""Long format to wide: several judges (and human raters) as rows become one column each.

    one row = (policy, prompt, draw, rater, score)   →   one row = (policy, prompt, draw), one column for each rater

Without a draw column the first score of each rater for an answer makes the first draw, the second the second …
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding
from .columns import FILE, Columns, listing, require
from .numbers import ROW, Door, numeric

#: More raters than this are workers to be aggregated first, not judges to be calibrated one by one.
MOST_RATERS = 100
_DRAW = "(draw)"


def widen(frame: pl.DataFrame, used: Columns, gold_raters: Sequence[str], door: Door) -> tuple[pl.DataFrame, Columns]:
    """The frame with one row for each response and one column for each rater, and the columns that now play the parts.

    Arguments:
        frame: long table with `used.rater` and one score column, `used.judges[0]`.
        used: as resolved.
        gold_raters: raters whose scores are gold labels; the others are judges.
        door: takes the findings.

    Errors: several score columns; rows without a rater; more than 100 raters; a gold rater who is not there.
    """
    if len(used.judges) != 1:
        raise AdjudgeError(
            f"{len(used.judges)} judge columns were named together with the rater column {used.rater!r}.",
            "In long format one column holds the scores of all raters.",
            "Name that one with --judge, or leave out --rater.",
        )
    value = used.judges[0]
    rater = coding.ids(frame[used.rater]).cast(pl.String)
    names = _names(rater, used.rater, door)
    for name in gold_raters:
        require(names, name, "--gold (a rater or a column)")
    frame = frame.with_columns(
        rater.alias(used.rater),
        pl.Series(value, numeric(frame[value], door, "--judge")).fill_nan(None),
    )
    frame, draw = _number_draws(frame, used, door)
    wide = _pivot(frame, replace(used, draw=draw), names)
    judges = tuple(name for name in names if name not in gold_raters)
    if not judges:
        raise AdjudgeError(
            "Every rater is named as gold.", "At least one is the judge.", "Leave the judge's name out of --gold."
        )
    return wide, replace(used, judges=judges, gold=(*used.gold, *gold_raters), draw=draw, rater="")


def _names(rater: pl.Series, column: str, door: Door) -> list[str]:
    if rater.null_count():
        first = door.place(int(rater.is_null().arg_max() or 0))
        raise AdjudgeError(
            f"{column}: {rater.null_count():,} of {rater.len():,} rows have no rater (first: {first}).",
            "Every row of the long format says who rated.",
            f"Drop the rows with --where '{column} IS NOT NULL'.",
        )
    names = rater.unique().sort().to_list()
    if len(names) > MOST_RATERS:
        raise AdjudgeError(
            f"{column}: there are {len(names):,} raters ({listing(names, 3)}).",
            f"At most {MOST_RATERS} judges can be calibrated one by one.",
            "Is it the right column? Name another with --rater, or aggregate the raters first.",
        )
    return names


def _number_draws(frame: pl.DataFrame, used: Columns, door: Door) -> tuple[pl.DataFrame, str]:
    """Gives the rows of one answer and rater draw numbers where there is no such column; the draw column, or none."""
    keys = [name for name in (used.policy, used.item, used.draw, used.rater) if name]
    if used.draw or not used.item:
        repeated = frame.height - frame.n_unique(keys) if used.item else 0
        if repeated:
            door.note(
                "rater-repeated",
                Severity.WARNING,
                f"{repeated:,} rows repeat a rater's score of one draw; the mean was taken.",
                number=repeated,
                remedy="Give each draw its own number.",
            )
        return frame, used.draw
    frame = frame.with_columns(pl.int_range(pl.len()).over(keys).alias(_DRAW))
    return frame, _DRAW if int(frame[_DRAW].max()) > 0 else ""  # type: ignore[arg-type]


def _pivot(frame: pl.DataFrame, used: Columns, names: Sequence[str]) -> pl.DataFrame:
    keys = [name for name in (used.policy, used.item, used.draw) if name] if used.item else [ROW]
    value = pl.col(used.judges[0])
    others = [name for name in frame.columns if name not in (*keys, ROW, used.rater, used.judges[0])]
    taken = [name for name in names if name in (*others, *keys)]
    if taken:
        raise AdjudgeError(
            f"Rater {taken[0]!r} has the name of a column.", "Each needs a name of its own.", "Rename the column."
        )
    wide = frame.group_by(keys, maintain_order=True).agg(
        *([] if keys == [ROW] else [pl.col(ROW).first()]),
        *(pl.col(name).drop_nulls().first() for name in others),
        *(value.filter(pl.col(used.rater) == name).mean().alias(name) for name in names),
    )
    return wide if FILE not in keys else wide.sort(ROW)
