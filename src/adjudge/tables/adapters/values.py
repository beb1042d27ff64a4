"""What the logs of different tools write in the same way: numbers in disguise, and gold labels in metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..columns import USUAL

_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def number(value: Any) -> float | None:
    """A score as a number; None where it is none.

    >>> number(True), number("0.5"), number("yes"), number([1]), number("great")
    (1.0, 0.5, 1.0, None, None)
    """
    if isinstance(value, (bool, int, float)):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        return _WORDS[value.lower()] if value.lower() in _WORDS else float(value)
    except ValueError:
        return None


def gold_of(metadata: object) -> dict[str, float | None]:
    """The gold label in a record's metadata, under the first usual name that stands there.

    >>> gold_of({"human_label": "yes"}), gold_of({"difficulty": 3}), gold_of(None)
    ({'gold': 1.0}, {}, {})
    """
    if isinstance(metadata, Mapping):
        for name in (name for group in USUAL["gold"] for name in group):
            if name in metadata:
                return {"gold": number(metadata[name])}
    return {}
