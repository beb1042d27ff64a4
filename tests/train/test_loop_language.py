"""The loop on a language model: it begins at log 2, takes any cut of the batch, and goes on bit by bit."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.objectives import dpo
from adjudge.tables.read_preferences import read
from adjudge.train.causal_lm import CausalLM
from adjudge.train.loop import Moment, train
from adjudge.train.lora import Lora, adapted
from adjudge.train.pairs import Pairs
from adjudge.train.settings import Settings
from train import tiny

SETTINGS = Settings(epochs=3, batch=8, micro=4, lr=2e-3, seed=5, schedule="cosine", checkpoint_every=2)


def preferences():
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("abcdefgh"), rng.integers(1, 9))) for _ in range(60)]
    rows = [{"prompt": a + "?", "chosen": b + "a", "rejected": c} for a, b, c in zip(*[iter(words)] * 3, strict=True)]
    return read(rows)


def policy(kind: str) -> CausalLM:
    if kind == "lora":
        return CausalLM(adapted(tiny.model(), Lora(rank=2), seed=1), tiny.tokenizer())
    return tiny.policy(kind)


def recipe(of: CausalLM) -> Pairs:
    return Pairs(preferences(), partial(dpo.loss, beta=0.1), of)


def trained(of: CausalLM) -> list[torch.Tensor]:
    return [each.detach().clone() for each in of.module.parameters() if each.requires_grad]


@pytest.mark.parametrize(("kind", "dropout"), [("llama", False), ("gpt2", True), ("lora", False)])
def test_stopped_amid_and_resumed_is_unbroken(tmp_path: Path, kind: str, dropout: bool) -> None:
    def press(moment: Moment) -> None:
        if moment.step == 5:
            raise KeyboardInterrupt

    settings = replace(SETTINGS, dropout=dropout)
    unbroken = policy(kind)
    whole = train(unbroken, recipe(unbroken), settings)
    with pytest.raises(KeyboardInterrupt):
        train(first := policy(kind), recipe(first), settings, out=tmp_path, callbacks=[press])
    resumed = policy(kind)
    done = train(resumed, recipe(resumed), settings, out=tmp_path)
    assert [line["loss"] for line in done.history] == [line["loss"] for line in whole.history]
    assert all(torch.equal(a, b) for a, b in zip(trained(resumed), trained(unbroken), strict=True))
    if not dropout:
        assert whole.history[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert whole.history[-1]["loss"] < math.log(2) - 0.02


def test_one_by_one_is_all_at_once() -> None:
    runs = []
    for micro in (1, None):
        of = tiny.policy()
        of.module.double()
        runs.append((train(of, recipe(of), replace(SETTINGS, micro=micro)), trained(of)))
    (one, parameters), (other, same) = runs
    np.testing.assert_allclose(*[[line["loss"] for line in run.history] for run in (one, other)], atol=1e-9)
    for a, b in zip(parameters, same, strict=True):
        torch.testing.assert_close(a, b, atol=1e-7, rtol=0)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_begins_at_log_2_and_learns(precision: str) -> None:
    of = tiny.policy()
    done = train(of, recipe(of), replace(SETTINGS, precision=precision, micro=None, batch=20, epochs=9))
    assert done.history[0]["loss"] == pytest.approx(math.log(2), abs=2e-3)
    assert done.history[-1]["loss"] < 0.6
