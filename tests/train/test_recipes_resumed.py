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
