"""What a reward says of sampled responses: a number each, and where there is more to say, that too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np

from .._typing import ArrayLike, FloatArray, Prompt
from ..errors import AdjudgeError


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """b responses and what they were given; the columns of `tables.rollouts.Rollouts` that a reward can know.

    Arguments:
        reward: [b] any unit; NaN where nobody could say: such a response teaches nothing.
        parts: [b, m] rewards that make up the whole.
        gold: [b] what the response is truly worth; NaN where nobody knows.
        preference: [b, b] chance that the row's response is better than the column's; NaN where nobody compared.
        false_positive, false_negative: [b] chances that the verifier passes a wrong one, or fails a right one.
        recheck: [b] what a better verifier said of a failed response, 1 or 0; NaN where none was asked.
    """

    reward: FloatArray
    parts: FloatArray | None = None
    gold: FloatArray | None = None
    preference: FloatArray | None = None
    false_positive: FloatArray | None = None
    false_negative: FloatArray | None = None
    recheck: FloatArray | None = None


Reward = Callable[[Sequence[Prompt], Sequence[str]], "ArrayLike | Scored"]
"""b prompts and a response to each -> [b] rewards, or `Scored` where there is more to say."""


def scored(said: ArrayLike | Scored, b: int) -> Scored:
    """What a reward said of b responses, checked.

    Errors: another number of rewards; infinite ones; columns of another length.

    >>> scored([1, 0], 2).reward.tolist()
    [1.0, 0.0]
    """
    given = said if isinstance(said, Scored) else Scored(said)  # type: ignore[arg-type]
    columns = {each.name: getattr(given, each.name) for each in fields(Scored)}
    try:
        made = {name: None if value is None else np.asarray(value, dtype=float) for name, value in columns.items()}
    except (ValueError, TypeError) as problem:
        raise AdjudgeError(
            f"The reward gave something else than numbers for {b:,} responses: {problem}.",
            "One finite number of each response, NaN where nobody can say.",
            "Correct the reward.",
        ) from None
    for name, value in made.items():
        if value is None and name != "reward":
            continue
        wide = {"parts": 2, "preference": 2}.get(name, 1)
        if value is None or value.ndim != wide or len(value) != b or np.isinf(value).any():
            shape = None if value is None else value.shape
            raise AdjudgeError(
                f"The reward gave {name} of shape {shape} for {b:,} responses, or infinite numbers.",
                "One finite number of each response, NaN where nobody can say.",
                "Correct the reward.",
            )
    return Scored(**made)  # type: ignore[arg-type]
