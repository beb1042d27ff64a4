"""Preferences in circles: rock, paper, scissors; Bradley-Terry at its limit; an error that covers; no reward."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import bradley_terry, general
from adjudge.stats.skew import Skew, directions
from adjudge.tables.preferences import Preferences, from_arrays
from rewards.pairs_worlds import pairs

TURN = np.zeros((5, 5))
TURN[0, 1], TURN[2, 3] = 1.5, 0.8
TURN -= TURN.T
STRAIGHT = np.array([0.3, 0.0, 0.0, 0.0, 0.5])


def circles(n: int, seed: int, *, size: int = 1) -> Preferences:
    """Pairs with log-odds β·(l − r) + lᵀKr, in clusters of equal pairs."""
    rng = np.random.default_rng((seed, 123))
    left, right = rng.normal(size=(2, n // size, 5))
    lead = (left - right) @ STRAIGHT + np.einsum("ni,ij,nj->n", left, TURN, right)
    won = (rng.random(n // size) < 1 / (1 + np.exp(-lead))).astype(float)
    cluster = np.repeat(np.arange(n // size), size)
    return from_arrays(left[cluster], right[cluster], won[cluster], cluster=cluster)


def test_the_features_of_a_pair_are_skew_and_hold_every_skew_form() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 31, 5))
    form = Skew(np.eye(5), np.zeros(5), 1.0)
    made = form.features(left, right)
    assert made.shape == (31, 15)
    np.testing.assert_allclose(form.features(right, left), -made)
    by_form = made @ np.concatenate([np.zeros(5), TURN[np.triu_indices(5, 1)]])
    np.testing.assert_allclose(by_form, np.einsum("ni,ij,nj->n", left, TURN, right))


def test_directions_are_those_of_the_largest_spread() -> None:
    table = pairs(307, 0)
    wide = from_arrays(table.left * [1, 9, 1, 5, 1], table.right * [1, 9, 1, 5, 1], table.outcome)
    axes = directions(wide, 2, 1.0).axes
    assert np.abs(axes).argmax(axis=0).tolist() == [3, 1]


def test_a_cyclic_game_is_learnt_that_bradley_terry_calls_a_coin() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 3, 901)
    names = np.eye(3)
    second = (first - rng.integers(1, 3, 901)) % 3
    won = ((first - second) % 3 == 1) ^ (rng.random(901) < 0.1)
    table = from_arrays(names[first], names[second], won)
    model, plain = general.fit(table), bradley_terry.fit(table)
    assert model.report["all"].accuracy > 0.85
    assert abs(plain.report["all"].accuracy - 0.5) < 0.1
    chance, error = model.difference(names, names[[2, 0, 1]])
    np.testing.assert_allclose(chance, 0.9, atol=0.05)
    assert (np.abs(chance - 0.9) < 4 * error + 0.02).all()
    assert model.figures["share of circles"] > 0.9


def test_without_circles_it_is_bradley_terry() -> None:
    table = pairs(701, 2)
    plain, model = bradley_terry.fit(table), general.fit(table, circle_ridge=1e12)
    np.testing.assert_allclose(model.held_out, plain.held_out, atol=1e-5)
    np.testing.assert_allclose(model.parameters[:5], plain.parameters, atol=1e-5)
    loose = general.fit(pairs(3001, 3))
    assert loose.report["all"].accuracy > bradley_terry.fit(pairs(3001, 3)).report["all"].accuracy - 0.02
    assert loose.figures["share of circles"] < 0.05


def test_the_error_covers_the_truth() -> None:
    trials, inside = 60, 0
    left, right = np.random.default_rng(4).normal(size=(2, 11, 5))
    truth = (left - right) @ STRAIGHT + np.einsum("ni,ij,nj->n", left, TURN, right)
    for seed in range(trials):
        value, error = general.fit(circles(1600, seed, size=2), ridge=1e-3, circle_ridge=1e-3, folds=0).log_odds(
            left, right
        )
        inside += int((np.abs(value - truth) < 1.96 * error).sum())
    # The 11 contrasts hang together, so that a trial counts as about five of them.
    assert abs(inside / (11 * trials) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / (5 * trials))


def test_a_ladder_has_no_circles() -> None:
    # Only neighbours were compared, so that some reward explains whatever came out.
    rng = np.random.default_rng(6)
    first = rng.integers(0, 4, 3001)
    won = rng.random(3001) < 1 / (1 + np.exp(-1.0))
    names = np.eye(5)
    assert general.fit(from_arrays(names[first], names[first + 1], won), folds=0).figures["share of circles"] < 1e-6


def test_there_is_no_reward_and_a_circle_needs_a_plane() -> None:
    table = circles(301, 5)
    with pytest.raises(AdjudgeError, match="follow no reward"):
        general.fit(table, folds=0).score(table.left)
    with pytest.raises(AdjudgeError, match="dimensions"):
        general.fit(table, dimensions=1)
    with pytest.raises(AdjudgeError, match="circle_ridge"):
        general.fit(table, circle_ridge=0.0)
    assert general.fit(table, dimensions=3).parameters.size == 5 + 3
