"""Counts as they stand in a sentence."""

from __future__ import annotations


def counted(number: float, one: str, many: str = "") -> str:
    """A number of things, with the word for one or for several.

    Arguments:
        number: how many, a whole number.
        one: the word for one thing, as "row", or "row has".
        many: for any other number; `one` and an s where "".

    >>> counted(1, "step"), counted(4200, "step"), counted(0, "policy", "policies")
    ('1 step', '4,200 steps', '0 policies')
    """
    return f"{number:,.0f} {one if number == 1 else many or f'{one}s'}"
