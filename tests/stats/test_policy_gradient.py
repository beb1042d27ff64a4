"""The unified estimator: each instance has exactly the policy gradient that enumeration gives, and PPO's mask."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.sim.tabular_prompts import TabularPrompts, chances
from adjudge.stats import policy_gradient
from adjudge.tables.rollouts import Rollouts

P, K = 3, 5


def world() -> tuple[TabularPrompts, np.ndarray, np.ndarray]:
    """Rewards, and logits of a sampler and of a policy."""
    rng = np.random.default_rng(0)
    return TabularPrompts(rng.normal(size=(P, K)), rng.dirichlet(np.ones(P))), *rng.normal(size=(2, P, K))


def gradient_of(now: np.ndarray, old: np.ndarray, advantages: Any = None, **choices: Any) -> np.ndarray:
    """Minus the gradient of the expected loss when `old` samples, [P, K]."""
    table, _ = world()[0].enumerated(old)
    logits = torch.tensor(now, requires_grad=True)
    prompt = np.repeat(np.arange(P), K)
    response = np.tile(np.arange(K), P)
    rollouts = Rollouts(
        torch.tensor(table.reward), torch.tensor(prompt),
        policy=logits.log_softmax(1)[prompt, response],
        old=torch.tensor(np.log(chances(old)).ravel()),
        reference=torch.tensor(np.log(chances(old)).ravel()),
        weight=torch.tensor(table.weight),
    )  # fmt: skip
    given = rollouts.reward if advantages is None else torch.tensor(advantages)
    loss = policy_gradient.mean(policy_gradient.terms(rollouts, given, **choices), rollouts)
    loss.backward()
    return -logits.grad.numpy()


def test_reinforce_is_the_enumerated_gradient() -> None:
    tabular, now, _ = world()
    np.testing.assert_allclose(gradient_of(now, now, denominator="policy"), tabular.gradient(now), atol=1e-14)


def test_ratios_to_the_sampler_are_the_enumerated_gradient_off_the_policy() -> None:
    tabular, now, old = world()
    np.testing.assert_allclose(gradient_of(now, old, clip=None), tabular.gradient(now), atol=1e-14)


def test_at_the_sampler_ppo_is_reinforce() -> None:
    tabular, now, _ = world()
    np.testing.assert_allclose(gradient_of(now, now), tabular.gradient(now), atol=1e-14)


def test_ppo_is_the_gradient_of_the_ratios_that_have_not_left_outwards() -> None:
    tabular, now, old = world()
    rho, gain = chances(now) / chances(old), tabular.reward
    stay = ~(((gain > 0) & (rho > 1.3)) | ((gain < 0) & (rho < 0.8)))
    assert 0 < stay.sum() < stay.size
    kept = np.where(stay, gain, 0.0)
    wanted = TabularPrompts(kept, tabular.share).gradient(now)
    np.testing.assert_allclose(gradient_of(now, old, clip=(0.2, 0.3)), wanted, atol=1e-14)
    assert np.abs(wanted - tabular.gradient(now)).max() > 0.01


def test_ppo_has_the_value_of_its_paper() -> None:
    rho, gain = np.array([0.5, 0.5, 1.1, 2.0, 2.0]), np.array([1.0, -1.0, 3.0, 1.0, -1.0])
    rollouts = Rollouts(gain, np.zeros(5), policy=np.log(rho), old=np.zeros(5))
    wanted = -np.minimum(rho * gain, rho.clip(0.8, 1.2) * gain)
    np.testing.assert_allclose(policy_gradient.terms(rollouts, gain), wanted, rtol=1e-14)


def test_advantage_one_over_the_policy_itself_is_maximum_likelihood() -> None:
    _, now, old = world()
    found = gradient_of(now, old, np.ones(P * K), denominator="policy")
    share = world()[0].share
    np.testing.assert_allclose(found, share[:, None] * (chances(old) - chances(now)), atol=1e-14)


def test_denominator_one_weighs_by_the_policy_alone() -> None:
    tabular, now, old = world()
    weighed = TabularPrompts(tabular.reward * chances(old), tabular.share)  # E_old[A ∇π] = Σ π_old A ∇π
    np.testing.assert_allclose(gradient_of(now, old, denominator="one"), weighed.gradient(now), atol=1e-14)


@pytest.mark.parametrize("denominator", ["policy", "old"])
def test_kl_has_the_gradient_of_the_divergence(denominator: str) -> None:
    tabular, now, old = world()
    lead = np.log(chances(now) / chances(old))
    off = denominator == "old"
    sampler = old if off else now
    if not off:  # on the policy, the reference must be another one: ask with old as reference by hand
        logits = torch.tensor(now, requires_grad=True)
        logs = logits.log_softmax(1)
        rows = Rollouts(
            torch.zeros(P * K, dtype=torch.float64), torch.arange(P * K), policy=logs.ravel(),
            reference=torch.tensor(np.log(chances(old)).ravel()),
            weight=torch.tensor((tabular.share[:, None] * chances(now)).ravel()),
        )  # fmt: skip
        loss = policy_gradient.terms(rows, rows.reward, denominator="policy", kl=0.7)
        policy_gradient.mean(loss, rows).backward()
        found = -logits.grad.numpy()
    else:
        found = gradient_of(now, sampler, np.zeros(P * K), clip=None, kl=0.7)
    wanted = TabularPrompts(-0.7 * lead, tabular.share).gradient(now)
    np.testing.assert_allclose(found, wanted, atol=1e-14)


def two_tokens() -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Logits of a first token and of a second one after each first [4, 3], and a reward of each pair of tokens."""
    rng = np.random.default_rng(5)
    return torch.tensor(rng.normal(size=(4, 3)), requires_grad=True), torch.tensor(rng.normal(size=(4, 3))), rng.normal(
        size=9
    )  # fmt: skip


