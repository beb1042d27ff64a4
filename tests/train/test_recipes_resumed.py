"""Recipes in a run that died and goes on: the same weights bit by bit, and each response written once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.credit import rloo
from adjudge.objectives import dpo, hypo, kto
from adjudge.tables.read_preferences import read
from adjudge.train.loop import train
from adjudge.train.online_pairs import OnlinePairs
from adjudge.train.pairs import Pairs
from adjudge.train.responses import Draw
from adjudge.train.rollouts import Rollouts
from adjudge.train.settings import Settings
from adjudge.train.singles import Singles
from train.letters import LETTERS, Letters


def table() -> Any:
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list(LETTERS), rng.integers(1, 9))) for _ in range(33)]
    return read(
        [dict(zip(("prompt", "chosen", "rejected"), words[at : at + 3], strict=True)) for at in range(0, 33, 3)]
    )


def recipe(kind: str, policy: Any, folder: Path) -> Any:
    if kind == "rollouts":
        return Rollouts(
            ("ab", "c", "dd e"), lambda _, said: [len(text) for text in said], rloo.advantages, policy,
            draw=Draw(n=4, max_tokens=6, kl=0.1, updates=2), samples=folder / "samples.jsonl",
        )  # fmt: skip
    if kind == "online":
        return OnlinePairs(table(), hypo.loss, policy, m=2, max_tokens=5)
    return Singles(table(), kto.loss, policy) if kind == "singles" else Pairs(table(), dpo.loss, policy)


@pytest.mark.parametrize("kind", ["pairs", "singles", "online", "rollouts"])
def test_a_run_that_died_goes_on_bit_by_bit(kind: str, tmp_path: Path) -> None:
    settings = Settings(epochs=20, steps=12, batch=3, micro=2, lr=0.05, checkpoint_every=4)
    ends, said = [], []
    for name, dies in (("whole", False), ("died", True)):
        folder = tmp_path / name

        def die(moment: Any) -> None:
            if moment.step == 7:
                raise RuntimeError("power cut")

        if dies:
            policy = Letters()
            with pytest.raises(RuntimeError, match="power cut"):
                train(policy, recipe(kind, policy, folder), settings, out=folder, callbacks=(die,))
        policy = Letters()
        done = train(policy, recipe(kind, policy, folder), settings, out=folder)
        assert done.steps == 12
        ends.append(policy.table.detach())
        if kind == "rollouts":
            said.append([json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()])
    assert torch.equal(ends[0], ends[1])
    if said:
        assert said[0] == said[1]
        assert [line["step"] for line in said[0]] == [step for step in range(0, 12, 2) for _ in range(12)]


@pytest.mark.parametrize("kind", ["pairs", "singles", "online"])
def test_the_reference_is_asked_once_in_all(kind: str, tmp_path: Path) -> None:
    """A run that goes on takes it from the checkpoint; one that begins anew asks it of the policy that it is given."""
    settings, asked = Settings(epochs=20, steps=9, batch=3, checkpoint_every=4), []

    def progress(done: int, of: int, metrics: Any) -> None:
        if not metrics:
            asked.append((done, of))

    def stop(moment: Any) -> None:
        if moment.step == 5:
            raise RuntimeError("power cut")

    def run(seed: int, **more: Any) -> Any:
        policy = Letters(seed)
        made = recipe(kind, policy, tmp_path)
        train(policy, made, settings, out=tmp_path, progress=progress, **more)
        return made.reference.state()["reference"]

    with pytest.raises(RuntimeError, match="power cut"):
        run(0, callbacks=(stop,))
    assert asked[-1][0] == asked[-1][1]
    asked.clear()
    known = run(0)
    assert not asked
    fresh = Letters()
    exchanges = recipe(kind, fresh, tmp_path).reference._exchanges
    np.testing.assert_allclose(known, fresh.chances(exchanges).total.detach(), atol=1e-5)
    again = run(3, resume=False)
    assert asked
    assert np.abs(again - known).max() > 0.1


def test_a_recipe_that_serves_twice_asks_each_policy() -> None:
    first, second = Letters(), Letters(3)
    made = recipe("pairs", first, Path())
    made.warm_up(first)
    known = made.reference.state()["reference"]
    made.restore({"reference": known})
    made.warm_up(second)
    np.testing.assert_array_equal(made.reference.state()["reference"], known)
    made.warm_up(second)
    assert np.abs(made.reference.state()["reference"] - known).max() > 0.1
