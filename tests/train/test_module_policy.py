"""A module's softmax is a policy: its chances, its draws, its exact copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train.module_policy import ModulePolicy
from adjudge.train.policy import Exchange
from adjudge.train.tabular import Tabular
from train.loops import network

P, K = 7, 3
EVERY = [Exchange((context,), (arm,)) for context in range(P) for arm in range(K)]


def chances(policy) -> np.ndarray:
    return policy.chances(EVERY).total.detach().exp().numpy().reshape(P, K)


def test_its_chances_are_the_modules_softmax() -> None:
    policy = network()
    by_hand = policy.module(policy.features).detach().softmax(1).numpy()
    np.testing.assert_allclose(chances(policy), by_hand, atol=1e-14)
    np.testing.assert_allclose(chances(policy).sum(1), 1)
    warm = policy.chances(EVERY, temperature=2.0).total.detach().exp().numpy().reshape(P, K)
    np.testing.assert_allclose(warm, np.sqrt(by_hand) / np.sqrt(by_hand).sum(1, keepdims=True), atol=1e-14)


def test_a_table_is_its_limit() -> None:
    """One-hot features into a linear layer without bias: the policy and its gradient are the table's."""
    logits = np.random.default_rng(2).normal(size=(P, K))
    linear = torch.nn.Linear(P, K, bias=False).double()
    linear.weight.data = torch.from_numpy(logits.T.copy())
    policy, table = ModulePolicy(linear, np.eye(P)), Tabular(logits)
    np.testing.assert_allclose(chances(policy), chances(table), atol=1e-14)
    weight = torch.linspace(-1, 2, P * K, dtype=torch.float64)
    for each in (policy, table):
        (each.chances(EVERY).total * weight).sum().backward()
    np.testing.assert_allclose(linear.weight.grad.T, table.logits.grad, atol=1e-14)


@pytest.mark.parametrize("temperature", [1.0, 0.4])
def test_its_draws_have_its_chances(temperature: float) -> None:
    policy = network()
    drawn = policy.sample(
        [(context,) for context in range(P)], torch.Generator().manual_seed(1), n=20_000, temperature=temperature
    )
    arms = np.array([one.response[0] for one in drawn.exchanges]).reshape(P, -1)
    shares = (arms[:, :, None] == np.arange(K)).mean(1)
    truth = chances(policy) ** (1 / temperature)
    truth /= truth.sum(1, keepdims=True)
    error = np.sqrt(truth * (1 - truth) / 20_000)
    assert (np.abs(shares - truth) < 5 * error).all()
    assert torch.equal(drawn.chances.logp, policy.chances(drawn.exchanges, temperature=temperature).logp.detach())
    again = policy.sample(
        [(context,) for context in range(P)], torch.Generator().manual_seed(1), n=20_000, temperature=temperature
    )
    assert again.exchanges == drawn.exchanges


def test_its_reference_is_itself_as_it_was_and_its_file_too(tmp_path: Path) -> None:
    policy = network(dropout=0.5)
    policy.module.eval()
    reference, before = policy.reference(), chances(policy)
    policy.save(tmp_path)
    with torch.no_grad():
        for each in policy.module.parameters():
            each += 0.5
    assert not any(each.requires_grad for each in reference.module.parameters())
    assert np.array_equal(chances(reference), before)
    assert not np.array_equal(chances(policy), before)
    policy.load(tmp_path)
    assert np.array_equal(chances(policy), before)


def test_half_precision_inside_gives_whole_chances() -> None:
    policy = network(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = policy.chances(EVERY)
    assert found.logp.dtype == torch.float32
    np.testing.assert_allclose(found.total.detach().exp().view(P, K).sum(1), 1, atol=1e-6)


def test_names_are_codes() -> None:
    policy = ModulePolicy(torch.nn.Linear(2, 2), np.ones((3, 2)), names=("left", "right"))
    assert policy.encode("2", "right") == Exchange((2,), (1,))
    assert policy.decode((0,)) == "left"
    assert policy.decode(policy.encode("2", "").response) == ""
    for prompt, response in (("3", "left"), ("x", "left"), ("²", "left")):
        with pytest.raises(AdjudgeError, match="none of its rows"):
            policy.encode(prompt, response)


@pytest.mark.parametrize(("module", "features", "message"), [
    (torch.nn.ReLU(), np.ones((3, 2)), "no parameters"),
    (torch.nn.Linear(2, 2), [[1.0, np.nan]], "1 not finite"),
    (torch.nn.Linear(2, 2), np.ones((0, 2)), "shape"),
    (torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Flatten(0)), np.ones((3, 2)), r"shape \(2,\)"),
])  # fmt: skip
def test_what_is_no_policy_is_refused(module, features, message: str) -> None:
    with pytest.raises(AdjudgeError, match=message):
        ModulePolicy(module, features)


def test_a_text_in_the_place_of_a_row_is_told_apart_from_a_response_without_a_name() -> None:
    policy = Tabular(np.zeros((3, 2)), names=("yes", "no"))
    with pytest.raises(AdjudgeError, match="the prompt 'Say hello 0' is none of its rows") as told:
        policy.encode("Say hello 0", "")
    assert '"0" to "2"' in told.value.expected
    with pytest.raises(AdjudgeError, match="the prompt '3' is none of its rows"):
        policy.encode("3", "yes")
    with pytest.raises(AdjudgeError, match="'maybe', to prompt 1, is none of them") as told:
        policy.encode("1", "maybe")
    assert "One of yes, no." in told.value.expected
