"""A judge as gold: where a stronger model, asked by a rubric, stands in for people who would label."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .judge import judge
from .watch_gold import Score

PROTOCOL = "rubric"  # grades from 1 to 5


def judged(word: str) -> Score:
    """A function of prompts and responses to a judge's scores.

    Arguments:
        word: who is asked, as `backends.named.backend` takes it.

    Errors: a model that is not there.
    """

    def several(prompts: Sequence[str], responses: Sequence[str]) -> list[float]:
        items = [str(place) for place in range(len(prompts))]
        rows = {"item": items, "prompt": [*prompts], "policy": ["run"] * len(items), "response": [*responses]}
        frame = judge(rows, protocol=PROTOCOL, model=word).frame
        found = dict(zip(frame["item"].cast(str).to_list(), frame["score"].to_list(), strict=True))
        return [math.nan if found.get(item) is None else float(found[item]) for item in items]

    return several
