"""Turns whatever Python holds (lists, arrays, mixed values) into Polars columns without losing a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ..errors import AdjudgeError


def column(name: str, values: Any) -> pl.Series:
    """One column; values of several types become text, so that a later check can name the first odd one.

    >>> column("a", [1, None, 2.5]).to_list()
    [1.0, None, 2.5]
    >>> column("a", [0.5, "n/a"]).to_list()
    ['0.5', 'n/a']
    """
    if isinstance(values, pl.Series):
        return values.alias(name)
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise AdjudgeError(
                f"Column {name!r} is an array of shape {values.shape}.",
                "A column has one dimension.",
                "Give one array for each column.",
            )
        if values.dtype.kind in "biuf":
            return pl.Series(name, values if values.dtype != np.float16 else values.astype(np.float32))
        if values.dtype.kind == "U":
            return pl.Series(name, values)
        values = values.tolist()
    elif not isinstance(values, (list, tuple)):
        values = _listed(name, values)
    try:
        return pl.Series(name, values, strict=True)
    except (TypeError, OverflowError, UnicodeEncodeError, pl.exceptions.PolarsError):
        return _mixed(name, list(values))


def _listed(name: str, values: Any) -> list[Any]:
    """Anything that can be walked through once, such as a pandas or Arrow column."""
    if hasattr(values, "to_pylist"):
        return list(values.to_pylist())
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
        return list(values)
    raise AdjudgeError(
        f"Column {name!r} holds a single {type(values).__name__}.",
        "A column is a sequence with one value for each row.",
        "Repeat the value for every row.",
    )


def _mixed(name: str, values: list[Any]) -> pl.Series:
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if all(value is None or isinstance(value, (bool, int, float)) for value in plain):
        return pl.Series(name, [None if value is None else float(value) for value in plain], dtype=pl.Float64)
    text = [None if value is None else str(value) for value in plain]
    try:
        return pl.Series(name, text, dtype=pl.String)
    except UnicodeEncodeError as problem:
        row = next(row for row, value in enumerate(text) if value is not None and not value.isprintable())
        raise AdjudgeError(
            f"{name}: a value is no text ({problem.reason}; near row {row}).", "Unicode text.", "Write it as UTF-8."
        ) from None


def from_records(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pl.DataFrame:
    """The named columns of a list of dicts; a key that a row lacks is null there."""
    return pl.DataFrame([column(name, [row.get(name) for row in rows]) for name in names])


def record_names(rows: Sequence[Any]) -> tuple[str, ...]:
    """All keys of a list of dicts, in order of first appearance."""
    for number, row in enumerate(rows):
        if not isinstance(row, Mapping):
            raise AdjudgeError(
                f"Row {number} is {_shown(row)}.",
                "Each row is an object with one value for each column.",
                'Write rows such as {"policy": "a", "prompt_id": 1, "judge_score": 0.7}.',
            )
    seen = dict.fromkeys(rows[0]) if rows else {}
    for row in rows:
        if row.keys() - seen.keys():
            seen.update(dict.fromkeys(row))
    return tuple(str(name) for name in seen)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def from_arrays(arrays: Mapping[str, Any], names: Sequence[str]) -> pl.DataFrame:
    """The named columns of a mapping of equally long sequences."""
    columns = [column(name, arrays[name]) for name in names]
    lengths = {series.name: series.len() for series in columns}
    if len(set(lengths.values())) > 1:
        raise AdjudgeError(
            "The columns differ in length: "
            + ", ".join(f"{name} {length:,}" for name, length in lengths.items())
            + ".",
            "Each column has one value for each row.",
            "Cut or fill them to one length.",
        )
    return pl.DataFrame(columns)
