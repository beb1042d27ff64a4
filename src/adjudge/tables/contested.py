"""What somebody says of pairs of responses: how likely the first is the better one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .._typing import ArrayLike, FloatArray, Prompt
from ..errors import AdjudgeError

Prefer = Callable[[Sequence[Prompt], Sequence[str], Sequence[str]], ArrayLike]
"""m prompts, and two responses to each -> [m] P(the first is better); NaN where nobody can say."""


def contested(said: ArrayLike, m: int) -> FloatArray:
    """[m] chances, checked.

    Errors: another number of them; what is no number; one outside [0, 1].

    >>> contested([1, 0.5], 2).tolist()
    [1.0, 0.5]
    """
    try:
        chance = np.asarray(said, dtype=float)
    except (TypeError, ValueError) as problem:
        raise AdjudgeError(
            f"Of {m:,} pairs of responses a comparison gave no numbers: {problem}.",
            "The chance that the first of two is the better one, in [0, 1]; NaN where nobody can say.",
            "Correct `prefer`.",
        ) from None
    if chance.shape != (m,) or ((chance < 0) | (chance > 1)).any():
        strange = chance[(chance < 0) | (chance > 1)]
        raise AdjudgeError(
            f"Of {m:,} pairs of responses a comparison gave {list(chance.shape)} numbers"
            + (f", one of them {strange[0]:g}." if strange.size else "."),
            "The chance that the first of two is the better one, in [0, 1]; NaN where nobody can say.",
            "Correct `prefer`.",
        )
    return chance
