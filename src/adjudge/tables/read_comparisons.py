"""The door for votes: whatever the user has becomes checked, coded `Comparisons`, or an error that says what to change.

One row may be one vote, one comparison with a column for each rater, or a pair of policies with counted outcomes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from . import coding, comparison_columns, numbers, outcomes
from .columns import Names, as_names
from .comparison_columns import PairColumns
from .comparisons import Comparisons, same
from .families import with_families
from .numbers import ROW, Door
from .read import codes, take
from .sides import apart, sides
from .sources import open_source
from .votes import collect


def read(
    source: object,
    *,
    left: str | None = None,
    right: str | None = None,
    outcome: Names = None,
    gold: Names = None,
    rater: str | None = None,
    item: str | None = None,
    cluster: Names = None,
    weight: str | None = None,
    count: str | None = None,
    first: str | None = None,
    time: str | None = None,
    covariates: Sequence[str] = (),
    families: Mapping[str, str] | str | Path | None = None,
    missing: Names = None,
    where: str | None = None,
) -> Comparisons:
    """Reads, checks and codes a table of votes on pairs.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        left, right: columns of the two policies; None takes a usual pair such as `model_a` and `model_b`.
        outcome: column of who won (words, numbers or the winner's name), or one for each of several raters; None
            takes the usual name, or columns that count outcomes (`left_wins`, `right_wins`, `tie`).
        gold: raters whose votes are trusted: values of the rater column, or verdict columns of their own.
        rater: column of who voted.
        item: column of the prompt; votes on one item and pair are votes on the same two answers.
        cluster: column of the independent unit, or two for two-way clusters; None means the item if there is one.
        weight: column of importance, >= 0.
        count: column of how many equal, independent comparisons a row stands for.
        first: column of the side shown first (left/right, 1/2, or the policy's name); None means left.
        time: column that orders the votes; None means the order of the file.
        covariates: each a column of differences left − right, `name=left_column,right_column`, or a name that both
            sides carry (`chars` for `left_chars` and `right_chars`).
        families: family of each policy and rater, or a file of two columns; adds the covariate `self_family`, +1
            where the rater is of the left policy's family alone and −1 of the right's.
        missing: words that mean that the rater gave no verdict, beside the usual ones.
        where: SQL condition on any column.

    Errors: `AdjudgeError` for a table that cannot be read, verdicts that cannot be understood, ids that are missing,
    or no comparison that is left. Doubtful input is told in `findings`.

    >>> table = read({"model_a": ["x", "y"], "model_b": ["y", "z"], "winner": ["model_a", "tie"]})
    >>> table.policies, table.left.tolist(), table.right.tolist(), table.outcome.tolist()
    (('x', 'y', 'z'), [0, 1], [1, 2], [1.0, 0.5])
    """
    opened = open_source(source)
    used, told = comparison_columns.resolve(
        opened.names,
        left=left,
        right=right,
        outcome=outcome,
        gold=gold,
        rater=rater,
        item=item,
        cluster=cluster,
        weight=weight,
        count=count,
        first=first,
        time=time,
        covariates=covariates,
    )
    frame = take(opened, used.needed(), where)
    door = Door.at(frame, [*opened.findings, *told], several=opened.several)
    strangers = [name for name in as_names(gold) if name not in used.gold]
    table = _build(frame, used, strangers, as_names(missing), door)
    return table if families is None else with_families(table, families)


def _build(
    frame: pl.DataFrame, used: PairColumns, trusted: Sequence[str], missing: Sequence[str], door: Door
) -> Comparisons:
    left, right, policies = sides(frame, used, door)
    votes = collect(frame, used, trusted, door, missing=missing)
    votes = votes.kept(apart(left, right, door)[votes.at])
    if not votes.at.size:
        raise AdjudgeError(
            f"None of {frame.height:,} rows holds a verdict on two different policies.",
            "At least one comparison with an outcome.",
            "Name other columns with --left, --right and --outcome.",
        )
    n = frame.height
    at = slice(None) if np.array_equal(votes.at, np.arange(n)) else votes.at
    row = frame[ROW].cast(pl.Int64).to_numpy()
    item = codes(frame, used.item, "item", door)
    row = item if np.array_equal(row, item) else row  # two names of one array, as a rule
    cluster = _clusters(frame, used, item, door)
    covariates = _covariates(frame, used, door)
    time = _times(frame[used.time], door) if used.time else np.arange(n, dtype=float)
    first = _first(frame, used, door)
    weight = numbers.weights(frame[used.weight], n, door) if used.weight else same(n, np.float64(1))
    count = _counted(frame[used.count], door) if used.count else same(n, np.float64(1))
    table = Comparisons(
        policies=policies,
        left=left[at],
        right=right[at],
        outcome=votes.outcome,
        rater=votes.rater,
        raters=votes.raters,
        trusted=votes.trusted,
        match=_matches(left, right, item, len(policies), bool(used.item))[at],
        item=item[at],
        cluster=cluster if isinstance(at, slice) else _dense(cluster[at]),
        weight=weight[at],
        count=(count[at] if votes.count is None else count[at] * votes.count),
        first=first[at],
        covariates=covariates[at],
        covariate_names=tuple(name for name, _, _ in used.covariates),
        time=time[at],
        row=row[at],
    )
    _tell_repeats(table, used, door)
    return replace(table, findings=tuple(door.findings))


def _matches(left: IntArray, right: IntArray, item: IntArray, k: int, by_item: bool) -> IntArray:
    """[n] code of the two answers compared; each row a match of its own where items are unknown."""
    if not by_item:
        return item
    key = (item * k + np.minimum(left, right)) * k + np.maximum(left, right)
    return np.unique(key, return_inverse=True)[1]


def _clusters(frame: pl.DataFrame, used: PairColumns, item: IntArray, door: Door) -> IntArray:
    """[n, c] codes of the independent units; in a second column an empty cell is a unit of its own."""
    if not used.cluster:
        return item[:, None] if used.item else np.zeros((frame.height, 0), dtype=np.int64)
    columns = [codes(frame, used.cluster[0], "cluster", door)]
    for name in used.cluster[1:]:
        ids = coding.ids(frame[name]).cast(pl.String)
        known = ids.is_not_null().to_numpy()
        code = np.zeros(ids.len(), dtype=np.int64)
        if known.any():
            code[known] = coding.encode(ids.drop_nulls())[0]
        code[~known] = code.max(initial=-1) + 1 + np.arange(int((~known).sum()))
        columns.append(np.unique(code, return_inverse=True)[1])
    return np.column_stack(columns)


def _dense(cluster: IntArray) -> IntArray:
    """The codes of the units that are left, without gaps."""
    return (
        np.column_stack([np.unique(column, return_inverse=True)[1] for column in cluster.T])
        if cluster.size
        else cluster
    )


def _covariates(frame: pl.DataFrame, used: PairColumns, door: Door) -> FloatArray:
    """[n, d] differences left − right."""
    columns = []
    for name, left, right in used.covariates:
        sides = [numbers.covariates(frame, (side,), door)[:, 0] for side in dict.fromkeys((left, right)) if side]
        columns.append(sides[0] - sides[1] if right and right != left else sides[0])
        if not np.ptp(columns[-1]):
            raise AdjudgeError(
                f"Covariate {name!r} is the same in every row.",
                "A covariate differs between the sides of at least some comparisons.",
                "Leave it out with --covariate, or type --set order=True for the effect of being shown first.",
            )
    return np.column_stack(columns) if columns else np.empty((frame.height, 0))


def _first(frame: pl.DataFrame, used: PairColumns, door: Door) -> FloatArray:
    """[n] +1 where left was shown first, −1 where right was, 0 where nobody knows."""
    if not used.first:
        return same(frame.height, np.float64(1))
    side = outcomes.outcomes(frame[used.first], frame[used.left], frame[used.right], door, option="--first")
    return np.where(np.isfinite(side), np.sign(2 * side - 1), 0.0)


def _times(series: pl.Series, door: Door) -> FloatArray:
    """[n] time as a number: seconds for dates, else as it stands. Errors: a time that is missing."""
    if series.dtype == pl.String and bool(series.cast(pl.Float64, strict=False).is_null().any()):
        try:
            series = series.str.to_datetime(strict=False, time_unit="us").alias(series.name)
        except pl.exceptions.PolarsError:  # not even the first value looks like a date
            series = pl.Series(series.name, [None] * series.len(), dtype=pl.Datetime("us"))
    if series.dtype.is_temporal():
        values = series.cast(pl.Datetime("us"), strict=False).dt.epoch("us").cast(pl.Float64).to_numpy() / 1e6
    else:
        values = numbers.numeric(series, door, "--time")
    missing = ~np.isfinite(values)
    if missing.any():
        raise AdjudgeError(
            f"{series.name}: {int(missing.sum()):,} of {values.size:,} times are missing or no date (first: "
            f"{door.place(int(np.argmax(missing)))}).",
            "A number or an ISO date for each vote.",
            "Correct them, drop the rows with --where, or leave --time out.",
        )
    return values


def _counted(series: pl.Series, door: Door) -> FloatArray:
    values = numbers.numeric(series, door, "--count")
    bad = ~(values >= 0) | (values != np.round(values))
    if bad.any():
        raise AdjudgeError(
            f"{series.name}: {int(bad.sum()):,} of {values.size:,} counts are missing, negative or no whole number "
            f"(first: {door.place(int(np.argmax(bad)))}).",
            "A count says how many equal comparisons the row stands for.",
            "Correct it, or use --weight for importance.",
        )
    return values


def _tell_repeats(table: Comparisons, used: PairColumns, door: Door) -> None:
    """The same rater's second vote on the same two answers, shown in the same order."""
    if not (used.item and used.rater):
        return
    lower_first = table.first * np.where(table.left < table.right, 1, -1) > 0
    key = (table.match * len(table.raters) + table.rater) * 2 + lower_first
    again = table.n - np.unique(key).size
    if again:
        door.note(
            "votes-repeated",
            Severity.INFO,
            f"{again:,} of {table.n:,} votes are a rater's further votes on the same two answers; they count as votes "
            "of the same cluster.",
            number=float(again),
            remedy="Name who voted with --rater, if that column names a group of people.",
        )
