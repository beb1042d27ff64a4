"""Pairs as a recipe: the reference is the policy itself, parts add up, labels arrive whole, bad rows are told."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.objectives import dpo, nash_md, rdpo, simpo
from adjudge.tables.preferences import Preferences, from_arrays
from adjudge.tables.read_preferences import read
from adjudge.train.pairs import Pairs
from adjudge.train.policy import Exchange
from adjudge.train.tabular import Tabular
from train.letters import LETTERS, Letters, descend

N = 13


def pairs(n: int = N, seed: int = 0, **more: Any) -> Preferences:
    """Texts of 1 to 19 letters."""
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(LETTERS), rng.integers(1, 20))) for _ in range(3 * n)]
    bare = np.zeros((n, 0))
    return from_arrays(
        bare, bare, more.pop("outcome", np.ones(n)), prompt=tuple(texts[:n]), left_text=tuple(texts[n : 2 * n]),
        right_text=tuple(texts[2 * n :]), **more,
    )  # fmt: skip


def moved(policy: Any, seed: int = 3) -> Any:
    """The policy with its parameters changed in memory."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in policy.module.parameters():
            parameter += torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
    return policy


@pytest.mark.parametrize("reference", ["precomputed", "live"])
@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-6), (torch.float64, 1e-15)])
def test_the_first_loss_is_log_2_on_a_policy_that_is_nowhere_on_disk(
    reference: str, dtype: torch.dtype, off: float
) -> None:
    policy = moved(Letters(dtype=dtype))
    recipe = Pairs(pairs(), partial(dpo.loss, beta=0.5), policy, reference=reference, batch=3)
    recipe.warm_up(policy)
    step = recipe.prepare(policy, np.arange(N), torch.Generator())
    assert step.loss(policy, slice(0, N)).item() == pytest.approx(math.log(2), abs=off)
    assert step.metrics()["log_ratio_chosen"] == pytest.approx(0.0, abs=10 * off)


def test_parts_of_one_row_are_the_step() -> None:
    weighted = pairs(weight=np.arange(1.0, N + 1), outcome=np.linspace(0, 1, N))
    ends, told = [], []
    for micro in (1, 4, None):
        policy = Letters(dtype=torch.float64)
        told.append(descend(policy, Pairs(weighted, dpo.loss, policy), batch=8, micro=micro))
        ends.append(policy.table.detach().numpy())
    for end, seen in zip(ends[1:], told[1:], strict=True):
        np.testing.assert_allclose(end, ends[0], rtol=0, atol=1e-15)
        for first, other in zip(told[0], seen, strict=True):
            assert first == pytest.approx(other, abs=1e-12)
            assert first["loss"] == pytest.approx(first["summed"], abs=1e-12)


def test_a_row_of_weight_three_is_three_rows() -> None:
    once = pairs(4)
    thrice = once.take(np.array([0, 1, 1, 1, 2, 3]))
    losses = []
    for table in (replace(once, weight=np.array([1.0, 3, 1, 1])), thrice):
        policy = Letters(dtype=torch.float64)
        descend(policy, Pairs(table, dpo.loss, policy), batch=table.n, steps=2)
        losses.append(policy.table.detach().numpy())
    np.testing.assert_allclose(losses[0], losses[1], atol=1e-14)


def test_labels_reach_the_objective_with_the_better_response_first() -> None:
    seen = []

    def spy(batch: Any) -> Any:
        seen.append(batch)
        return dpo.loss(batch)

    table = pairs(
        3, outcome=np.array([1.0, 0.2, 0.5]), flip=np.array([0.0, 0.1, 0.2]), margin=np.array([2.0, np.nan, 0.0]),
        weight=np.array([1.0, 2.0, 3.0]),
    )  # fmt: skip
    policy = Letters(dtype=torch.float64)
    recipe = Pairs(table, spy, policy)
    recipe.warm_up(policy)
    step = recipe.prepare(policy, np.array([1, 0, 2]), torch.Generator())
    step.loss(policy, slice(0, 3))
    batch = seen[0]
    assert batch.preference.tolist() == [0.8, 1.0, 0.5]
    assert batch.flip.tolist() == [0.1, 0.0, 0.2]
    assert batch.margin.tolist() == [0.0, 2.0, 0.0]
    assert batch.weight.tolist() == [2.0, 1.0, 3.0]
    said = policy.encode(table.prompt[1], table.right_text[1])
    assert batch.chosen[0].item() == pytest.approx(policy.chances([said]).total.item(), abs=1e-12)
    assert batch.chosen_length[0].item() == len(table.right_text[1]) + 1
    moved(policy)
    step.loss(policy, slice(0, 3))
    first, second, tie = (seen[1].log_ratio > 0).double().tolist()
    assert first != tie
    assert step.metrics()["accuracy"] == pytest.approx((2 * first + second) / 3)  # the tie is no part of it
    assert step.tokens == sum(
        2 * len(prompt) + len(left) + len(right) + 2
        for prompt, left, right in zip(table.prompt, table.left_text, table.right_text, strict=True)
    )