def logs_of(logits: torch.Tensor) -> torch.Tensor:
    """[9, 3] log-probabilities of both tokens of each response, and an end token that does not count."""
    first, second = np.repeat(np.arange(3), 3), np.tile(np.arange(3), 3)
    logs = logits.log_softmax(1)
    return torch.stack([logs[0, first], logs[1 + first, second], torch.full((9,), -torch.inf).double()], 1)


@pytest.mark.parametrize("ratio", ["token", "response"])
def test_tokens_have_the_gradient_of_their_response(ratio: str) -> None:
    logits, _, reward = two_tokens()
    logs = logs_of(logits)
    mask = torch.tensor([[1.0, 1.0, 0.0]] * 9)
    chance = logs[:, :2].sum(1).exp()
    (wanted,) = torch.autograd.grad((chance * torch.tensor(reward)).sum(), logits, retain_graph=True)
    rows = Rollouts(
        torch.tensor(reward), torch.zeros(9), policy=logs, mask=mask, weight=chance.detach() / 1.0
    )  # fmt: skip
    loss = policy_gradient.terms(rows, rows.reward, denominator="policy", ratio=ratio)
    total = policy_gradient.mean(loss, rows)
    (found,) = torch.autograd.grad(total, logits)
    scale = 2.0 if ratio == "token" else 1.0  # a mean over two tokens is half of their sum
    np.testing.assert_allclose(-scale * found, wanted, atol=1e-14)


def test_responses_ratios_are_exact_off_the_policy_where_tokens_are_not() -> None:
    logits, old, reward = two_tokens()
    logs, before = logs_of(logits), logs_of(old)
    mask = torch.tensor([[True, True, False]] * 9)
    (wanted,) = torch.autograd.grad((logs[:, :2].sum(1).exp() * torch.tensor(reward)).sum(), logits, retain_graph=True)
    rows = Rollouts(
        torch.tensor(reward), torch.zeros(9), policy=logs, old=before, mask=mask, weight=before[:, :2].sum(1).exp()
    )
    off = {}
    for ratio, scale in (("response", 1.0), ("token", 2.0)):
        loss = policy_gradient.mean(policy_gradient.terms(rows, rows.reward, ratio=ratio, clip=None), rows)
        (found,) = torch.autograd.grad(loss, logits, retain_graph=True)
        off[ratio] = float((-scale * found - wanted).abs().max())
    assert off["response"] < 1e-14
    assert off["token"] > 0.01


