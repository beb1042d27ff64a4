"""The loop descends to what is known, in any cut of the batch, and stops when and only when it should."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train._run import Run
from adjudge.train.devices import Devices
from adjudge.train.loop import Moment, train
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular
from train.loops import ARMS, CONTEXTS, TRUTH, ToTruth, network, parameters, same, table

FEW = Settings(epochs=4, batch=8, lr=0.05, seed=3)


def losses(done) -> list[float]:
    return [line["loss"] for line in done.history]


# -- descending --------------------------------------------------------------------------------------------------------


def test_it_comes_to_the_known_optimum() -> None:
    policy = table()
    settings = Settings(epochs=600, batch=CONTEXTS, lr=0.1, schedule="cosine", seed=1)
    done = train(policy, ToTruth(n=CONTEXTS), settings)
    assert done.steps == 600
    assert done.stopped == "All 600 updates are done."
    np.testing.assert_allclose(policy.logits.detach().softmax(1).numpy(), TRUTH, atol=1e-6)
    entropy = -(TRUTH * np.log(TRUTH)).sum(1).mean()
    assert losses(done)[0] == pytest.approx(np.log(ARMS), abs=1e-12)
    assert losses(done)[-1] == pytest.approx(entropy, abs=1e-9)


def test_a_network_comes_near_it() -> None:
    policy = network()
    train(policy, ToTruth(n=CONTEXTS), Settings(epochs=600, batch=CONTEXTS, lr=0.03, schedule="cosine"))
    found = policy.logits_of(torch.arange(CONTEXTS)).detach().softmax(1).numpy()
    np.testing.assert_allclose(found, TRUTH, atol=1e-3)


def test_the_first_updates_are_adamws() -> None:
    """Against torch's AdamW driven by hand, rate and clipping included."""
    policy, by_hand = table(), torch.zeros(CONTEXTS, ARMS, dtype=torch.float64, requires_grad=True)
    settings = Settings(epochs=5, batch=CONTEXTS, lr=0.1, warmup=0.4, clip=0.05, weight_decay=0.1, betas=(0.8, 0.9))
    done = train(policy, ToTruth(n=CONTEXTS), settings)
    adam = torch.optim.AdamW([by_hand], betas=(0.8, 0.9), weight_decay=0.1, fused=False, foreach=False)
    rates = [0.1 / 3, 0.2 / 3, 0.1, 0.2 / 3, 0.1 / 3]  # two of five warm up, then linearly down
    for rate, line in zip(rates, done.history, strict=True):
        loss = -(torch.from_numpy(TRUTH) * by_hand.log_softmax(1)).sum() / CONTEXTS
        (by_hand.grad,) = torch.autograd.grad(loss, by_hand)
        assert line["lr"] == pytest.approx(rate, rel=1e-12)
        assert line["grad_norm"] == pytest.approx(by_hand.grad.norm().item(), rel=1e-12)
        assert by_hand.grad.norm() > 0.05
        by_hand.grad *= 0.05 / (by_hand.grad.norm() + 1e-6)
        adam.param_groups[0]["lr"] = rate
        adam.step()
    np.testing.assert_allclose(policy.logits.detach(), by_hand.detach(), atol=1e-12)


@pytest.mark.parametrize("make", [table, network])
def test_eight_rows_at_once_are_eight_times_one(make) -> None:
    at_once, one_by_one, by_three = make(), make(), make()
    recipe = {"n": 24, "noise": 0.5}
    first = train(at_once, ToTruth(**recipe), FEW)
    for policy, micro in ((one_by_one, 1), (by_three, 3)):
        other = train(policy, ToTruth(**recipe), replace(FEW, micro=micro))
        np.testing.assert_allclose(losses(other), losses(first), atol=1e-12, rtol=0)
        for a, b in zip(parameters(policy), parameters(at_once), strict=True):
            torch.testing.assert_close(a, b, atol=1e-12, rtol=0)


def test_each_epoch_sees_each_row_once_in_an_order_of_its_own() -> None:
    recipe, orders = ToTruth(n=11), []
    prepare = recipe.prepare
    recipe.prepare = lambda policy, rows, generator: orders.append(rows.tolist()) or prepare(policy, rows, generator)
    done = train(table(), recipe, Settings(epochs=3, batch=4))
    assert [len(rows) for rows in orders] == [4, 4, 3] * 3
    epochs = [[row for rows in orders[at : at + 3] for row in rows] for at in (0, 3, 6)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(11))] * 3
    assert epochs[0] != epochs[1] != epochs[2]
    assert done.history[-1]["tokens"] == 2 * 33
    assert done.history[-1]["seen"] == 33


