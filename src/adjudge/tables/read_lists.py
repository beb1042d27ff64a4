"""The door for ranked lists and for prompts alone, in the column conventions of the ecosystem.

    completions and ranks       a list a row; the gain is how many places a response stands above the last
    completions and scores      a list a row; the gain is the score
    prompt                      what is sampled for

A prompt may be a text or a list of {"role", "content"} messages, whose turns are kept for a chat template. Limits:
gains of ranks say which is better, not by how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._typing import FloatArray, Prompt
from ..errors import AdjudgeError
from . import numbers
from ._preference_rows import USUAL, text_of, turns_of
from .columns import listing
from .numbers import Door
from .parts import parts
from .ranked_lists import RankedLists
from .read import take
from .sources import open_source


@dataclass(frozen=True, slots=True)
class Asked:
    """Prompts alone.

    Arguments:
        prompts: [n] texts, or (role, text) turns.
        items: [n] names.
        demonstrations: [n] a teacher's response to each; () for none.
    """

    prompts: tuple[Prompt, ...]
    items: tuple[str, ...]
    demonstrations: tuple[str, ...] = ()


def read(
    source: object,
    *,
    prompt: str | None = None,
    completions: str | None = None,
    ranks: str | None = None,
    scores: str | None = None,
    weight: str | None = None,
    flip: float = 0.0,
    where: str | None = None,
) -> RankedLists:
    """Reads and checks lists of responses.

    Arguments:
        source: as `tables.read_preferences.read` takes it.
        prompt, completions, ranks, scores, weight: columns; None takes a usual name where there is one. Scores go
            before ranks.
        flip: rate below ½ at which lists were turned upside down.
        where: SQL condition on any column.

    Errors: a table that cannot be read; no such columns; lists whose lengths differ.

    >>> made = read([{"prompt": "1+1?", "completions": ["2", "3", "two"], "ranks": [1, 3, 2]}])
    >>> made.gain[0].tolist()
    [2.0, 0.0, 1.0]
    """
    opened = open_source(source)
    given = {"prompt": prompt, "completions": completions, "ranks": ranks, "scores": scores, "weight": weight}
    used = parts(opened.names, given, USUAL)
    if not used["completions"] or not (used["ranks"] or used["scores"]):
        raise AdjudgeError(
            f"No columns hold lists with their worth; columns here: {listing(list(opened.names))}.",
            "completions, and ranks or scores.",
            "Name them.",
        )
    frame = take(opened, tuple(dict.fromkeys(filter(None, used.values()))), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    part = "scores" if used["scores"] else "ranks"
    gains = []
    for row, record in enumerate(frame.iter_rows(named=True)):
        texts = record[used["completions"]] or ()
        worth = _worth(record[used[part]], part, row)
        if len(worth) != len(texts):
            raise AdjudgeError(
                f"Row {row}: {len(texts)} responses with {len(worth)} {part}.",
                "One for each response of the list.",
                "Correct the row, or drop it with --where.",
            )
        gains.append(worth)
    return RankedLists(
        tuple(_prompt(cell) for cell in frame[used["prompt"]].to_list()) if used["prompt"] else ("",) * len(gains),
        tuple(tuple(text_of(each) for each in cell or ()) for cell in frame[used["completions"]].to_list()),
        tuple(gains),
        numbers.weights(frame[used["weight"]], len(gains), door) if used["weight"] else np.ones(len(gains)),
        np.full(len(gains), flip),
        tuple(door.findings),
    )


def read_prompts(
    source: object,
    *,
    prompt: str | None = None,
    item: str | None = None,
    demonstration: str | None = None,
    where: str | None = None,
) -> Asked:
    """Reads prompts alone, each once.

    Arguments:
        source: as `tables.read_preferences.read` takes it.
        prompt: column; None takes a usual name.
        item: column of names; None takes `item` or `id`, else rows are numbered.
        demonstration: column of a teacher's responses; None for none.
        where: SQL condition on any column.

    Errors: a table that cannot be read; no prompts; an empty one.

    >>> read_prompts([{"prompt": "1+1?"}, {"prompt": "2+2?"}, {"prompt": "1+1?"}]).prompts
    ('1+1?', '2+2?')
    """
    opened = open_source(source)
    given = {"prompt": prompt, "item": item, "demonstration": demonstration}
    used = parts(opened.names, given, {**USUAL, "item": ("item", "id", "prompt_id")})
    if not used["prompt"]:
        raise AdjudgeError(
            f"No column holds prompts; columns here: {listing(list(opened.names))}.", "prompt.", "Name it with prompt."
        )
    frame = take(opened, tuple(dict.fromkeys(filter(None, used.values()))), where)
    first: dict[Prompt, int] = {}
    for row, cell in enumerate(frame[used["prompt"]].to_list()):
        said = _prompt(cell)
        if not said:
            raise AdjudgeError(f"Row {row}: no prompt.", "A text, or messages.", "Drop it with --where.")
        first.setdefault(said, row)
    rows = list(first.values())
    names = frame[used["item"]].to_list() if used["item"] else list(range(len(frame)))
    taught = frame[used["demonstration"]].to_list() if used["demonstration"] else []
    return Asked(
        tuple(first), tuple(str(names[row]) for row in rows), tuple(text_of(taught[row]) for row in rows if taught)
    )


def _worth(cells: Any, part: str, row: int) -> FloatArray:
    """[m] gains of ranks, of which the lowest is the best, or of scores; NaN for none."""
    try:
        given: FloatArray = np.asarray([np.nan if each is None else each for each in cells or ()], dtype=np.float64)
    except (TypeError, ValueError):
        raise AdjudgeError(
            f"Row {row}: {part} {str(cells)[:40]!r}.", "A list of numbers.", "Correct the row."
        ) from None
    return given if part == "scores" or not np.isfinite(given).any() else float(np.nanmax(given)) - given


def _prompt(cell: object) -> Prompt:
    """A conversation as turns, anything else as a text."""
    return turns_of(cell) or text_of(cell)
