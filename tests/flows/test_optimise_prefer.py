"""Recipes in which somebody compares what the policy says: Nash through the door, and who may compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows.optimise import optimise
from adjudge.flows.optimise_prefer import prefer_of
from adjudge.flows.recipes import recipe_of
from adjudge.flows.watch_contest import against_start
from adjudge.rewards import general
from adjudge.stats import reward_file
from adjudge.stats.games import regularised_nash
from adjudge.stats.text_features import TextFeatures
from adjudge.tables.preferences import from_arrays
from adjudge.tables.read_lists import Asked
from adjudge.tables.read_preferences import read

pytest.importorskip("torch")
from adjudge.train.tabular import Tabular

NAMES = ("rock", "paper", "scissors")
CIRCLE = np.array([[0.5, 0.1, 0.8], [0.9, 0.5, 0.3], [0.2, 0.7, 0.5]])
MU = np.array([0.6, 0.2, 0.2])
CONTEXTS = 53
FUNCTION = """CHANCE = {}
NAMES = ("rock", "paper", "scissors")

def wins(prompt, left, right):
    assert prompt.isdigit()
    return CHANCE[NAMES.index(left)][NAMES.index(right)]

def judged(answer, other):
    return wins("0", answer, other)
"""


def policy() -> Tabular:
    return Tabular(np.tile(np.log(MU), (CONTEXTS, 1)), names=NAMES)


def wins(_: Sequence[object], left: Sequence[str], right: Sequence[str]) -> Any:
    return CIRCLE[[NAMES.index(one) for one in left], [NAMES.index(one) for one in right]]


def prompts(path: Path) -> Path:
    path.write_text("".join(json.dumps({"prompt": str(at)}) + "\n" for at in range(CONTEXTS)), encoding="utf-8")
    return path


def recipe(path: Path, method: str, feedback: dict[str, Any], **options: Any) -> dict[str, Any]:
    train = {"lr": 0.1, "batch": CONTEXTS, "steps": 120, "schedule": "cosine", "clip": 9.0}
    made = {"data": {"path": str(path)}, "policy": {"model": "none"}, "objective": {"method": method, **options}}
    return made | {"train": train, "feedback": feedback}


@pytest.mark.parametrize(("method", "options"), [
    ("objectives.nash_md", {"beta": 0.5, "eta": 0.1}), ("objectives.nash_mp", {"beta": 0.5}),
    ("objectives.ipo", {"beta": 0.5}),
])  # fmt: skip
def test_a_recipe_of_contests_comes_to_the_equilibrium(method: str, options: dict[str, float], tmp_path: Path) -> None:
    (tmp_path / "who.py").write_text(FUNCTION.format(CIRCLE.tolist()), encoding="utf-8")
    feedback = {"prefer": f"python:{tmp_path / 'who.py'}:wins", "samples": 4}
    learner = policy()
    answer = optimise(recipe(prompts(tmp_path / "p.jsonl"), method, feedback, **options), policy=learner,
                      out=tmp_path / "run")  # fmt: skip
    found = learner.logits.detach().softmax(1).numpy().mean(0)  # contexts are copies of one game
    np.testing.assert_allclose(found, regularised_nash(CIRCLE, MU, beta=0.5), atol=0.03)
    assert answer.trained.history[-1]["kl"] > 0.01
    kept = read(tmp_path / "run" / "duels.jsonl")
    assert kept.n > 1000
    assert ((kept.outcome >= 0.5) & (kept.outcome <= 0.9)).all(), "what was compared can be learnt from again"
    assert answer.held == {}
    assert "After 120 updates" in answer.story.verdict


def test_what_an_objective_says_of_its_draw_is_taken_unless_the_recipe_says_otherwise() -> None:
    asked = Asked(("0", "1"), ("a", "b"))

    def made(method: str, draw: dict[str, Any] | None = None, **options: Any) -> tuple[float, float]:
        contest = recipe_of(method, options, asked, policy(), prefer=wins, draw=draw).contest  # type: ignore[attr-defined]
        return contest.mix, contest.slow

    assert made("objectives.nash_md", beta=0.2, eta=2.0) == (0.4, 0.0)
    assert made("objectives.nash_md") == (0.1, 0.0)
    assert made("objectives.nash_md", {"mix": 0.0}) == (0.0, 0.0)
    assert made("objectives.nash_mp") == (0.0, 0.9)
    assert made("objectives.nash_mp", {"slow": 0.5}) == (0.0, 0.5)
    assert made("objectives.dpo") == (0.0, 0.0)


def test_a_fitted_model_of_preferences_compares_in_circles(tmp_path: Path) -> None:
    maker = TextFeatures(size=64)
    left, right = zip(*[(a, b) for a in NAMES for b in NAMES if a != b] * 40, strict=True)
    pairs = from_arrays(maker(left), maker(right), wins([], left, right))
    model = general.fit(pairs, ridge=0.1, circle_ridge=0.1, folds=0)
    reward_file.save(reward_file.Stored(model, maker), tmp_path / "model")
    prefer = prefer_of(tmp_path / "model", None)
    said = prefer(["0"] * 3, ["paper", "scissors", "rock"], ["rock", "paper", "scissors"])
    np.testing.assert_allclose(said, [0.9, 0.7, 0.8], atol=0.05)


@pytest.mark.parametrize("swap", [False, True])
def test_a_judge_of_two_answers_compares(swap: bool, tmp_path: Path) -> None:
    (tmp_path / "who.py").write_text(FUNCTION.format(CIRCLE.tolist()), encoding="utf-8")
    said = {"protocol": "function", "options": {"function": f"{tmp_path / 'who.py'}:judged"}, "swap": swap}
    prefer = prefer_of(said, tmp_path)
    left, right = zip(*[(a, b) for a in NAMES for b in NAMES if a != b], strict=True)
    np.testing.assert_allclose(prefer(["0"] * 6, left, right), wins([], left, right), atol=1e-12)


@pytest.mark.parametrize(("method", "feedback", "said"), [
    ("objectives.dpo", {"prefer": "nowhere"}, "prefer = 'nowhere'"),
    ("objectives.dpo", {"prefer": {"protocol": "pairwise", "modl": "x"}}, "prefer has no 'modl'"),
    ("objectives.kto", {"prefer": wins}, "prefer with objectives.kto"),
    ("credit.rloo", {"prefer": wins}, "prefer with credit.rloo"),
    ("objectives.dpo", {"prefer": wins, "flip": 0.1}, "flip = 0.1 with prefer"),
    ("objectives.dpo", {"prefer": wins, "flip": "auto"}, "flip = 'auto' with prefer"),
    ("objectives.dpo", {"prefer": wins, "mix": 2.0}, "duels: mix = 2.0"),
    ("objectives.dpo", {"prefer": wins, "kl": 0.1}, "no option 'kl'"),
    ("objectives.dpo", {"prefer": lambda *_: [3.0]}, "a comparison gave"),
    ("objectives.dpo", {"prefer": lambda p, *_: ["left"] * len(p)}, "a comparison gave no numbers"),
    ("objectives.dpo", {"prefer": lambda p, *_: iter(p)}, "a comparison gave no numbers"),
])  # fmt: skip
def test_what_cannot_be_carried_out_is_told(method: str, feedback: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError) as told:
        optimise(recipe(prompts(tmp_path / "p.jsonl"), method, feedback), policy=policy())
    assert said in f"{told.value.found} {told.value.expected} {told.value.do}"


def test_a_function_that_breaks_is_told(tmp_path: Path) -> None:
    (tmp_path / "who.py").write_text("def wins(prompt, left, right):\n    return 1 / 0\n", encoding="utf-8")
    with pytest.raises(AdjudgeError, match="The function of comparison raised ZeroDivisionError"):
        prefer_of(f"python:{tmp_path / 'who.py'}:wins", None)(["0"], ["a"], ["b"])


ARMS = np.array([[0.5, 0.9, 0.7], [0.1, 0.5, 0.4], [0.3, 0.6, 0.5]])  # rock beats both, scissors beat paper


def hard(_: Sequence[object], left: Sequence[str], right: Sequence[str]) -> Any:
    return ARMS[[NAMES.index(one) for one in left], [NAMES.index(one) for one in right]]


def watched(path: Path, gold: dict[str, float], feedback: dict[str, Any] | None = None) -> dict[str, Any]:
    made = recipe(path, "objectives.ipo", {"prefer": hard, "samples": 4} | (feedback or {}), beta=0.1)

    def score(_: Sequence[object], responses: Sequence[str]) -> list[float]:
        return [gold[one] for one in responses]

    stop = {"gold": score, "labels": 400, "every": 8, "prompts": str(path)}
    return made | {"stop": stop, "train": {"lr": 0.1, "batch": CONTEXTS, "steps": 80, "clip": 9.0}}


def test_contests_are_stopped_too_and_wins_against_the_beginning_are_watched(tmp_path: Path) -> None:
    bad = {"rock": 0.0, "paper": 1.0, "scissors": 0.9}  # what wins is worst
    even = Tabular(np.zeros((CONTEXTS, 3)), names=NAMES)
    answer = optimise(watched(prompts(tmp_path / "p.jsonl"), bad), policy=even, out=tmp_path / "run")
    assert answer.watched is not None
    assert answer.watched.stopped
    assert answer.trained.steps < 80
    rows = [json.loads(line) for line in (tmp_path / "run/samples.jsonl").read_text().splitlines()]
    began = {row["item"]: row["response"] for row in rows if row["step"] == 0}
    for row in rows:
        assert row["reward"] == pytest.approx(ARMS[NAMES.index(row["response"]), NAMES.index(began[row["item"]])])
    lines = (tmp_path / "run/samples.jsonl").read_text()
    again = optimise(watched(tmp_path / "p.jsonl", bad), policy=Tabular(np.zeros((CONTEXTS, 3)), names=NAMES),
                     out=tmp_path / "run")  # fmt: skip
    assert again.trained.stopped == answer.trained.stopped
    assert (tmp_path / "run/samples.jsonl").read_text() == lines
    without = watched(tmp_path / "p.jsonl", bad)
    del without["stop"]
    with pytest.raises(AdjudgeError, match=r"holds a run with \[stop\], and the recipe has none now"):
        optimise(without, policy=Tabular(np.zeros((CONTEXTS, 3)), names=NAMES), out=tmp_path / "run")


def test_a_reward_beside_prefer_is_watched_in_its_place(tmp_path: Path) -> None:
    good = {"rock": 1.0, "paper": 0.0, "scissors": 0.1}
    made = watched(prompts(tmp_path / "p.jsonl"), good, {"reward": lambda p, said: [7.0 * len(one) for one in said]})
    answer = optimise(made, policy=policy(), out=tmp_path / "run")
    assert answer.watched is not None
    assert not answer.watched.stopped
    assert set(answer.watched.table.proxy) <= {28.0, 35.0, 56.0}


def test_a_leaning_to_a_side_cancels_in_what_is_watched() -> None:
    n = 4000
    score = against_start(lambda asked, *_: [0.9] * len(asked))
    assert score(["x"] * n, ["a"] * n) == [0.5] * n
    assert np.mean(score(["x"] * n, ["b"] * n)) == pytest.approx(0.5, abs=4 * 0.4 / n**0.5)
    one, two = (against_start(lambda asked, left, _: [float(a == "b") for a in left], seed=3) for _ in range(2))
    for each in (one, two):
        each(["x"] * 9, ["a"] * 9)
    assert one(["x"] * 9, ["b"] * 9) == two(["x"] * 9, ["b"] * 9) == [1.0] * 9


def test_pairs_that_nobody_judges_are_told(tmp_path: Path) -> None:
    made = recipe(prompts(tmp_path / "p.jsonl"), "objectives.dpo", {"prefer": lambda p, *_: [None] * len(p)})
    answer = optimise(made | {"train": {"lr": 0.1, "steps": 3}}, policy=policy())
    assert [(each.code, each.number) for each in answer.findings] == [("pairs-unjudged", 1.0)]
    assert answer.severe


def test_a_half_online_objective_takes_no_option_that_it_would_not_heed() -> None:
    pairs = read([{"prompt": "0", "chosen": "rock", "rejected": "paper"}])
    recipe_of("objectives.hypo", {}, pairs, policy(), draw={"n": 2, "max_tokens": 3})
    with pytest.raises(AdjudgeError, match="temperature with a half-online objective"):
        recipe_of("objectives.hypo", {}, pairs, policy(), draw={"n": 2, "temperature": 0.5})


def test_a_function_without_a_name_does_not_hinder_a_run_that_goes_on(tmp_path: Path) -> None:
    class Wins:
        def __call__(self, asked: Sequence[object], left: Sequence[str], right: Sequence[str]) -> Any:
            return wins(asked, left, right)

    kept = [Wins(), partial(Wins())]  # both alive, and so at other addresses

    def went(steps: int) -> int:
        made = recipe(prompts(tmp_path / "p.jsonl"), "objectives.dpo", {"prefer": kept[steps - 1]})
        made["train"] = {"lr": 0.1, "steps": steps, "schedule": "constant"}
        return optimise(made, policy=policy(), out=tmp_path / "run").trained.steps

    assert (went(1), went(2)) == (1, 2)