def test_both_responses_of_a_pair_go_in_side_by_side() -> None:
    asked: list[Exchange] = []
    policy = Letters()
    recipe = Pairs(pairs(), dpo.loss, policy)
    recipe.warm_up(policy)
    asking = policy.chances
    policy.chances = lambda rows, **more: asked.extend(rows) or asking(rows, **more)  # type: ignore[method-assign]
    recipe.prepare(policy, np.arange(5), torch.Generator()).loss(policy, slice(0, 5))
    assert [one.prompt for one in asked[::2]] == [one.prompt for one in asked[1::2]]
    assert len(asked) == 10


def test_its_optimum_is_the_reference_tilted_by_the_reward() -> None:
    rng = np.random.default_rng(0)
    base, reward, beta = rng.normal(size=(1, 3)), np.array([0.0, 0.7, -0.4]), 0.5
    policy = Tabular(base, names=("x", "y", "z"))
    every = [(i, j) for i in range(3) for j in range(i)]
    bare = np.zeros((3, 0))
    table = from_arrays(
        bare, bare, [1 / (1 + np.exp(reward[j] - reward[i])) for i, j in every], prompt=("0",) * 3,
        left_text=tuple(policy.names[i] for i, _ in every), right_text=tuple(policy.names[j] for _, j in every),
    )  # fmt: skip
    told = descend(policy, Pairs(table, partial(dpo.loss, beta=beta), policy), batch=3, steps=800, lr=8.0)
    best = base[0] + reward / beta
    np.testing.assert_allclose(
        policy.logits.detach().log_softmax(1)[0].numpy(), best - np.log(np.exp(best).sum()), atol=1e-6
    )
    assert told[-1]["accuracy"] == 1.0


def test_a_resumed_recipe_has_the_reference_bit_by_bit() -> None:
    policy = Letters()
    recipe = Pairs(pairs(), dpo.loss, policy)
    descend(policy, recipe)
    again = Pairs(pairs(), dpo.loss, policy)
    again.warm_up(policy)  # of a policy that has moved: restore must win
    again.restore(recipe.state())
    rows = np.arange(N)
    first, second = (one.prepare(policy, rows, torch.Generator()).loss(policy, slice(0, N)) for one in (recipe, again))
    assert first.item() == second.item()
    with pytest.raises(AdjudgeError, match="26 responses; the data have 8"):
        Pairs(pairs(4), dpo.loss, policy).restore(recipe.state())


def test_without_a_reference_nothing_is_asked_beforehand() -> None:
    policy = Letters()
    recipe = Pairs(pairs(), simpo.loss, policy, reference=None)
    asking, calls = policy.chances, []
    policy.chances = lambda rows, **more: calls.append(len(rows)) or asking(rows, **more)  # type: ignore[method-assign]
    told = descend(policy, recipe, steps=1)
    assert calls == [8]
    assert "log_ratio_chosen" not in told[0]
    assert 0 <= told[0]["accuracy"] <= 1


def test_a_reference_of_ones_own_is_asked_and_must_speak_the_same_codes() -> None:
    policy, other = Letters(), Letters(seed=5)
    recipe = Pairs(pairs(), dpo.loss, policy, reference=other)
    recipe.warm_up(policy)
    step = recipe.prepare(policy, np.arange(N), torch.Generator())
    assert abs(step.loss(policy, slice(0, N)).item() - math.log(2)) > 1e-3

    class Shifted(Letters):
        def encode(self, prompt: Any, response: str) -> Exchange:
            said = super().encode(prompt, response)
            return Exchange(said.prompt, tuple(code + 1 for code in said.response))

    with pytest.raises(AdjudgeError, match="other codes"):
        Pairs(pairs(), dpo.loss, policy, reference=Shifted())


def test_the_start_of_a_step_is_the_policy_before_it() -> None:
    policy = Letters(dtype=torch.float64)
    recipe = Pairs(pairs(), partial(nash_md.loss, beta=0.5, eta=1.0), policy, start=True)
    told = descend(policy, recipe, batch=N, steps=1)
    assert told[0]["loss"] == pytest.approx(0.25, abs=1e-12)  # h = 0 at π = π_t = μ, and (η/2)²
    away = Letters(dtype=torch.float64)
    recipe.restore({"reference": 0 * np.asarray(recipe.state()["reference"])})
    batch = recipe.prepare(away, np.arange(N), torch.Generator()).batch(away, slice(0, N))
    np.testing.assert_array_equal(batch.old_chosen, batch.chosen.detach())
    assert not batch.old_chosen.requires_grad


