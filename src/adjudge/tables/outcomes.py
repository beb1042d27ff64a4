"""Reads who won: words, signs, numbers or the winner's name become 1 (left), 0.5 (tie), 0 (right) or NaN (no verdict).

A value that cannot be read is an error that names it. Taking it for a tie, as is often done, can reverse a ranking.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection

import numpy as np
import polars as pl

from .._typing import FloatArray
from ..core.finding import Severity
from ..errors import AdjudgeError
from .numbers import Door, numeric

_LEFT = ("left", "l", "a", "model_a", "model a", "model_1", "model 1", "response_a", "response_1", "first", "1")
_RIGHT = ("right", "r", "b", "model_b", "model b", "model_2", "model 2", "response_b", "response_2", "second", "2")
_TIE: tuple[str, ...] = (
    "tie",
    "ties",
    "tied",
    "draw",
    "equal",
    "same",
    "both",
    "neither",
    "tie (bothbad)",
    "tie_bothbad",
    "bothbad",
)
_TIE += ("both bad", "both_bad", "both good", "both_good", "c", "0", "0.5", "a=b", "1/2-1/2", "½-½")
_NONE = ("", "none", "null", "nan", "n/a", "na", "abstain", "abstained", "error", "invalid", "skip", "skipped", "?")

WORDS: dict[str, float] = {
    **dict.fromkeys((*_LEFT, "a>b", "a>>b", "b<a", "b<<a", "left>right", "1-0"), 1.0),
    **dict.fromkeys((*_RIGHT, "b>a", "b>>a", "a<b", "a<<b", "right>left", "0-1"), 0.0),
    **dict.fromkeys(_TIE, 0.5),
    **dict.fromkeys(_NONE, np.nan),
}
"""What each word means; brackets as in `[[A]]` and capitals do not matter."""

#: Numeric codings, by their set of values: what each value means. The first that holds them all is taken.
CODINGS: tuple[tuple[str, dict[float, float]], ...] = (
    ("1 left, 0.5 tie, 0 right", {1.0: 1.0, 0.5: 0.5, 0.0: 0.0}),
    ("1 left, 0 tie, -1 right", {1.0: 1.0, 0.0: 0.5, -1.0: 0.0}),
    ("1 left, 2 right, 0 tie", {1.0: 1.0, 2.0: 0.0, 0.0: 0.5}),
    ("1 left, 2 right, 3 tie", {1.0: 1.0, 2.0: 0.0, 3.0: 0.5}),
)


def outcomes(
    series: pl.Series,
    left: pl.Series,
    right: pl.Series,
    door: Door,
    *,
    missing: Collection[str] = (),
    option: str = "--outcome",
) -> FloatArray:
    """[n] outcomes of a column of verdicts.

    Arguments:
        series: verdicts in one of the forms above, or names of the winners.
        left, right: names of the policies compared.
        door: takes the findings.
        missing: further words that mean that there is no verdict.
        option: that names the column, for errors.

    Errors: a value that cannot be read, or a winner that did not take part.
    """
    if series.dtype == pl.Boolean:
        return numeric(series, door, option)
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return _numbers(numeric(series, door, option), series.name, door, option)
    text = series.cast(pl.String)
    if missing:
        text = text.set(text.is_in(list(missing)).fill_null(False), None)
    distinct = text.unique().drop_nulls()
    named = {*left.unique().cast(pl.String), *right.unique().cast(pl.String)}
    if any(word.strip() in named for word in distinct.head(100_000)):
        return _names(text.str.strip_chars(), left.cast(pl.String), right.cast(pl.String), door, option)
    meaning = {word: WORDS.get(_plain(word), -1.0) for word in distinct.head(100_000)}
    if -1.0 not in meaning.values():
        return _words(text, meaning, door)
    as_number = distinct.cast(pl.Float64, strict=False)
    if not bool(as_number.is_null().any()):
        return _numbers(numeric(text.alias(series.name), door, option), series.name, door, option)
    raise _unknown(text, [word for word, value in meaning.items() if value == -1.0], door, option)


def _plain(word: str) -> str:
    return word.strip().strip("[]()").strip().lower() if not word.lower().startswith("tie (") else word.lower()


def _words(text: pl.Series, meaning: dict[str, float], door: Door) -> FloatArray:
    strong = sum(word.count(">>") + word.count("<<") > 0 for word in meaning)
    if strong:
        door.note(
            "strength-not-used",
            Severity.INFO,
            f"Column {text.name!r} tells strong wins from narrow ones; a win counts once, however strong.",
            remedy="Give --weight a column of weights if strong wins should count for more.",
        )
    value = text.replace_strict(meaning, default=None, return_dtype=pl.Float64) if meaning else text.cast(pl.Float64)
    return value.fill_null(np.nan).to_numpy()


def _names(text: pl.Series, left: pl.Series, right: pl.Series, door: Door, option: str) -> FloatArray:
    """Winners by name; a tie or an abstention may be a word."""
    rest = {word: WORDS.get(_plain(word), -1.0) for word in text.unique().drop_nulls().head(100_000)}
    ties = [word for word, value in rest.items() if value == 0.5]
    none = [word for word, value in rest.items() if np.isnan(value)]
    wins, loses = (text == left).fill_null(False), (text == right).fill_null(False)
    tie, absent = text.is_in(ties).fill_null(False), text.is_null() | text.is_in(none).fill_null(False)
    lost = ~(wins | loses | tie | absent)
    if bool(lost.any()):
        first = int(lost.arg_max() or 0)
        raise AdjudgeError(
            f"{text.name}: {int(lost.sum()):,} of {text.len():,} winners did not take part "
            f"(first: {door.place(first)}, "
            f"{str(text[first])[:40]!r} between {str(left[first])[:40]!r} and {str(right[first])[:40]!r}).",
            "The winner is one of the two that were compared, or a word such as tie.",
            f"Correct the rows, drop them with --where, or name another column with {option}.",
        )
    value = np.where(wins.to_numpy(), 1.0, np.where(loses.to_numpy(), 0.0, np.where(tie.to_numpy(), 0.5, np.nan)))
    return np.asarray(value, dtype=float)


def _numbers(values: FloatArray, name: str, door: Door, option: str) -> FloatArray:
    """Verdicts coded as numbers, or the probability that left won."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known[:1000])
    if distinct.size <= 4:
        distinct = np.unique(known)
    for words, coding in CODINGS:
        if set(distinct) <= set(coding):
            if words != CODINGS[0][0]:
                door.note("outcome-read", Severity.INFO, f"Column {name!r} was read as {words}.", remedy="")
            out = np.full(values.size, np.nan)
            for code, meaning in coding.items():
                out[values == code] = meaning
            return out
    if known.min() >= 0 and known.max() <= 1:
        door.note("outcome-read", Severity.INFO, f"Column {name!r} was read as the probability that left is better.")
        return values
    raise AdjudgeError(
        f"{name}: the verdicts run from {known.min():g} to {known.max():g}.",
        f"A coding such as {' or '.join(words for words, _ in CODINGS)}, or a probability that left wins.",
        f"Recode the column, or name another with {option}.",
    )


def _unknown(text: pl.Series, words: list[str], door: Door, option: str) -> AdjudgeError:
    hit = text.is_in(words).fill_null(False)
    shown = ", ".join(repr(word[:40]) for word in sorted(words)[:5]) + (" …" if len(words) > 5 else "")
    return AdjudgeError(
        f"{text.name}: {int(hit.sum()):,} of {text.len():,} verdicts cannot be read: {shown} "
        f"(first: {door.place(int(hit.arg_max() or 0))}).",
        "Words such as left, right, tie (or model_a, model_b; A, B), numbers, or the winner's name.",
        f"Say which mean that there is no verdict with --missing {shlex.quote(sorted(words)[0])}, drop the rows with "
        f"--where, or name another column with {option}.",
    )
