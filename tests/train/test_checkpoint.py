"""A run that was killed goes on bit by bit; a full disk costs one checkpoint and no other."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.train import checkpoint, metrics
from adjudge.train.loop import train
from adjudge.train.settings import Settings
from train import loops
from train.loops import CONTEXTS, LONG, ToTruth, network, parameters, same, table

FEW = Settings(epochs=4, batch=8, lr=0.05, seed=3, schedule="constant", checkpoint_every=3)  # 12 updates
TIMES = ("seconds", "tokens_per_second")


@pytest.fixture(scope="module")
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of runs that were killed or cut short, by name; how they ended is in `ends.json`."""
    out = tmp_path_factory.mktemp("doomed")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, loops.__file__, "doomed", str(out)], env=environment, check=True, timeout=100)
    return out


def ended(doomed: Path, name: str) -> int:
    return json.loads((doomed / "ends.json").read_text())[name]


def told(history) -> list[dict[str, float]]:
    return [{name: value for name, value in line.items() if name not in TIMES} for line in history]


def names(out: Path) -> list[str]:
    return sorted(each.name for each in out.glob("checkpoint-*"))


# -- killed ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("precision", "updates"), [("float32", 1), ("float16", 3)])
def test_killed_and_resumed_is_unbroken_bit_by_bit(tmp_path: Path, doomed: Path, precision: str, updates: int) -> None:
    killed = doomed / precision
    unbroken = loops.long_run(tmp_path / "unbroken", precision=precision, updates=updates)
    assert os.WTERMSIG(ended(doomed, precision)) == signal.SIGKILL
    assert len(metrics.read(killed)) == 32
    begun = checkpoint.latest(killed)
    assert begun is not None
    assert begun.name == ("checkpoint-000028" if updates == 1 else "checkpoint-000030")
    (killed / "checkpoint-000031.partial").mkdir()  # as if it had died while it wrote
    resumed = loops.long_run(killed, precision=precision, updates=updates)
    assert resumed.steps == unbroken.steps == 50 * updates
    assert same(resumed.policy, unbroken.policy)
    assert told(resumed.history) == told(unbroken.history)
    assert told(metrics.read(killed)) == told(metrics.read(tmp_path / "unbroken"))
    assert names(killed) == names(tmp_path / "unbroken")
    one, other = (
        torch.load(checkpoint.latest(each) / "state.pt", weights_only=True) for each in (killed, tmp_path / "unbroken")
    )
    for a, b in zip(one["optimiser"]["state"].values(), other["optimiser"]["state"].values(), strict=True):
        assert all(torch.equal(a[name], b[name]) for name in a)
    assert torch.equal(one["recipe"]["seen"]["numpy"], other["recipe"]["seen"]["numpy"])


def test_without_its_checkpoint_it_would_not_be(tmp_path: Path) -> None:
    """The comparison above can fail: momentum alone, forgotten, shows."""
    unbroken = loops.long_run(tmp_path / "unbroken")
    stopped = train(network(dropout=0.2), ToTruth(noise=0.3), replace(LONG, checkpoint_every=0), out=tmp_path / "cut",
                    callbacks=[lambda moment: "Cut." if moment.step == 28 else None])  # fmt: skip
    place = checkpoint.latest(tmp_path / "cut")
    record = json.loads((place / "run.json").read_text())
    (place / "run.json").write_text(json.dumps(record | {"over": ""}))
    state = torch.load(place / "state.pt", weights_only=True)
    for each in state["optimiser"]["state"].values():
        each["exp_avg"].zero_()
    torch.save(state, place / "state.pt")
    resumed = loops.long_run(tmp_path / "cut")
    assert stopped.steps == 28
    assert resumed.steps == 50
    assert not same(resumed.policy, unbroken.policy)


# -- full disk ---------------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_the_last_good_one(tmp_path: Path) -> None:
    policy = table()
    save, saved = policy.save, []

    def full(folder: Path) -> None:
        save(folder)
        saved.append(folder)
        if len(saved) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    policy.save = full
    with pytest.raises(AdjudgeError) as caught:
        train(policy, ToTruth(), FEW, out=tmp_path)
    assert "update 9 could not be written" in caught.value.found
    assert "No space left on device" in caught.value.found
    assert "Room" in caught.value.expected
    assert "The last good one is checkpoint-000006" in caught.value.do
    assert names(tmp_path) == ["checkpoint-000003", "checkpoint-000006"]
    resumed, unbroken = table(), table()
    train(resumed, ToTruth(), FEW, out=tmp_path)
    train(unbroken, ToTruth(), FEW)
    assert same(resumed, unbroken)


