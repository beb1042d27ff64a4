"""A watched run that died goes on: no label is paid for twice, no evidence is lost, and what was stopped stays so."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.row_functions import named
from adjudge.flows.watch_callback import Watch
from adjudge.train.loop import train
from flows.test_watch_callback import CONTEXTS, SETTINGS, Climb, gold, looking, policy, proxy

OFTEN = replace(SETTINGS, checkpoint_every=10)  # looks are every 4


class Died(BaseException):
    """The end of a process: nothing that is written after it can count."""


class Payed:
    """Gold that dies while it is asked the n-th time, and knows how many labels it gave."""

    def __init__(self, dies: int = 0) -> None:
        self.dies, self.asked, self.given = dies, 0, 0

    def __call__(self, prompts, responses):
        self.asked += 1
        if self.asked == self.dies:
            raise Died
        self.given += len(responses)
        return gold(prompts, responses)


def run(callback: Watch, out: Path, *, dies: int = 0):
    start = policy()
    callback.start(start, of=60, folder=out)

    def die(moment):
        if moment.step == dies:
            raise Died

    return train(start, Climb(), OFTEN, out=out, callbacks=[callback, die])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nobody disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    seen = looking(gold=Payed())
    done = run(seen, out)
    assert done.steps == 48
    assert seen.gold.given == 200
    return out, seen, done


def same(whole, seen: Watch, out: Path) -> None:
    for name in ("samples.jsonl", "watch.json"):
        assert (out / name).read_text() == (whole[0] / name).read_text(), name
    assert seen.answer.walked.watched == whole[1].answer.walked.watched


@pytest.mark.parametrize("dies", [1, 4, 29, 43, 100])  # the first, within a look, and within the last look of all
def test_what_was_paid_for_is_not_asked_again(whole, dies: int, tmp_path: Path) -> None:
    first, second = (looking(gold=Payed(at)) for at in (dies, 0))
    with pytest.raises(Died):
        run(first, tmp_path)
    done = run(second, tmp_path)
    assert first.gold.given + second.gold.given == 200
    assert done.steps == whole[2].steps
    assert done.stopped == whole[2].stopped
    same(whole, second, tmp_path)


@pytest.mark.parametrize(("step", "left"), [(0, 0.0), (0, 0.5), (0, 60.0), (12, 50.0), (12, 50.5), (4, 30.0)])
def test_a_step_that_was_cut_while_it_was_written_is_drawn_again(whole, step: int, left: float, tmp_path: Path) -> None:
    """The run died as it wrote so many lines of a step; of the next one stands a half, within a letter."""
    if step:
        with pytest.raises(Died):
            run(looking(gold=Payed()), tmp_path, dies=step - 1)
    lines = (whole[0] / "samples.jsonl").read_text().splitlines(keepends=True)
    kept = lines[: step // 4 * CONTEXTS + int(left)]
    half = '{"step": 12, "response": "é'.encode()[:-1] if left % 1 else b""
    (tmp_path / "samples.jsonl").write_bytes("".join(kept).encode() + half)
    seen = looking(gold=Payed())
    run(seen, tmp_path)
    same(whole, seen, tmp_path)


def test_labels_of_people_that_are_still_to_come_wait_while_a_run_goes_back(tmp_path: Path) -> None:
    labels = tmp_path / "gold.jsonl"
    labels.write_text("")
    with pytest.raises(Died):
        run(looking(gold=labels), tmp_path / "run", dies=17)
    before = json.loads((tmp_path / "run/watch.json").read_text())["pairs"]
    assert {pair["later"] for pair in before} == {4, 8, 12, 16}
    seen, start = looking(gold=labels), policy()
    seen.start(start, of=60, folder=tmp_path / "run")
    train(
        start,
        Climb(),
        OFTEN,
        out=tmp_path / "run",
        callbacks=[seen, lambda moment: "enough" if moment.step == 12 else None],
    )
    assert json.loads((tmp_path / "run/watch.json").read_text())["pairs"] == before


def test_what_was_stopped_stays_stopped_wherever_the_run_died(whole, tmp_path: Path) -> None:
    """STOP is said after update 48, and nothing is written after it: the run goes on from 40, and stops there again."""
    seen = looking(gold=Payed())
    start = policy()
    seen.start(start, of=60, folder=tmp_path)
    with pytest.raises(Died):
        train(start, Climb(), OFTEN, out=tmp_path, callbacks=[lambda moment: seen(moment) and died()])
    again = looking(gold=Payed())
    done = run(again, tmp_path)
    assert (done.steps, done.stopped) == (48, whole[2].stopped)
    assert again.gold.given == 0
    same(whole, again, tmp_path)
    for one in tmp_path.glob("checkpoint-*"):  # as if the checkpoint had been written, and not why the run is over
        kept = json.loads((one / "run.json").read_text())
        (one / "run.json").write_text(json.dumps({**kept, "over": ""}))
    assert run(looking(gold=Payed()), tmp_path).steps == 49


def died() -> None:
    raise Died


@pytest.mark.parametrize(("changed", "said"), [
    ({"every": 5}, "every = 4, and every is 5 now"),
    ({"samples": 2}, "samples = 1, and samples is 2 now"),
    ({"max_tokens": 9}, "max_tokens = 128, and max_tokens is 9 now"),
    ({"gold": proxy}, "gold = 'Payed', and gold is 'proxy' now"),
    ({"gold": None}, "gold = 'Payed', and gold is '' now"),
    ({"seed": 3}, "seed 0"),
    ({"bounds": (0.0, 2.0)}, "range (0.0, 1.0)"),
    ({"prompts": ["3", "4"]}, "holds responses to other prompts"),
])  # fmt: skip
def test_a_stop_rule_that_was_changed_is_refused_and_nothing_is_lost(changed, said: str, tmp_path: Path) -> None:
    with pytest.raises(Died):
        run(looking(gold=Payed()), tmp_path, dies=13)
    before = {name: (tmp_path / name).read_text() for name in ("samples.jsonl", "watch.json")}
    prompts = changed.pop("prompts", None)
    other = looking(**{"gold": Payed(), **changed})
    if prompts:
        other = Watch(prompts, proxy, gold=Payed(), every=4)
    with pytest.raises(AdjudgeError) as told:
        run(other, tmp_path)
    assert said in told.value.found
    assert "begin anew" in told.value.do or "options of the first call" in told.value.do
    for name, text in before.items():
        assert (tmp_path / name).read_text() == text, name


def test_more_labels_may_be_allowed_while_a_run_goes_on(tmp_path: Path) -> None:
    with pytest.raises(Died):
        run(looking(gold=Payed(), labels=20), tmp_path, dies=33)
    seen = looking(gold=Payed(), labels=200)
    assert run(seen, tmp_path).steps < 60
    assert seen.answer.stopped


@pytest.mark.parametrize("bounds", [(1, 0), (0, 0), (0.0, float("nan")), (0.0, float("inf")), (0.0,), ("0", "1")])
def test_a_range_that_is_none_is_blamed_itself(bounds) -> None:
    with pytest.raises(AdjudgeError, match="the range of gold is"):
        looking(bounds=bounds)


@pytest.mark.parametrize("wrong", [{"every": 2.5}, {"labels": "many"}, {"samples": 0}])
def test_numbers_that_cannot_be_are_named(wrong) -> None:
    with pytest.raises(AdjudgeError, match="whole numbers"):
        looking(**wrong)


def test_who_is_asked_has_one_name_in_every_process() -> None:
    assert named("python:a/gold.py:f") == named("python:gold.py:f") == "gold.py:f"
    assert named(functools.partial(gold)) == "gold"
    assert named(Payed()) == "Payed"
