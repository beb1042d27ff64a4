"""The laws that every objective and credit rule obeys in the one loop: a recipe is found by its card, and it learns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from adjudge import catalogue
from adjudge.errors import AdjudgeError
from adjudge.flows.recipe_rollouts import Ascending, prompts_of
from adjudge.flows.recipes import kind, recipe_of
from adjudge.tables.preferences import from_arrays
from adjudge.tables.ranked_lists import RankedLists
from adjudge.tables.read_lists import Asked
from adjudge.tables.scored import Scored
from adjudge.train.loop import train
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular

P, K, N = 5, 7, 11
NAMES = tuple("abcdefg")
ADDRESSES = (*catalogue.addresses("objectives"), *catalogue.addresses("credit"))
PARTS, RIGHT = (np.random.default_rng(seed).random((P, K)) for seed in (3, 4))

each_method = pytest.mark.parametrize("address", ADDRESSES)


def policy() -> Tabular:
    return Tabular(np.random.default_rng(0).normal(size=(P, K)), names=NAMES)


def pairs(*, compared: bool = True) -> Any:
    """Pairs with soft labels, weights and flips; or the left responses alone, each labelled."""
    rng = np.random.default_rng(1)
    sides = np.array([rng.permutation(K)[:2] for _ in range(N)])
    left, right = (tuple(NAMES[arm] for arm in column) for column in sides.T)
    label = rng.random(N)
    rating = np.stack([label, np.full(N, np.nan)], axis=1)
    return from_arrays(
        np.zeros((N, 0)), np.zeros((N, 0)), label if compared else np.full(N, np.nan), rating=rating,
        weight=rng.uniform(0.5, 2, N), flip=0.1, prompt=tuple(str(row % P) for row in range(N)), left_text=left,
        right_text=right if compared else ("",) * N,
    )  # fmt: skip


def lists() -> RankedLists:
    rng = np.random.default_rng(2)
    texts = tuple(tuple(rng.permutation(NAMES)[: 2 + row % 3]) for row in range(N))
    gains = tuple(rng.integers(0, 5, len(each)) + np.arange(len(each)) / 10 for each in texts)
    return RankedLists(tuple(str(row % P) for row in range(N)), texts, gains, rng.uniform(0.5, 2, N), np.full(N, 0.1))


def reward(prompts: Any, responses: Any) -> Scored:
    """Passed or failed, and all else that a rule may ask for."""
    at = np.array([int(each) for each in prompts]), np.array([NAMES.index(each) for each in responses])
    worth = RIGHT[at]
    return Scored(
        (worth > 0.5).astype(float), parts=np.stack([worth, PARTS[at]], axis=1), gold=worth,
        preference=1 / (1 + np.exp(worth[None, :] - worth[:, None])), false_positive=0.2 * PARTS[at],
        false_negative=np.full(worth.size, 0.1), recheck=(worth > 0.4).astype(float),
    )  # fmt: skip


def data(needed: str) -> Any:
    if needed == "rollouts":
        return Asked(tuple(map(str, range(P))), tuple("vwxyz"), NAMES[:P])
    return lists() if needed == "lists" else pairs(compared=needed != "singles")


def made(address: str, learner: Any, options: Any = None, **more: Any) -> Any:
    draw = {"rollouts": {"n": 4}, "online": {"n": 3}}.get(kind(address), {})
    return recipe_of(address, options or {}, data(kind(address)), learner, reward=reward, draw=draw, **more)


def trained(address: str, micro: int | None) -> Any:
    learner = policy()
    done = train(learner, made(address, learner), Settings(epochs=10, steps=3, batch=4, micro=micro, lr=0.05))
    assert done.steps == 3
    return learner.logits.detach().numpy(), [line["loss"] for line in done.history]


def test_the_methods_are_found() -> None:
    assert {"objectives.dpo", "objectives.kto", "objectives.lipo", "objectives.hypo", "credit.rloo"} <= set(ADDRESSES)
    assert {kind(address) for address in ADDRESSES} == {"pairs", "singles", "lists", "online", "rollouts"}


@each_method
def test_it_runs_and_moves_the_policy_the_same_in_parts_of_one(address: str) -> None:
    whole, losses = trained(address, None)
    apart, same = trained(address, 1)
    assert np.isfinite(whole).all()
    assert np.isfinite(losses).all()
    assert np.abs(whole - policy().logits.detach().numpy()).max() > 1e-3
    np.testing.assert_allclose(apart, whole, rtol=0, atol=1e-7)
    np.testing.assert_allclose(same, losses, rtol=1e-9, atol=1e-12)


@each_method
def test_rows_of_a_step_can_be_looked_at(address: str) -> None:
    learner = policy()
    recipe = made(address, learner)
    recipe.warm_up(learner)
    step = recipe.prepare(learner, np.array([3, 0]), torch.Generator().manual_seed(0))
    rows = step.rows(slice(0, step.n))
    assert len(rows) == step.n
    assert step.tokens > 0
    assert all("prompt" in row for row in rows)


@each_method
def test_an_option_that_it_does_not_have_is_refused(address: str) -> None:
    with pytest.raises(AdjudgeError, match="has no option 'bta'"):
        made(address, policy(), {"bta": 1.0})


def test_nash_steps_start_where_the_policy_is() -> None:
    assert made("objectives.nash_md", policy()).start
    assert not made("objectives.dpo", policy()).start


def test_objectives_without_a_reference_ask_none() -> None:
    assert made("objectives.simpo", policy()).reference.given is None
    assert made("objectives.slic", policy(), {"reference": False}).reference.given is None
    assert made("objectives.slic", policy()).reference.given == "precomputed"


def test_options_and_data_are_in_the_fingerprint() -> None:
    first, same, other = (made("objectives.dpo", policy(), {"beta": beta}).fingerprint for beta in (0.1, 0.1, 0.2))
    assert first == same != other


def test_prices_rise_while_a_reward_is_above_its_point_and_are_kept() -> None:
    learner = policy()
    recipe = made("credit.constrained", learner, {"points": [0.0, np.inf], "rate": 0.5})
    train(learner, recipe, Settings(epochs=4, batch=5, lr=0.01))
    prices = recipe.state()["credit"]["prices"]
    assert prices[0] > 0.2
    assert prices[1] == 0.0
    again = made("credit.constrained", policy(), {"points": [0.0, np.inf], "rate": 0.5})
    again.restore(recipe.state())
    assert isinstance(again.advantages, Ascending)
    np.testing.assert_array_equal(again.advantages.prices, prices)


def test_data_and_rewards_that_do_not_fit_are_refused() -> None:
    with pytest.raises(AdjudgeError, match="The data are Preferences"):
        recipe_of("objectives.lipo", {}, pairs(), policy())
    with pytest.raises(AdjudgeError, match="The data are RankedLists"):
        recipe_of("objectives.dpo", {}, lists(), policy())
    with pytest.raises(AdjudgeError, match="no reward"):
        recipe_of("credit.rloo", {}, pairs(), policy())
    with pytest.raises(AdjudgeError, match=r"value\.ips needs"):
        kind("value.ips")


def test_prompts_come_from_any_data_each_once() -> None:
    assert prompts_of(pairs()).prompts == prompts_of(lists()).prompts == tuple(map(str, range(P)))
    turned = replace(pairs(), turns=((("user", "hi"),),) * N)
    assert prompts_of(turned).prompts == ((("user", "hi"),),)
    with pytest.raises(AdjudgeError, match="no prompts"):
        prompts_of(replace(pairs(), prompt=("",) * N))
