"""Elo: updates by hand, the fixed point, the mean path and its derivative, orders, drift, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _elo_flow, _votes, elo
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.votes_worlds import covered, league

C = np.log(10) / 400


def by_hand(table: Comparisons, step: float) -> np.ndarray:
    """A player's arithmetic, one game after the other."""
    ratings = np.full(table.k, 1000.0)
    for i, j, y in zip(table.left, table.right, table.outcome, strict=True):
        move = step * (y - 1 / (1 + 10 ** ((ratings[j] - ratings[i]) / 400)))
        ratings[i], ratings[j] = ratings[i] + move, ratings[j] - move
    return ratings


def test_elos_own_updates() -> None:
    """Equal players, K = 32: the winner gets 16; then 1016 beats 984: 32·(1 − 1/(1 + 10^(−32/400))) = 14.53."""
    table = from_arrays(np.zeros(2, int), np.ones(2, int), np.ones(2))
    assert elo.rank(table, step=32.0, shuffles=0).value == pytest.approx([1030.53, 969.47], abs=0.005)


def test_the_recorded_order_is_the_order_of_time() -> None:
    table = league(seed=1, n=211, k=5, ties=0.2)
    np.testing.assert_allclose(elo.rank(table, step=16.0, shuffles=0).value, by_hand(table, 16.0), atol=1e-9)
    back = replace(table, time=-table.time)
    np.testing.assert_allclose(
        elo.rank(back, step=16.0, shuffles=0).value, by_hand(table.take(np.arange(210, -1, -1)), 16.0)
    )


def test_random_orders_are_updated_as_one_order_is() -> None:
    table = league(seed=2, n=97, k=5, ties=0.2)
    votes, _ = _votes.gather(table)
    games = elo._sequence(votes, table)
    mean = _elo_flow.flow(votes, step=16.0, scale=400.0, initial=1000.0)
    ends = elo._shuffled(votes, games, mean, 16.0, 400.0, 3, 7)
    rng = np.random.default_rng((7, elo.PRIME))
    for end in ends:
        np.testing.assert_allclose(end, by_hand(table.take(rng.permutation(97)), 16.0), atol=1e-9)


def test_many_games_of_a_small_step_give_bradley_terry() -> None:
    table = league(seed=3, n=307, k=5, ties=0.2)
    many = replace(table, count=np.full(table.n, 4000.0))
    votes, _ = _votes.gather(many)
    flow = _elo_flow.flow(votes, step=0.5, scale=400.0, initial=1000.0)

    def score(free: np.ndarray) -> np.ndarray:
        theta = np.append(free, -free.sum())
        gap = table.outcome - special.expit(theta[table.left] - theta[table.right])
        return (np.bincount(table.left, gap, 5) - np.bincount(table.right, gap, 5))[:4]

    theta = optimize.fsolve(score, np.zeros(4), xtol=1e-12)
    np.testing.assert_allclose(flow.path[-1], 1000 + np.append(theta, -theta.sum()) / C, atol=1e-6)
    assert flow.left_over < 1e-9


def test_the_mean_path_is_the_mean_of_many_orders() -> None:
    table = league(seed=4, n=1009, k=5)
    votes, _ = _votes.gather(table)
    result = elo.rank(table, step=2.0, shuffles=400)
    mean = _elo_flow.flow(votes, step=2.0, scale=400.0, initial=1000.0).path[-1]
    assert np.all(np.abs(result.value - mean) < 0.5 + 4 * np.sqrt(np.diag(result.parts[1].covariance)))


def test_the_influence_of_a_vote_is_the_derivative_of_the_mean_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_elo_flow, "GROWTH", 1.02)  # small steps, so that the path itself is exact
    monkeypatch.setattr(_elo_flow, "FIRST", 0.01)
    votes, _ = _votes.gather(league(seed=5, n=31, k=3, ties=0.2))

    def end(weight: np.ndarray) -> np.ndarray:
        return _elo_flow.flow(replace(votes, weight=weight), step=24.0, scale=400.0, initial=1000.0).path[-1]

    flow = _elo_flow.flow(votes, step=24.0, scale=400.0, initial=1000.0)
    psi = votes.outcome[:, None] * flow.up[flow.code] - flow.held[flow.code]
    for row in (0, 13, 30):
        e = 1e-4 * (np.arange(31) == row)
        np.testing.assert_allclose((end(1 + e) - end(1 - e)) / 2e-4, psi[row], rtol=0.02, atol=0.02)


