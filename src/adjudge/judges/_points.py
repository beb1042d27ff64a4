"""Reads the points of a checklist, or the texts of a JSON list, out of a text."""

from __future__ import annotations

import json
import re

_BULLET = re.compile(r"^\s*(?:[-*•]\s*)?(?:\[[ xX]?\]\s*)?(?:\d{1,2}[.):]\s*)?")


def points(text: str) -> tuple[str, ...]:
    """The points of a checklist: a JSON list, or one a line with or without a bullet or number.

    >>> points("1. Is it right?\\n\\n- [ ] Does it say why?"), points('["a", "b"]')
    (('Is it right?', 'Does it say why?'), ('a', 'b'))
    """
    found = listed(text)
    given = found if found is not None else [_BULLET.sub("", line) for line in text.splitlines()]
    return tuple(point.strip() for point in given if point.strip())


def listed(text: str) -> list[str] | None:
    """The texts of a JSON list; None where the text is none.

    >>> listed('["4", "four"]'), listed("four")
    (['4', 'four'], None)
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        return [str(one) for one in json.loads(text)]
    except json.JSONDecodeError:
        return None
