"""What one row of a preference file says: texts out of strings or messages, pairs out of ranked lists."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

from ..errors import AdjudgeError

BOTH = (
    ("chosen", "rejected"),
    ("response_a", "response_b"),
    ("response_1", "response_2"),
    ("response1", "response2"),
    ("left", "right"),
)
USUAL = {
    "prompt": ("prompt", "question", "instruction", "context"),
    "outcome": ("outcome", "winner", "preferred", "preference", "chosen_probability"),
    "strength": ("preference_strength", "strength", "margin"),
    "annotator": ("annotator", "annotator_id", "source", "dataset"),
    "cluster": ("cluster", "prompt_id"),
    "weight": ("weight",),
    "flip": ("flip", "flip_rate"),
    "left_rating": ("score_chosen",),
    "right_rating": ("score_rejected",),
    "completions": ("completions", "responses"),
    "ranks": ("ranks", "ranking", "rank"),
    "scores": ("scores", "ratings"),
    "completion": ("completion", "response"),
    "label": ("label", "score"),
}
_TURN = re.compile(r"\n\n(?:Assistant|Human):")


@dataclass(frozen=True, slots=True)
class Row:
    """A pair, or a response alone.

    Arguments:
        at: row of the frame.
        prompt, left, right: texts; right is None for a response alone.
        outcome: probability that the left is better; NaN where nobody compared.
        margin: how much better the better one is.
        rating: of each.
        turns: the prompt as (role, text) turns, where it is a conversation.
    """

    at: int
    prompt: str
    left: str
    right: str | None
    outcome: float
    margin: float = math.nan
    rating: tuple[float, float] = (math.nan, math.nan)
    turns: tuple[tuple[str, str], ...] = ()


def rows_of(frame: pl.DataFrame, used: dict[str, str]) -> list[Row]:
    """The rows of a frame, by the columns that play the parts."""
    wanted = [name for part, name in used.items() if part in _READ]
    made: list[Row] = []
    for at, record in enumerate(frame.select(list(dict.fromkeys(wanted))).iter_rows(named=True)):
        cell = {part: record[name] for part, name in used.items() if part in _READ}
        if "left" in used:
            made.append(_pair(at, cell))
        elif "completions" in used:
            made.extend(_ranked(at, cell))
        else:
            rating = _number(cell["label"])
            made.append(
                Row(at, text_of(cell.get("prompt")), text_of(cell["completion"]), None, math.nan, math.nan,
                    (rating, math.nan), turns_of(cell.get("prompt")))
            )  # fmt: skip
    return made


_READ = ("prompt", "left", "right", "left_rating", "right_rating", "completions", "ranks", "scores", "completion",
         "label")  # fmt: skip


def _pair(at: int, cell: dict[str, Any]) -> Row:
    prompt, left, right = cell.get("prompt"), cell["left"], cell["right"]
    if not text_of(prompt):
        prompt, left, right = _apart(left, right)
    rating = _number(cell.get("left_rating")), _number(cell.get("right_rating"))
    return Row(at, text_of(prompt), text_of(left), text_of(right), 1.0, math.nan, rating, turns_of(prompt))


def _ranked(at: int, cell: dict[str, Any]) -> Iterator[Row]:
    """Every pair of a list whose order is known; a lower rank, or a higher score, is better."""
    texts = [text_of(each) for each in cell["completions"] or ()]
    scores = [_number(each) for each in cell.get("scores") or ()]
    merit = scores or [-_number(each) for each in cell.get("ranks") or ()]
    if len(merit) != len(texts):
        raise AdjudgeError(
            f"Row {at}: {len(texts)} responses with {len(merit)} ranks or scores.",
            "One for each response of the list.",
            "Correct the row, or drop it with --where.",
        )
    prompt, turns = text_of(cell.get("prompt")), turns_of(cell.get("prompt"))
    for first, second in combinations(range(len(texts)), 2):
        lead = merit[first] - merit[second]
        if not math.isnan(lead):
            rating = (scores[first], scores[second]) if scores else (math.nan, math.nan)
            outcome = 0.5 + 0.5 * ((lead > 0) - (lead < 0))
            yield Row(at, prompt, texts[first], texts[second], outcome, abs(lead) if scores else math.nan, rating,
                      turns)  # fmt: skip


def text_of(cell: object) -> str:
    """A text, or the contents of a list of messages.

    >>> text_of([{"role": "user", "content": "Hello"}])
    'Hello'
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dict):
        return text_of(cell.get("content", cell.get("text", json.dumps(cell, ensure_ascii=False))))
    if isinstance(cell, Sequence):
        return "\n\n".join(text_of(each) for each in cell)
    return str(cell)


def turns_of(cell: object) -> tuple[tuple[str, str], ...]:
    """The (role, text) turns of a conversation; () of anything else.

    >>> turns_of([{"role": "user", "content": "Hello"}])
    (('user', 'Hello'),)
    """
    if not isinstance(cell, list) or not all(isinstance(each, dict) and "role" in each for each in cell):
        return ()
    return tuple((str(each["role"]), text_of(each)) for each in cell)


def _apart(left: Any, right: Any) -> tuple[Any, Any, Any]:
    """The prompt that two responses share, and what is left of each: whole messages, or text up to the last turn."""
    if isinstance(left, str) and isinstance(right, str):
        least = min(len(left), len(right))
        shared = left[: next((at for at in range(least) if left[at] != right[at]), least)]
        turns = [found.end() for found in _TURN.finditer(shared)]
        cut = turns[-1] if turns else 0
        return left[:cut].strip(), left[cut:].strip(), right[cut:].strip()
    if isinstance(left, list) and isinstance(right, list):
        same = 0
        while same < min(len(left), len(right)) - 1 and left[same] == right[same]:
            same += 1
        return left[:same], left[same:], right[same:]
    return "", left, right


def _number(cell: object) -> float:
    """A number, or NaN for none."""
    if cell is None or cell == "":
        return math.nan
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise AdjudgeError(
            f"A rating, rank or label is {str(cell)[:40]!r}.", "A number, true or false.", "Correct the file."
        ) from None
