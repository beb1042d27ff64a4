"""The door for samples of a policy: one response to a prompt a row, with a judge's score, gold and log-probability.

Columns may be texts or lists of {"role", "content"} messages; they are kept as they came, so that what is made of the
samples has the form that they had. Limits: rows of one prompt belong together by its text, not by a number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import polars as pl

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import coding, numbers
from .columns import Names, as_names, require
from .numbers import Door
from .parts import parts
from .read import take
from .sources import open_source
from .words import counted

USUAL = {
    "prompt": ("prompt", "question", "instruction", "context"),
    "response": ("response", "completion", "answer", "output", "text"),
    "gold": ("gold", "gold_label", "oracle_label"),
    "log_probability": ("log_probability", "logprob", "logp", "log_prob"),
    "weight": ("weight",),
    "error": (),
}


@dataclass(frozen=True, eq=False)
class SampledTexts:
    """n responses with their texts; no row lacks its prompt or response.

    Arguments:
        prompt, response: [n] as they came: texts, or lists of messages.
        item: [n] code of the prompt, 0 … p − 1.
        judges: [J] names of the score columns.
        score: [n, J] of each response, higher is better; NaN where a judge abstained.
        error: [n] standard error of the score, >= 0; 0 where nothing is known of it.
        gold: [n] trusted label; NaN where there is none.
        log_probability: [n] under the policy that gave the response; NaN where unknown.
        weight: [n] how many equal prompts the row's prompt stands for.
        findings: what the door noticed.
    """

    prompt: tuple[object, ...]
    response: tuple[object, ...]
    item: IntArray
    judges: tuple[str, ...]
    score: FloatArray
    error: FloatArray
    gold: FloatArray
    log_probability: FloatArray
    weight: FloatArray
    findings: tuple[Finding, ...] = ()


def read(
    source: object,
    *,
    judge: Names = None,
    prompt: str | None = None,
    response: str | None = None,
    gold: str | None = None,
    error: str | None = None,
    log_probability: str | None = None,
    weight: str | None = None,
    where: str | None = None,
) -> SampledTexts:
    """Reads and checks samples.

    Arguments:
        source: a path, folder, pattern, frame, list of dicts or dict of arrays, as `tables.read.read` takes them.
        judge: column or columns of scores; none are read where it is None.
        prompt, response, gold, log_probability, weight: columns; None takes a usual name where there is one.
        error: column of the standard error of the score.
        where: SQL condition on any column.

    Errors: a table that cannot be read; no prompt or response column; a prompt that is empty. Rows without a response,
    and the same response twice to one prompt, are told in `findings`; the former are left out.

    >>> made = read({"prompt": ["2+2?", "2+2?"], "response": ["4", "5"], "score": [1, 0]}, judge="score")
    >>> made.item.tolist(), made.score[:, 0].tolist(), made.gold.tolist()
    ([0, 0], [1.0, 0.0], [nan, nan])
    """
    opened = open_source(source)
    given = {"prompt": prompt, "response": response, "gold": gold, "log_probability": log_probability}
    given |= {"weight": weight, "error": error}
    used = parts(opened.names, given, USUAL, needed=("prompt", "response"))
    judges = tuple(require(opened.names, name, "--judge") for name in as_names(judge))
    frame = take(opened, tuple(dict.fromkeys(name for name in (*used.values(), *judges) if name)), where)
    door = Door.at(frame, list(opened.findings), several=opened.several)
    empty = frame[used["response"]].is_null()
    if empty.any():
        door.note(
            "response-missing", Severity.WARNING,
            f"{counted(int(empty.sum()), 'row has', 'rows have')} no response: left out.",
            number=int(empty.sum()), remedy="Look for why they were not written.",
        )  # fmt: skip
    frame = frame.filter(~empty)
    if frame.height == 0 or frame[used["prompt"]].is_null().any():
        raise AdjudgeError(
            "samples: no response is left, or a prompt is empty.",
            "A prompt and a response in each row.",
            "Fill them, or drop those rows with --where.",
        )
    return _samples(frame, used, judges, door)


def _samples(frame: pl.DataFrame, used: dict[str, str], judges: tuple[str, ...], door: Door) -> SampledTexts:
    def column(part: str, default: float) -> FloatArray:
        known = numbers.numeric(frame[used[part]], door, f"--{part}") if used[part] else np.full(frame.height, default)
        return np.where(np.isnan(known), default, known)

    prompt, response = frame[used["prompt"]].to_list(), frame[used["response"]].to_list()
    item = coding.encode(pl.Series("prompt", [_key(each) for each in prompt]))[0]
    twice = frame.height - len({(int(code), _key(text)) for code, text in zip(item, response, strict=True)})
    if twice:
        door.note(
            "responses-repeated", Severity.INFO, f"{counted(twice, 'response')} given more than once to one prompt.",
            number=twice, remedy="Sample at a higher temperature for more unlike responses.",
        )  # fmt: skip
    score = numbers.scores(frame, judges, door) if judges else np.zeros((frame.height, 0))
    return SampledTexts(
        prompt=tuple(prompt),
        response=tuple(response),
        item=item,
        judges=judges,
        score=score,
        error=column("error", 0.0),
        gold=column("gold", np.nan),
        log_probability=column("log_probability", np.nan),
        weight=column("weight", 1.0),
        findings=tuple(door.findings),
    )


def _key(cell: object) -> str:
    """A text, or messages, as one string."""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False, sort_keys=True)
