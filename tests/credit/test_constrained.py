"""Several rewards up to their points: by hand, its limits, and a policy that settles where the constraint holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.credit import constrained, reinforce
from adjudge.errors import AdjudgeError
from adjudge.sim.tabular_prompts import TabularPrompts, chances, step
from adjudge.tables.rollouts import Rollouts

RNG = np.random.default_rng(0)
PARTS = RNG.normal(size=(7, 3))
ROWS = Rollouts(np.zeros(7), np.array([0, 0, 0, 1, 1, 1, 1]), parts=PARTS)


def test_without_multipliers_it_is_the_weighted_sum() -> None:
    worth = np.array([1.0, 2.0, -0.5])
    wanted = reinforce.advantages(replace(ROWS, reward=PARTS @ worth))
    np.testing.assert_allclose(constrained.advantages(ROWS, weights=worth), wanted, atol=1e-14)
    held = constrained.advantages(ROWS, weights=worth, multipliers=worth.clip(0) * [1, 0, 0])
    np.testing.assert_allclose(held, reinforce.advantages(replace(ROWS, reward=PARTS[:, 1:] @ worth[1:])), atol=1e-14)


def test_multipliers_rise_above_the_point_and_stop_at_nothing() -> None:
    points = [PARTS[:, 0].mean() - 1, PARTS[:, 1].mean() + 9, np.inf]
    np.testing.assert_allclose(constrained.ascended(ROWS, [0.3, 0.3, 0.0], points=points, rate=0.1), [0.4, 0, 0])


def test_a_policy_settles_at_the_point() -> None:
    parts = np.array([[1.0, 0.0], [0.3, 0.1], [0.0, 0.2]])
    world = TabularPrompts(np.zeros((1, 3)), np.ones(1))
    logits, multipliers, late = np.zeros((1, 3)), np.zeros(2), []
    for at in range(4000):
        rows, response = world.enumerated(logits)
        seen = replace(rows, parts=parts)
        given = constrained.advantages(seen, multipliers=multipliers)
        logits = logits + 0.5 * step(logits, rows.prompt, response, rows.weight * given)
        multipliers = constrained.ascended(seen, multipliers, points=[0.6, np.inf], rate=0.02)
        late += [float(chances(logits)[0] @ parts[:, 0])] if at >= 2000 else []
    assert np.mean(late) == pytest.approx(0.6, abs=0.05)
    assert multipliers[0] > 0.5


def test_points_are_where_gold_peaks() -> None:
    found = constrained.proxy_points(np.arange(10.0).reshape(5, 2), [0, 1, np.nan, 3, 2])
    np.testing.assert_array_equal(found, [6.0, 7.0])
    with pytest.raises(AdjudgeError, match="gold"):
        constrained.proxy_points(np.ones((2, 1)), [np.nan, np.nan])


def test_points_are_found_within_one_run_that_goes_on() -> None:
    parts = np.array([[2.0, 0.0], [1.0, 0.5], [0.0, 1.5], [0.0, 0.0]])
    gold = parts.sum(axis=1) - 0.6 * (parts**2).sum(axis=1)
    world, state = TabularPrompts(gold[None], np.ones(1)), {"logits": np.zeros((1, 4)), "multipliers": np.zeros(2)}

    def looked(points: np.ndarray) -> float:
        for _ in range(60):
            rows, response = world.enumerated(state["logits"])
            given = constrained.advantages(replace(rows, parts=parts), multipliers=state["multipliers"])
            state["logits"] = state["logits"] + 0.5 * step(state["logits"], rows.prompt, response, rows.weight * given)
            state["multipliers"] = constrained.ascended(
                replace(rows, parts=parts), state["multipliers"], points=points, rate=0.2
            )
        return world.value(state["logits"])

    start = world.value(state["logits"])
    found = constrained.searched(looked, parts.mean(axis=0), spread=0.3, looks=25)
    assert len(found.seen) <= 25
    assert found.gold == found.seen.max() > start + 0.1
    np.testing.assert_array_equal(found.points, found.tried[found.seen.argmax()])
    np.testing.assert_allclose(found.tried[:3], parts.mean(axis=0) + 0.3 * np.array([[0, 0], [1, 0], [0, 1]]))


def test_a_search_says_what_it_lacks() -> None:
    with pytest.raises(AdjudgeError, match="more looks"):
        constrained.searched(lambda _: 0.0, [0.0, 0.0], spread=1.0, looks=3)
    with pytest.raises(AdjudgeError, match="not 0"):
        constrained.searched(lambda _: 0.0, [0.0], spread=0.0)
    with pytest.raises(AdjudgeError, match="no number"):
        constrained.searched(lambda _: np.nan, [0.0], spread=1.0)


def test_correlations_are_within_prompts_with_intervals_that_hold() -> None:
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        prompt = np.repeat(np.arange(61), 5)
        parts = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=305) + 9 * rng.normal(size=(61, 1))[prompt]
        seen = constrained.related(
            Rollouts(np.zeros(305), prompt, parts=parts, gold=rng.normal(size=305) - parts[:, 1])
        )
        low, high = seen.figures["correlation"].interval(0.95)[0]
        covered.append(low < 0.6 < high)
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / 200) < np.mean(covered)
    figure = seen.figures["correlation"]
    assert figure.names == ("r0 ~ r1", "r0 ~ gold", "r1 ~ gold")
    assert figure.value[2] == pytest.approx(-np.sqrt(0.5), abs=0.1)
    assert {finding.subject for finding in seen.findings} == {("r0",), ("r1",)}


def test_rows_without_gold_count_for_the_rewards_alone() -> None:
    rng = np.random.default_rng(3)
    parts, prompt = rng.normal(size=(60, 2)), np.repeat(np.arange(12), 5)
    gold = np.where(np.arange(60) < 30, parts[:, 0], np.nan)
    some = constrained.related(Rollouts(np.zeros(60), prompt, parts=parts, gold=gold)).figures["correlation"]
    none = constrained.related(Rollouts(np.zeros(60), prompt, parts=parts)).figures["correlation"]
    assert some.value[0] == none.value[0]
    assert some.value[1] == pytest.approx(1)


def test_missing_parts_and_wrong_lengths_are_refused() -> None:
    with pytest.raises(AdjudgeError, match="parts"):
        constrained.advantages(replace(ROWS, parts=None))
    with pytest.raises(AdjudgeError, match="3 rewards"):
        constrained.advantages(ROWS, multipliers=[1.0])
