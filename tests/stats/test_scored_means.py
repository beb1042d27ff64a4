"""Scores as their own labels: the same values and errors, intervals that equal scores cannot fool."""

from __future__ import annotations

import numpy as np
from scipy import special

from adjudge.stats.means import clustered_means
from adjudge.stats.scored_means import scored_means, unknown


def test_values_and_errors_are_those_of_the_means() -> None:
    rng = np.random.default_rng(3)
    group, cluster, x = rng.integers(0, 3, 101), rng.integers(0, 17, 101), rng.random(101)
    one = scored_means(("a", "b", "c"), cluster, group, x, np.ones(101), bounds=(0.0, 1.0))
    other = clustered_means(("a", "b", "c"), cluster, group, x, np.ones(101), bounds=(0.0, 1.0))
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert scored_means(("a", "b", "c"), cluster, group, x, np.ones(101)).reserve is None


def test_all_solved_is_not_certainty() -> None:
    """Clopper and Pearson's lower end for 13 of 13 is 0.025^(1/13); ours is not wider and not much narrower."""
    found = scored_means(("a",), np.arange(13), np.zeros(13, int), np.ones(13), np.ones(13), bounds=(0.0, 1.0))
    exact = special.betaincinv(13, 1, 0.025)
    assert exact - 1e-9 <= found.interval()[0, 0] <= exact + 0.05


def test_pairs_of_tasks_are_no_more_than_tasks() -> None:
    rng = np.random.default_rng(5)
    x = (rng.random((2, 31)) < 0.6).astype(float)
    found = scored_means(
        ("a", "b"), np.tile(np.arange(31), 2), np.repeat([0, 1], 31), x.ravel(), np.ones(62), bounds=(0.0, 1.0)
    )
    np.testing.assert_array_equal(found.reserve.shared, np.ones((2, 2)))
    assert found.difference("a", "b").df[0] == 30


def test_scores_that_never_differ_have_the_error_of_two_pseudo_scores_or_none() -> None:
    for bounds, known in (((0.0, 1.0), True), ((-np.inf, np.inf), False)):
        found = scored_means(("a",), np.arange(7), np.zeros(7, int), np.ones(7), np.ones(7), bounds=bounds)
        assert np.isfinite(found.stderr[0]) == known
        assert found.stderr[0] != 0
        assert [finding.code for finding in unknown(found)] == ([] if known else ["scores-too-few"])