def test_clusters_of_one_are_no_clusters() -> None:
    table = league(seed=6, n=83, k=5)
    one = replace(table, cluster=np.arange(83)[:, None])
    np.testing.assert_allclose(elo.rank(one).covariance, elo.rank(table).covariance, rtol=1e-9)


def test_a_count_is_a_repetition() -> None:
    table = replace(league(seed=7, n=61, k=5), count=np.tile([1.0, 2, 3], 21)[:61])
    rows = np.repeat(np.arange(61), table.count.astype(int))
    repeated = replace(table.take(rows), count=np.ones(rows.size), row=np.arange(rows.size))
    for shuffles in (0, 11):
        one, other = elo.rank(table, shuffles=shuffles), elo.rank(repeated, shuffles=shuffles)
        np.testing.assert_allclose(one.value, other.value, atol=1e-9)
        np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-9)


def test_longer_tables_play_the_end_of_each_order(monkeypatch: pytest.MonkeyPatch) -> None:
    table = league(seed=8, n=4001, k=5)
    whole = elo.rank(table, step=8.0, shuffles=300)
    monkeypatch.setattr(elo, "MOST_GAMES", 1500)
    part = elo.rank(table, step=8.0, shuffles=300)
    noise = np.sqrt(np.diag(whole.parts[1].covariance) + np.diag(part.parts[1].covariance))
    assert np.all(np.abs(whole.value - part.value) < 1.0 + 4 * noise)
    ratio = np.diag(part.parts[1].covariance) / np.diag(whole.parts[1].covariance)
    assert np.all((ratio > 0.7) & (ratio < 1.4))


def test_one_order_carries_all_of_the_spread_and_says_so() -> None:
    table = league(seed=9, n=5003, k=5)
    averaged, single = elo.rank(table), elo.rank(table, shuffles=0)
    assert np.all(single.stderr > 1.5 * averaged.stderr)
    found = {finding.code: finding for finding in averaged.findings}["order-dependence"]
    assert found.number > found.threshold


def test_few_games_are_said_to_be_near_the_start() -> None:
    assert "elo-still-near-start" in {finding.code for finding in elo.rank(league(seed=10, n=101, k=5)).findings}


def test_history_ends_where_the_recorded_order_ends() -> None:
    table = league(seed=11, n=503, k=5)
    time, ratings = elo.history(table, points=7, step=16.0)
    assert time[-1] == 502
    assert ratings.shape == (7, 5)
    np.testing.assert_array_equal(ratings[-1], elo.rank(table, step=16.0, shuffles=0).value)


def test_history_follows_a_policy_that_changes() -> None:
    rng = np.random.default_rng(12)
    gap = np.where(np.arange(4001) < 2000, 1.0, -1.0)
    table = from_arrays(np.zeros(4001, int), np.ones(4001, int), (rng.random(4001) < special.expit(gap)).astype(float))
    _, ratings = elo.history(table, points=2, step=8.0)
    assert ratings[0, 0] - ratings[0, 1] > 100
    assert ratings[1, 0] - ratings[1, 1] < -100


@pytest.mark.parametrize("wrong", [{"step": 0.0}, {"step": 500.0}, {"shuffles": -1}])
def test_senseless_settings_are_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(AdjudgeError, match="elo"):
        elo.rank(league(seed=13, n=11, k=3), **wrong)


def test_covers_the_mean_over_orders_under_clustering() -> None:
    theta = np.array([0.6, 0.2, 0.0, -0.3, -0.5])

    def expected(table: Comparisons, p: np.ndarray) -> np.ndarray:
        votes, _ = _votes.gather(replace(table, outcome=p))
        return _elo_flow.flow(votes, step=12.0, scale=400.0, initial=1000.0).path[-1]

    rate, tolerance = covered(lambda t: elo.rank(t, step=12.0, shuffles=20), theta, expected, trials=200, size=11)
    assert np.all(np.abs(rate - 0.95) < tolerance), rate
