"""Ranked lists as a recipe: lists of two are pairs, lists of any length add up, what is not valued is left out."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.objectives import dpo, list_mle, pairwise_logistic
from adjudge.tables.ranked_lists import RankedLists
from adjudge.tables.read_lists import read, read_prompts
from adjudge.tables.read_preferences import read as read_pairs
from adjudge.train.lists import Lists
from adjudge.train.pairs import Pairs
from adjudge.train.tabular import Tabular
from train.letters import Letters, descend

SAID = (
    ("ab", ("c", "dd", "efa"), (2.0, 0.0, 1.0)),
    ("b", ("a", "g"), (0.0, 1.0)),
    ("gg", ("ab", "b", "cd", "e f"), (0.0, 3.0, np.nan, 3.0)),
    ("e", ("a", "bb", "ccc"), (1.0, 2.0, 0.0)),
)


def lists(**more: Any) -> RankedLists:
    prompts, texts, gains = zip(*SAID, strict=True)
    return RankedLists(prompts, texts, tuple(np.array(each) for each in gains), **more)


def test_a_list_of_two_is_a_pair() -> None:
    ends = []
    for reading in ("pairs", "lists"):
        policy = Letters(dtype=torch.float64)
        rows = [{"prompt": "ab", "chosen": "c", "rejected": "dd"}, {"prompt": "e", "chosen": "a", "rejected": "bb"}]
        recipe: Any = (
            Pairs(read_pairs(rows), dpo.loss, policy)
            if reading == "pairs"
            else Lists(
                read([{"prompt": each["prompt"], "completions": [each["rejected"], each["chosen"]], "ranks": [2, 1]}
                      for each in rows]), pairwise_logistic.loss, policy)
        )  # fmt: skip
        told = descend(policy, recipe, batch=2, lr=5.0)
        assert told[0]["loss"] == pytest.approx(math.log(2), abs=1e-12)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-12)


@pytest.mark.parametrize("more", [{}, {"noise": 0.7}])
def test_parts_of_one_list_are_the_step(more: Any) -> None:
    ends = []
    for micro in (1, 3, None):
        policy = Letters(dtype=torch.float64)
        table = lists(weight=np.array([1.0, 2.0, 0.5, 3.0]), flip=np.array([0.0, 0.1, 0.2, 0.0]))
        told = descend(policy, Lists(table, list_mle.loss, policy, **more), micro=micro, lr=1.0)
        assert told[-1]["loss"] == pytest.approx(told[-1]["summed"], abs=1e-12)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-14)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-14)


def test_its_optimum_has_the_reference_tilted_by_the_gains() -> None:
    gain, beta, noise = np.array([0.3, 1.5, 0.0]), 0.5, 1.0
    policy = Tabular(np.array([[0.2, -0.3, 0.5]]), names=("x", "y", "z"))
    table = RankedLists(("0",), (("x", "y", "z"),), (gain,))
    recipe = Lists(table, partial(pairwise_logistic.loss, beta=beta), policy, noise=noise)
    told = descend(policy, recipe, steps=800, batch=1, lr=3.0)
    best = np.array([0.2, -0.3, 0.5]) + gain / (noise * beta)
    np.testing.assert_allclose(
        policy.logits.detach().log_softmax(1)[0].numpy(), best - np.log(np.exp(best).sum()), atol=1e-6
    )
    assert told[-1]["accuracy"] == 1.0
    assert told[-1]["log_ratio_best"] > 0


def test_what_nobody_valued_and_what_stands_there_twice_is_left_out() -> None:
    policy = Letters()
    table = RankedLists(
        ("a", "b", "c"),
        (("a", "b", "b"), ("a", "b"), ("a", "a")),
        (np.array([1.0, 0.0, 2.0]), np.array([1.0, np.nan]), np.array([1.0, 0.0])),
    )
    recipe = Lists(table, list_mle.loss, policy)
    assert recipe.n == 1
    assert recipe.rows.texts == (("a", "b"),)
    assert recipe.rows.gain.tolist() == [1.0, 0.0]
    assert recipe.findings[-1].number == 2
    recipe.warm_up(policy)
    step = recipe.prepare(policy, np.array([0]), torch.Generator())
    assert json.loads(json.dumps(step.rows(slice(0, 1)))) == [
        {"prompt": "a", "completions": ["a", "b"], "scores": [1.0, 0.0], "weight": 1.0}
    ]
    assert step.tokens == 2 * 1 + 2 + 2


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="of 4 lists none is left"):
        Lists(lists(weight=np.zeros(4)), list_mle.loss, Letters())


def test_lists_are_read_with_their_turns() -> None:
    turn, answer = [{"role": "user", "content": "ab"}], [{"role": "assistant", "content": "c"}]
    made = read([{"prompt": turn, "completions": [answer, turn], "scores": [0.5, None], "weight": 2.0}], flip=0.1)
    assert made.prompts == ((("user", "ab"),),)
    assert made.responses == (("c", "ab"),)
    np.testing.assert_array_equal(made.gain[0], [0.5, np.nan])
    assert (made.weight.tolist(), made.flip.tolist()) == ([2.0], [0.1])


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"prompt": "a", "completions": ["b", "c"], "ranks": [1]}, "2 responses with 1 ranks"),
        ({"prompt": "a", "completions": ["b"], "ranks": ["first"]}, "A list of numbers"),
        ({"prompt": "a", "completions": ["b"]}, "No columns hold lists"),
    ],
)
def test_lists_that_cannot_be_read_are_refused(row: Any, said: str) -> None:
    with pytest.raises(AdjudgeError, match=said):
        read([row])
    with pytest.raises(AdjudgeError, match="a weight below 0"):
        lists(weight=-np.ones(4))
    with pytest.raises(AdjudgeError, match="of another length"):
        RankedLists(("a",), (("b", "c"),), (np.zeros(1),))


def test_prompts_are_read_once_each_with_names_and_a_teacher() -> None:
    turn = [{"role": "user", "content": "ab"}]
    made = read_prompts(
        [{"id": "p", "prompt": turn, "answer": "c"}, {"id": "q", "prompt": turn, "answer": "d"}], demonstration="answer"
    )
    assert (made.prompts, made.items, made.demonstrations) == (((("user", "ab"),),), ("p",), ("c",))
    assert read_prompts([{"prompt": "a"}, {"prompt": "b"}]).items == ("0", "1")
    with pytest.raises(AdjudgeError, match="No column holds prompts"):
        read_prompts([{"text": "a"}])
    with pytest.raises(AdjudgeError, match="Row 1: no prompt"):
        read_prompts([{"prompt": "a"}, {"prompt": ""}])


def test_a_list_is_told_by_its_number() -> None:
    table = RankedLists(("a", "a" * 40), (("b", "c"), ("b", "c")), (np.arange(2.0),) * 2, weight=np.array([0.0, 1.0]))
    with pytest.raises(AdjudgeError, match="Row 1: Prompt of 40"):
        Lists(table, pairwise_logistic.loss, Letters())


def test_figures_are_by_weight_and_of_the_best_that_is_there() -> None:
    """A short list of gains below 0 beside a long one: what fills it up is no response."""
    texts, gains = (("ab", "c", "d"), ("e", "f")), (np.array([1.0, 0.0, 2.0]), np.array([-2.0, -1.0]))
    weight, policy = np.array([1.0, 3.0]), Letters(dtype=torch.float64)
    recipe = Lists(RankedLists(("a", "b"), texts, gains, weight=weight), list_mle.loss, policy, reference=None)
    told = descend(policy, recipe, batch=2, steps=1, lr=0.0)[0]
    lists = [[policy.chances([policy.encode(x, y)]).total.item() for y in said]
             for x, said in zip(("a", "b"), texts, strict=True)]  # fmt: skip
    assert told["logp_best"] == pytest.approx((lists[0][2] + 3 * lists[1][1]) / 4, abs=1e-12)
    first = sum(lists[0][i] > lists[0][j] for i, j in ((0, 1), (2, 0), (2, 1)))
    assert told["accuracy"] == pytest.approx((first + 3 * (lists[1][1] > lists[1][0])) / 6, abs=1e-12)
    assert first / 3 != (lists[1][1] > lists[1][0])