@pytest.mark.parametrize(("settings", "updates", "expected"), [
    (Settings(epochs=0.5, batch=4), 1, 2), (Settings(epochs=0.01, batch=4), 1, 1), (Settings(epochs=2, batch=99), 1, 2),
    (Settings(epochs=2, batch=4), 3, 18), (Settings(epochs=2, batch=4, steps=7), 3, 7),
])  # fmt: skip
def test_how_many_updates_there_are(settings: Settings, updates: int, expected: int) -> None:
    recipe = ToTruth(n=11, updates=updates)
    assert train(table(), recipe, settings).steps == expected
    assert recipe.seen.sum() <= -(-expected // updates) * min(settings.batch, 11)


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    runs = [table() for _ in range(3)]
    for policy, seed in zip(runs, (1, 1, 2), strict=True):
        train(policy, ToTruth(noise=0.3), replace(FEW, seed=seed))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_no_part_is_larger_than_was_said() -> None:
    devices = Devices(table().module, "float32")
    assert devices.parts(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert devices.parts(7, None) == [slice(0, 7)]
    assert devices.parts(0, 3) == []


def test_each_part_of_each_update_has_draws_of_its_own() -> None:
    run = Run(network(dropout=0.5), ToTruth(), replace(FEW, dropout=True), None)
    drawn = []
    for done, part in ((0, slice(0, 1)), (0, slice(1, 2)), (1, slice(0, 1)), (0, slice(0, 1))):
        run.done = done
        with run.dice(part):
            drawn.append(torch.rand(1).item())
    assert drawn[0] == drawn[3]
    assert len(set(drawn)) == 3


def test_dropout_draws_by_the_seed_and_leaves_the_callers_draws_alone() -> None:
    before = torch.random.get_rng_state()
    runs = [network(dropout=0.5) for _ in range(3)]
    for policy, dropout in zip(runs, (True, True, False), strict=True):
        policy.module.train()
        train(policy, ToTruth(), replace(FEW, dropout=dropout))
        assert policy.module.training
    assert torch.equal(before, torch.random.get_rng_state())
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])
    plain = network(dropout=0.0)
    train(plain, ToTruth(), FEW)
    assert same(runs[2], plain), "off means off"


@pytest.mark.parametrize(("precision", "apart"), [("bfloat16", 0.05), ("float16", 0.01)])
def test_half_precision_comes_near_the_whole(precision: str, apart: float) -> None:
    whole, half = network(dtype=torch.float32), network(dtype=torch.float32)
    wide = losses(train(whole, ToTruth(), FEW))
    done = train(half, ToTruth(), replace(FEW, precision=precision))
    assert all(each.dtype == torch.float32 for each in parameters(half))
    np.testing.assert_allclose(losses(done)[-3:], wide[-3:], atol=apart)
    assert not same(whole, half)


def test_an_overflow_of_float16_is_skipped_and_counted() -> None:
    class Steep(ToTruth):
        def prepare(self, policy, rows, generator):
            step = super().prepare(policy, rows, generator)
            loss = step.loss
            step.loss = lambda policy, part: 50 * loss(policy, part)
            return step

    policy = network(dtype=torch.float32)
    done = train(policy, Steep(), Settings(epochs=12, batch=8, lr=0.01, precision="float16"))
    skipped = int(done.history[-1]["skipped"])
    assert 0 < skipped < done.steps
    (finding,) = done.findings
    assert finding.code == "updates-skipped"
    assert finding.number == skipped / done.steps
    assert all(torch.isfinite(each).all() for each in parameters(policy))
    first = network(dtype=torch.float32)
    train(first, Steep(), Settings(epochs=12, steps=1, batch=8, lr=0.01, precision="float16"))
    assert same(first, network(dtype=torch.float32)), "a skipped update moves nothing"


# -- stopping ----------------------------------------------------------------------------------------------------------


def test_the_first_reason_stops_it() -> None:
    seen: list[Moment] = []
    told: list[tuple[int, int, set[str]]] = []
    stops = [lambda moment: seen.append(moment), lambda moment: "Gold fell." if moment.step == 5 else None]
    stops.append(lambda moment: "Too late." if moment.step == 5 else None)
    done = train(table(), ToTruth(), replace(FEW, log_every=100), callbacks=stops,
                 progress=lambda done, of, metrics: told.append((done, of, set(metrics))))  # fmt: skip
    assert (done.steps, done.stopped) == (5, "Gold fell.")
    assert [(moment.step, moment.of) for moment in seen] == [(step, 12) for step in range(1, 6)]
    assert {"loss", "lr", "grad_norm", "tokens", "seen", "entropy"} <= set(seen[0].metrics)
    assert [each[:2] for each in told] == [(1, 1), *((step, 12) for step in range(1, 6))]
    assert told[0][2] == set()


