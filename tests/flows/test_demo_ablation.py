"""The ablation of the demonstration: each run learns from what its name says, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adjudge.credit import rloo
from adjudge.flows import demo_ablation
from adjudge.flows.demo_ablation import BESIDE, CALIBRATED, CONSTRAINED, DISENTANGLED, feeds
from adjudge.flows.demo_judged import WAYS, Heard
from adjudge.flows.demo_last import CORRECTED, KEPT
from adjudge.flows.demo_reward import Corrected, fitted
from adjudge.flows.demo_world import QUICK, World, gold
from adjudge.flows.recipe_rollouts import Ascending
from adjudge.sim import little_language as language
from adjudge.tables.rollouts import Rollouts

POINT = 0.43
ASKED = "describe a red boat near the harbour"
SHORT, LONG = "a red boat sails near the harbour", "a red boat sails near the harbour it is fine it is fine it is"
OTHER = "a blue dog sleeps near the garden"  # as long as SHORT


@pytest.fixture(scope="module")
def told() -> Heard:
    """What people say, judged, with all labels."""
    world, rng = World(3), np.random.default_rng(5)
    asked = [prompt for prompt in world.prompts[0][:61] for _ in WAYS]
    said = [language.spoken(prompt, rng) for prompt in asked]
    words = np.array([len(text.split()) for text in said], dtype=float)
    item = tuple(np.repeat(np.arange(61), len(WAYS)).tolist())
    points, worth = np.array(world.points(asked, said)), np.array(gold(asked, said))
    nobody: Any = None
    return Heard(tuple(asked), tuple(said), tuple(WAYS) * 61, item, words, points, worth, nobody, nobody)


@pytest.fixture(scope="module")
def whole(told: Heard) -> Corrected:
    return replace(fitted(World(3), told), point=POINT)


def deaf(told: Heard, whole: Corrected, points: float) -> dict[str, Any]:
    """The feeds where the judge gives everything the same points."""
    world: Any = SimpleNamespace(seed=3, points=lambda prompts, responses: [points] * len(responses))
    return feeds(world, told, replace(whole, world=world))


def values(feed: Any, *responses: str) -> list[float]:
    found = feed.reward([ASKED] * len(responses), responses)
    return np.asarray(getattr(found, "reward", found)).tolist()


def test_each_run_learns_from_the_parts_that_its_name_says(told: Heard, whole: Corrected) -> None:
    three = (SHORT, LONG, OTHER)
    dull, eager = deaf(told, whole, 2.0), deaf(told, whole, 6.0)
    assert len(set(values(dull[CALIBRATED], *three))) == 1  # nothing but the judge
    assert values(eager[CALIBRATED], SHORT)[0] > values(dull[CALIBRATED], SHORT)[0] + 0.1
    short, long, other = values(dull[BESIDE], *three)  # the judge and length, not what is said
    assert short == other != long
    assert values(eager[BESIDE], SHORT)[0] > short + 0.1
    assert values(dull[DISENTANGLED], *three) == values(eager[DISENTANGLED], *three)  # the judge is not asked again
    right, _, wrong = values(dull[DISENTANGLED], *three)
    assert right > wrong + 0.1
    assert values(eager[CONSTRAINED], *three) == [0.3] * 3  # the judge's tenths at their weight, whatever is said
    for name in (CALIBRATED, BESIDE, DISENTANGLED):
        assert dull[name].credit is rloo.advantages
        assert dull[name].proxy([ASKED] * 3, three) == values(dull[name], *three)


def test_a_calibrated_judge_is_still_the_judge(told: Heard, whole: Corrected) -> None:
    """Calibration alone keeps the order of points: what it cannot mend is the length that they like."""
    score = feeds(World(3), told, whole)[CALIBRATED].proxy(told.prompts, told.responses)
    assert (np.diff(np.array(score)[np.argsort(told.score, kind="stable")]) >= -1e-12).all()
    assert np.mean(score) == pytest.approx(np.mean(told.gold), abs=0.02)


def test_the_constraint_alone_has_its_point(told: Heard, whole: Corrected) -> None:
    rule = feeds(World(3), told, whole)[CONSTRAINED].credit
    assert isinstance(rule, Ascending)
    for points, price in ((0.4, 0.0), (0.83, 0.2)):  # below the point, and .4 above it at a rate of a half
        rule.prices = np.zeros(1)
        rule(Rollouts(np.zeros(2), np.zeros(2), parts=np.full((2, 1), points)))
        np.testing.assert_allclose(rule.prices, [price])


def test_no_run_has_the_feedback_of_another(
    told: Heard, whole: Corrected, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def climbed(world: Any, start: Any, reward: Any, out: Path, *, proxy: Any, credit: Any, kl: float) -> Any:
        asked[out.name] = (start, reward, proxy, credit, kl)
        return SimpleNamespace(kept=len(asked), at=lambda step: f"{out.name} at {step}")

    monkeypatch.setattr(demo_ablation, "climbed", climbed)
    monkeypatch.setattr(demo_ablation, "last_word", lambda _, policies: policies)
    world, start = World(3, replace(QUICK, kl=0.7)), SimpleNamespace()
    naive, corrected = (SimpleNamespace(kept=9, at=partial("{} at {}".format, name)) for name in ("naive", "corrected"))
    found: Any = demo_ablation.ablated(world, start, told, whole, naive, corrected, tmp_path)  # type: ignore[arg-type]
    assert list(asked) == ["calibrated", "calibrated-beside-length", "disentangled-calibrated", "constrained-alone"]
    for (name, feed), (begun, reward, proxy, _, price) in zip(
        feeds(world, told, whole).items(), asked.values(), strict=True
    ):
        assert begun is start
        mine, theirs = (replace(feed, reward=each) for each in (feed.reward, reward))
        assert values(mine, SHORT, LONG, OTHER) == values(theirs, SHORT, LONG, OTHER)
        assert list(proxy([ASKED], [LONG])) == list(feed.proxy([ASKED], [LONG]))
        assert price == pytest.approx(0.7 if name == CONSTRAINED else 0.07)
    assert isinstance(asked["constrained-alone"][3], Ascending)
    assert found.last == {
        KEPT: "naive at 9",
        CALIBRATED: "calibrated at 1",
        BESIDE: "calibrated-beside-length at 2",
        DISENTANGLED: "disentangled-calibrated at 3",
        CORRECTED: "corrected at 9",
        CONSTRAINED: "constrained-alone at 4",
    }
