"""Pairs with fresh responses: without their price it is DPO, with it the gradient holds the policy, parts add up."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.objectives import dpo, hypo
from adjudge.tables.read_preferences import read
from adjudge.train.online_pairs import OnlinePairs
from adjudge.train.pairs import Pairs
from adjudge.train.tabular import Tabular
from train.letters import Letters, descend


def table() -> Any:
    words = (("ab", "c", "dd"), ("b", "efa", "g"), ("cc", "a", "bb"), ("d", "ge", ""), ("e f", "ab", "ba"))
    return read([dict(zip(("prompt", "chosen", "rejected"), each, strict=True)) for each in words])


def test_without_a_price_it_is_dpo() -> None:
    ends = []
    for recipe_of in (
        lambda policy: Pairs(table(), dpo.loss, policy),
        lambda policy: OnlinePairs(table(), partial(hypo.loss, kl=0.0), policy, m=3, max_tokens=4),
    ):
        policy = Letters(dtype=torch.float64)
        descend(policy, recipe_of(policy), lr=5.0)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-14)


def test_parts_of_one_pair_are_the_step() -> None:
    ends = []
    for micro in (1, 2, None):
        policy = Letters(dtype=torch.float64)
        recipe = OnlinePairs(table(), partial(hypo.loss, kl=0.5), policy, m=3, max_tokens=4)
        told = descend(policy, recipe, micro=micro, lr=1.0)
        assert told[-1]["loss"] == pytest.approx(told[-1]["summed"], abs=1e-12)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-14)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-14)


def test_fresh_responses_hold_what_no_pair_looks_at() -> None:
    """The pair's loss falls without end as x leaves y behind; the price of KL holds the policy near where it began."""
    ends = {}
    rows = read([{"prompt": "0", "chosen": "x", "rejected": "y"}])
    for price in (0.0, 3.0):
        policy = Tabular(np.array([[0.0, 0.0, 1.0]]), names=("x", "y", "z"))
        recipe = OnlinePairs(rows, partial(hypo.loss, beta=0.1, kl=price), policy, m=32)
        told = descend(policy, recipe, steps=150, batch=1, lr=0.3)
        ends[price] = told[-1]["kl"]
    assert 0 <= ends[3.0] + 0.02 < ends[0.0] / 5


def test_each_response_answers_its_pairs_prompt_and_counts() -> None:
    policy = Letters()
    recipe = OnlinePairs(table(), hypo.loss, policy, m=2, max_tokens=5)
    recipe.warm_up(policy)
    step = recipe.prepare(policy, np.array([3, 1]), torch.Generator().manual_seed(0))
    prompts = [one.prompt for one in step.drawn.exchanges]
    assert prompts == [recipe.rows.exchanges[2 * row].prompt for row in (3, 3, 1, 1)]
    batch = step.batch(policy, slice(1, 2))
    expected = policy.chances(step.drawn.exchanges[2:]).total
    np.testing.assert_allclose(batch.online[0].detach(), expected.detach(), atol=1e-6)
    np.testing.assert_allclose(batch.ref_online[0], expected.detach(), atol=1e-6)
    pairs = recipe.rows.exchanges[6:8] + recipe.rows.exchanges[2:4]
    assert step.tokens == sum(len(e.prompt) + len(e.response) for e in (*pairs, *step.drawn.exchanges))


def test_a_reference_of_ones_own_is_asked_about_both() -> None:
    policy, other = Letters(dtype=torch.float64), Letters(seed=4, dtype=torch.float64)
    recipe = OnlinePairs(table(), hypo.loss, policy, reference=other, m=2)
    recipe.warm_up(policy)
    batch = recipe.prepare(policy, np.arange(2), torch.Generator()).batch(policy, slice(0, 2))
    first = other.chances(recipe.rows.exchanges[:1]).total.item()
    assert batch.ref_chosen[0].item() == pytest.approx(first, abs=1e-12)
    assert (batch.ref_online - batch.online).abs().min() > 1e-6
