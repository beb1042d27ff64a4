"""Massey's ratings: a published season, the mean margins of an even schedule, honest errors under clustering."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import massey
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.votes_worlds import covered, league, season


def test_the_five_teams_of_langville_and_meyer() -> None:
    """A. Langville, C. Meyer (2012), Who's #1?, Chapter 2: Atlantic Coast Conference 2005, all ten games."""
    result = massey.rank(season(), margin="points")
    np.testing.assert_allclose(result.value, [-24.8, 18.2, -8.0, -3.4, 18.0], atol=1e-12)


def test_an_even_schedule_gives_mean_margins() -> None:
    table = season()
    won, games = np.array([0, 4, 2, 1, 3]), 4
    np.testing.assert_allclose(massey.rank(table).value, (2 * won - games) / games * 4 / 5, atol=1e-12)


def test_the_error_is_that_of_weighted_least_squares_with_heteroskedastic_noise() -> None:
    """HC1 by hand, on the design matrix, without the imaginary verdicts (a margin has none)."""
    table = league(seed=1, n=101, k=5)
    margin = np.random.default_rng(2).normal(size=(101, 1))
    table = from_arrays(table.left, table.right, table.outcome, covariates=margin, covariate_names=("lead",))
    X = np.eye(5)[table.left] - np.eye(5)[table.right]
    inverse = np.linalg.pinv(X.T @ X)
    residual = margin[:, 0] - X @ inverse @ X.T @ margin[:, 0]
    expected = inverse @ (X.T * residual**2) @ X @ inverse * 101 / (101 - 4)
    np.testing.assert_allclose(massey.rank(table, margin="lead").covariance, expected, rtol=1e-10, atol=1e-14)


def test_an_unknown_margin_is_an_error_with_the_names() -> None:
    with pytest.raises(AdjudgeError, match="points"):
        massey.rank(season(), margin="goals")


def test_rows_without_a_margin_are_left_out() -> None:
    table = season()
    table.covariates[3] = np.nan
    shorter = table.take(np.delete(np.arange(10), 3))
    np.testing.assert_array_equal(
        massey.rank(table, margin="points").value, massey.rank(shorter, margin="points").value
    )


def test_ten_wins_of_ten_are_not_a_certainty() -> None:
    result = massey.rank(from_arrays(np.zeros(10, int), np.ones(10, int), np.ones(10)))
    np.testing.assert_allclose(result.value, [0.5, -0.5])
    assert result.stderr[0] > 0.05


def test_groups_that_never_met_get_no_common_rating() -> None:
    result = massey.rank(from_arrays(np.array([0, 0, 2, 2, 2]), np.array([1, 1, 3, 3, 3]), np.array([1.0, 0, 1, 0, 1])))
    assert np.isnan(result.value).tolist() == [True, True, False, False]
    assert [finding.code for finding in result.findings] == ["policies-unconnected"]


def test_covers_what_the_schedule_expects_under_clustering() -> None:
    truth = np.array([0.6, 0.2, 0.0, -0.3, -0.5])

    def expected(table: Comparisons, p: np.ndarray) -> np.ndarray:
        X = np.eye(5)[table.left] - np.eye(5)[table.right]
        four = np.linalg.lstsq(X[:, :4] - X[:, 4:], 2 * p - 1)[0]
        return np.append(four, -four.sum())

    rate, tolerance = covered(massey.rank, truth, expected, trials=300)
    assert np.all(np.abs(rate - 0.95) < tolerance), rate
