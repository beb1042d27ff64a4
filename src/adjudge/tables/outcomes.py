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
from . import coding
from .numbers import Door, numeric

_LEFT = ("left", "l", "a", "model_a", "model a", "model_1", "model 1", "response_a", "response_1", "first")
_RIGHT = ("right", "r", "b", "model_b", "model b", "model_2", "model 2", "response_b", "response_2", "second")
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
_TIE += ("both bad", "both_bad", "both good", "both_good", "c", "a=b", "1/2-1/2", "½-½")
_NONE = ("", "none", "null", "nan", "n/a", "na", "abstain", "abstained", "error", "invalid", "skip", "skipped", "?")

WORDS: dict[str, float] = {
    **dict.fromkeys((*_LEFT, "a>b", "a>>b", "b<a", "b<<a", "left>right", "1-0"), 1.0),
    **dict.fromkeys((*_RIGHT, "b>a", "b>>a", "a<b", "a<<b", "right>left", "0-1"), 0.0),
    **dict.fromkeys(_TIE, 0.5),
    **dict.fromkeys(_NONE, np.nan),
}
"""What each word means; brackets as in `[[A]]` and capitals do not matter. Numbers are read by `CODINGS`, also when a
file holds them as text: 0 is a tie beside 1 and 2, and a win of the right side beside 1 alone."""

UNKNOWN = -1.0  # a word that has no meaning here
MOST_WORDS = 100_000

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
    sides = coding.ids(left).cast(pl.String), coding.ids(right).cast(pl.String)
    if series.dtype.is_numeric() or series.dtype == pl.Null:
        return _numbers_or_ids(series, *sides, door, option)
    text = coding.ids(series).cast(pl.String).alias(series.name)
    if missing:
        text = text.set(text.is_in(list(missing)).fill_null(False), None)
    distinct = text.unique().drop_nulls().head(MOST_WORDS)
    meaning = {word: WORDS.get(_plain(word), UNKNOWN) for word in distinct}
    strangers = [word for word, value in meaning.items() if value == UNKNOWN]
    as_number = distinct.str.strip_chars().cast(pl.Float64, strict=False)
    numbers = set(distinct.filter(as_number.is_not_null())) & set(strangers)
    if strangers and not {1.0, 0.0} & set(meaning.values()):
        if len(numbers) == len(strangers):
            return _numbers_and_ties(text, meaning, *sides, door, option)
        strangers = [word for word in strangers if word not in numbers]
    named = {name.strip() for side in sides for name in side.unique().drop_nulls()}
    if any(word.strip() in named for word in distinct):
        return _names(text, *sides, door, option)
    if not strangers:
        return _words(text, meaning, door)
    raise _unknown(text, strangers, door, option)


def _numbers_and_ties(
    text: pl.Series, meaning: dict[str, float], left: pl.Series, right: pl.Series, door: Door, option: str
) -> FloatArray:
    """Numbers written as text, and perhaps words for a tie or for no verdict among them."""
    words = {word: value for word, value in meaning.items() if value != UNKNOWN}
    plain = text.set(text.is_in(list(words)).fill_null(False), None)
    value = _numbers_or_ids(numeric(plain.alias(text.name), door, option), left, right, door, option, name=text.name)
    ties = text.is_in([word for word, meant in words.items() if meant == 0.5]).fill_null(False).to_numpy()
    return np.where(ties, 0.5, value)


def _numbers_or_ids(
    series: pl.Series | FloatArray, left: pl.Series, right: pl.Series, door: Door, option: str, name: str = ""
) -> FloatArray:
    """A coding or a probability, unless the numbers are those of the two policies in every row."""
    name = name or str(getattr(series, "name", ""))
    values = series if isinstance(series, np.ndarray) else numeric(series, door, option)
    sides = [side.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy() for side in (left, right)]
    known = np.isfinite(values)
    wins, loses = values == sides[0], values == sides[1]
    if not known.any() or not (wins | loses)[known].all():
        return _numbers(values, name, door, option)
    by_id = np.where(known, wins.astype(float), np.nan)
    distinct = set(np.unique(values[known]))
    coded = next((_coded(values, codes) for _, codes in CODINGS if distinct <= set(codes)), by_id)
    if (coded != by_id)[known & (left != right).to_numpy()].any():
        shown = ", ".join(f"{value:g}" for value in sorted(distinct))
        raise AdjudgeError(
            f"{name}: the values {shown} may be policies or codes of the sides; the two readings differ.",
            "Verdicts that can be read in one way.",
            "Write left, right and tie, or give the policies names that are no numbers.",
        )
    return by_id


