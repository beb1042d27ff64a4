"""The optimality gap: by hand, its sign, its limits and its range."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.ranking import optimality_gap
from ranking.run_tables import codes, table


def test_is_the_mean_shortfall_and_less_of_it_is_better() -> None:
    score = np.array([[[0.5, 2.0], [1.0, 0.25]], [[0.5, 0.75], [1.0, 0.5]]])
    result = optimality_gap.rank(table(score), draws=97)
    np.testing.assert_allclose(result.figures["gap"].value, [(0.5 + 0 + 0 + 0.75) / 4, (0.5 + 0.25 + 0 + 0.5) / 4])
    np.testing.assert_allclose(result.value, [-0.3125, -0.3125])
    np.testing.assert_allclose(result.figures["gap"].stderr, result.stderr)
    assert np.all(result.interval() <= 0)


def test_a_target_above_everything_is_the_mean() -> None:
    score = np.random.default_rng(3).normal(size=(2, 5, 7))
    result = optimality_gap.rank(table(score), gamma=50.0, draws=97)
    np.testing.assert_allclose(result.value + 50, score.mean(axis=(1, 2)))


def test_a_policy_that_always_reaches_the_target_has_no_spread_to_tell() -> None:
    score = np.stack([np.random.default_rng(5).uniform(1.5, 3.0, size=(5, 7)), np.linspace(0, 1, 35).reshape(5, 7)])
    result = optimality_gap.rank(table(score), draws=97)
    assert result.value[0] == pytest.approx(0.0)
    assert np.isnan(result.stderr[0])
    assert np.isfinite(result.stderr[1])
    assert codes(result) == ["spread-unknown"]
