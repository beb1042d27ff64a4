"""`where`: an SQL condition on any of the table's columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from ..errors import AdjudgeError
from .columns import require


def keep_where(
    where: str | None, names: Sequence[str], *, empty: bool = False
) -> tuple[Callable[[pl.DataFrame], pl.DataFrame], tuple[str, ...]]:
    """The filter, and the columns that it reads.

    Errors: a condition that cannot be parsed, names a column that is not there, or leaves no row (unless `empty`).

    >>> keep, needs = keep_where("split = 'fresh' AND n > 1", ["split", "n"])
    >>> needs, keep(pl.DataFrame({"split": ["fresh", "old"], "n": ["2", "3"]})).rows()
    (('split', 'n'), [('fresh', '2')])
    """
    if where is None or not where.strip():
        return (lambda frame: frame), ()
    try:
        condition = pl.sql_expr(where)
        needs = tuple(dict.fromkeys(condition.meta.root_names()))
    except pl.exceptions.PolarsError as problem:
        raise _bad(where, str(problem).splitlines()[0]) from None
    for name in needs:
        require(names, name, "--where (text goes in single quotes)")

    def keep(frame: pl.DataFrame) -> pl.DataFrame:
        try:
            mask = typed(frame, needs).select(condition.alias("keep"))["keep"]
            if mask.dtype != pl.Boolean or mask.len() != frame.height:
                raise _bad(where, "it is not true or false for each row")
        except pl.exceptions.PolarsError as problem:
            raise _bad(where, str(problem).splitlines()[0]) from None
        kept = frame.filter(mask)
        if kept.height == 0 and not empty:
            raise AdjudgeError(
                f"No row of {frame.height:,} passes --where {where!r}.", "Some must.", "Loosen the condition."
            )
        return kept

    return keep, needs


def quoted(name: str) -> str:
    """A column's name as a condition needs it: in double quotes unless it is a plain word of no meaning in SQL.

    >>> quoted("score"), quoted("judge score"), quoted("order")
    ('score', '"judge score"', '"order"')
    """
    try:
        plain = pl.sql_expr(f"{name} IS NOT NULL").meta.root_names() == [name]
    except pl.exceptions.PolarsError:
        plain = False
    return name if plain and name.isidentifier() else '"' + name.replace('"', '""') + '"'


def typed(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Text columns as numbers or booleans where every value is one; CSV brings everything as text."""
    for name in names:
        text = frame[name]
        if text.dtype != pl.String:
            continue
        for kind in (pl.Int64, pl.Float64):
            cast = text.cast(kind, strict=False)
            if cast.null_count() == text.null_count():
                frame = frame.with_columns(cast)
                break
        else:
            lower = text.str.to_lowercase()
            if bool(lower.is_in(["true", "false"]).all()):
                frame = frame.with_columns((lower == "true").alias(name))
    return frame


def _bad(where: str, why: str) -> AdjudgeError:
    return AdjudgeError(
        f"--where {where!r} cannot be used: {why}.",
        "It is an SQL condition on columns, with text in single quotes.",
        "Such as --where \"split = 'fresh' AND score > 0\".",
    )
