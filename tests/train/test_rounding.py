"""Weights of half precision lose the updates that are smaller than half a step of theirs: counted by hand beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.train._rounding import Rounding
from adjudge.train.loop import Moment, Trained, train
from adjudge.train.settings import Settings

from .loops import ToTruth, network, parameters


def went(
    lr: float, dtype: torch.dtype = torch.bfloat16, *, out: Path | None = None, stop: int = 0
) -> tuple[Trained, int, int]:
    """A run, and by hand: how many updates of a number with a gradient left it as it was, of how many."""
    policy = network(dtype=dtype)
    held, counts = [parameters(policy)], [0, 0]

    def look(moment: Moment) -> None:
        now = parameters(moment.policy)
        for was, new, each in zip(held[0], now, moment.policy.module.parameters(), strict=True):
            assert each.grad is not None
            counts[0] += int(((was == new) & (each.grad != 0)).sum())
            counts[1] += int((each.grad != 0).sum())
        held[0] = now
        if moment.step == stop:
            raise KeyboardInterrupt

    settings = Settings(steps=6, batch=23, lr=lr, schedule="constant", checkpoint_every=2)
    return train(policy, ToTruth(), settings, out=out, callbacks=[look]), *counts


@pytest.mark.parametrize(("lr", "severity"), [(1e-4, Severity.WARNING), (0.3, Severity.INFO)])
def test_lost_updates_are_told_by_their_share(lr: float, severity: Severity) -> None:
    done, lost, asked = went(lr)
    (found,) = done.findings
    assert found.code == "updates-rounded-away"
    assert found.number == lost / asked
    assert (found.severity, found.threshold) == (severity, 0.1)
    assert (lost / asked > 0.5) == (severity is Severity.WARNING)
    assert f"{asked:,} updates" in found.message
    assert 'dtype = "float32"' in found.remedy
    assert 'precision = "bfloat16"' in found.remedy


def test_it_is_the_step_of_the_weights_that_counts() -> None:
    bfloat, half = (went(1e-4, dtype)[0].findings[0].number for dtype in (torch.bfloat16, torch.float16))
    assert 0 < half < bfloat / 2
    assert went(1e-4, torch.float32)[0].findings == ()


def test_a_weight_without_a_gradient_has_lost_nothing() -> None:
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    weight.grad = torch.tensor([0, 1, 1, 0], dtype=torch.bfloat16)
    counted = Rounding([weight], "float32")
    counted.before()
    weight.data[1] = 2
    counted.after()
    assert counted.counts == [1, 2]


def test_a_run_that_went_on_tells_all_that_was_lost(tmp_path: Path) -> None:
    whole, *_ = went(1e-3)
    with pytest.raises(KeyboardInterrupt):
        went(1e-3, out=tmp_path, stop=4)
    for _ in range(2):  # the second is over already
        again, *_ = went(1e-3, out=tmp_path)
        assert again.findings == whole.findings


def test_float16_for_weights_and_products_is_refused() -> None:
    with pytest.raises(AdjudgeError, match=r"in float16 themselves.*float32"):
        train(network(dtype=torch.float16), ToTruth(), Settings(steps=2, precision="float16"))
