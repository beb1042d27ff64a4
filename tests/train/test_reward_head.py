"""Reward heads on a small transformer: losses as the fits on features have them, parts that add up, files, features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.backends.embeddings import Embedding
from adjudge.errors import AdjudgeError
from adjudge.stats.pair_logit import Pairs
from adjudge.tables.preferences import Preferences, from_arrays
from adjudge.train import reward_head, reward_pairs
from adjudge.train.loop import train
from adjudge.train.reward_head import RewardHead
from adjudge.train.reward_pairs import LOSSES, RewardPairs
from adjudge.train.settings import Settings

N = 23


def table() -> Preferences:
    rng = np.random.default_rng(3)
    good, bad = ("yes it is {} indeed", "no idea {}")
    turned = rng.random(N) < 0.5
    sides = [(bad, good) if turn else (good, bad) for turn in turned]
    none = np.zeros((N, 0))
    texts = [[side[at].format(row) for row, side in enumerate(sides)] for at in (0, 1)]
    return from_arrays(
        none, none, np.where(turned, 0.0, 1.0), margin=rng.uniform(1, 3, N), rating=rng.normal(size=(N, 2)),
        source=np.arange(N) % 2, weight=rng.uniform(0.5, 2, N), flip=0.1,
        length=np.array([[len(text.split()) + rng.random() for text in side] for side in texts]).T,
        prompt=tuple(f"is it {row}?" for row in range(N)), left_text=tuple(texts[0]), right_text=tuple(texts[1]),
    )  # fmt: skip


def head(heads: int = 1) -> RewardHead:
    made = table()
    texts = [*made.prompt, *made.left_text, *made.right_text]
    return reward_head.tiny(texts, vocabulary=320, width=16, layers=1, heads=heads, context=32, seed=1)


def test_the_loss_is_that_of_the_fit_on_features() -> None:
    pairs, policy = table(), head()
    x = [policy.features(pairs.prompt, side)[:, 0] / 10 for side in (pairs.left_text, pairs.right_text)]
    mass = pairs.weight
    plain = Pairs((x[0] - x[1])[:, None], mass * pairs.target, mass * (1 - pairs.target))
    wide = replace(plain, margin=pairs.margin)
    strength = pairs.margin / np.average(pairs.margin, weights=mass)
    lead = plain.x[:, 0]
    by_strength = Pairs(plain.x, plain.better * strength, plain.worse * strength)
    expected = {
        "bradley_terry": plain.loss(lead) / mass.sum(),
        "margin": wide.loss(lead) / mass.sum(),
        "scaled": by_strength.loss(lead) / (mass * strength).sum(),
    }
    for loss, value in expected.items():
        step = RewardPairs(pairs, policy, loss=loss).prepare(policy, np.arange(N), torch.Generator())
        assert step.loss(policy, slice(0, N)).item() == pytest.approx(value, abs=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_parts_add_up_to_the_step_and_training_lowers_the_loss(loss: str) -> None:
    pairs, policy = table(), head(reward_pairs.heads_of(loss))
    recipe = RewardPairs(pairs, policy, loss=loss)
    found = []
    for size in (N, 3):
        policy.module.zero_grad()
        step = recipe.prepare(policy, np.arange(N), torch.Generator())
        for start in range(0, N, size):
            step.loss(policy, slice(start, min(start + size, N))).backward()
        found.append(torch.cat([part.grad.flatten() for part in policy.module.parameters() if part.grad is not None]))
    torch.testing.assert_close(found[0], found[1], rtol=1e-3, atol=1e-6)
    done = train(policy, recipe, Settings(epochs=15, batch=N, lr=3e-3, schedule="constant"))
    first, last = (done.history[at]["loss"] for at in (0, -1))
    assert last < first
    if loss not in ("regression",):
        assert done.history[-1]["accuracy"] > 0.9


def test_the_slope_of_the_length_penalty_is_that_of_the_correlations() -> None:
    pairs, policy = table(), head(2)
    with torch.no_grad():
        policy.module["head"].weight.normal_(generator=torch.Generator().manual_seed(0))  # type: ignore[index]
    step = RewardPairs(pairs, policy, loss="disentangled", square=0.0).prepare(policy, np.arange(N), torch.Generator())
    own = step._apart(policy)
    rewards = policy.outputs(step._exchanges(step.at)).detach().double().view(N, 2, 2).requires_grad_()
    length = torch.as_tensor(pairs.length)

    def rho(head: int) -> torch.Tensor:
        return torch.corrcoef(torch.stack([rewards[:, :, head].flatten(), length.flatten()]))[0, 1]

    (rho(0).abs() - rho(1)).backward()
    torch.testing.assert_close(own, rewards.grad, rtol=1e-6, atol=1e-9)


def test_what_is_saved_gives_the_same_features(tmp_path: Path) -> None:
    pairs, policy = table(), head(2)
    policy.save(tmp_path)
    own = policy.features(pairs.prompt, pairs.left_text)
    assert own.shape == (N, 18)
    read = Embedding(tmp_path, pool="mean", context=32)
    np.testing.assert_allclose(read(pairs.prompt, pairs.left_text), own, atol=1e-5)
    assert len(read.names) == 18
    other = head(2)
    with torch.no_grad():
        other.module["head"].weight.add_(1.0)  # type: ignore[index]
    other.load(tmp_path)
    np.testing.assert_array_equal(other.features(pairs.prompt, pairs.left_text), own)
    frozen = policy.reference()
    with torch.no_grad():
        policy.module["head"].weight.add_(1.0)  # type: ignore[index]
    np.testing.assert_array_equal(frozen.features(pairs.prompt, pairs.left_text), own)


def test_a_text_longer_than_the_context_keeps_its_end() -> None:
    policy = head()
    long = policy.encode("is it " * 99, "no idea")
    assert len(long.prompt) == 32
    assert policy.decode(long.prompt).endswith("no idea")


def test_what_is_impossible_is_refused() -> None:
    policy = head()
    with pytest.raises(AdjudgeError, match="heads"):
        RewardPairs(table(), policy, loss="general")
    with pytest.raises(AdjudgeError, match="none can be learnt"):
        RewardPairs(replace(table(), outcome=np.full(N, np.nan)), policy)
    with pytest.raises(AdjudgeError, match="probabilities"):
        policy.sample([(1,)], torch.Generator())
    with pytest.raises(AdjudgeError, match="pool"):
        RewardHead(policy._backbone, policy.tokenizer, pool="max")
