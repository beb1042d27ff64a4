"""Demonstrations: maximum likelihood, exactly; parts that add up; rows that cannot be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.train.tiny import policy as letters

from adjudge.errors import AdjudgeError
from adjudge.train.demonstrations import Demonstrations
from adjudge.train.loop import train
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular

NAMES = ("yes", "no", "perhaps")
SAID = ["yes"] * 5 + ["no"] * 2 + ["no"] * 3 + ["perhaps"] * 4
ASKED = ["0"] * 7 + ["1"] * 7


def test_a_table_learns_how_often_each_was_said() -> None:
    policy = Tabular(np.zeros((2, 3)), names=NAMES)
    recipe = Demonstrations(ASKED, SAID, policy)
    done = train(policy, recipe, Settings(epochs=600, batch=14, lr=0.05, clip=None))
    assert done.history[0]["loss"] == pytest.approx(np.log(3), abs=1e-12)
    assert done.history[0]["surprise"] == done.history[0]["loss"]
    np.testing.assert_allclose(policy.logits.detach().softmax(1), [[5 / 7, 2 / 7, 0], [0, 3 / 7, 4 / 7]], atol=0.01)


def test_the_loss_is_nats_a_token_and_parts_add_up() -> None:
    policy = letters()
    asked, said = ["ab", "c", "dd e", "f", "ab"], ["hello", "", "no", "yes it is", "hell"]
    recipe = Demonstrations(asked, said, policy)
    step = recipe.prepare(policy, np.array([4, 2, 0, 3]), torch.Generator())
    rows = [policy.encode(asked[at], said[at]) for at in (4, 2, 0, 3)]
    chances = policy.chances(rows)
    expected = -chances.total.sum() / chances.length.sum()
    assert step.loss(policy, slice(0, 4)).item() == pytest.approx(expected.item(), rel=1e-6)
    parts = [step.loss(policy, slice(at, at + 1)).item() for at in range(4)]
    assert sum(parts) == pytest.approx(expected.item(), rel=1e-6)
    assert step.metrics()["length"] == chances.length.mean().item()
    assert step.tokens == sum(len(one.prompt) + len(one.response) for one in rows)
    assert step.rows(slice(1, 2)) == [{"prompt": "dd e", "response": "no"}]


def test_one_row_at_a_time_is_the_same_descent() -> None:
    asked, said = ["ab", "c", "dd e", "f"] * 4, ["hello", "so", "no", "yes it is"] * 4
    settings = Settings(epochs=3, batch=8, lr=1e-2)

    def trained(settings: Settings) -> list[float]:
        policy = letters()
        return [row["loss"] for row in train(policy, Demonstrations(asked, said, policy), settings).history]

    whole = trained(settings)
    np.testing.assert_allclose(trained(replace(settings, micro=1)), whole, rtol=2e-4)
    assert whole[-1] < whole[0] - 0.3


@pytest.mark.parametrize(("asked", "said", "told"), [([], [], "0 prompts"), (["0"], ["yes", "no"], "1 prompts and 2"),
                                                     (["0"], ["never"], "Row 0")])  # fmt: skip
def test_what_cannot_be_learnt_is_refused(asked: list[str], said: list[str], told: str) -> None:
    with pytest.raises(AdjudgeError, match=told):
        Demonstrations(asked, said, Tabular(np.zeros((2, 3)), names=NAMES))
    if said == ["never"]:
        recipe = Demonstrations(["0", "0"], ["never", "yes"], Tabular(np.zeros((2, 3)), names=NAMES), skip_long=True)
        assert recipe.n == 1
        assert [each.code for each in recipe.findings] == ["rows-not-read"]