def test_a_flip_rate_in_the_data_is_the_rate_given() -> None:
    table = pairs()
    ends = []
    for data, loss in ((replace(table, flip=np.full(N, 0.2)), rdpo.loss), (table, partial(rdpo.loss, rate=0.2))):
        policy = Letters(dtype=torch.float64)
        ends.append(descend(policy, Pairs(data, loss, policy))[-1]["loss"])
    assert ends[0] == pytest.approx(ends[1], abs=1e-14)


def test_bad_rows_are_told() -> None:
    policy = Letters()
    rows = [
        {"prompt": prompt, "chosen": chosen, "rejected": rejected}
        for prompt, chosen, rejected in (("ab", "c", "d"), ("a" * 40, "c", "d"), ("a", "c", "c"), ("a", "", "g"))
    ]
    with pytest.raises(AdjudgeError, match=r"Row 1: Prompt of 40 codes.*skip_long = true"):
        Pairs(read(rows), dpo.loss, policy)
    recipe = Pairs(read(rows), dpo.loss, policy, skip_long=True)
    assert recipe.n == 2
    told = {found.code: found for found in recipe.findings}
    assert len(told) == len(recipe.findings), "each is told once"
    assert told["rows-not-read"].number == 1
    assert told["responses-equal"].severity == Severity.WARNING
    assert told["responses-empty"].number == 1
    assert math.isfinite(descend(policy, recipe, batch=2)[-1]["loss"])
    with pytest.raises(AdjudgeError, match="None of 1 rows can be read"):
        Pairs(read(rows[1:2]), dpo.loss, policy, skip_long=True)


def test_pairs_that_are_equal_to_the_policy_are_left_out() -> None:
    class Deaf(Letters):
        def encode(self, prompt: Any, response: str) -> Exchange:
            return super().encode(prompt, response[:1])

    table = from_arrays(
        np.zeros((2, 0)), np.zeros((2, 0)), [1.0, 1.0], prompt=("a", "a"), left_text=("ab", "c"), right_text=("ac", "d")
    )
    recipe = Pairs(table, dpo.loss, Deaf())
    assert recipe.n == 1
    assert recipe.findings[-1].code == "responses-equal"


@pytest.mark.parametrize("outcome", [np.nan, 1.0])
def test_nothing_to_learn_from_is_an_error(outcome: float) -> None:
    table = pairs(2, outcome=np.full(2, outcome), weight=np.zeros(2))
    with pytest.raises(AdjudgeError, match="of 2 pairs none is left"):
        Pairs(table, dpo.loss, Letters())
    with pytest.raises(AdjudgeError, match="features and no texts"):
        Pairs(replace(table, prompt=()), dpo.loss, Letters())


def test_conversations_reach_the_policy_as_turns() -> None:
    said = []

    class Listening(Letters):
        def encode(self, prompt: Any, response: str) -> Exchange:
            said.append(prompt)
            return super().encode(prompt, response)

    turn = {"role": "user", "content": "ab"}
    answers = ({"role": "assistant", "content": "c"}, {"role": "assistant", "content": "d"})
    table = read([{"chosen": [turn, answers[0]], "rejected": [turn, answers[1]]}])
    policy = Listening()
    recipe = Pairs(table, dpo.loss, policy)
    assert set(said) == {(("user", "ab"),)}
    recipe.warm_up(policy)
    row = recipe.prepare(policy, np.array([0]), torch.Generator()).rows(slice(0, 1))[0]
    assert json.loads(json.dumps(row)) == {
        "prompt": [turn], "chosen": "c", "rejected": "d", "preference": 1.0, "weight": 1.0,
    }  # fmt: skip


def test_the_reference_is_asked_without_dropout_and_the_policy_left_as_it_was() -> None:
    policy = Letters()
    policy.module.train()
    modes = []
    asking = policy.chances
    policy.chances = lambda rows, **more: modes.append(policy.module.training) or asking(rows, **more)  # type: ignore[method-assign]
    Pairs(pairs(), dpo.loss, policy).warm_up(policy)
    assert set(modes) == {False}
    assert policy.module.training


def test_the_fingerprint_is_that_of_the_data() -> None:
    policy, table = Letters(), pairs()
    first, same, other = (
        Pairs(each, dpo.loss, policy).fingerprint for each in (table, pairs(), replace(table, weight=np.full(N, 2.0)))
    )
    assert first == same != other


def test_an_unknown_reference_is_refused() -> None:
    with pytest.raises(AdjudgeError, match=r"train\.reference = 'disk'"):
        Pairs(pairs(), dpo.loss, Letters(), reference="disk")
