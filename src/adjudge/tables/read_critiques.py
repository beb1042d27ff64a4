"""The door for critics: a long table, one row for each critic's word on one answer, becomes checked `Critiques`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from .._typing import FloatArray
from . import coding, numbers
from .columns import Names, as_names, require
from .critiques import Critiques, critiques
from .numbers import Door
from .parts import parts
from .read import take, whole
from .sources import open_source

_USUAL = {
    "item": ("item", "item_id", "prompt_id", "question_id", "task_id", "example_id", "episode", "id"),
    "critic": ("critic", "critic_model", "judge", "rater", "gate", "detector"),
    "correct": ("correct", "is_correct", "answer_correct", "final_answer_correct", "gold"),
    "verdict": ("verdict", "critic_verdict", "judgement", "judgment"),
    "sample": ("sample", "draw", "answer_index"),
    "answer": ("answer", "final_answer"),
    "suggested": ("suggested", "suggestion_correct"),
    "success": ("success", "succeeded", "solved"),
    "steps": ("steps", "n_steps", "episode_length"),
}
_REFINED = ("refined", "refined_correct", "correct_after")
_NEEDED = ("item", "critic")
_TEXTS = ("item", "critic", "answer")


def read(
    source: object,
    *,
    item: str | None = None,
    critic: str | None = None,
    correct: str | None = None,
    verdict: str | None = None,
    refined: Names = None,
    sample: str | None = None,
    answer: str | None = None,
    suggested: str | None = None,
    success: str | None = None,
    steps: str | None = None,
    cluster: str | None = None,
    weight: str | None = None,
    where: str | None = None,
) -> Critiques:
    """Reads, checks and codes a table of critiques.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        item, critic: columns of ids; None takes a usual name.
        correct, verdict, sample, answer, suggested, success, steps: columns as in `tables.critiques.critiques`, 1 or
            true, 0 or false, empty; None takes a usual name where there is one.
        refined: column, or several, of whether rewritten answers are right; one column may hold lists. None takes
            `refined`, `refined_correct` or `correct_after`, and those that go on with `_1`, `_2` …
        cluster: column of the independent unit; None means the item.
        weight: column of how many equal rows the row stands for, >= 0.
        where: SQL condition on any column.

    Errors: a table that cannot be read; columns or ids that are missing; values out of range.

    >>> made = read({"question_id": [7, 8], "critic": ["c", "c"], "correct": [True, False], "verdict": [1, None],
    ...              "refined": [[1, 1], [0, 1]]})
    >>> made.items, made.verdict.tolist(), made.refined.tolist()
    (('7', '8'), [1.0, nan], [[1.0, 1.0], [0.0, 1.0]])
    """
    opened = open_source(source)
    given = {"item": item, "critic": critic, "correct": correct, "verdict": verdict, "sample": sample, "answer": answer,
             "suggested": suggested, "success": success, "steps": steps}  # fmt: skip
    used = parts(opened.names, given, _USUAL, needed=_NEEDED)
    after = [require(opened.names, name, "--refined") for name in as_names(refined)] or _rewritten(opened.names)
    more = {part: require(opened.names, name, f"--{part}") for part, name in (("cluster", cluster), ("weight", weight))
            if name is not None}  # fmt: skip
    columns = tuple(dict.fromkeys(name for name in (*used.values(), *after, *more.values()) if name))
    frame = take(opened, columns, where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    made: dict[str, Any] = {}
    for part, name in used.items():
        if name:
            made[part] = (
                _texts(frame[name], part, door) if part in _TEXTS else numbers.numeric(frame[name], door, f"--{part}")
            )
    if after:
        made["refined"] = np.column_stack([_numbers(frame[name], door) for name in after])
    if "cluster" in more:
        made["cluster"] = _texts(frame[more["cluster"]], "cluster", door)
    if "weight" in more:
        made["weight"] = numbers.weights(frame[more["weight"]], frame.height, door)
    return critiques(made.pop("item"), made.pop("critic"), **made)


def _rewritten(names: Sequence[str]) -> list[str]:
    """The usual columns of rewritten answers, in the order of their numbers."""
    found = [name for name in _REFINED if name in names][:1]
    numbered = [(stem, name) for stem in _REFINED for name in names if name.removeprefix(f"{stem}_").isdigit()]
    stem = numbered[0][0] if numbered else ""
    return found or sorted((name for own, name in numbered if own == stem), key=lambda name: int(name[len(stem) + 1 :]))


def _texts(series: pl.Series, part: str, door: Door) -> list[str]:
    ids = coding.ids(series).cast(pl.String)
    return [text or "" for text in (ids if part == "answer" else whole(ids, part, door)).to_list()]


def _numbers(series: pl.Series, door: Door) -> FloatArray:
    """[n] or [n, K] numbers; shorter lists are filled up with NaN."""
    if not isinstance(series.dtype, pl.List | pl.Array):
        return numbers.numeric(series, door, "--refined")
    lists = [[] if row is None else list(row) for row in series.to_list()]
    width = max((len(row) for row in lists), default=0)
    flat = pl.Series(series.name, [one for row in lists for one in (*row, *[None] * (width - len(row)))])
    return numbers.numeric(flat, door, "--refined").reshape(len(lists), width)
