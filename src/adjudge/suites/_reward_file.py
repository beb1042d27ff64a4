"""Reads files of reward-model scores: one file a model, or a folder of them; rows as objects or column by column.

A file is a list of objects, one object a line, or one object of equally long lists (the form of saved results). The
model is the field `model` of a row, else the name of the file. What rows share is their item: the field `item`, else
`prompt`, else `problem`, else `id`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.json_lines import records

ITEM = ("item", "prompt", "problem", "id")
SHARE = 0.01  # rows without a score, or with a tie, that deserve a word

Row = tuple[str, str, str, dict[str, Any]]
"""Model, item, place in words, and the object itself."""


def rows(path: Path | str, required: Sequence[str]) -> list[Row]:
    """All rows of a file, or of the .json and .jsonl files of a folder.

    Errors: no file; a row without the required fields, or without an item.
    """
    path = Path(path)
    files = sorted(each for ending in ("*.jsonl", "*.json") for each in path.glob(ending)) if path.is_dir() else [path]
    if not files:
        raise AdjudgeError(f"There is no .jsonl or .json file in {path}.", "MODEL.json.", "Correct the path.")
    made: list[Row] = []
    for file in files:
        for number, one in enumerate(_upright(file, records(file, required), required), start=1):
            where = f"{file.name}: row {number:,}"
            known = next((one[name] for name in ITEM if one.get(name) is not None), None)
            if known is None:
                raise AdjudgeError(f"{where} has none of {', '.join(ITEM)}.", "What the row is about.", "Add one.")
            item = known if isinstance(known, str) else json.dumps(known, sort_keys=True)
            made.append((str(one.get("model") or file.stem), item, where, one))
    return made


def _upright(file: Path, found: list[dict[str, Any]], required: Sequence[str]) -> list[dict[str, Any]]:
    """One object of columns as rows; rows as they are."""
    if len(found) != 1 or not required or not isinstance(found[0][required[0]], list):
        return found
    columns = {name: column for name, column in found[0].items() if isinstance(column, list)}
    if len({len(column) for column in columns.values()}) != 1:
        raise AdjudgeError(f"{file.name}: its columns differ in length.", "One entry a row in each.", "Write it again.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def number(value: Any, where: str) -> float:
    """A score; NaN for null.

    Errors: no number.

    >>> number(2, "row 1"), number(None, "row 2")
    (2.0, nan)
    """
    if isinstance(value, list) and len(value) == 1:  # as some classifiers return them
        value = value[0]
    if value is None:
        return float("nan")
    if not isinstance(value, int | float):
        raise AdjudgeError(
            f"{where} holds the score {str(value)[:40]!r}.", "A number, or null for none.", "Correct it."
        )
    return float(value)


def numbers(value: Any, where: str) -> FloatArray:
    """A list of scores [m]; errors as of `number`."""
    if not isinstance(value, list) or not value:
        raise AdjudgeError(f"{where} holds {str(value)[:40]!r}.", "A list of scores.", "Correct it.")
    return np.array([number(each, where) for each in value])


def coded(column: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """Names in their order, and [n] positions in them."""
    names, code = np.unique(np.asarray(column, dtype=object).astype(str), return_inverse=True)
    return tuple(names.tolist()), code.astype(np.int64).ravel()


def told(names: Sequence[str], model: IntArray, share: FloatArray, what: str) -> tuple[Finding, ...]:
    """A finding for each model of whose rows too many have no score (`missing`) or a tie (`tied`).

    Arguments:
        names: of the models; `model` [n] positions in them.
        share: [n] of each row, 0 to 1.
        what: `missing` or `tied`.
    """
    means = np.bincount(model, share, minlength=len(names)) / np.maximum(np.bincount(model, minlength=len(names)), 1)
    words, remedy = {
        "missing": ("of the scores of {} are missing; each counts as an error.", "Score those answers again."),
        "tied": ("of the comparisons of {} are tied; each counts as an error.", "Take scores in a finer scale."),
    }[what]
    return tuple(
        Finding(
            f"scores-{what}",
            Severity.WARNING if part > 5 * SHARE else Severity.INFO,
            f"{100 * part:.1f} % {words.format(name)}",
            float(part),
            SHARE,
            remedy,
            (name,),
        )
        for name, part in zip(names, means, strict=True)
        if part > SHARE
    )