def test_a_geometric_ratio_is_the_root_of_the_product() -> None:
    policy = np.log(np.array([[0.5, 0.8, 0.3], [0.9, 0.1, 0.2]]))
    mask = np.array([[1, 1, 0], [1, 1, 1]])
    rows = Rollouts(np.ones(2), np.zeros(2), policy=policy, old=np.zeros((2, 3)), mask=mask)
    found = policy_gradient.terms(rows, np.ones(2), ratio="geometric", clip=None)
    np.testing.assert_allclose(found, [-((0.5 * 0.8) ** 0.5), -((0.9 * 0.1 * 0.2) ** (1 / 3))])


def test_means_count_responses_or_tokens() -> None:
    rows = Rollouts(np.ones(2), np.zeros(2), policy=np.zeros((2, 3)), mask=np.array([[1, 0, 0], [1, 1, 1]]))
    terms = np.array([[4.0, 0, 0], [1.0, 2.0, 3.0]])
    assert policy_gradient.mean(terms, rows) == pytest.approx((4 + 2) / 2)
    assert policy_gradient.mean(terms, rows, over="token") == pytest.approx(10 / 4)
    weighed = replace(rows, weight=np.array([3.0, 1.0]))
    assert policy_gradient.mean(terms, weighed) == pytest.approx((3 * 4 + 2) / 4)
    assert policy_gradient.mean(terms, weighed, over="token") == pytest.approx((3 * 4 + 6) / 6)


def test_what_is_missing_or_unknown_is_named() -> None:
    rows = Rollouts(np.ones(2), np.zeros(2), policy=np.zeros(2))
    with pytest.raises(AdjudgeError, match="old"):
        policy_gradient.terms(rows, rows.reward)
    with pytest.raises(AdjudgeError, match="reference"):
        policy_gradient.terms(rows, rows.reward, denominator="policy", kl=0.1)
    for wrong in ({"denominator": "new"}, {"ratio": "word"}, {"denominator": "one", "clip": (-0.1, 0.2)}):
        with pytest.raises(AdjudgeError, match="policy gradient"):
            policy_gradient.terms(rows, rows.reward, **wrong)
    with pytest.raises(AdjudgeError, match="over"):
        policy_gradient.mean(rows.policy, rows, over="prompt")


def test_the_baseline_of_the_price_changes_no_expectation() -> None:
    """Over all draws of three responses of four, by their chances: Σ b_i·∇log π(y_i) is 0, and b is not."""
    rng = np.random.default_rng(11)
    policy, reference = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4))
    slopes = np.eye(4) - policy  # of log π(y) by the logits
    total, size = np.zeros(4), 0.0
    for drawn in itertools.product(range(4), repeat=3):
        said, chance = list(drawn), float(np.prod(policy[list(drawn)]))
        rows = Rollouts(np.zeros(3), np.zeros(3, int), old=np.log(policy[said]), reference=np.log(reference[said]))
        lead = policy_gradient.kl_baseline(rows)
        others = np.log(policy[said]) - np.log(reference[said])
        np.testing.assert_allclose(lead, (others.sum() - others) / 2, atol=1e-12)
        total += chance * (lead @ slopes[said])
        size += chance * float(np.abs(lead).sum())
    assert np.abs(total).max() < 1e-12 < 0.1 < size
    one = Rollouts(np.zeros(1), np.zeros(1, int), old=np.zeros(1), reference=np.ones(1))
    assert policy_gradient.kl_baseline(one).tolist() == [0.0]
    taught = Rollouts(
        np.zeros(2), np.zeros(2, int), old=np.array([-1.0, -2.0]), reference=np.zeros(2),
        demonstration=np.array([False, True]),
    )  # fmt: skip
    assert policy_gradient.kl_baseline(taught)[1] == 0.0
