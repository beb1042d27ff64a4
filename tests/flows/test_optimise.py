"""Recipes carried out on policies whose best is known: what is learnt, watched, kept and told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.optimise import Optimised, optimise
from adjudge.flows.optimise_reward import reward_of

pytest.importorskip("torch")
from adjudge.train.tabular import Tabular

CONTEXTS = 211
ARMS = ("good", "bad", "ugly")


def policy() -> Tabular:
    return Tabular(np.zeros((CONTEXTS, len(ARMS))), names=ARMS)


def pairs(path: Path, *, wrong: float = 0.0, seed: int = 3) -> Path:
    """In every context `good` beats `bad`, and some labels are turned round."""
    rng = np.random.default_rng(seed)
    sides = [("bad", "good") if rng.random() < wrong else ("good", "bad") for _ in range(CONTEXTS)]
    rows = [{"prompt": str(at), "chosen": one, "rejected": two} for at, (one, two) in enumerate(sides)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def prompts(path: Path) -> Path:
    path.write_text("".join(json.dumps({"prompt": str(at)}) + "\n" for at in range(CONTEXTS)), encoding="utf-8")
    return path


def recipe(path: Path, method: str = "objectives.dpo", **sections: Any) -> dict[str, Any]:
    made = {"data": {"path": str(path)}, "policy": {"model": "none"}, "objective": {"method": method}}
    return made | {"train": {"lr": 0.1, "batch": 53, "epochs": 5}} | sections


def liked(_: Sequence[object], responses: Sequence[str]) -> list[float]:
    """A proxy that likes `ugly` best and `good` second."""
    return [{"good": 0.6, "bad": 0.0, "ugly": 1.0}[text] for text in responses]


def true(_: Sequence[object], responses: Sequence[str]) -> list[float]:
    return [{"good": 1.0, "bad": 0.5, "ugly": 0.0}[text] for text in responses]


def test_pairs_teach_and_those_kept_back_say_what_was_learnt(tmp_path: Path) -> None:
    made = recipe(pairs(tmp_path / "p.jsonl", wrong=0.2))
    made["data"]["held_out"] = 0.1
    answer = optimise(made, policy=policy(), out=tmp_path / "run")
    accuracy, moved = answer.held["accuracy"], answer.held["moved"]
    assert accuracy.value.item() == 0.5  # nothing is shared between contexts: what is kept back stays a coin
    assert not moved.value.any()
    assert "held-out-no-better" in {finding.code for finding in answer.findings}
    assert answer.trained.history[0]["loss"] == pytest.approx(np.log(2), abs=1e-12)
    assert answer.trained.history[-1]["loss"] < 0.67
    for name in ("metrics.jsonl", "policy/logits.pt", "checkpoint-000020/run.json"):
        assert (tmp_path / "run" / name).is_file(), name
    page = answer.save(tmp_path / "run").read_text(encoding="utf-8")
    assert "Held-out pairs in the labels" in page
    assert "What this does not say" in page
    assert json.loads((tmp_path / "run/run.json").read_text())["settings"]["objective"] == {"method": "objectives.dpo"}


def test_a_run_that_is_over_is_told_again_without_training(tmp_path: Path) -> None:
    made = recipe(pairs(tmp_path / "p.jsonl"))
    first = optimise(made, policy=policy(), out=tmp_path / "run")
    lines = (tmp_path / "run/metrics.jsonl").read_text(encoding="utf-8")
    second = optimise(made, policy=policy(), out=tmp_path / "run")
    assert (tmp_path / "run/metrics.jsonl").read_text(encoding="utf-8") == lines
    assert second.story.verdict == first.story.verdict
    assert second.trained.stopped == first.trained.stopped


def test_the_monitor_stops_a_run_whose_reward_leaves_the_truth(tmp_path: Path) -> None:
    made = recipe(
        prompts(tmp_path / "p.jsonl"), "credit.rloo", feedback={"reward": liked, "samples": 8},
        train={"lr": 0.1, "batch": CONTEXTS, "steps": 90},
        stop={"gold": true, "labels": 400, "every": 10},
    )  # fmt: skip
    answer = optimise(made, policy=policy(), out=tmp_path / "run")
    assert answer.watched is not None
    assert answer.watched.stopped
    assert answer.severe
    assert answer.trained.steps < 90
    assert "Stop: gold has fallen" in answer.story.verdict
    assert answer.watched.keep is not None
    assert answer.watched.keep < answer.trained.steps
    assert "Gold along the run" in answer.save(tmp_path / "run").read_text(encoding="utf-8")


def test_a_run_whose_reward_is_the_truth_goes_on_to_its_end(tmp_path: Path) -> None:
    made = recipe(
        prompts(tmp_path / "p.jsonl"), "credit.rloo", feedback={"reward": true, "samples": 4},
        train={"lr": 0.1, "batch": CONTEXTS, "steps": 40},
        stop={"gold": true, "labels": 100, "every": 10},
    )  # fmt: skip
    answer = optimise(made, policy=policy())
    assert answer.watched is not None
    assert not answer.watched.stopped
    assert answer.trained.steps == 40
    assert answer.trained.history[-1]["reward"] > 0.9


def test_the_rate_of_turned_labels_is_measured_and_told(tmp_path: Path) -> None:
    rows = [json.dumps({"prompt": str(at % CONTEXTS), "chosen": "good", "rejected": "bad"}) for at in range(CONTEXTS)]
    rng = np.random.default_rng(7)
    for at in range(CONTEXTS):  # each pair is labelled again, one time in four the other way round
        one, two = ("bad", "good") if rng.random() < 0.25 else ("good", "bad")
        rows.append(json.dumps({"prompt": str(at), "chosen": one, "rejected": two}))
    (tmp_path / "p.jsonl").write_text("\n".join(rows), encoding="utf-8")
    made = recipe(tmp_path / "p.jsonl", "objectives.rdpo", feedback={"flip": "auto"})
    answer = optimise(made, policy=policy())
    assert answer.flips is not None
    assert 0.05 < answer.flips.rate < 0.3
    assert "of labels taken as turned round" in " ".join(answer.story.facts)


def test_a_judge_rewards_what_is_sampled(tmp_path: Path) -> None:
    made = reward_of({"protocol": "rules", "options": {"rule": "regex", "pattern": "good"}}, tmp_path)
    found = np.asarray(made(["0", "1", "2"], ["good", "bad", "so good"]), dtype=float)
    assert found.tolist() == [1.0, 0.0, 1.0]


def test_a_run_begun_anew_forgets_what_was_watched(tmp_path: Path) -> None:
    made = recipe(
        prompts(tmp_path / "p.jsonl"), "credit.rloo", feedback={"reward": true, "samples": 4},
        train={"lr": 0.1, "batch": CONTEXTS, "steps": 4}, stop={"gold": true, "labels": 60, "every": 2},
    )  # fmt: skip
    said = []
    for resume in (True, False):
        optimise(made, policy=policy(), out=tmp_path / "run", resume=resume)
        lines = [json.loads(line) for line in (tmp_path / "run/samples.jsonl").read_text().splitlines()]
        said.append((lines, json.loads((tmp_path / "run/watch.json").read_text())))
        (tmp_path / "run/watch.json").write_text("of another run", encoding="utf-8")
    assert said[0] == said[1]
    assert {line["step"] for line in said[1][0]} == {0, 2, 4}


def refusals() -> list[tuple[str, dict[str, Any], str]]:
    return [
        ("objectives.dpo", {"stop": {"gold": true}}, "neither a reward nor prefer"),
        ("objectives.dpo", {"feedback": {"temperature": 2.0}}, "temperature with objectives.dpo"),
        ("objectives.dpo", {"feedback": {"mix": 0.5}}, "mix with objectives.dpo"),
        ("objectives.dpo", {"feedback": {"flip": 0.5}}, "flip = 0.5"),
        ("objectives.dpo", {"feedback": {"flip": "often"}}, "flip = 'often'"),
        ("objectives.dpo", {"train": {"rate": 1}}, "no option 'rate'"),
        ("objectives.dpo", {"train": {"lr": -1}}, "train.lr = -1"),
        ("objectives.none", {}, "none"),
        ("value.ips", {}, "value.ips"),
        ("objectives.lipo", {}, "completions"),
        ("credit.rloo", {}, "no reward"),
        ("credit.rloo", {"feedback": {"reward": "nowhere"}}, "reward = 'nowhere'"),
        ("credit.rloo", {"feedback": {"reward": {"protocol": "rules", "modl": "x"}}}, "no 'modl'"),
    ]


@pytest.mark.parametrize(("method", "sections", "said"), refusals())
def test_what_cannot_be_carried_out_is_told(method: str, sections: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError) as told:
        optimise(recipe(pairs(tmp_path / "p.jsonl"), method, **sections), policy=policy())
    assert said in f"{told.value.found} {told.value.expected} {told.value.do}"


def test_the_answer_shows_itself(tmp_path: Path) -> None:
    answer = optimise(recipe(pairs(tmp_path / "p.jsonl"), train={"steps": 2, "lr": 0.1}), policy=policy())
    assert isinstance(answer, Optimised)
    assert "After 2 updates" in repr(answer)
    assert f"{answer.trained.history[-1]['tokens']:,.0f} tokens" in answer.story.facts
    assert json.loads(answer.text("json"))["verdict"] == answer.story.verdict


def test_a_run_does_not_go_on_with_another_reward(tmp_path: Path) -> None:
    asked = prompts(tmp_path / "prompts.jsonl")

    def went(reward: Any, steps: int) -> int:
        train = {"lr": 0.1, "batch": 53, "steps": steps, "schedule": "constant"}
        said = recipe(asked, "credit.rloo", feedback={"reward": reward, "samples": 2}, train=train)
        return optimise(said, out=tmp_path / "run", policy=policy()).trained.steps

    assert (went(liked, 1), went(liked, 2)) == (1, 2)
    with pytest.raises(AdjudgeError, match=r"data\.fingerprint"):
        went(lambda _, responses: [0.0] * len(responses), 3)


def test_a_reward_that_cannot_say_is_told(tmp_path: Path) -> None:
    """A function that raises by its own name; one that never knows, or finds all alike, as one that taught nothing."""
    asked = prompts(tmp_path / "prompts.jsonl")
    (tmp_path / "reward.py").write_text(
        "def never(p, r): return None\n\ndef alike(p, r): return 1\n\ndef broken(p, r): raise ValueError('oh')\n"
    )

    def went(name: str) -> Optimised:
        feedback = {"reward": f"python:{tmp_path}/reward.py:{name}", "samples": 2}
        return optimise(recipe(asked, "credit.rloo", feedback=feedback), policy=policy())

    with pytest.raises(AdjudgeError, match="function of reward raised ValueError: oh"):
        went("broken")
    assert [(each.code, each.number) for each in went("never").findings] == [("responses-unrewarded", 1.0)]
    constant = went("alike")
    assert [(each.code, each.number) for each in constant.findings] == [("reward-constant", 1.0)]
    assert constant.severe
