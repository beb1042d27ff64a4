"""Several judges: one is PPI++, a copy changes little, a second view helps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.value import ppi_multi, ppi_plus
from value import small_tables


def test_one_judge_is_ppi_plus() -> None:
    ratings = small_tables.drawn(1, k=2)
    one, other = ppi_multi.estimate(ratings), ppi_plus.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-11)


def test_named_judges_are_the_ones_used() -> None:
    ratings = small_tables.drawn(2, judges=3)
    one, other = ppi_multi.estimate(ratings, judges=["judge2"]), ppi_plus.estimate(ratings, judge="judge2")
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    with pytest.raises(AdjudgeError, match="judge9"):
        ppi_multi.estimate(ratings, judges=["judge9"])


def test_a_copied_judge_changes_next_to_nothing() -> None:
    ratings = small_tables.drawn(3, judges=2)
    ratings.score[:, 1] = ratings.score[:, 0]
    one, other = ppi_multi.estimate(ratings), ppi_plus.estimate(ratings, judge="judge0")
    np.testing.assert_allclose(one.value, other.value, atol=0.02 * other.stderr[0])
    np.testing.assert_allclose(one.stderr, other.stderr, rtol=0.02)


def test_judges_that_err_differently_are_better_together() -> None:
    ratings = small_tables.drawn(4, n=1009, m=199, judges=5, noise=1.0)
    assert ppi_multi.estimate(ratings).stderr[0] < 0.9 * ppi_plus.estimate(ratings).stderr[0]


def test_more_judges_than_labels_is_no_false_certainty() -> None:
    misses = 0
    for seed in range(200):
        ratings = small_tables.drawn(seed, m=5, judges=7, noise=5.0)
        result = ppi_multi.estimate(ratings)
        assert result.stderr[0] > 0
        misses += abs(result.value[0]) > special.stdtrit(result.df, 0.975)[0] * result.stderr[0]
    assert misses / 200 < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)
