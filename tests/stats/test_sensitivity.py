"""How wrong the judge must be before the winner changes: by hand, at a tie, and against the estimate itself."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.core.estimate import Estimate, Part
from adjudge.stats.sensitivity import winner_shift


def _estimate(value, stderr=0.01, slack=None):
    k = len(value)
    part = Part("sampling", np.eye(k) * stderr**2, 997)
    slack = np.zeros((k, 2)) if slack is None else slack
    return Estimate(tuple("abcdefg"[:k]), np.array(value, float), (part,), np.full(k, 996.0), slack=slack)


def test_shifts_by_hand():
    found = winner_shift(_estimate([0.5, 0.8, 0.7]))
    assert found.winner == 1
    np.testing.assert_allclose(found.shift, [0.3, 0.1, 0.1])


def test_moving_a_policy_by_its_shift_makes_a_tie():
    estimate = _estimate([0.5, 0.8, 0.7])
    found = winner_shift(estimate)
    for p in (0, 2):
        moved = estimate.value.copy()
        moved[p] += found.shift[p] + 1e-9
        assert winner_shift(replace(estimate, value=moved)).winner == p
    moved = estimate.value.copy()
    moved[1] -= found.shift[1] + 1e-9
    assert winner_shift(replace(estimate, value=moved)).winner == 2


def test_up_to_the_safe_shift_the_win_stays_significant():
    estimate = _estimate([0.5, 0.8, 0.7])
    found = winner_shift(estimate)
    assert np.all((found.safe > 0) & (found.safe < found.shift))
    assert found.safe[1] == min(found.safe[0], found.safe[2])
    value = estimate.value + np.array([0, 0, found.safe[2] - 1e-4])
    low = replace(estimate, value=value).difference("b", "c").interval(0.95)[0, 0]
    assert low > 0


def test_two_policies_have_the_plain_interval():
    estimate = _estimate([0.7, 0.6], stderr=0.02)
    low = estimate.difference("a", "b").interval(0.95)[0, 0]
    np.testing.assert_allclose(winner_shift(estimate).safe, low, atol=1e-9)


def test_a_tie_has_shift_and_safe_0():
    found = winner_shift(_estimate([0.6, 0.6]))
    np.testing.assert_array_equal(found.shift, 0.0)
    np.testing.assert_array_equal(found.safe, 0.0)


def test_slack_is_the_bias_that_is_measured_and_so_left_out():
    slack = np.array([[0.0, 0.0], [0.4, 0.4]])
    plain, loose = winner_shift(_estimate([0.7, 0.6])), winner_shift(_estimate([0.7, 0.6], slack=slack))
    np.testing.assert_allclose(loose.safe, plain.safe)


@pytest.mark.parametrize("value", [[0.7], [np.nan, 0.7], [np.nan, np.nan]])
def test_fewer_than_two_values_say_nothing(value):
    assert winner_shift(_estimate(value)) is None


def test_a_policy_without_a_value_is_passed_over():
    found = winner_shift(_estimate([np.nan, 0.5, 0.8]))
    assert found.winner == 2
    np.testing.assert_array_equal(np.isnan(found.shift), [True, False, False])
