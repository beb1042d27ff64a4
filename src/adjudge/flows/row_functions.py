"""Functions of one's own that are asked row by row: about a prompt and a response, or about two of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

from .._typing import Prompt
from ..errors import AdjudgeError


def worded(prompt: Prompt) -> str:
    """A prompt as a judge or a function reads it: a conversation by its turns.

    >>> worded((("user", "2+2?"), ("assistant", "4")))
    'user: 2+2?\\n\\nassistant: 4'
    """
    return prompt if isinstance(prompt, str) else "\n\n".join(f"{role}: {text}" for role, text in prompt)


def named(said: object) -> str:
    """Somebody who is asked, by a name that is the same wherever the file is seen from, and in every process.

    >>> named("python:here/gold.py:score"), named("judge:gpt-4o"), named(functools.partial(sum))
    ('gold.py:score', 'judge:gpt-4o', 'sum')
    """
    if isinstance(said, functools.partial):
        return named(said.func)
    if callable(said):
        return str(getattr(said, "__qualname__", type(said).__qualname__))
    text = str(said).removeprefix("python:")
    return text if text.startswith("judge:") else text.rpartition("/")[2]


def each(
    function: Callable[..., float | None], *, of: str, of_what: str = "a prompt and a response"
) -> Callable[..., list[float]]:
    """A function of one row, for several: takes prompts and further columns, and gives NaN where it gives None.

    Arguments:
        function: of one prompt and one text of each further column.
        of: what it is of, for errors.
        of_what: what it is asked about, for errors.

    >>> each(lambda prompt, said: float(said), of="reward")(["2+2?"], ["4"])
    [4.0]
    """

    def several(prompts: Sequence[Prompt], *columns: Sequence[str]) -> list[float]:
        said = []
        for prompt, *texts in zip(prompts, *columns, strict=True):
            try:
                one = function(worded(prompt), *texts)
                said.append(math.nan if one is None else float(one))
            except AdjudgeError:
                raise
            except Exception as problem:
                raise AdjudgeError(
                    f"The function of {of} raised {type(problem).__name__}: {problem}",
                    f"A number for {of_what}, or None.",
                    "Correct it, and type the same command again: it goes on from what was kept.",
                ) from problem
        return said

    return several
