"""Colley's ratings: a published season, Laplace's rule, Massey as the limit, honest errors under clustering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adjudge.ranking import colley, massey
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.votes_worlds import covered, league, season


def test_the_five_teams_of_langville_and_meyer() -> None:
    """A. Langville, C. Meyer (2012), Who's #1?, Chapter 3: .21, .79, .50, .36, .64."""
    np.testing.assert_allclose(colley.rank(season()).value, np.array([1.5, 5.5, 3.5, 2.5, 4.5]) / 7, atol=1e-12)
    assert colley.rank(season()).value.round(2).tolist() == [0.21, 0.79, 0.5, 0.36, 0.64]


def test_two_policies_follow_the_rule_of_succession_against_an_equal() -> None:
    """r₁ − r₂ = (wins − losses)/(2 + 2n): each half of what (1 + w)/(2 + n) says, as the opponent moves as well."""
    table = from_arrays(np.zeros(7, int), np.ones(7, int), np.array([1.0, 1, 1, 1, 1, 0, 0]))
    value = colley.rank(table).value
    assert np.isclose(value.sum(), 1.0)
    assert np.isclose(value[0] - value[1], (5 - 2) / (2 + 2 * 7))


def test_ratings_average_one_half() -> None:
    assert np.isclose(colley.rank(league(seed=3, n=97, k=7)).value.mean(), 0.5)


def test_many_games_give_half_of_masseys_ratings() -> None:
    table = league(seed=4, n=211, k=5, ties=0.2)
    many = replace(table, count=np.full(table.n, 1e7))
    np.testing.assert_allclose(colley.rank(many).value, 0.5 + massey.rank(table).value / 2, atol=1e-6)


def test_the_error_is_that_of_the_linear_system() -> None:
    """A vote's influence by finite difference of its weight; the imaginary verdicts taken off."""
    table = league(seed=5, n=83, k=5)
    h, base = 1e-6, colley.rank(table).value
    psi = np.array(
        [
            (colley.rank(replace(table, weight=np.where(np.arange(83) == row, 1 + h, 1.0))).value - base) / h
            for row in range(83)
        ]
    )
    games = np.bincount(table.left, minlength=5) + np.bincount(table.right, minlength=5)
    inverse = np.linalg.inv(2 * np.eye(5) + np.diag(games) - _met(table))
    e = np.eye(5)[table.left] - np.eye(5)[table.right]
    imagined = (e.T * (1 / games[table.left] + 1 / games[table.right]) / 4) @ e
    expected = psi.T @ psi * 83 / (83 - 4) + inverse @ imagined @ inverse
    np.testing.assert_allclose(colley.rank(table).covariance, expected, rtol=1e-4, atol=1e-9)


def _met(table: Comparisons) -> np.ndarray:
    met = np.zeros((5, 5))
    np.add.at(met, (table.left, table.right), 1.0)
    return met + met.T


def test_covers_what_the_schedule_expects_under_clustering() -> None:
    truth = np.array([0.6, 0.2, 0.0, -0.3, -0.5])

    def expected(table: Comparisons, p: np.ndarray) -> np.ndarray:
        return colley.rank(replace(table, outcome=p, cluster=table.cluster[:, :0])).value

    rate, tolerance = covered(colley.rank, truth, expected, trials=300)
    assert np.all(np.abs(rate - 0.95) < tolerance), rate
