"""What sampled responses are rewarded by: a function, a reward model that was fitted before, or a judge that is asked.

    reward = "python:FILE.py:F"                 F(prompt, response) -> a number
    reward = "out/reward"                       folder of `adjudge reward fit`
    reward = { protocol = "rubric", model = "gpt-4o-mini", options = { … } }      any judge of `adjudge methods judges`

Limits: a reward model that was fitted on features of one's own cannot read texts; a judge's answers are paid for, and
kept beside the run so that a run which goes on pays nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, Prompt
from ..backends.function import loaded
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import reward_file
from ..tables.scored import Reward
from .asking import Asking
from .judge import judge
from .row_functions import each, worded

STORE = "replies.sqlite"
MANY = 0.1  # of the responses without a reward: it is not a slip now and then
TOLD = (
    ("unrewarded", "responses-unrewarded", "of the responses that were sampled got no reward",
     "Ask the reward about some of them, in samples.jsonl, and see why it cannot say."),
    ("unjudged", "pairs-unjudged", "of the pairs of responses that differ were judged by nobody",
     "Ask `prefer` about some responses to your prompts, and see why it cannot say."),
)  # fmt: skip
LIMITS = ("tokens", "budget", "price_in", "price_out")
FORMS = "python:FILE.py:F, a folder of `adjudge reward fit`, or { protocol = …, model = … }"


def reward_of(said: object, folder: Path | None, *, seed: int = 0) -> Reward:
    """The reward that a recipe names.

    Arguments:
        said: in one of the forms above, or a function of prompts and responses.
        folder: of the run, where a judge's answers are kept; None keeps them in memory.
        seed: of the judge's draws.

    Errors: none of the forms; a file, function, model or protocol that is not there.
    """
    if callable(said):
        return said
    if isinstance(said, str) and said.startswith("python:"):
        scores = each(loaded(said.removeprefix("python:")), of="reward")
        return lambda prompts, responses: np.array(scores(prompts, responses))
    if isinstance(said, (str, Path)) and (Path(said) / reward_file.FILE).is_file():
        stored = reward_file.load(said)
        return lambda prompts, responses: stored.model.score(
            stored.features([worded(one) for one in prompts], list(responses))
        )
    if isinstance(said, Mapping) and "protocol" in said:
        return _judged(said, folder, seed)
    raise AdjudgeError(
        f"[feedback] reward = {said!r}.", f"{FORMS}.", "Name what rewards responses; --help shows a recipe."
    )


def findings(history: Sequence[Mapping[str, float]]) -> tuple[Finding, ...]:
    """That many sampled responses had no reward, or all of a prompt the same, or that nobody could judge many pairs.

    Arguments:
        history: metrics of the logged updates.
    """
    made = []
    for name, code, text, remedy in TOLD:
        share = float(np.mean([line.get(name, 0.0) for line in history])) if history else 0.0
        if share > MANY:
            severity = Severity.SEVERE if share == 1 else Severity.WARNING
            made.append(
                Finding(code, severity, f"{100 * share:.0f} % {text}, and taught nothing.", share, MANY, remedy)
            )
    silent = float(np.mean([line.get("silent", 0.0) for line in history])) if history else 0.0
    if silent == 1 and not made:
        made.append(
            Finding(
                "reward-constant", Severity.SEVERE,
                f"In all {len(history):,} updates that were logged no response had an advantage over others to its "
                "prompt: the reward told no two of them apart, and nothing was learnt from it.", silent, 1.0,
                "Ask the reward about some of them, in samples.jsonl; draw more or longer samples where all are alike.",
            )
        )  # fmt: skip
    return tuple(made)


def asking_of(key: str, said: Mapping[str, Any], folder: Path | None, *, others: Sequence[str] = ()) -> Asking:
    """How a judge that a recipe names is asked. Errors: a word that it does not have.

    Arguments:
        key: of [feedback], for the message.
        said: of the recipe.
        folder: of the run, where answers are kept; None keeps them in memory.
        others: words beside the usual ones.
    """
    known = ("protocol", "model", "options", *others, *LIMITS)
    strange = sorted(set(said) - set(known))
    if strange:
        raise AdjudgeError(f"[feedback] {key} has no {strange[0]!r}.", f"{', '.join(known)}.", "Take it out.")
    limits = {name: said[name] for name in LIMITS if name in said}
    return Asking(**limits, store=None if folder is None else folder / STORE)


def _judged(said: Mapping[str, Any], folder: Path | None, seed: int) -> Reward:
    """A judge that scores each response alone."""
    asking = asking_of("reward", said, folder)

    def reward(prompts: Sequence[Prompt], responses: Sequence[str]) -> FloatArray:
        n = len(responses)
        table = {
            "item": [str(row) for row in range(n)],
            "prompt": [worded(one) for one in prompts],
            "policy": ["policy"] * n,
            "response": list(responses),
        }
        options = said.get("options") or {}
        found = judge(table, protocol=said["protocol"], model=said.get("model"), options=options, takes=1,
                      asking=asking, seed=seed)  # fmt: skip
        scores = np.full(n, np.nan)
        for case, verdict in zip(found.cases, found.verdicts, strict=True):
            if verdict is not None:
                scores[int(case.item)] = verdict.value
        return scores

    return reward
