"""Reads a published file of JSON objects, one a line, in a list or by name, and says what which of them lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import AdjudgeError
from .files import document, json_rows, reading, require_readable, unzipped


def records(path: Path | str, required: Sequence[str]) -> list[dict[str, Any]]:
    """The objects of a JSONL or JSON file.

    Arguments:
        path: file; `.gz` is unzipped.
        required: fields that every object has.

    Errors: a file that is not there, empty or no JSON; a line that is no object, or lacks a field.
    """
    path = Path(path)
    require_readable(path)
    with reading(path), unzipped(path) as file:
        content = file.read()
        text = content.decode("utf-8-sig")
    if text.lstrip().startswith("["):
        try:
            found: list[Any] = json.loads(text)
        except json.JSONDecodeError as problem:
            raise AdjudgeError(
                f"{path.name} is no JSON ({problem}).", "One list of objects, or one object a line.", "Write it again."
            ) from None
    else:
        found = json_rows(path, content)
    for number, row in enumerate(found, start=1):
        lacking = [name for name in required if name not in row] if isinstance(row, dict) else list(required)
        if lacking or not isinstance(row, dict):
            raise AdjudgeError(
                f"{path.name}: object {number:,} has no {', '.join(lacking) or 'fields'}.",
                f"Every object has {', '.join(required)}.",
                "Is this the file of another benchmark? Correct the file or the path.",
            )
    if not found:
        raise AdjudgeError(f"{path.name}: it holds no object.", "One JSON object a line.", "Write the file again.")
    return found


def keyed(path: Path | str, by: str) -> dict[str, Any]:
    """The object of a JSON file.

    Arguments:
        path: file; `.gz` is unzipped.
        by: what its fields are the names of, such as "question id".

    Errors: a file that is not there, empty or no JSON; anything but an object with fields.
    """
    path = Path(path)
    found = document(path)
    if not isinstance(found, dict) or not found:
        raise AdjudgeError(
            f"{path.name}: it holds no object by {by}.", 'Such as {"NAME": …}, not empty.', "Is it another file?"
        )
    return found
