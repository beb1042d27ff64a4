"""Judges answers by a fitted reward model: one by its reward, two by the chance that the first is preferred.

    value = r(x)  ± se      or      value = σ(u(x_first, x_second)) ± se

Ouyang, Wu, Jiang et al. (2022), Section 3.5: a model of preferences stands in for those who prefer. The standard error
of the fit is in the verdict's parts. Limits: a reward has no zero of its own, so that only differences mean anything;
what the model never saw it judges all the same, and its error knows of sampling alone; a model of general preferences
gives no score to one answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..backends.call import Ask
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import reward_file
from ..stats.reward_file import Stored
from ..tables.cases import Case
from ..tables.verdicts import Verdict

TAKES = 1

CARD = Card(
    answers="What does a fitted reward model say of an answer, or of two, and how sure is it?",
    equation="value = r(x)  or  σ(u(x_first, x_second))",
    papers=(
        Paper(
            "Training language models to follow instructions with human feedback",
            "Ouyang, Wu, Jiang et al.",
            2022,
            "NeurIPS",
            "https://arxiv.org/abs/2203.02155",
            "Section 3.5",
        ),
    ),
    needs=("prompt", "answers"),
    assumes=("Answers are like those of the pairs that the model was fitted on.",),
    limits=(
        "Rewards have no zero: compare those of one prompt.",
        "The error is that of the fit; what its features cannot see is in no error.",
    ),
    when="After `adjudge reward fit`, to audit the model and to correct its scores by gold as those of any judge.",
    unit="reward, or chance that the first shown is better",
)


async def judge(case: Case, _ask: Ask, *, model: str | Stored) -> Verdict:
    """The model's word on one answer (its reward) or two (the chance that the first is better), `stderr` in its parts.

    Arguments:
        case: with one answer or two.
        model: folder that `adjudge reward fit` wrote, or a model with what makes its features.

    Errors: a folder without a model; more than two answers; one answer and a model whose preferences follow no reward.

    >>> import asyncio
    >>> import numpy as np
    >>> from adjudge.stats.text_features import TextFeatures
    >>> from adjudge.tables.cases import Answer
    >>> from adjudge.tables.reward_model import Form, RewardModel, linear
    >>> maker, beta = TextFeatures(size=1), np.array([0.0, 1.0, 0.0])  # a reward that counts words
    >>> reward, compare = linear(beta)
    >>> kept = RewardModel("mine", beta, 0.01 * np.eye(3), maker.names, compare, reward, form=Form("linear"))
    >>> case = Case("1", "2+2?", (Answer("x", "4 it is"), Answer("y", "4")))
    >>> said = asyncio.run(judge(case, None, model=Stored(kept, maker)))
    >>> round(said.value, 4), dict(said.parts)["stderr"] > 0
    (0.6667, True)
    """
    stored = _opened(model, _stamp(model)) if isinstance(model, str) else model
    prompts, texts = [case.prompt] * len(case.answers), [answer.text for answer in case.answers]
    if len(texts) not in (1, 2):
        raise AdjudgeError(
            f"judges.reward_model: {len(texts)} answers in a case.", "One, or two.", "Say --as alone or --as pairs."
        )
    x = stored.features(prompts, texts)
    if len(texts) == 1:
        value, error = float(stored.model.score(x)[0]), float(stored.model.score_stderr(x)[0])
        return _verdict(case, value, {"stderr": error})
    chance, error_of_chance = stored.model.difference(x[:1], x[1:])
    lead, error_of_lead = stored.model.log_odds(x[:1], x[1:])
    parts = {
        "stderr": float(error_of_chance[0]),
        "log_odds": float(lead[0]),
        "log_odds_stderr": float(error_of_lead[0]),
    }
    return _verdict(case, float(chance[0]), parts)


def _verdict(case: Case, value: float, parts: Mapping[str, float]) -> Verdict:
    problem = "" if math.isfinite(value) else "the reward is not a number"
    return Verdict(case.policies, value, parts=tuple(parts.items()), problem=problem)


def _stamp(folder: str) -> float:
    """When the model was written, so that one fitted anew in the same place is read anew."""
    try:
        return (Path(folder) / reward_file.FILE).stat().st_mtime
    except OSError:
        return math.nan


@lru_cache(maxsize=4)
def _opened(folder: str, stamp: float) -> Stored:  # noqa: ARG001 (part of the key)
    return reward_file.load(folder)
