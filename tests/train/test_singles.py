"""Single responses as a recipe: KL is of the whole step, pairs are two responses, parts add up, bad labels are told."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.objectives import kto
from adjudge.tables.read_preferences import read
from adjudge.train.singles import Singles
from train.letters import LETTERS, Letters, descend


def singles(n: int = 11, **more: Any) -> Any:
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list(LETTERS), rng.integers(1, 9))) for _ in range(2 * n)]
    rows = zip(words[:n], words[n:], strict=True)
    return read([{"prompt": x, "completion": y, "label": bool(at % 3)} for at, (x, y) in enumerate(rows)], **more)


def test_the_first_loss_is_a_half_and_kl_is_none_of_it() -> None:
    policy = Letters()
    told = descend(policy, Singles(singles(), kto.loss, policy), steps=1, batch=11)[0]
    assert told["loss"] == pytest.approx(0.5, abs=1e-6)
    assert told["kl"] == pytest.approx(0.0, abs=1e-6)


def test_kl_is_the_mean_over_the_whole_step_beside_other_prompts() -> None:
    policy, table = Letters(dtype=torch.float64), singles()
    recipe = Singles(table, kto.loss, policy, batch=3)
    recipe.warm_up(policy)
    before = policy.reference()
    with torch.no_grad():
        policy.table.mul_(2.0)
    at = np.array([4, 0, 9, 7])
    step = recipe.prepare(policy, at, torch.Generator())
    other = [recipe.rows.exchanges[place] for place in recipe.rows.beside[at]]
    expected = (policy.chances(other).total - before.chances(other).total).mean().item()
    assert step.kl == pytest.approx(expected, abs=1e-12)
    assert abs(expected) > 0.1
    own = [recipe.rows.exchanges[row] for row in at]
    assert [one.prompt for one in own] == [one.prompt for one in other]
    assert all(one.response != two.response for one, two in zip(own, other, strict=True))


def test_parts_of_one_response_are_the_step() -> None:
    ends = []
    for micro in (1, 3, None):
        policy = Letters(dtype=torch.float64)
        recipe = Singles(singles(), partial(kto.loss, beta=0.5, undesirable=1.3), policy)
        told = descend(policy, recipe, batch=8, micro=micro, lr=1.0)
        assert told[-1]["loss"] == pytest.approx(told[-1]["summed"], abs=1e-12)
        ends.append(policy.table.detach().numpy())
    np.testing.assert_allclose(ends[1], ends[0], atol=1e-14)
    np.testing.assert_allclose(ends[2], ends[0], atol=1e-14)


def test_good_responses_become_likelier_and_bad_ones_less() -> None:
    policy = Letters(dtype=torch.float64)
    told = descend(policy, Singles(singles(), partial(kto.loss, beta=0.5), policy), steps=40, batch=11, lr=2.0)
    assert told[-1]["log_ratio_good"] > 0.5 > -0.5 > told[-1]["log_ratio_bad"]
    assert told[-1]["logp_good"] > told[0]["logp_good"]
    assert set(told[-1]) == {
        "summed", "loss", "kl", "length", "logp_good", "logp_bad", "log_ratio_good", "log_ratio_bad",
    }  # fmt: skip


def test_a_pair_is_two_responses_each_as_good_as_likely() -> None:
    table = read([{"prompt": "a", "response_a": "b", "response_b": "c", "outcome": 0.7},
                  {"prompt": "d", "response_a": "e", "response_b": "f", "outcome": 0.2}], flip=0.1)  # fmt: skip
    policy = Letters()
    recipe = Singles(table, kto.loss, policy)
    assert recipe.n == 4
    assert recipe.rows.texts == ("b", "c", "e", "f")
    np.testing.assert_allclose(recipe.rows.desirable, [0.7, 0.3, 0.2, 0.8])
    assert recipe.rows.flip is not None
    assert recipe.rows.flip.tolist() == [0.1] * 4
    step = recipe.prepare(policy, np.array([1]), torch.Generator()) if recipe.warm_up(policy) is None else None
    assert step is not None
    row = json.loads(json.dumps(step.rows(slice(0, 1))[0]))
    assert row == {"prompt": "a", "completion": "c", "label": pytest.approx(0.3), "weight": 1.0}


def test_one_prompt_has_no_other_to_stand_beside() -> None:
    policy = Letters()
    table = read([{"prompt": "a", "completion": text, "label": True} for text in "bcd"])
    told = descend(policy, Singles(table, kto.loss, policy), batch=3, steps=1)
    assert "kl" not in told[0]


def test_a_resumed_recipe_has_the_reference_of_both_kinds() -> None:
    policy = Letters()
    recipe = Singles(singles(), kto.loss, policy)
    descend(policy, recipe, lr=5.0)
    again = Singles(singles(), kto.loss, policy)
    again.warm_up(policy)
    again.restore(recipe.state())
    steps = [each.prepare(policy, np.arange(11), torch.Generator()) for each in (recipe, again)]
    assert steps[0].kl == steps[1].kl
    assert steps[0].loss(policy, slice(0, 11)).item() == steps[1].loss(policy, slice(0, 11)).item()


def test_labels_and_rows_that_cannot_be_are_told() -> None:
    policy = Letters()
    rows = [{"prompt": "a", "completion": "b", "label": 4.0}, {"prompt": "a", "completion": "c", "label": 1.0}]
    with pytest.raises(AdjudgeError, match="row 0 has the label 4"):
        Singles(read(rows), kto.loss, policy)
    with pytest.raises(AdjudgeError, match="none has a labelled response"):
        Singles(read([{**rows[1], "weight": 0.0}]), kto.loss, policy)
    long = [*rows[1:], {"prompt": "a" * 40, "completion": "b", "label": 0.0}]
    recipe = Singles(read(long), kto.loss, policy, skip_long=True)
    assert (recipe.n, recipe.findings[-1].code) == (1, "rows-not-read")


def test_a_row_is_told_by_its_number_in_the_file() -> None:
    pairs = read([{"prompt": "a" * (40 if at == 3 else 1), "chosen": "b", "rejected": "c"} for at in range(4)])
    labels = read([{"prompt": "a", "completion": "b", "label": at} for at in range(3)])
    for table, said in (
        (pairs.take(np.array([2, 3])), "Row 3: Prompt of 40"),
        (labels.take(np.array([2])), "row 2 has"),
    ):
        with pytest.raises(AdjudgeError, match=said):
            Singles(table, kto.loss, Letters())


def test_one_prompt_for_all_leaves_nothing_beside_and_takes_no_time() -> None:
    rows = [{"prompt": "a", "completion": "b", "label": bool(at % 2)} for at in range(20_000)]
    begun = time.perf_counter()
    recipe = Singles(read(rows), kto.loss, Letters())
    assert (recipe.rows.beside == -1).all()
    assert time.perf_counter() - begun < 10


def test_kl_and_figures_are_means_by_weight() -> None:
    policy, weight = Letters(dtype=torch.float64), np.array([0.5, 7.0, 2.0])
    recipe = Singles(replace(singles(3), weight=weight), kto.loss, policy)
    recipe.warm_up(policy)
    before = policy.reference()
    with torch.no_grad():
        policy.table.mul_(2.0)
    other = [recipe.rows.exchanges[place] for place in recipe.rows.beside]
    moved = (policy.chances(other).total - before.chances(other).total).detach().numpy()
    step = recipe.prepare(policy, np.arange(3), torch.Generator())
    assert step.kl == pytest.approx(weight @ moved / weight.sum(), abs=1e-12)
    assert abs(step.kl - moved.mean()) > 0.1
