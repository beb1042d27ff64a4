"""The demonstration, so small that it shows nothing: its parts fit together, its page tells its own numbers, and says
otherwise where they do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from adjudge.cli.main import group
from adjudge.core.estimate import Estimate, Part
from adjudge.credit import constrained
from adjudge.flows import demo_ablation_story, demo_words
from adjudge.flows.demo_ablation import BEFORE_IT
from adjudge.flows.demo_last import BEFORE, CORRECTED, KEPT, STOPPED, WHOLE
from adjudge.flows.demo_loop import DemoLoop, demo_loop
from adjudge.flows.demo_reward import WEIGHTS
from adjudge.flows.demo_world import QUICK, World, gold
from adjudge.flows.recipe_rollouts import Ascending
from adjudge.tables.rollouts import Rollouts

SMALL = replace(QUICK, lessons=40, demonstrations=4, steps=6, every=2, judged=40, labels=60, budget=20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def answer(folder: Path) -> DemoLoop:
    return demo_loop(folder, seed=3, size=SMALL, ablation=True)


def test_no_prompt_serves_twice() -> None:
    learnt, watched, last = World(3).prompts
    assert len({*learnt, *watched, *last}) == len(learnt) + len(watched) + len(last) == 1020
    assert World(4).prompts != World(3).prompts
    assert World(3).prompts == World(3).prompts


def test_the_last_word_is_gold_of_what_was_said(answer: DemoLoop) -> None:
    last = answer.last
    for name, value in zip(last.values.names, last.values.value, strict=True):
        said = last.responses[name]
        truth = [np.mean(gold([prompt] * len(texts), texts)) for prompt, texts in zip(last.prompts, said, strict=True)]
        assert value == pytest.approx(np.mean(truth))
    lead = last.gold[CORRECTED] - last.gold[KEPT]
    assert answer.gain.value.item() == pytest.approx(lead.mean())
    assert answer.gain.stderr.item() == pytest.approx(lead.std(ddof=1) / np.sqrt(lead.size), rel=1e-6)


def test_a_look_is_kept_as_it_was(answer: DemoLoop) -> None:
    naive = answer.naive
    last = naive.at(naive.steps).module.state_dict()
    assert all(bool((last[name] == values).all()) for name, values in naive.policy.module.state_dict().items())
    first = naive.at(0).module.state_dict()
    assert any(bool((first[name] != values).any()) for name, values in last.items())


def test_the_true_curve_is_that_of_the_looks(answer: DemoLoop) -> None:
    steps, worth = answer.truth
    assert steps.tolist() == [0, 2, 4, 6]
    ends = answer.last.values
    assert worth[0] == pytest.approx(ends.value[ends.index(BEFORE)])
    assert worth[-1] == pytest.approx(ends.value[ends.index(WHOLE)])


def test_the_page_tells_the_numbers_of_the_answer(answer: DemoLoop, tmp_path: Path) -> None:
    page = answer.save(tmp_path / "page")
    text = re.sub(r"\s+", " ", unescape(page.read_text(encoding="utf-8")))
    assert demo_words.verdict(answer) in text
    assert f"{answer.last.values.value[answer.last.values.index(CORRECTED)]:.2f} against" in text
    for sentence in (demo_words.biased(answer), demo_words.watched(answer), demo_words.corrected(answer)):
        assert sentence in text
    made = json.loads((tmp_path / "page" / "run.json").read_text())
    assert made["seed"] == 3
    assert made["settings"]["size"]["lessons"] == 40
    assert "rewards.disentangled" in made["methods"]
    told = json.loads((tmp_path / "page" / "results.json").read_text())
    assert CORRECTED in json.dumps(told)


def test_the_page_tells_what_each_step_adds(answer: DemoLoop, tmp_path: Path) -> None:
    ablation = answer.ablation
    assert ablation is not None
    last = ablation.last
    np.testing.assert_array_equal(last.gold[CORRECTED], answer.last.gold[CORRECTED])  # the same draws
    weights = [each.policy.module.state_dict()["lm_head.weight"].tolist() for each in ablation.climbs.values()]
    assert all(one != other for at, one in enumerate(weights) for other in weights[:at])
    for name, before in BEFORE_IT.items():
        added, lead = ablation.lead(name, before), last.gold[name] - last.gold[before]
        assert added.value.item() == pytest.approx(lead.mean())
        assert added.stderr.item() == pytest.approx(lead.std(ddof=1) / np.sqrt(lead.size), rel=1e-6)
    text = re.sub(r"\s+", " ", unescape(answer.save(tmp_path / "page").read_text(encoding="utf-8")))
    assert demo_ablation_story.said(ablation, answer.level) in text
    forest = demo_ablation_story.blocks(ablation, answer.level)[0]
    assert [row.policy for row in forest.ordered] == [KEPT, *BEFORE_IT]  # type: ignore[union-attr]
    assert answer.run.settings["ablation"] is True


def test_a_demonstration_that_is_over_is_told_again(answer: DemoLoop, folder: Path) -> None:
    again = demo_loop(folder, seed=3, size=SMALL)
    np.testing.assert_array_equal(again.last.values.value, answer.last.values.value)
    np.testing.assert_array_equal(again.corrected.curves["gold"], answer.corrected.curves["gold"])
    assert again.naive.watching.spent == answer.naive.watching.spent
    assert again.ablation is None  # nobody asked this time


def estimate(**values: float) -> Estimate:
    names = tuple(values)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(50, len(names))) / 50 * 0.1
    return Estimate(
        names, np.array(list(values.values())), (Part.from_influence("sampling", noise),), np.full(len(names), 49)
    )


def told(ours: float, theirs: float, *, stopped: bool = True, bias: float = 0.5, kept: int = 4) -> Any:
    """An answer of which the sentences see all that they look at."""
    both = estimate(**{KEPT: theirs, CORRECTED: ours})
    curve = {"step": np.array([0, 4, 8]), "gold": np.array([0.4, 0.7, 0.1])}
    watching = SimpleNamespace(stopped=stopped, spent=40)
    return SimpleNamespace(
        level=0.95,
        last=SimpleNamespace(values=both),
        gain=both.difference(CORRECTED, KEPT),
        heard=SimpleNamespace(bias=estimate(judge=bias), gold=np.array([1.0, np.nan])),
        naive=SimpleNamespace(watching=watching, steps=8, kept=kept, curves=curve),
        truth=(curve["step"], curve["gold"]),
        world=SimpleNamespace(size=SMALL),
    )


def test_sentences_change_with_the_numbers() -> None:
    assert demo_words.verdict(told(0.9, 0.6)).startswith("Yes, by correcting the judge")
    assert "0.90 against 0.60, a difference of +0.30" in demo_words.verdict(told(0.9, 0.6))
    assert demo_words.verdict(told(0.5, 0.6)).startswith("Not by correcting")
    assert demo_words.verdict(told(0.601, 0.6)).startswith("It cannot be told")
    assert "found the bias" in demo_words.biased(told(0.9, 0.6))
    assert "shorter responses are liked" in demo_words.biased(told(0.9, 0.6, bias=-0.5))
    assert "could not tell" in demo_words.biased(told(0.9, 0.6, bias=0.001))
    assert "said STOP at update 8" in demo_words.watched(told(0.9, 0.6))
    assert "0.70, near the true peak (100 % of 0.70, at update 4)" in demo_words.watched(told(0.9, 0.6))
    assert "0.10, not near the true peak (14 % of 0.70" in demo_words.watched(told(0.9, 0.6, kept=8))
    assert "did not say STOP" in demo_words.watched(told(0.9, 0.6, stopped=False))


def test_the_price_of_the_judge_rises_above_its_point_and_is_remembered() -> None:
    options = {"points": (np.inf, 0.5), "rate": 0.5, "weights": WEIGHTS}
    rule = Ascending(constrained, dict(options))
    rows = Rollouts(np.zeros(4), np.array([0, 0, 1, 1]), parts=np.array([[1.0, 0.9], [0, 0.7], [0, 0.5], [1, 0.7]]))
    first = rule(rows)
    np.testing.assert_allclose(first, constrained.advantages(rows, weights=WEIGHTS))
    np.testing.assert_allclose(rule.prices, [0.0, 0.5 * 0.2])
    other = Ascending(constrained, dict(options))
    other.restore(rule.state())
    np.testing.assert_allclose(other(rows), constrained.advantages(rows, multipliers=[0.0, 0.1], weights=WEIGHTS))


def test_the_command_shows_itself(folder: Path, answer: DemoLoop) -> None:
    assert {BEFORE, KEPT, WHOLE, CORRECTED} <= {*answer.last.values.names} <= {BEFORE, KEPT, STOPPED, WHOLE, CORRECTED}
    shown = CliRunner().invoke(group, ["demo-loop", "--help"])
    assert shown.exit_code == 0
    assert "adjudge demo-loop --quick" in shown.output
