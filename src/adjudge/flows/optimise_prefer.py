"""Who says which of two sampled responses is better: a function, a fitted model of preferences, or a judge.

    prefer = "python:FILE.py:F"                 F(prompt, left, right) -> chance that the left one is better
    prefer = "out/reward"                       folder of `adjudge reward fit`; rewards.general knows circles too
    prefer = { protocol = "pairwise", model = "gpt-4o-mini", swap = true }      any judge of two answers

A judge is shown the two in an order drawn by their texts. Limits: a function of one's own leans to a side as it likes,
and is shown what was drawn first on the left; a judge's answers are paid for, and kept beside the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, Prompt
from ..backends.function import loaded
from ..errors import AdjudgeError
from ..stats import reward_file
from ..tables.contested import Prefer
from .judge import judge
from .optimise_reward import asking_of
from .row_functions import each, worded

FORMS = "python:FILE.py:F, a folder of `adjudge reward fit`, or { protocol = …, model = … }"


def prefer_of(said: object, folder: Path | None, *, seed: int = 0) -> Prefer:
    """The comparison that a recipe names.

    Arguments:
        said: in one of the forms above, or a function of prompts and both responses.
        folder: of the run, where a judge's answers are kept; None keeps them in memory.
        seed: of the judge's draws.

    Errors: none of the forms; a file, function, model or protocol that is not there.
    """
    if callable(said):
        return said
    if isinstance(said, str) and said.startswith("python:"):
        return each(loaded(said.removeprefix("python:")), of="comparison", of_what="a prompt and two responses")
    if isinstance(said, (str, Path)) and (Path(said) / reward_file.FILE).is_file():
        stored = reward_file.load(said)

        def prefer(prompts: Sequence[Prompt], left: Sequence[str], right: Sequence[str]) -> FloatArray:
            texts = [worded(one) for one in prompts]
            return stored.model.difference(*(stored.features(texts, list(side)) for side in (left, right)))[0]

        return prefer
    if isinstance(said, Mapping) and "protocol" in said:
        return _judged(said, folder, seed)
    raise AdjudgeError(f"[feedback] prefer = {said!r}.", f"{FORMS}.", "Name who compares; --help shows a recipe.")


def _judged(said: Mapping[str, Any], folder: Path | None, seed: int) -> Prefer:
    """A judge of two answers."""
    asking = asking_of("prefer", said, folder, others=("swap",))

    def prefer(prompts: Sequence[Prompt], left: Sequence[str], right: Sequence[str]) -> FloatArray:
        m = len(prompts)
        table = {
            "item": [str(row) for row in range(m)] * 2,
            "prompt": [worded(one) for one in prompts] * 2,
            "policy": ["left"] * m + ["right"] * m,
            "response": [*left, *right],
        }
        found = judge(
            table, protocol=said["protocol"], model=said.get("model"), options=said.get("options") or {}, takes=2,
            swap=bool(said.get("swap", False)), asking=asking, seed=seed,
        )  # fmt: skip
        chance = np.full(m, np.nan)
        for case, verdict in zip(found.cases, found.verdicts, strict=True):
            if verdict is not None:
                chance[int(case.item)] = verdict.value if case.policies[0] == "left" else 1 - verdict.value
        return chance

    return prefer