def test_a_stop_amid_several_updates_on_one_step_stops_at_once() -> None:
    done = train(table(), ToTruth(updates=4), FEW, callbacks=[lambda moment: "Now." if moment.step == 6 else None])
    assert done.steps == 6


@pytest.mark.parametrize("raised", [True, False])
def test_ctrl_c_keeps_a_checkpoint_and_goes_on_exactly(tmp_path: Path, raised: bool) -> None:
    def press(moment: Moment) -> None:
        if moment.step == 6 and raised:
            raise KeyboardInterrupt
        if moment.step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    recipe = {"noise": 0.3, "updates": 4}
    with pytest.raises(KeyboardInterrupt, match=r"after update 8 of 48.*goes on from .*checkpoint-000008"):
        train(table(), ToTruth(**recipe), FEW, out=tmp_path, callbacks=[press])
    assert signal.getsignal(signal.SIGINT) is before
    resumed, unbroken = table(), table()
    train(resumed, ToTruth(**recipe), FEW, out=tmp_path)
    train(unbroken, ToTruth(**recipe), FEW)
    assert same(resumed, unbroken)


def test_a_loss_that_is_not_a_number_stops_before_the_update(tmp_path: Path) -> None:
    policy = table()
    with pytest.raises(AdjudgeError) as caught:
        train(policy, ToTruth(broken=4), replace(FEW, micro=3, checkpoint_every=1), out=tmp_path)
    rows = json.loads((tmp_path / "failed_batch.json").read_text())
    failed = rows["update"]
    assert [each["prompt"] for each in rows["rows"]] == [4]
    assert (
        f"the loss of update {failed} is nan, made so by 1 of its {8 - (failed == 3)} rows ({rows['rows'][0]['row']})"
        in str(caught.value)
    )
    assert "failed_batch.json" in caught.value.do
    assert f"checkpoint-{failed - 1:06d}" in caught.value.do
    kept = Tabular(np.zeros((CONTEXTS, ARMS)))
    kept.load(tmp_path / f"checkpoint-{failed - 1:06d}" / "policy")
    assert same(kept, policy), "the policy is the one before the update"


def test_a_gradient_that_is_not_a_number_stops_too(tmp_path: Path) -> None:
    class Cusp(ToTruth):
        def prepare(self, policy, rows, generator):
            step = super().prepare(policy, rows, generator)
            loss = step.loss
            step.loss = lambda policy, part: loss(policy, part) + 0 * (policy.logits.sum() * 0).sqrt()
            return step

    with pytest.raises(AdjudgeError, match=r"the gradient of update 1 is nan.*give `out`"):
        train(table(), Cusp(), FEW)
    with pytest.raises(AdjudgeError, match="the gradient of update 27 is nan"):  # no scale of float16 is to blame
        train(table(), Cusp(), replace(FEW, epochs=20, precision="float16"), out=tmp_path)
    assert len(json.loads((tmp_path / "failed_batch.json").read_text())["rows"]) == 7


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(AdjudgeError, match="is no folder to write to"):
            train(table(), ToTruth(), Settings(steps=1), out=out)


def test_a_second_run_in_a_folder_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    def second(_: Moment) -> str | None:
        with pytest.raises(AdjudgeError, match="another process is training"):
            train(table(), ToTruth(), FEW, out=tmp_path, resume=False)
        return None

    first = train(table(), ToTruth(), FEW, out=tmp_path, callbacks=[second])
    assert losses(train(table(), ToTruth(), FEW, out=tmp_path)) == losses(first)  # and let go of afterwards


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(AdjudgeError, match="no rows"):
        train(table(), ToTruth(n=0), FEW)
    with pytest.raises(AdjudgeError, match="no parameter"):
        train(table().reference(), ToTruth(), FEW)


def test_a_step_without_rows_or_without_gradient_moves_nothing() -> None:
    class Filtered(ToTruth):
        def prepare(self, policy, rows, generator):
            return super().prepare(policy, rows[:0], generator)

    class Flat(ToTruth):
        def prepare(self, policy, rows, generator):
            step = super().prepare(policy, rows, generator)
            step.loss = lambda policy, part: torch.zeros(())
            return step

    for recipe in (Filtered(), Flat()):
        for precision in ("float32", "float16"):
            policy = table()
            assert set(losses(train(policy, recipe, replace(FEW, precision=precision)))) == {0.0}
            assert same(policy, table())
