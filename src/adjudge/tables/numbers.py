"""Columns to floats, with the door checks: the first bad value is named with its row, doubtful ones become findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from .._typing import BoolArray, FloatArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from .columns import FILE

#: Words that mean 1 or 0 when a whole column is made of them.
WORDS: dict[str, float] = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "correct", "good", "win"), 1.0),
    **dict.fromkeys(("false", "no", "fail", "failed", "incorrect", "bad", "loss"), 0.0),
}

#: Size above which fourth powers (degrees of freedom need them) and sums of many rows would overflow.
LARGEST = 1e50

#: Share of the heaviest row's weight below which a row cannot move any figure, and counts as 0.
LIGHTEST = 1e-30

Place = Callable[[int], str]

#: Column of the user's row numbers, kept beside the table while it is checked.
ROW = "(row)"


@dataclass(frozen=True, slots=True)
class Door:
    """What the checks share: how to name a row, and the findings so far.

    Arguments:
        place: words for the user's row behind position i, such as `row 41` or `row 3 of b.csv`.
        findings: grows as doubtful input is met.
    """

    place: Place
    findings: list[Finding]

    @classmethod
    def at(cls, frame: pl.DataFrame, findings: list[Finding], *, several: bool) -> Door:
        """The door of a frame with row numbers; `several` files are counted each from 0."""

        def place(position: int) -> str:
            row = int(frame[ROW][position])
            if not several or FILE not in frame.columns:
                return f"row {row}"
            stem = frame[FILE][position]
            return f"row {row - int(frame.filter(pl.col(FILE) == stem)[ROW].min())} of {stem}"  # type: ignore[arg-type]

        return cls(place, findings)

    def note(self, code: str, severity: Severity, message: str, *, number: float = np.nan, remedy: str = "") -> None:
        """Adds a finding."""
        self.findings.append(Finding(code, severity, message, number=number, remedy=remedy))


def numeric(series: pl.Series, door: Door, option: str) -> FloatArray:
    """[n] the column as floats, NaN where it is empty.

    Booleans and words such as pass/fail become 1/0, with an info finding. Errors: text that is no number, infinity,
    nested values.
    """
    name = series.name
    if series.dtype == pl.Boolean:
        _tell_words(door, name, "true/false")
        return series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        values = series.cast(pl.Float64).fill_null(np.nan).to_numpy()
    elif series.dtype in (pl.String, pl.Categorical, pl.Enum):
        values = _from_text(series.cast(pl.String), door, option)
    else:
        raise AdjudgeError(
            f"{name}: the column holds {series.dtype}.",
            "A number for each row is needed.",
            f"Name another with {option}.",
        )
    infinite = np.isinf(values)
    if infinite.any():
        raise AdjudgeError(
            f"{name}: {int(infinite.sum()):,} of {values.size:,} values are infinite (first: "
            f"{door.place(int(np.argmax(infinite)))}).",
            "Scores and labels are finite; an empty cell means that there is none.",
            "Empty these cells, or drop the rows with --where.",
        )
    huge = np.abs(values) > LARGEST
    if huge.any():
        first = int(np.argmax(huge))
        raise AdjudgeError(
            f"{name}: {int(huge.sum()):,} of {values.size:,} values are beyond ±{LARGEST:g} (first: "
            f"{door.place(first)}, {values[first]:g}).",
            "Numbers whose squares and sums a computer can still hold.",
            "Change the unit of the column, or drop the rows with --where.",
        )
    return values


def _from_text(series: pl.Series, door: Door, option: str) -> FloatArray:
    name = series.name
    text = series.str.strip_chars()
    text = text.set(text == "", None) if bool((text == "").any()) else text
    values = text.cast(pl.Float64, strict=False)
    failed = values.is_null() & text.is_not_null()
    if not bool(failed.any()):
        return values.fill_null(np.nan).to_numpy()
    words = text.str.to_lowercase()
    distinct = set(words.drop_nulls().unique().head(len(WORDS) + 2).to_list())
    if distinct <= {*WORDS, "0", "1"}:
        _tell_words(door, name, "/".join(sorted(distinct)))
        coded = words.replace_strict({**WORDS, "0": 0.0, "1": 1.0}, default=None, return_dtype=pl.Float64)
        return coded.fill_null(np.nan).to_numpy()
    first = int(failed.arg_max() or 0)
    raise AdjudgeError(
        f"{name}: {int(failed.sum()):,} of {series.len():,} values are not numbers (first: {door.place(first)}, "
        f"{str(text[first])[:40]!r}).",
        "A number for each row is needed, or an empty cell for none.",
        f"Empty these cells, drop the rows with --where, or name another column with {option}.",
    )


def _tell_words(door: Door, name: str, words: str) -> None:
    door.note("words-as-numbers", Severity.INFO, f"Column {name!r} holds {words}; these were read as 1 and 0.")


def scores(frame: pl.DataFrame, judges: tuple[str, ...], door: Door, *, part: bool = False) -> FloatArray:
    """[n, J] judge scores, NaN where a judge abstained; `part` of a table is not judged by what it lacks.

    Errors: a judge that never scored.
    """
    columns = []
    for name in judges:
        values = numeric(frame[name], door, "--judge")
        columns.append(values)
        if part:
            continue
        missing = np.isnan(values)
        if missing.all():
            raise AdjudgeError(
                f"{name}: all {values.size:,} scores are missing.",
                "A judge scores at least some rows.",
                "Name another column with --judge.",
            )
        if missing.any():
            door.note(
                "score-missing",
                Severity.WARNING,
                f"Judge {name!r} gave no score for {missing.sum():,} of {values.size:,} rows (first: "
                f"{door.place(int(np.argmax(missing)))}).",
                number=float(missing.mean()),
                remedy="Score these rows, or drop them with --where if they are missing by chance alone.",
            )
        seen = values[~missing]
        if seen.size > 1 and (seen == seen[0]).all():
            door.note(
                "score-constant",
                Severity.WARNING,
                f"Judge {name!r} gave every row the score {seen[0]:g}, which tells nothing.",
                number=float(seen[0]),
                remedy="Use a judge whose scores vary.",
            )
    return np.column_stack(columns)


def weights(series: pl.Series | None, n: int, door: Door) -> FloatArray:
    """[n] row weights, 1 where none are given. Errors: negative or missing."""
    if series is None:
        return np.ones(n)
    values = numeric(series, door, "--weight")
    for bad, what in ((np.isnan(values), "missing"), (values < 0, "negative")):
        if bad.any():
            first = door.place(int(np.argmax(bad)))
            raise AdjudgeError(
                f"{series.name}: {int(bad.sum()):,} of {n:,} weights are {what} (first: {first}).",
                "A weight says how many rows a row stands for, so it is at least 0.",
                f"Drop the rows with --where '{series.name} >= 0'.",
            )
    return np.where(values < LIGHTEST * values.max(initial=0.0), 0.0, values)


def propensities(series: pl.Series | None, n: int, door: Door) -> FloatArray:
    """[n] probability of being chosen for a label, NaN where unknown. Errors: outside (0, 1]."""
    if series is None:
        return np.full(n, np.nan)
    values = numeric(series, door, "--propensity")
    bad = (values < 1 / LARGEST) | (values > 1)
    if bad.any():
        first = int(np.argmax(bad))
        raise AdjudgeError(
            f"{series.name}: {int(bad.sum()):,} of {n:,} label propensities are outside (0, 1] (first: "
            f"{door.place(first)}, {values[first]:g}).",
            "A row that carries a label was chosen with a probability above 0 and at most 1.",
            f"Correct them, or drop the rows with --where '{series.name} > 0'.",
        )
    return values


def rewards(series: pl.Series, door: Door, of: str) -> FloatArray:
    """[n] rewards, NaN where unknown, which is told. Errors: none known.

    Arguments:
        series: as read.
        door: takes findings.
        of: what was paid for, such as "decisions".
    """
    reward = numeric(series, door, "--reward")
    known = np.isfinite(reward)
    if not known.any():
        raise AdjudgeError(f"{series.name}: no reward is known.", "At least one.", "Name another with --reward.")
    if not known.all():
        door.note(
            "rewards-missing",
            Severity.INFO,
            f"{int((~known).sum()):,} of {known.size:,} rewards are not known; their {of} serve the model alone.",
            number=float((~known).mean()),
            remedy="Nothing, if they are missing by chance alone.",
        )
    return reward


def tell_unknown(propensity: FloatArray, labelled: BoolArray, door: Door) -> None:
    """Labelled rows whose propensity nobody recorded, when others have one."""
    unknown = labelled & np.isnan(propensity)
    if unknown.any():
        door.note(
            "propensity-missing",
            Severity.WARNING,
            f"{unknown.sum():,} of {labelled.sum():,} labelled rows have no label propensity (first: "
            f"{door.place(int(np.argmax(unknown)))}).",
            number=float(unknown.sum()),
            remedy="Record the probability with which each labelled row was chosen.",
        )


def covariates(frame: pl.DataFrame, names: tuple[str, ...], door: Door) -> FloatArray:
    """[n, d] further known columns; a missing value becomes the column's mean, with a finding. Errors: all missing."""
    columns = []
    for name in names:
        values = numeric(frame[name], door, "--covariate")
        missing = np.isnan(values)
        if missing.all():
            raise AdjudgeError(f"{name}: all values are missing.", "A covariate is known.", "Leave it out.")
        if missing.any():
            door.note(
                "covariate-missing",
                Severity.WARNING,
                f"Covariate {name!r} is missing in {missing.sum():,} of {values.size:,} rows; its mean stands in.",
                number=float(missing.mean()),
                remedy="Fill the gaps, or leave the covariate out.",
            )
            values = np.where(missing, values[~missing].mean(), values)
        columns.append(values)
    return np.column_stack(columns) if columns else np.empty((frame.height, 0))
