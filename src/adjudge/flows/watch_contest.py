"""What is watched beside gold where pairs are compared: how often the policy wins against itself as it began.

    proxy(y_t) = P(y_t ≻ y_0 | x),      y_0 what the policy at the beginning said to the same prompt;      ½ for y_0

Which of the two is shown first is drawn once for each prompt, so that a leaning to a side cancels over prompts. Limits:
where preferences run in circles a policy may win against its beginning and lose against a later one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..tables.contested import Prefer, contested
from .watch_gold import Score

_OWN = 90_019


def against_start(prefer: Prefer, *, seed: int = 0) -> Score:
    """Scores of responses by contests with those of the first call, row by row; NaN where nobody can say.

    Arguments:
        prefer: says which of two responses is better.
        seed: of who is shown first.

    >>> score = against_start(lambda prompts, left, right: [float(a > b) for a, b in zip(left, right)])
    >>> score(["x", "y"], ["b", "b"]), score(["x", "y"], ["c", "b"])
    ([0.5, 0.5], [1.0, 0.5])
    """
    began: list[str] = []

    def score(prompts: Sequence[str], responses: Sequence[str]) -> list[float]:
        began.extend(responses if not began else ())
        ahead = np.random.default_rng((seed, _OWN)).random(len(began)) < 0.5
        chance = np.full(len(responses), 0.5)
        rows = [row for row, (one, first) in enumerate(zip(responses, began, strict=True)) if one != first]
        if rows:
            left = [(responses if ahead[row] else began)[row] for row in rows]
            right = [(began if ahead[row] else responses)[row] for row in rows]
            said = contested(prefer([prompts[row] for row in rows], left, right), len(rows))
            chance[rows] = np.where(ahead[rows], said, 1 - said)
        return chance.tolist()

    return score
