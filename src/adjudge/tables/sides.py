"""The two policies of each vote: names to codes, and what is odd about the names."""

from __future__ import annotations

import shlex
import unicodedata

import numpy as np
import polars as pl

from .._typing import BoolArray, IntArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding
from .comparison_columns import PairColumns
from .filters import quoted
from .numbers import Door
from .read import MOST_POLICIES


def sides(frame: pl.DataFrame, used: PairColumns, door: Door) -> tuple[IntArray, IntArray, tuple[str, ...]]:
    """[n] codes of the policies on the left and on the right, and the sorted names.

    Errors: a vote without a policy; more policies than can be compared.
    """
    both = [_named(frame[name], option, door) for name, option in ((used.left, "--left"), (used.right, "--right"))]
    if both[0].dtype != both[1].dtype:
        both = [side.cast(pl.String) for side in both]
    distinct = pl.concat([side.unique().alias("policy") for side in both]).unique().sort()
    if distinct.len() > MOST_POLICIES:
        raise AdjudgeError(
            f"{used.left} and {used.right} hold {distinct.len():,} distinct policies.",
            f"At most {MOST_POLICIES:,} policies can be compared.",
            "Are they the right columns? Name others with --left and --right, or keep fewer policies with --where.",
        )
    names = distinct.cast(pl.String)
    _tell_alike(names, door)
    left, right = (side.cast(pl.String).cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64) for side in both)
    return left, right, tuple(names)


def apart(left: IntArray, right: IntArray, door: Door) -> BoolArray:
    """[n] whether two different policies met; others are left out, with a finding."""
    met = left != right
    if not met.all():
        same, first = int((~met).sum()), door.place(int(np.argmin(met)))
        door.note(
            "self-comparison",
            Severity.WARNING,
            f"{same:,} of {left.size:,} rows compare a policy with itself (first: {first}); they are left out.",
            number=float(same),
            remedy="Correct the names, or drop the rows with --where.",
        )
    return met


def _named(series: pl.Series, option: str, door: Door) -> pl.Series:
    """Names of one side. Errors: some are missing or blank."""
    if series.dtype.is_nested() or series.dtype == pl.Object:
        raise AdjudgeError(
            f"{series.name}: the column holds {series.dtype}.", "A name in each row.", f"Name another with {option}."
        )
    ids = coding.ids(series)
    blank = (
        ids.is_null() if ids.dtype != pl.String else (ids.is_null() | (ids.str.strip_chars() == "").fill_null(False))
    )
    if bool(blank.any()):
        column = quoted(ids.name)
        condition = (
            f"{column} IS NOT NULL" if not bool((blank & ids.is_not_null()).any()) else f"LENGTH(TRIM({column})) > 0"
        )
        raise AdjudgeError(
            f"{ids.name}: {int(blank.sum()):,} of {ids.len():,} votes have no policy (first: "
            f"{door.place(int(blank.arg_max() or 0))}).",
            "Each vote compares two policies that have a name.",
            f"Drop the rows with --where {shlex.quote(condition)}, or name another column with {option}.",
        )
    return ids


def _tell_alike(names: pl.Series, door: Door) -> None:
    """Names that differ only in blanks, capitals or the way a letter is stored: perhaps one policy."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(" ".join(unicodedata.normalize("NFKC", name).casefold().split()), []).append(name)
    alike = [group for group in groups.values() if len(group) > 1]
    if alike:
        shown = "; ".join(" and ".join(repr(name[:40]) for name in group) for group in alike[:3])
        door.note(
            "policies-alike",
            Severity.WARNING,
            f"{sum(map(len, alike)):,} of {names.len():,} policies have names that differ only in blanks, capitals or "
            f"the form of a letter: {shown}{' …' if len(alike) > 3 else ''}. They are ranked apart.",
            number=float(len(alike)),
            remedy="Write one name for each policy if they are the same.",
        )
