"""Profiles: shares past marks, their bands, and the intervals of shares of 0 and 1."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.ranking import performance_profile
from adjudge.tables.read import from_arrays
from ranking.run_tables import codes, table


def test_shares_past_a_mark_with_equal_tasks() -> None:
    score = np.full((1, 2, 4), np.nan)
    score[0, 0], score[0, 1, :2] = [0.0, 1.0, 2.0, 3.0], [2.0, 5.0]
    result = performance_profile.rank(table(score), at=2.0, draws=11)  # past, not at: ¼ of task 0, ½ of task 1
    assert result.value[0] == pytest.approx((0.25 + 0.5) / 2)
    curve = result.figures["profile: p0"]
    assert curve.value[0] == pytest.approx(1 - 1 / 8)  # all but the lowest run, a quarter of one of two tasks
    assert curve.value[-1] == 0.0
    assert np.all(np.diff(curve.value) <= 0)


def test_error_is_that_of_a_share_in_each_task() -> None:
    rng = np.random.default_rng(3)
    score = rng.normal(size=(2, 5, 11))
    result = performance_profile.rank(table(score), at=0.1, draws=20_011)
    share = (score > 0.1).mean(axis=2)
    np.testing.assert_allclose(result.stderr**2, (share * (1 - share) / 10).sum(axis=1) / 25, rtol=0.05)


def test_the_mark_by_default_is_the_median_and_is_told() -> None:
    score = np.random.default_rng(5).normal(size=(2, 5, 7))
    result = performance_profile.rank(table(score), draws=97)
    assert "mark-chosen" in codes(result)
    assert result.value.sum() == pytest.approx(1.0, abs=2 / 70)
    assert "mark-chosen" not in codes(performance_profile.rank(table(score), at=0.0, draws=97))


def test_a_policy_always_past_the_mark_is_not_certain_to_be() -> None:
    score = np.random.default_rng(7).uniform(0.2, 1.0, size=(2, 3, 5))
    low, high = performance_profile.rank(table(score), at=0.1, draws=97).interval()[0]
    assert 0.6 < low < 0.95
    assert high == 1.0


def test_bands_hold_all_marks_together() -> None:
    score = np.random.default_rng(11).normal(size=(1, 5, 13))
    curve = performance_profile.rank(table(score), at=0.0, draws=499).figures["profile: p0"]
    inside = slice(12, 28)
    apart, together = (np.diff(each, axis=1)[inside, 0] for each in (curve.interval(), curve.simultaneous()))
    assert np.all(together > apart)


def test_without_shared_tasks_there_is_no_profile() -> None:
    score = np.zeros((2, 3, 2))
    score[0, :2], score[1, 2:] = np.nan, np.nan
    result = performance_profile.rank(table(score))
    assert np.isnan(result.value).all()
    assert codes(result) == ["tasks-not-shared"]


def test_the_usual_mark_is_one_that_some_run_gets_past() -> None:
    """Most runs succeed: nobody is past the median of 1, so that success itself is what is counted."""
    runs = from_arrays(policy=["a"] * 5 + ["b"] * 5, item=[0, 1, 2, 3, 4] * 2, score=[1, 1, 1, 1, 0, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(performance_profile.rank(runs).value, [0.8, 0.6])
