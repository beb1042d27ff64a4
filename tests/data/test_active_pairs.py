"""Active choice of pairs: the gain is the variance that a vote removes, and active seasons need fewer votes."""

import numpy as np
import pytest

from adjudge.data.active_pairs import _fit, batch, best, scores
from adjudge.errors import AdjudgeError
from adjudge.sim.leagues import League
from adjudge.stats.paired.scale import POINTS
from adjudge.stats.paired.votes import collect
from adjudge.tables.comparisons import from_arrays


def season(seed=0, votes=101, k=5):
    return League(policies=k, votes=votes, clusters=()).draw(seed).comparisons


def test_the_gain_is_what_a_fresh_inversion_says():
    table = season()
    state = _fit(collect(table, half=True), 400.0)
    i, j = 1, 4
    e = np.zeros(5)
    e[i], e[j] = 1, -1
    p = 1 / (1 + np.exp(state.theta[j] - state.theta[i]))
    after = np.linalg.inv(np.linalg.inv(state.covariance) + p * (1 - p) * np.outer(e, e))
    left, right = np.triu_indices(5, 1)

    def total(covariance):
        d = np.diagonal(covariance)
        return 2 * np.sum(d[left] + d[right] - 2 * covariance[left, right]) / 2

    assert scores(table)[i, j] == pytest.approx((total(state.covariance) - total(after)) * POINTS**2)
    np.testing.assert_allclose(state.after(i, j).covariance, after, atol=1e-12)
    volume = np.linalg.slogdet(state.covariance)[1] - np.linalg.slogdet(after)[1]
    assert scores(table, design="volume")[i, j] == pytest.approx(volume)


@pytest.mark.parametrize("design", ["information", "volume", "top_two", "swiss", "knock_out"])
def test_values_are_symmetric_and_know_neither_sides_nor_names(design):
    table = season(3)
    value = scores(table, design=design)
    np.testing.assert_array_equal(np.isnan(value), np.eye(5, dtype=bool))
    np.testing.assert_array_equal(value, value.T)
    turned = table.swapped(np.random.default_rng(1).random(table.n) < 0.5)
    np.testing.assert_allclose(scores(turned, design=design), value)


def test_without_votes_all_pairs_are_worth_the_same():
    nothing = from_arrays(np.zeros(1, int), np.ones(1, int), np.array([np.nan]), policies=("a", "b", "c", "d"))
    value = scores(nothing)
    off = value[~np.eye(4, dtype=bool)]
    assert np.ptp(off) == pytest.approx(0, abs=1e-6)


def test_a_round_names_each_policy_once():
    value = scores(season(5, k=6), design="swiss")
    pairs = best(value, 3, once=True)
    assert sorted(p for pair in pairs for p in pair) == list(range(6))


def test_swiss_prefers_neighbours_who_have_not_met():
    table = from_arrays(np.array([0, 2]), np.array([1, 3]), np.array([1.0, 1.0]))
    assert best(scores(table, design="swiss"), 2, once=True) == [(0, 2), (1, 3)]


def test_a_knock_out_ends_with_the_winner_of_every_duel():
    strength, table = np.array([3, 1, 0, 2, 4]), None
    left, right, won = [], [], []
    for _ in range(4):
        rows = (np.array(left, dtype=int), np.array(right, dtype=int), np.array(won, dtype=float))
        table = from_arrays(*rows, policies=tuple("abcde"))
        for i, j in best(scores(table, design="knock_out"), 5, once=True):
            if scores(table, design="knock_out")[i, j] == 1:
                left.append(i), right.append(j), won.append(float(strength[i] > strength[j]))
    assert len(left) == 4  # k − 1 duels
    assert set(np.where(np.array(won) == 1, right, left)) == {0, 1, 2, 3}  # e lost to nobody


def seasons(design, league, rounds, size, seed):
    """θ̂ after each round of a season whose pairs the design chose, and the true θ."""
    rng = np.random.default_rng((seed, 5))
    k = league.k
    left, right = (np.repeat(each, 1) for each in np.triu_indices(k, 1))
    chance = 1 / (1 + np.exp(league.theta[:, None] - league.theta))
    y = (rng.random(left.size) < chance[right, left]).astype(float)
    found = []
    for _ in range(rounds):
        table = from_arrays(left, right, y, policies=tuple(f"p{p}" for p in range(k)))
        if design == "uniform":
            pair = rng.integers(k * (k - 1) // 2, size=size)
            more = np.array(np.triu_indices(k, 1))[:, pair]
        else:
            planned = np.triu(batch(table, size, design=design, seed=seed))
            more = np.array([np.repeat(each, planned[np.nonzero(planned)]) for each in np.nonzero(planned)])
        left, right = np.append(left, more[0]), np.append(right, more[1])
        y = np.append(y, (rng.random(size) < chance[more[1], more[0]]).astype(float))
        table = from_arrays(left, right, y, policies=tuple(f"p{p}" for p in range(k)))
        found.append(_fit(collect(table, half=True), 400.0).theta)
    return np.array(found)


def test_active_choice_needs_fewer_votes_than_chance():
    """Ratings: at equal votes the squared error is smaller. The best: fewer votes to name it as often."""
    league = League(policies=8, spread=3.0)
    error = {
        d: np.mean([(seasons(d, league, 6, 40, s)[-1] - league.theta) ** 2 for s in range(60)])
        for d in ("uniform", "information")
    }
    assert error["information"] < 0.85 * error["uniform"]
    close = League(ability=(0.6, 0.2, 0.0, -0.3, -0.6, -0.9, -1.2, -1.5))
    right = {
        d: np.mean([seasons(d, close, 8, 40, s).argmax(axis=1) == 0 for s in range(60)], axis=0)
        for d in ("uniform", "top_two")
    }
    assert right["top_two"][3] > right["uniform"][7]  # half the votes do
    assert right["top_two"].mean() > right["uniform"].mean() + 0.05


@pytest.mark.parametrize("wrong", [{"design": "x"}, {"prior": 0.0}])
def test_impossible_requests_are_refused(wrong):
    with pytest.raises(AdjudgeError):
        scores(season(), **wrong)
    with pytest.raises(AdjudgeError):
        batch(season(), 3, design="swiss")
