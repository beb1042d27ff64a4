"""Rollouts as a recipe: the mean gradient is the enumerated one, tops are where theory has them, parts add up."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.credit import grpo, hybrid, reinforce, rloo
from adjudge.errors import AdjudgeError
from adjudge.tables.scored import Scored
from adjudge.train.responses import Draw
from adjudge.train.rollouts import Rollouts
from adjudge.train.tabular import Tabular
from train.letters import Letters, descend

REWARD = np.array([[0.0, 1.0, 0.3, 0.0, 2.0], [1.0, 0.0, 0.0, 0.5, 0.2], [0.0, 0.0, 0.0, 3.0, 1.0]])
BASE = np.random.default_rng(0).normal(size=REWARD.shape)


def table() -> Tabular:
    return Tabular(BASE)


def paid(prompts: Any, responses: Any) -> Any:
    return [REWARD[int(x), int(y)] for x, y in zip(prompts, responses, strict=True)]


def vowels(prompts: Any, responses: Any) -> Any:
    return [sum(letter in "ae" for letter in text) for text in responses]


def recipe(policy: Any, advantages: Any = rloo.advantages, reward: Any = paid, **more: Any) -> Rollouts:
    prompts = more.pop("prompts", ("0", "1", "2"))
    return Rollouts(prompts, reward, advantages, policy, **more)


def gradient(policy: Any, step: Any, micro: int) -> Any:
    policy.module.zero_grad()
    for start in range(0, step.n, micro):
        step.loss(policy, slice(start, min(start + micro, step.n))).backward()
    return next(policy.module.parameters()).grad.clone()


@pytest.mark.parametrize(
    ("advantages", "kl"), [(rloo.advantages, 0.0), (partial(reinforce.advantages, baseline="none"), 0.0),
                           (rloo.advantages, 0.3)],
)  # fmt: skip
def test_the_mean_gradient_is_the_enumerated_one(advantages: Any, kl: float) -> None:
    policy = table()
    made = recipe(policy, advantages, draw=Draw(n=5, kl=kl))
    made.warm_up(policy)
    with torch.no_grad():
        policy.logits.add_(torch.from_numpy(np.random.default_rng(1).normal(size=REWARD.shape)))
    generator, found = torch.Generator().manual_seed(2), []
    for _ in range(400):
        found.append(gradient(policy, made.prepare(policy, np.arange(3), generator), 15).numpy().ravel())
    logs = policy.logits.log_softmax(1)
    worth = torch.from_numpy(REWARD) - kl * (logs - torch.from_numpy(BASE).log_softmax(1))
    truth = torch.autograd.grad(-(logs.exp() * worth).sum() / 3, policy.logits)[0].numpy().ravel()
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - truth) < 4.2 * error + 1e-12).all()


@pytest.mark.parametrize("over", ["response", "token"])
@pytest.mark.parametrize("ratio", ["token", "response", "geometric"])
def test_parts_of_one_response_are_the_step(over: str, ratio: str) -> None:
    found, told = [], []
    for micro in (1, 5, 24):
        policy = Letters(dtype=torch.float64)
        made = recipe(
            policy, reward=vowels, prompts=("ab", "c", "dd e", "g"),
            draw=Draw(n=6, max_tokens=7, ratio=ratio, over=over, kl=0.1, updates=2),
        )  # fmt: skip
        told.append(descend(policy, made, micro=micro, batch=4, lr=0.5))
        found.append(policy.table.detach().numpy())
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=1e-14)
    for first, other in zip(told[0], told[2], strict=True):
        assert first == pytest.approx(other, abs=1e-10)
        assert first["loss"] == pytest.approx(first["summed"], abs=1e-10)


def test_it_climbs_to_the_best_response() -> None:
    policy = table()
    told = descend(policy, recipe(policy, draw=Draw(n=8)), steps=400, batch=3, lr=3.0)
    best = policy.logits.detach().softmax(1)[torch.arange(3), torch.from_numpy(REWARD.argmax(1))]
    assert best.min() > 0.95
    assert told[-1]["reward"] > 1.9 > told[0]["reward"]
    assert told[-1]["kl"] > 0.5


def test_with_a_price_of_leaving_it_stands_still_at_the_tilted_reference() -> None:
    policy, kappa = table(), 0.5
    made = recipe(policy, draw=Draw(n=64, kl=kappa))
    made.warm_up(policy)
    with torch.no_grad():
        policy.logits.add_(torch.from_numpy(REWARD / kappa))
    generator = torch.Generator().manual_seed(0)
    found = np.array([gradient(policy, made.prepare(policy, np.arange(3), generator), 192).numpy() for _ in range(60)])
    error = found.std(axis=0, ddof=1) / np.sqrt(60)
    assert np.abs(found.mean(axis=0)).max() < 4.2 * error.max()
    assert error.max() < 0.004  # where the policy begins, the gradient is 0.1 and more
    tilted = policy.logits.detach().log_softmax(1)
    away = table()
    told = descend(away, made, steps=600, batch=3, lr=0.5, warm=False)
    np.testing.assert_allclose(away.logits.detach().softmax(1), tilted.exp(), atol=0.03)
    assert told[-1]["kl"] == pytest.approx(
        float((tilted.exp() * (tilted - torch.from_numpy(BASE).log_softmax(1))).sum(1).mean()), abs=0.1
    )


def test_a_baseline_of_the_price_takes_out_its_noise_and_no_more() -> None:
    """At the top reward and price cancel draw by draw; elsewhere the mean over all draws is the gradient without it."""
    kappa, norms = 0.5, {}
    for baseline in (False, True):
        policy = table()
        made = recipe(policy, draw=Draw(n=8, kl=kappa, kl_baseline=baseline))
        made.warm_up(policy)
        with torch.no_grad():
            policy.logits.add_(torch.from_numpy(REWARD / kappa))
        generator = torch.Generator().manual_seed(0)
        found = [gradient(policy, made.prepare(policy, np.arange(3), generator), 24).norm() for _ in range(20)]
        norms[baseline] = float(np.mean(found))
    assert norms[False] > 0.02
    assert norms[True] < 1e-12


def test_further_updates_are_off_the_policy_and_the_clip_holds_them() -> None:
    policy = table()
    made = recipe(policy, grpo.advantages, draw=Draw(n=32, updates=6, clip=(0.1, 0.1)))
    told = descend(policy, made, steps=2, batch=3, lr=3.0)
    assert made.updates == 6
    assert told[0]["clipped"] > 0.1
    first = recipe(table(), draw=Draw(n=32))
    assert descend(table(), first, steps=1, batch=3)[0]["clipped"] == 0.0


def test_a_step_tells_what_happened() -> None:
    policy = Letters()

    def reward(prompts: Any, responses: Any) -> Scored:
        said = np.array(vowels(prompts, responses), dtype=float)
        said[0] = np.nan
        return Scored(said, gold=np.where(np.arange(said.size) % 2, 1.0, np.nan))

    made = recipe(policy, reward=reward, prompts=("ab", "c", "dd e"), draw=Draw(n=4, max_tokens=3))
    made.warm_up(policy)
    step = made.prepare(policy, np.array([2, 0]), torch.Generator().manual_seed(0))
    step.loss(policy, slice(0, step.n))
    told, table_ = step.metrics(), step.responses.table
    means = [np.nanmean(table_.reward[table_.prompt == row]) for row in (0, 2)]
    assert told["reward"] == pytest.approx(np.mean(means))
    assert told["reward_stderr"] == pytest.approx(np.std(means, ddof=1) / np.sqrt(2))
    assert told["unrewarded"] == 1 / 8
    assert told["gold"] == 1.0
    assert told["kl"] == pytest.approx(0.0, abs=1e-6)
    assert told["kl_k3"] == pytest.approx(0.0, abs=1e-6)
    assert told["unfinished"] == np.mean(~step.responses.ended)
    assert told["length"] == np.mean([len(one.response) for one in step.responses.exchanges])
    assert step.tokens == sum(len(one.prompt) + len(one.response) for one in step.responses.exchanges)
    assert json.loads(json.dumps(step.rows(slice(6, 8))))[1]["prompt"] == "ab"


def test_a_constant_reward_teaches_nothing() -> None:
    policy = table()
    told = descend(policy, recipe(policy, reward=lambda prompts, _: np.ones(len(prompts))), steps=2)
    np.testing.assert_array_equal(policy.logits.detach(), BASE)
    assert told[0]["silent"] == 1.0
    assert told[0]["reward_stderr"] == 0.0


def test_a_teacher_teaches_prompts_that_nobody_solves() -> None:
    policy = Tabular(np.array([[0.0, 0.0, -20.0]]))
    made = recipe(
        policy, hybrid.advantages, lambda _, said: [float(text == "2") for text in said], prompts=("0",),
        demonstrations=("2",), draw=Draw(n=4, denominator="policy"),
    )  # fmt: skip
    told = descend(policy, made, steps=30, batch=1, lr=20.0)
    assert told[0]["reward"] == 0.0  # the teacher's response is not counted
    assert policy.logits.detach().softmax(1)[0, 2] > 0.9


def test_the_samples_file_has_each_response_once_after_an_interruption(tmp_path: Path) -> None:
    file = tmp_path / "run" / "samples.jsonl"

    def run(steps: int, state: Any = None, policy: Any = None) -> Any:
        policy = policy or Letters()
        made = recipe(
            policy, reward=vowels, prompts=("ab", "c"), items=("i0", "i1"), samples=file,
            draw=Draw(n=3, max_tokens=5, updates=2),
        )  # fmt: skip
        made.warm_up(policy)
        if state is not None:
            made.restore(state)
        for _ in range(steps):
            made.prepare(policy, np.arange(2), torch.Generator().manual_seed(0))
        return made

    state = run(2).state()
    assert state == {"done": 4}
    run(1, state)
    with file.open("a") as opened:
        opened.write('{"step": 4, "cut')
    again = run(1, state)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["step"] for line in lines] == [0] * 6 + [2] * 6 + [4] * 6
    assert {line["item"] for line in lines} == {"i0", "i1"}
    assert set(lines[0]) == {"step", "item", "prompt", "response", "reward", "logp", "kl", "tokens", "ended"}
    assert again.done == 6
    run(1)
    assert len(file.read_text().splitlines()) == 6


def test_a_rule_that_learns_is_in_the_checkpoint() -> None:
    class Counting:
        seen = 0

        def __call__(self, rows: Any) -> Any:
            self.seen += 1
            return rloo.advantages(rows)

        def state(self) -> dict[str, int]:
            return {"seen": self.seen}

        def restore(self, state: Any) -> None:
            self.seen = state["seen"]

    policy = table()
    made = recipe(policy, Counting())
    descend(policy, made, batch=3)
    rule = Counting()
    recipe(policy, rule).restore(made.state())
    assert rule.seen == 3


def test_a_reference_of_ones_own_is_where_the_price_is_counted_from() -> None:
    other = Tabular(np.zeros_like(BASE))
    policy = table()
    told = descend(policy, recipe(policy, reference=other, draw=Draw(n=500)), steps=1, batch=3, lr=0.0)
    logs = policy.logits.detach().log_softmax(1)
    truth = float((logs.exp() * (logs + np.log(5))).sum(1).mean())
    assert told[0]["kl"] == pytest.approx(truth, abs=1e-12), "a table's is exact"
    assert told[0]["kl_k3"] == pytest.approx(truth, abs=0.1)
    assert "kl" not in descend(policy, recipe(policy, reference=False), steps=1, batch=3)[0]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"prompts": ()}, "no prompts"),
        ({"items": ("a",)}, "1 items of 3 prompts"),
        ({"reference": False, "draw": Draw(kl=0.1)}, "no reference"),
        ({"prompts": ("7",)}, "Row 0"),
        ({"prompts": ("7",), "skip_long": True}, "None of 1 rows"),
    ],
)
def test_what_cannot_be_is_refused(more: Any, said: str) -> None:
    with pytest.raises(AdjudgeError, match=said):
        recipe(table(), **more)


@pytest.mark.parametrize(
    "reward", [lambda *_: [1.0], lambda p, _: np.full(len(p), np.inf), lambda p, _: [[1.0]] * len(p)]
)
def test_rewards_that_do_not_fit_are_refused(reward: Any) -> None:
    policy = table()
    with pytest.raises(AdjudgeError, match="The reward gave reward of shape"):
        recipe(policy, reward=reward).prepare(policy, np.arange(3), torch.Generator())


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"temperature": 0.0}, {"updates": 0}, {"ratio": "word"}, {"kl": -1.0}, {"max_tokens": 0}]
)
def test_draws_that_cannot_be_are_refused(wrong: Any) -> None:
    with pytest.raises(AdjudgeError, match=next(iter(wrong))):
        Draw(**wrong)
