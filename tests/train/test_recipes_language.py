"""Recipes on a language model: its own likelihood is the reference, whatever the layout; it climbs by what it says."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.credit import rloo
from adjudge.objectives import dpo
from adjudge.tables.read_preferences import read
from adjudge.train.loop import train
from adjudge.train.pairs import Pairs
from adjudge.train.responses import Draw
from adjudge.train.rollouts import Rollouts
from adjudge.train.settings import Settings
from train.tiny import policy

N = 13


def pairs() -> Any:
    rng = np.random.default_rng(0)
    word = lambda end: "".join(rng.choice(list("abcdef "), rng.integers(1, 12))) + end  # noqa: E731
    return read([{"prompt": word(":"), "chosen": word("x"), "rejected": word("y")} for _ in range(N)])


@pytest.mark.parametrize("layout", ["padded", "shared", "packed"])
@pytest.mark.parametrize("reference", ["precomputed", "live"])
def test_the_first_loss_is_log_2_on_weights_that_are_nowhere_on_disk(layout: str, reference: str) -> None:
    learner = policy(layout=layout)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weights in learner.module.parameters():
            weights.add_(0.1 * torch.randn(weights.shape, generator=generator))
    recipe = Pairs(pairs(), partial(dpo.loss, beta=0.5), learner, reference=reference, batch=5)
    done = train(learner, recipe, Settings(epochs=3, batch=N, micro=4, lr=1e-2))
    assert done.history[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert done.history[-1]["loss"] < 0.6


def test_it_learns_to_say_what_is_rewarded() -> None:
    learner = policy()
    said = lambda prompts, responses: [text.count("a") for text in responses]  # noqa: E731
    recipe = Rollouts(("b:", "cd:", "e f:"), said, rloo.advantages, learner, draw=Draw(n=16, max_tokens=8, kl=0.01))
    told = train(learner, recipe, Settings(epochs=40, batch=3, lr=1e-2)).history
    assert told[0]["kl"] == pytest.approx(0.0, abs=1e-5)  # sampled code by code, asked as a whole
    assert told[-1]["reward"] > told[0]["reward"] + 1
    assert told[-1]["kl"] > 0.5
