"""One exception, in three parts: what was found, what was expected, what to do."""

from __future__ import annotations


class AdjudgeError(ValueError):
    """The impossible: nothing sensible can be computed from what was given.

    Doubtful input is not an error but a `Finding`.

    Arguments:
        found: what stands there, with the column, the count and the first offending row or value.
        expected: what would have been right, and why.
        do: the line to type or the change to make.

    >>> raise AdjudgeError("ratings.weight: 2 of 9 rows are negative (first: row 4).",
    ...                    "A row weight counts repetitions, so it must be >= 0.",
    ...                    "Drop the rows with --where 'weight >= 0'.")
    Traceback (most recent call last):
    ...
    adjudge.errors.AdjudgeError: ratings.weight: 2 of 9 rows are negative (first: row 4). \
A row weight counts repetitions, so it must be >= 0. Drop the rows with --where 'weight >= 0'.
    """

    def __init__(self, found: str, expected: str, do: str) -> None:
        super().__init__(f"{found} {expected} {do}")
        self.found = found
        self.expected = expected
        self.do = do

    def __reduce__(self) -> tuple[type[AdjudgeError], tuple[str, str, str]]:
        return type(self), (self.found, self.expected, self.do)
