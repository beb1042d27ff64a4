"""Rollouts as a recipe: temperature, price and clip mean the same where responses are drawn, asked about and learnt."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train.responses import Draw
from train.letters import Letters, descend
from train.test_rollouts import REWARD, recipe, table, vowels


def test_the_price_of_leaving_counts_in_what_the_clip_held() -> None:
    policy = table()
    made = recipe(policy, draw=Draw(n=32, kl=1.5, clip=(0.01, 0.3)))
    made.warm_up(policy)
    step = made.prepare(policy, np.arange(3), torch.Generator().manual_seed(0))
    with torch.no_grad():
        policy.logits.add_(torch.from_numpy(np.random.default_rng(3).normal(size=REWARD.shape) * 0.5))
    held = 0
    for row in range(step.n):
        policy.module.zero_grad()
        step.loss(policy, slice(row, row + 1)).backward()
        held += int(not policy.logits.grad.any())
    assert 0 < held < step.n / 2
    assert step.metrics()["clipped"] == pytest.approx(held / step.n, abs=1e-12)


def test_what_is_learnt_is_the_policy_at_the_temperature_of_the_draw() -> None:
    policy = table()
    made = recipe(policy, draw=Draw(n=8, temperature=0.5))
    made.warm_up(policy)
    step = made.prepare(policy, np.arange(3), torch.Generator().manual_seed(0))
    assert step.loss(policy, slice(0, step.n)).item() == pytest.approx(0.0, abs=1e-12)  # all ratios are 1
    assert np.abs(step.credit).max() > 0.5


def test_reference_and_teacher_are_asked_at_the_temperature_of_the_draw() -> None:
    policy = Letters(dtype=torch.float64)
    draw = Draw(n=2, temperature=0.5, max_tokens=7)
    made = recipe(policy, reward=vowels, prompts=("ab", "c"), draw=draw, demonstrations=("gg", "e"))
    made.warm_up(policy)
    told = made.prepare(policy, np.arange(2), torch.Generator().manual_seed(0)).responses
    assert told.taught.sum() == 2
    assert told.reference is not None
    now = policy.chances(told.exchanges, temperature=0.5).logp.detach().numpy()
    np.testing.assert_allclose(told.logp, now, atol=1e-12)
    np.testing.assert_allclose(told.reference, now, atol=1e-12)


def test_a_reward_that_gives_no_numbers_is_told() -> None:
    for said in ("good", None, {"reward": 1.0}):
        policy = table()
        with pytest.raises(AdjudgeError, match="The reward gave"):
            descend(policy, recipe(policy, reward=lambda _, texts, said=said: [said] * len(texts) if said else [[]]))
