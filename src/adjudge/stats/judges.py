"""Which score columns a method reads."""

from __future__ import annotations

from ..errors import AdjudgeError
from ..tables.ratings import Ratings


def judge_columns(ratings: Ratings, judge: str | None = None) -> tuple[int, ...]:
    """Position of one judge's score column: the named one, or the first."""
    if not ratings.judges:
        raise AdjudgeError(
            "ratings: there is no judge score column.",
            "This method corrects judge scores by labels.",
            "Name the column with --judge, or use value.labels_only.",
        )
    if judge is None:
        return (0,)
    if judge not in ratings.judges:
        raise AdjudgeError(
            f"ratings: no score column is named {judge!r}.",
            f"Judges here: {', '.join(ratings.judges)}.",
            "Name one of them.",
        )
    return (ratings.judges.index(judge),)
