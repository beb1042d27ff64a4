"""Step rewards that cannot be filled up: by hand, returns that telescope, padding that earns nothing."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import bounded_process
from adjudge.tables.step_rewards import from_arrays

STEPS = from_arrays([0.9, 0.2, 0.7, 0.4], [0, 0, 0, 1], success=[1, 0])


def test_by_hand() -> None:
    shaped = {how: bounded_process.fit(STEPS, how=how, threshold=0.5).shaped(STEPS) for how in bounded_process.HOW}
    np.testing.assert_allclose(shaped["clip"], [0, -0.3, 0, -0.1])
    np.testing.assert_allclose(shaped["delta"], [0.7, -0.5, 0.7, 0.4])
    np.testing.assert_allclose(shaped["both"], [0.3, -0.3, 0.0, -0.1])


def test_the_return_from_a_step_is_its_own_reward() -> None:
    rng = np.random.default_rng(0)
    steps = from_arrays(rng.normal(size=11), np.repeat([0, 1, 2], [5, 1, 5]))
    shaped = bounded_process.fit(steps, how="delta").shaped(steps)
    for first, last in ((0, 5), (5, 6), (6, 11)):
        for step in range(first, last):
            assert shaped[step:last].sum() == pytest.approx(steps.step_reward[step])


@pytest.mark.parametrize("how", bounded_process.HOW)
def test_repeating_a_good_step_earns_nothing(how: str) -> None:
    rule = bounded_process.fit(STEPS, how=how, threshold=0.5)
    padded = from_arrays([0.9, 0.2, *[0.7] * 30, 0.4], np.repeat([0, 1], [32, 1]))
    np.testing.assert_allclose(rule.sums(padded), rule.sums(STEPS), atol=1e-12)
    assert np.bincount(padded.solution, padded.step_reward)[0] > 10 * np.bincount(STEPS.solution, STEPS.step_reward)[0]


def test_the_threshold_is_that_of_usual_good_steps() -> None:
    assert bounded_process.fit(STEPS).threshold == pytest.approx(0.7)
    assert bounded_process.fit(from_arrays(STEPS.step_reward, STEPS.solution)).threshold == pytest.approx(0.55)


def test_raw_sums_that_pay_for_padding_are_told() -> None:
    rng = np.random.default_rng(1)
    solution = np.repeat(np.arange(31), 5)
    paid = bounded_process.fit(from_arrays(rng.uniform(0, 1, 155), solution))
    assert [finding.code for finding in paid.findings] == ["rewards-padding-pays"]
    assert paid.by_step[1] == pytest.approx(np.sqrt(1 / 12 / 155), rel=0.3)
    assert bounded_process.fit(from_arrays(rng.uniform(-1, 1, 155), solution)).findings == ()
    assert np.isnan(bounded_process.fit(from_arrays([0.5, 0.6], [0, 0])).by_step[1])


def test_few_questions_seldom_warn_of_padding_that_does_not_pay() -> None:
    trials, told = 600, 0
    for seed in range(trials):
        rng = np.random.default_rng((seed, 145))
        length = rng.integers(1, 9, 3)
        reward = rng.normal(size=3).repeat(length) + 0.5 * rng.normal(size=length.sum())
        told += len(bounded_process.fit(from_arrays(reward, np.repeat(np.arange(3), length))).findings)
    assert told / trials < 0.023 + 0.02 + 4 * np.sqrt(0.043 * 0.957 / trials)  # sizes unlike each other cost a little


def test_what_is_impossible_is_refused() -> None:
    for steps, solution in (([], []), ([0.1, np.nan], [0, 0]), ([0.1, 0.2], [1, 0]), ([0.1, 0.2], [0, 2])):
        with pytest.raises(AdjudgeError, match="step rewards"):
            from_arrays(steps, solution)
    with pytest.raises(AdjudgeError, match="success"):
        from_arrays([0.1], [0], success=[2.0])
    with pytest.raises(AdjudgeError, match="how"):
        bounded_process.fit(STEPS, how="sum")