def test_a_file_that_the_system_cuts_short_leaves_the_last_good_one(tmp_path: Path, doomed: Path) -> None:
    """A real limit on the size of files, set once the first checkpoint is there."""
    said = (doomed / "limited.txt").read_text()
    assert ended(doomed, "limited") == 0
    assert "the checkpoint of update 14 could not be written" in said
    assert "The last good one is checkpoint-000007" in said
    assert names(doomed / "limited") == ["checkpoint-000007"]
    resumed = loops.long_run(doomed / "limited")
    assert same(resumed.policy, loops.long_run(tmp_path / "unbroken").policy)


def test_a_full_disk_at_the_first_checkpoint_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(AdjudgeError, match="No earlier one exists"):
        train(table(), ToTruth(), FEW, out=tmp_path)
    assert names(tmp_path) == []


# -- going on ----------------------------------------------------------------------------------------------------------


def cut(out: Path, settings: Settings = FEW) -> None:
    """A run that was interrupted after update 3."""

    def press(moment) -> None:
        if moment.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(table(), ToTruth(), settings, out=out, callbacks=[press])


@pytest.mark.parametrize(("name", "value"), [
    ("lr", 0.1), ("batch", 4), ("seed", 4), ("schedule", "linear"), ("betas", (0.8, 0.9)), ("clip", None),
    ("dropout", True), ("precision", "bfloat16"), ("weight_decay", 0.1), ("warmup", 0.1),
])  # fmt: skip
def test_another_setting_is_named(tmp_path: Path, name: str, value: object) -> None:
    cut(tmp_path)
    with pytest.raises(AdjudgeError, match=f"a run with {name} = .*, and {name} is"):
        train(table(), ToTruth(), replace(FEW, **{name: value}), out=tmp_path)
    assert train(table(), ToTruth(), replace(FEW, **{name: value}), out=tmp_path, resume=False).history[0]["step"] == 1


@pytest.mark.parametrize(("recipe", "name"), [(ToTruth(n=22), "rows"), (ToTruth(updates=2), "updates")])
def test_other_data_are_named(tmp_path: Path, recipe: ToTruth, name: str) -> None:
    cut(tmp_path)
    with pytest.raises(AdjudgeError, match=rf"a run with data\.{name} = "):
        train(table(), recipe, replace(FEW, steps=12), out=tmp_path)


def test_a_recipes_own_mark_of_its_data_is_held_against_it(tmp_path: Path) -> None:
    one, other = ToTruth(), ToTruth()
    one.fingerprint, other.fingerprint = "a", "b"
    train(table(), one, replace(FEW, steps=3), out=tmp_path)
    with pytest.raises(AdjudgeError, match=r"data\.fingerprint = 'a'.*--fresh"):
        train(table(), other, FEW, out=tmp_path)


def test_of_a_long_mark_what_differs_is_told(tmp_path: Path) -> None:
    one, other = ToTruth(), ToTruth()
    one.fingerprint, other.fingerprint = "0f dpo 1 None", "0f ipo 1 rank 2"
    train(table(), one, replace(FEW, steps=3), out=tmp_path)
    with pytest.raises(AdjudgeError, match=r"data\.fingerprint = 'dpo … None', and .* is 'ipo … rank 2' now"):
        train(table(), other, FEW, out=tmp_path)


def test_memory_and_logging_may_change(tmp_path: Path) -> None:
    cut(tmp_path)
    resumed, unbroken = table(), table()
    train(resumed, ToTruth(), replace(FEW, micro=8, log_every=2, checkpoint_every=0, keep=1), out=tmp_path)
    train(unbroken, ToTruth(), FEW)
    assert same(resumed, unbroken)
    assert names(tmp_path) == ["checkpoint-000012"]


def test_at_a_constant_rate_a_run_may_be_made_longer(tmp_path: Path) -> None:
    train(table(), ToTruth(), replace(FEW, steps=5), out=tmp_path)
    longer, unbroken = table(), table()
    done = train(longer, ToTruth(), replace(FEW, epochs=6), out=tmp_path)
    train(unbroken, ToTruth(), replace(FEW, epochs=6))
    assert done.steps == 18
    assert same(longer, unbroken)
    linear = replace(FEW, schedule="linear")
    cut(tmp_path / "linear", linear)
    with pytest.raises(AdjudgeError, match=r"epochs = 4"):
        train(table(), ToTruth(), replace(linear, epochs=6), out=tmp_path / "linear")


