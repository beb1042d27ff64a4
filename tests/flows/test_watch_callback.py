"""Watching inside the loop: no effect on the trajectory, exact KL, a stop with its reason, resume without new draws."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.flows.watch import watch
from adjudge.flows.watch_callback import Watch
from adjudge.train.loop import Moment, train
from adjudge.train.settings import Settings
from adjudge.train.tabular import Tabular

ARMS, CONTEXTS = 7, 101
REWARD = np.arange(ARMS) / (ARMS - 1)  # the proxy likes the last arm best
GOLD = np.array([0.1, 0.4, 0.8, 0.9, 0.6, 0.3, 0.0])  # gold likes the middle
START = -6 * REWARD  # where the run begins, the first arms are likely


class Climb:
    """Ascends the expected proxy exactly, and draws from the global generator as careless code does."""

    n, updates, tokens = CONTEXTS, 1, CONTEXTS

    def warm_up(self, policy, progress=None): ...

    def prepare(self, policy, rows, generator):
        self.drawn = torch.rand(1, generator=generator)
        return self

    def loss(self, policy, part):
        reward = torch.tensor(REWARD)
        return -(policy.logits.softmax(1)[part] @ reward).sum() / self.n

    def metrics(self):
        return {"drawn": float(self.drawn)}

    def state(self):
        return {}

    def restore(self, state): ...

    def rows(self, part):
        return []


SETTINGS = Settings(epochs=60, lr=0.15, batch=CONTEXTS, schedule="constant", clip=None)


def proxy(prompts, responses):
    return [REWARD[int(one)] for one in responses]


def gold(prompts, responses):
    return [GOLD[int(one)] for one in responses]


def policy():
    return Tabular(np.tile(START, (CONTEXTS, 1)))


def looking(**options):
    return Watch([str(place) for place in range(CONTEXTS)], proxy, **{"gold": gold, "every": 4, **options})


def run(callback, out=None, **options):
    start = policy()
    if callback is not None:
        callback.start(start, of=60, folder=out)
    return train(start, Climb(), SETTINGS, out=out, callbacks=[callback] if callback else [], **options)


def test_the_loop_is_stopped_with_the_reason_and_keeps_a_good_checkpoint(tmp_path):
    callback = looking(labels=200)
    done = run(callback, tmp_path / "run")
    assert done.stopped.startswith("Stop: gold has fallen at step")
    assert done.steps < 60
    seen = callback.answer
    assert seen.stopped
    again = policy()
    policies = {0: value(again)}
    train(again, Climb(), SETTINGS, callbacks=[lambda moment: policies.update({moment.step: value(moment.policy)})])
    best, start = max(policies.values()), policies[0]
    assert policies[seen.keep] - start >= 0.9 * (best - start)
    assert policies[done.steps] < best


def value(table):
    return float((table.logits.detach().softmax(1).numpy() @ GOLD).mean())


def test_a_watched_run_follows_the_trajectory_of_an_unwatched_one(tmp_path):
    plain = run(None)
    watched = run(looking(gold=lambda prompts, responses: [0.5] * len(prompts)), tmp_path / "run")
    assert watched.steps == plain.steps == 60
    assert torch.equal(watched.policy.logits, plain.policy.logits)
    drawn = [[line["drawn"] for line in done.history] for done in (plain, watched)]
    assert drawn[0] == drawn[1]


def test_samples_have_the_exact_kl_and_are_what_adjudge_watch_reads(tmp_path):
    out = tmp_path / "run"
    callback = looking(labels=40, samples=2)
    run(callback, out)
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert {row["step"] for row in rows} == set(range(0, 61, 4))
    assert len(rows) == 16 * CONTEXTS * 2
    assert all(row["kl"] == 0 for row in rows if row["step"] == 0)
    last = callback.answer.table.kl[-1]
    one, two = (table.logits.detach().log_softmax(1).numpy() for table in (run(None).policy, policy()))
    assert last == pytest.approx(float((np.exp(one) * (one - two)).sum(axis=1).mean()), rel=1e-9)
    seen = watch(out)
    assert seen.walked.watched == callback.answer.walked.watched
    assert seen.table.ended


def test_a_run_that_goes_on_draws_nothing_twice(tmp_path):
    out, asked = tmp_path / "run", []

    def counted(prompts, responses):
        asked.extend(prompts)
        return gold(prompts, responses)

    first = looking(gold=counted)
    run(first, out)
    state, samples, number = (out / "watch.json").read_text(), (out / "samples.jsonl").read_text(), len(asked)
    second = looking(gold=counted, folder=out)
    again = run(second)
    assert again.stopped == second.answer.story.verdict == first.answer.story.verdict
    assert (out / "samples.jsonl").read_text() == samples
    assert (out / "watch.json").read_text() == state
    assert len(asked) == number
    third = looking(gold=counted, folder=out)
    start = policy()
    third.start(start, of=60)
    assert (out / "samples.jsonl").read_text() == samples  # how far the loop goes back is not known yet
    third(Moment(4, 60, start, {}, None))
    assert {json.loads(line)["step"] for line in (out / "samples.jsonl").read_text().splitlines()} == {0, 4}
    assert len(asked) == number


def test_what_lies_of_another_run_goes(tmp_path):
    out = tmp_path / "run"
    run(looking(labels=20), out)
    for one in out.glob("checkpoint-*"):
        shutil.rmtree(one)
    other = looking(labels=20, seed=5)
    other.start(policy(), of=60, folder=out)
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text().splitlines()]
    assert {row["step"] for row in rows} == {0}
    assert json.loads((out / "watch.json").read_text())["seed"] == 5


def test_memory_alone_will_do():
    seen = looking(labels=200)
    done = run(seen)
    assert done.stopped.startswith("Stop:")
    assert seen.answer.spent <= 200


def test_modes_of_the_module_are_left_as_they_were():
    start, callback = policy(), looking(labels=0)
    start.module.dropout = torch.nn.Dropout()
    start.module.dropout.eval()
    start.module.train()
    start.module.dropout.eval()
    callback.start(start)
    assert start.module.training
    assert not start.module.dropout.training


def test_bad_input_is_named():
    with pytest.raises(AdjudgeError, match="0 prompts"):
        Watch([], proxy)
    with pytest.raises(AdjudgeError, match="every 0 updates"):
        looking(every=0)
    with pytest.raises(AdjudgeError, match="no reference"):
        looking()(Moment(4, 8, policy(), {}, None))


def test_dropout_is_off_while_a_policy_is_watched_and_on_again_after() -> None:
    modes = []

    class Seen(Tabular):
        def sample(self, prompts, generator, **options):
            modes.append(self.module.training)
            return super().sample(prompts, generator, **options)

    start = Seen(np.tile(START, (CONTEXTS, 1)))
    start.module.train()
    looking().start(start, of=60)
    assert modes == [False]
    assert start.module.training
