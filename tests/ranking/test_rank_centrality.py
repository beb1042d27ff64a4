"""Rank centrality: Bradley-Terry shares give Bradley-Terry weights; the exact derivative; priors; coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import rank_centrality
from adjudge.stats.paired.scale import POINTS
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.votes_worlds import covered, league

WEIGHTS = np.array([5.0, 3.0, 2.0, 1.0, 0.5])
SPARSE = np.array([(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)])


def exact(games: np.ndarray) -> Comparisons:
    """Votes on a sparse graph whose shares are the Bradley-Terry model's to the last digit."""
    left, right = SPARSE.T
    p = WEIGHTS[left] / (WEIGHTS[left] + WEIGHTS[right])
    outcome = np.repeat([1.0, 0.0], left.size)
    return from_arrays(
        np.tile(left, 2), np.tile(right, 2), outcome, count=np.concatenate([p, 1 - p]) * np.tile(games, 2)
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_bradley_terry_shares_give_its_weights_on_a_sparse_graph(weighted: bool) -> None:
    value = rank_centrality.rank(exact(np.array([7.0, 40, 11, 90, 23])), weighted=weighted).value
    np.testing.assert_allclose(value - value[0], POINTS * np.log(WEIGHTS / WEIGHTS[0]), atol=1e-9)


def test_three_policies_by_hand() -> None:
    """Rates 1→2 ¼, 2→1 ¾, 1→3 ½, 3→1 ½, 2→3 ⅔, 3→2 ⅓: balance gives π ∝ 30 : 16 : 26 … solved by cofactors."""
    count = np.array([3.0, 1, 1, 1, 1, 2])
    table = from_arrays(
        np.array([0, 0, 0, 0, 1, 1]), np.array([1, 1, 2, 2, 2, 2]), np.array([1.0, 0, 1, 0, 1, 0]), count=count
    )
    a, b, c, d, e, f = 1 / 4, 3 / 4, 1 / 2, 1 / 2, 2 / 3, 1 / 3  # 1→2, 2→1, 1→3, 3→1, 2→3, 3→2
    trees = np.array([b * d + b * f + d * e, a * d + a * f + c * f, a * e + c * b + c * e])  # matrix-tree theorem
    value = rank_centrality.rank(table).value
    np.testing.assert_allclose(value - value[0], POINTS * np.log(trees / trees[0]), atol=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_influence_of_a_vote_is_the_derivative(weighted: bool) -> None:
    """At shares that follow the model, more weight on one vote moves log π as the group inverse says."""
    table = exact(np.array([7.0, 40, 11, 90, 23]))
    inside = np.ones(5, dtype=bool)
    votes = rank_centrality._votes.gather(table)[0]
    log_pi, bread, pull, *_ = rank_centrality._walk(votes, inside, 0.0, weighted)
    for row in range(table.n):
        h = 1e-6
        moved = replace(votes, weight=np.where(np.arange(table.n) == row, 1 + h, 1.0))
        slope = (rank_centrality._walk(moved, inside, 0.0, weighted)[0] - log_pi) / h
        e = np.zeros(5)
        e[votes.left[row]], e[votes.right[row]] = pull[row], -pull[row]
        predicted = votes.count[row] * bread @ e
        np.testing.assert_allclose(slope - slope.mean(), predicted - predicted.mean(), atol=1e-4)


def test_the_walk_is_stationary() -> None:
    rng = np.random.default_rng(3)
    rate = rng.random((7, 7)) * (1 - np.eye(7))
    leave = np.diag(rate.sum(axis=1)) - rate
    pi = rank_centrality._stationary(leave)
    np.testing.assert_allclose(pi @ leave, 0.0, atol=1e-15)
    assert pi.sum() == pytest.approx(1.0)


def test_a_policy_that_never_lost_needs_a_prior() -> None:
    table = from_arrays(np.array([0, 0, 1, 2, 1]), np.array([1, 2, 2, 1, 2]), np.array([1.0, 1, 1, 1, 0]))
    bare, held = rank_centrality.rank(table), rank_centrality.rank(table, pseudo=0.5)
    assert np.isnan(bare.value).tolist() == [True, False, False]
    assert np.argmax(held.value) == 0
    assert "policy-undefeated" in {finding.code for finding in held.findings}


def test_a_prior_joins_no_groups() -> None:
    table = from_arrays(np.array([0, 0, 2, 2, 2]), np.array([1, 1, 3, 3, 3]), np.array([1.0, 0, 1, 0, 1]))
    assert np.isnan(rank_centrality.rank(table, pseudo=0.5).value).tolist() == [True, True, False, False]


def test_equal_halves_are_equal_but_not_certain() -> None:
    outcome = np.array([0.5, 0.5, 0.5, 1.0, 0.0])
    result = rank_centrality.rank(from_arrays(np.array([0, 1, 0, 0, 0]), np.array([1, 2, 2, 1, 1]), outcome))
    np.testing.assert_allclose(result.value, 1000.0)
    assert np.all(result.stderr > 50)


def test_a_negative_prior_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="pseudo"):
        rank_centrality.rank(league(seed=1, n=11, k=3), pseudo=-1.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_covers_the_truth_under_clustering(weighted: bool) -> None:
    theta = np.array([0.6, 0.2, 0.0, -0.3, -0.5])

    def expected(table: Comparisons, p: np.ndarray) -> np.ndarray:
        return rank_centrality.rank(replace(table, outcome=p, cluster=table.cluster[:, :0]), weighted=weighted).value

    rate, tolerance = covered(lambda table: rank_centrality.rank(table, weighted=weighted), theta, expected, trials=200)
    assert np.all(np.abs(rate - 0.95) < tolerance), rate
