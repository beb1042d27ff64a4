"""Regression on ratings: least squares at its limit, responses alone, a scale for pairs, and an error that covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import regression
from adjudge.tables.preferences import Preferences, from_arrays
from rewards.pairs_worlds import TRUE

POINT = 2.5  # log-odds that a point of the rating is worth


def rated(n: int, seed: int, *, shared: float = 0.0) -> Preferences:
    """Pairs in clusters of two with ratings x·β + 3 + noise, and outcomes by POINT·Δ of the same reward."""
    rng = np.random.default_rng((seed, 11))
    left, right = rng.normal(size=(2, n, 5))
    reward = np.column_stack([left @ TRUE, right @ TRUE]) / POINT
    noise = rng.normal(size=(n, 2)) + shared * rng.normal(size=n // 2 + 1)[np.arange(n) // 2][:, None]
    won = rng.random(n) < 1 / (1 + np.exp(-POINT * (reward[:, 0] - reward[:, 1])))
    return from_arrays(left, right, won, rating=reward + 3 + 0.5 * noise, cluster=np.arange(n) // 2)


def test_without_a_penalty_it_is_least_squares() -> None:
    table = rated(101, 0)
    model = regression.fit(table, ridge=1e-9)
    x = np.column_stack([np.concatenate([table.left, table.right]), np.ones(202)])
    by = np.linalg.lstsq(x, table.rating.T.ravel(), rcond=None)[0]
    np.testing.assert_allclose(model.parameters[:6], by, atol=1e-7)
    np.testing.assert_allclose(model.score(table.left), x[:101] @ by, atol=1e-7)


def test_the_error_covers_coefficients_intercept_and_scale() -> None:
    trials, inside = 150, np.zeros(7)
    truth = np.concatenate([TRUE / POINT, [3.0, POINT]])
    for seed in range(trials):
        model = regression.fit(rated(400, seed, shared=1.0), ridge=1e-6, folds=0)
        inside += np.abs(model.parameters - truth) < 1.96 * np.sqrt(np.diag(model.covariance))
    assert abs(inside[:6].mean() / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / (6 * trials))
    assert abs(inside[6] / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials)


def test_the_scale_makes_probabilities_of_ratings() -> None:
    model = regression.fit(rated(4001, 3))
    assert model.figures["log-odds by point"] == pytest.approx(POINT, abs=0.3)
    assert abs(model.report["all"].ece) < 0.03


def test_responses_alone_are_learnt_from() -> None:
    table = rated(301, 4)
    alone = from_arrays(
        np.concatenate([table.left, table.right]), np.zeros((602, 5)), np.full(602, np.nan),
        rating=np.column_stack([table.rating.T.ravel(), np.full(602, np.nan)]), cluster=np.tile(table.cluster, 2),
    )  # fmt: skip
    both, single = regression.fit(table), regression.fit(alone)
    np.testing.assert_allclose(single.parameters[:6], both.parameters[:6], rtol=1e-9)
    np.testing.assert_allclose(single.covariance[:6, :6], both.covariance[:6, :6], rtol=1e-9)
    assert single.figures["log-odds by point"] == 1.0
    assert single.covariance[6, 6] == 0.0
    assert single.report == {}


def test_ratings_are_needed_and_one_cluster_has_no_error() -> None:
    table = rated(31, 5)
    with pytest.raises(AdjudgeError, match="rating: no row"):
        regression.fit(from_arrays(table.left, table.right, table.outcome))
    one = from_arrays(table.left, table.right, table.outcome, rating=table.rating, cluster=np.zeros(31, int))
    assert np.isnan(regression.fit(one).covariance).all()


def test_a_scale_from_one_cluster_has_no_error_and_a_penalty_is_needed() -> None:
    table = rated(101, 6)
    model = regression.fit(replace(table, outcome=np.where(table.cluster == 0, table.outcome, np.nan)), folds=0)
    assert np.isfinite(model.covariance[:6, :6]).all()
    assert np.isnan(model.covariance[6, 6])
    for ridge in (0.0, -1.0, np.nan):
        with pytest.raises(AdjudgeError, match="penalty above 0"):
            regression.fit(table, ridge=ridge)