def test_a_run_that_ended_amid_a_set_of_samples_is_not_made_longer(tmp_path: Path) -> None:
    """Its other updates would be on samples that are gone."""
    for steps in (2, 4):  # of two on each set
        train(table(), ToTruth(updates=2), Settings(steps=steps, schedule="constant"), out=tmp_path / "whole")
    train(table(), ToTruth(updates=2), Settings(steps=3, schedule="constant"), out=tmp_path / "cut")
    with pytest.raises(AdjudgeError, match="steps = 3, and steps is 4 now"):
        train(table(), ToTruth(updates=2), Settings(steps=4, schedule="constant"), out=tmp_path / "cut")


def test_a_finished_run_returns_at_once(tmp_path: Path) -> None:
    for stops, reason in (
        ((), "All 12 updates are done."),
        ((lambda m: "Gold fell." if m.step == 5 else None,), "Gold fell."),
    ):
        out = tmp_path / reason
        first = train(table(), ToTruth(), FEW, out=out, callbacks=stops)
        assert first.stopped == reason

        class Silent(ToTruth):
            warm_up = prepare = None

        Silent.__name__ = "ToTruth"
        again = train(table(), Silent(), FEW, out=out)
        assert (again.steps, again.stopped, again.history) == (first.steps, first.stopped, first.history)
        assert same(again.policy, first.policy)


def test_another_beginning_is_noticed(tmp_path: Path) -> None:
    cut(tmp_path)
    other = table()
    with torch.no_grad():
        other.module.logits += 0.5
    done = train(other, ToTruth(), FEW, out=tmp_path)
    assert [finding.code for finding in done.findings] == ["policy-not-as-begun"]
    unbroken = table()
    train(unbroken, ToTruth(), FEW)
    assert same(other, unbroken)


def test_a_spoilt_checkpoint_is_named(tmp_path: Path) -> None:
    cut(tmp_path)
    (tmp_path / "checkpoint-000003" / "state.pt").write_bytes(b"no")
    with pytest.raises(AdjudgeError, match="checkpoint-000003 cannot be read"):
        train(table(), ToTruth(), FEW, out=tmp_path)
    (tmp_path / "checkpoint-000003" / "run.json").write_text("{")
    with pytest.raises(AdjudgeError, match="checkpoint-000003 cannot be read"):
        train(table(), ToTruth(), FEW, out=tmp_path)


def test_only_the_latest_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for name in ("samples.jsonl", "duels.jsonl", "watch.json", "ask.jsonl", "replies.sqlite"):
        (tmp_path / name).write_text("of an earlier run")
    train(network(), ToTruth(), replace(FEW, checkpoint_every=1, keep=3), out=tmp_path)
    assert names(tmp_path) == ["checkpoint-000010", "checkpoint-000011", "checkpoint-000012"]
    fresh = network()
    fresh.load(tmp_path / "checkpoint-000012" / "policy")
    train(other := network(), ToTruth(), replace(FEW, steps=12), out=tmp_path, resume=False)
    assert same(fresh, other)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    left = {each.name for each in tmp_path.iterdir() if each.is_file()}
    assert {"notes.txt", "replies.sqlite", "metrics.jsonl"} <= left, "what was paid for stays"
    assert not {"samples.jsonl", "duels.jsonl", "watch.json", "ask.jsonl"} & left


def test_arrays_come_back_as_arrays(tmp_path: Path) -> None:
    state = {
        "a": np.arange(5.0),
        "b": [torch.ones(2), {"c": np.float64(0.5)}],
        "d": (1, None, "x"),
        "e": np.zeros((0, 3)),
    }
    place = checkpoint.write(tmp_path, 1, table(), state, {})
    back = checkpoint.state(place)
    np.testing.assert_array_equal(back["a"], state["a"])
    assert isinstance(back["a"], np.ndarray)
    assert torch.equal(back["b"][0], torch.ones(2))
    assert back["b"][1] == {"c": 0.5}
    assert back["d"] == (1, None, "x")
    assert back["e"].shape == (0, 3)
    assert len(parameters(table())[0]) == CONTEXTS
