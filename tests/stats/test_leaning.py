"""The calibrator's error without refits: against finite differences of a refit, and in the covariance of the values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import linear
from adjudge.errors import AdjudgeError
from adjudge.stats import leaning
from adjudge.stats.cluster import from_rows, influence_matrix
from value import small_tables


def test_slopes_are_the_derivative_of_the_mean_forecast_by_the_parameters() -> None:
    ratings = linear.fit(small_tables.drawn(1, k=3))(small_tables.drawn(1, k=3))
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    gradient = ratings.forecast.gradient
    by_hand = np.array([gradient[ratings.policy == p].mean(axis=0) for p in range(3)])
    np.testing.assert_allclose(leans.slopes(np.zeros(3)), by_hand, rtol=1e-12)
    np.testing.assert_allclose(leans.slopes(np.array([1.0, 0.5, 0.0])), by_hand * [[0], [0.5], [1]], rtol=1e-12)
    mixture = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]])
    np.testing.assert_allclose(leans.slopes(mixture), by_hand - mixture @ by_hand, atol=1e-14)


def test_slope_times_influence_is_what_moving_a_label_does() -> None:
    ratings = small_tables.drawn(2, m=101)
    row = np.flatnonzero(ratings.labelled)[11]
    step = 1e-5

    def mean_forecast(shift: float) -> tuple[float, np.ndarray]:
        gold = ratings.gold.copy()
        gold[row] += shift
        moved = replace(ratings, gold=gold)
        forecast = linear.fit(moved)(moved).forecast
        return float(forecast.value.mean()), forecast.gradient.mean(axis=0) @ forecast.influence[11]

    (up, _), (down, _), (_, effect) = mean_forecast(step), mean_forecast(-step), mean_forecast(0.0)
    fitted = linear.fit(ratings)(ratings).forecast
    residual = ratings.gold[row] - fitted.held_out[row]
    assert (up - down) / (2 * step) * residual == pytest.approx(effect, rel=0.05)


def test_joint_covariance_is_that_of_the_summed_influence() -> None:
    ratings = linear.fit(small_tables.drawn(3, k=3, clusters=83))(small_tables.drawn(3, k=3, clusters=83))
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    x = np.random.default_rng(4).standard_normal((1, ratings.n))
    cells = from_rows(ratings.cluster, ratings.policy, x, k=3)
    slopes = leans.slopes(np.array([0.2, 1.0, 0.0]))
    table = influence_matrix(cells, cells.sums[0]).toarray()
    occupied = np.unique(cells.cluster)
    table[np.searchsorted(occupied, leans.cluster)] += leans.influence @ slopes.T
    covariance, own = leaning.joint_covariance(cells, cells.sums[0], leans, slopes)
    np.testing.assert_allclose(covariance, table.T @ table, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(own, ((leans.influence @ slopes.T) ** 2).sum(axis=0), rtol=1e-12)
    mix = np.array([[1.0, -1.0, 0.0]])
    paired, _ = leaning.joint_covariance(cells, cells.sums[0], leans, slopes[:1] - slopes[1:2], mix=mix)
    np.testing.assert_allclose(paired, mix @ covariance @ mix.T, rtol=1e-9)


def test_a_batch_with_a_missing_score_brings_one_parameter_more() -> None:
    ratings = small_tables.drawn(5, k=2)
    ratings.score[np.flatnonzero(~ratings.labelled)[:7]] = np.nan
    ratings = linear.fit(ratings)(ratings)
    leans = leaning.fold(leaning.prepare(ratings), ratings)
    assert leans.every.shape[1] == leans.influence.shape[1] == ratings.forecast.gradient.shape[1]


def test_without_a_forecast_it_says_what_to_do() -> None:
    with pytest.raises(AdjudgeError, match="Calibrate first"):
        leaning.prepare(small_tables.drawn(6))