def _coded(values: FloatArray, codes: dict[float, float]) -> FloatArray:
    out = np.full(values.size, np.nan)
    for code, meaning in codes.items():
        out[values == code] = meaning
    return out


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
    """Winners by name, blanks around it aside; a tie or an abstention may be a word."""
    words = {word: WORDS.get(_plain(word), UNKNOWN) for word in text.unique().drop_nulls().head(MOST_WORDS)}
    exact = ((text == left) | (text == right)).fill_null(False)
    bare = [series.str.strip_chars() for series in (text, left, right)]
    wins, loses = (
        (exact & (text == side)).fill_null(False) | (~exact & (bare[0] == bare_side)).fill_null(False)
        for side, bare_side in ((left, bare[1]), (right, bare[2]))
    )
    tie = text.is_in([word for word, value in words.items() if value == 0.5]).fill_null(False)
    absent = text.is_null() | text.is_in([word for word, value in words.items() if np.isnan(value)]).fill_null(False)
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
    _tell_ambiguous(text, words, np.asarray(value, dtype=float), left, right, door)
    return np.asarray(value, dtype=float)


def _tell_ambiguous(
    text: pl.Series, words: dict[str, float], value: FloatArray, left: pl.Series, right: pl.Series, door: Door
) -> None:
    """That a policy's name is also a word for a side, and the sides would give other winners."""
    if UNKNOWN in words.values():
        return
    as_sides = text.replace_strict(words, default=None, return_dtype=pl.Float64).fill_null(np.nan).to_numpy()
    turned = int((np.isfinite(value) & (as_sides != value) & (left != right).to_numpy()).sum())
    if turned:
        shown = " and ".join(repr(word) for word, meant in sorted(words.items()) if meant in (0.0, 1.0))
        door.note(
            "outcome-ambiguous",
            Severity.WARNING,
            f"Column {text.name!r} holds {shown}, read as names of policies; read as sides, {turned:,} of "
            f"{text.len():,} verdicts would turn.",
            number=float(turned),
            remedy="If sides are meant, give the policies other names, or write left and right.",
        )


def _numbers(values: FloatArray, name: str, door: Door, option: str) -> FloatArray:
    """Verdicts coded as numbers, or the probability that left won."""
    known = values[np.isfinite(values)]
    distinct = np.unique(known[:1000])
    if distinct.size <= 4:
        distinct = np.unique(known)
    for words, codes in CODINGS:
        if set(distinct) <= set(codes):
            if words != CODINGS[0][0]:
                door.note("outcome-read", Severity.INFO, f"Column {name!r} was read as {words}.", remedy="")
            return _coded(values, codes)
    if known.min() >= 0 and known.max() <= 1:
        door.note("outcome-read", Severity.INFO, f"Column {name!r} was read as the probability that left is better.")
        return values
    raise AdjudgeError(
        f"{name}: the verdicts run from {known.min():g} to {known.max():g}.",
        f"A coding such as {' or '.join(words for words, _ in CODINGS)}, a probability that left wins, or the number "
        "of the winner.",
        f"Recode the column, or name another with {option}.",
    )


def _unknown(text: pl.Series, words: list[str], door: Door, option: str) -> AdjudgeError:
    hit = text.is_in(words).fill_null(False)
    shown = ", ".join(repr(word[:40]) for word in sorted(words)[:5]) + (" …" if len(words) > 5 else "")
    say = f"Say which mean that there is no verdict with --missing {shlex.quote(sorted(words)[0])}, drop"
    return AdjudgeError(
        f"{text.name}: {int(hit.sum()):,} of {text.len():,} verdicts cannot be read: {shown} "
        f"(first: {door.place(int(hit.arg_max() or 0))}).",
        "Words such as left, right, tie (or model_a, model_b; A, B), numbers, or the winner's name.",
        f"{say if option == '--outcome' else 'Drop'} the rows with --where, or name another column with {option}.",
    )
