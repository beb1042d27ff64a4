"""The main estimator: limits, borrowing, transport, and the calibrator's own error against a refit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.calibration import isotonic, linear
from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.value import calibrated, labels_only, ppi_cross
from value import small_tables


def fitted(world: Judging, seed: int = 0) -> small_tables.Ratings:
    ratings = world.draw(seed).ratings
    return isotonic.fit(ratings)(ratings)


def test_by_hand() -> None:
    gold = np.array([1.0, 0.0, 1.0, np.nan, np.nan])
    ratings = small_tables.known_forecast(small_tables.table(gold, [0.8, 0.3, 0.6, 0.4, 0.9]))
    ratings.forecast.held_out[:3] = [0.7, 0.4, 0.5]
    residual, f = np.array([0.3, -0.4, 0.5]), np.array([0.8, 0.3, 0.6, 0.4, 0.9])
    result = calibrated.estimate(ratings)
    assert result.value[0] == pytest.approx(f.mean() + residual.mean())
    labelled = (residual - residual.mean()) / 3 + (f[:3] - f[:3].mean()) / 5
    rest = (f[3:] - f[3:].mean()) / 5
    assert result.stderr[0] ** 2 == pytest.approx(1.5 * (labelled**2).sum() + 2 * (rest**2).sum())


def test_a_fitted_constant_is_labels_only() -> None:
    ratings = small_tables.drawn(1)
    one, other = calibrated.estimate(small_tables.fitted_mean(ratings)), labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)
    np.testing.assert_allclose(one.df, other.df, rtol=1e-9)


def test_a_constant_that_no_label_made_is_labels_only_too() -> None:
    ratings = small_tables.drawn(2, k=3, clusters=83)
    one = calibrated.estimate(small_tables.known_forecast(ratings, np.full(ratings.n, 0.3)), few=0)
    other = labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-11, atol=1e-17)


def test_a_perfect_forecast_is_the_mean_over_all_rows() -> None:
    truth = np.random.default_rng(3).random(101)
    gold = np.where(np.arange(101) < 29, truth, np.nan)
    result = calibrated.estimate(small_tables.known_forecast(small_tables.table(gold, truth)))
    assert result.value[0] == pytest.approx(truth.mean())
    assert result.stderr[0] == pytest.approx(truth.std() / np.sqrt(101), rel=0.03)


def test_without_pooling_it_is_cross_fitted_ppi_at_lambda_one() -> None:
    ratings = fitted(Judging(items=211, labels=307))
    one, other = calibrated.estimate(ratings, few=0), ppi_cross.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-10, atol=1e-16)


def test_the_calibrators_error_is_that_of_leaving_each_cluster_out() -> None:
    # Labels on one policy only: the other values are wholly borrowed, so their error is mostly the line's.
    world = Judging(truth=(0.7, 0.5), items=503, labels=101, labelled=(0,))
    ratings = world.draw(5).ratings
    full = calibrated.estimate(linear.fit(ratings)(ratings))
    rows = np.flatnonzero(ratings.labelled)
    moved = []
    for row in rows:
        gold = ratings.gold.copy()
        gold[row] = np.nan
        less = replace(ratings, gold=gold)
        moved.append(linear.fit(less)(less).forecast.value[ratings.policy == 1].mean())
    m = rows.size
    jackknife = (m - 1) / m * ((np.array(moved) - np.mean(moved)) ** 2).sum()
    forecast = linear.fit(ratings)(ratings).forecast.value[ratings.policy == 1]
    total = jackknife + forecast.var(ddof=1) / forecast.size
    # Sampling and calibration are nearly independent here: the labelled rows belong to the other policy.
    assert full.stderr[1] == pytest.approx(np.sqrt(total), rel=0.15)


def test_labels_on_one_policy_only_leave_the_others_bounded_by_the_range() -> None:
    ratings = fitted(Judging(items=211, labels=53, labelled=(0,)))
    result = calibrated.estimate(ratings)
    np.testing.assert_allclose(result.interval()[1:], np.tile([0.0, 1.0], (4, 1)), atol=1e-12)
    assert result.interval()[0, 1] - result.interval()[0, 0] < 0.3
    finding = next(f for f in result.findings if f.code == "not-verified")
    assert (finding.severity, finding.subject) == (Severity.SEVERE, ("p01", "p02", "p03", "p04"))


def test_without_known_bounds_the_range_of_the_labels_stands_in() -> None:
    ratings = replace(fitted(Judging(items=211, labels=53, labelled=(0,))), bounds=(-np.inf, np.inf))
    low, high = ratings.gold[ratings.labelled].min(), ratings.gold[ratings.labelled].max()
    result = calibrated.estimate(ratings)
    np.testing.assert_allclose(result.value[1:] - result.slack[1:, 0], low)
    np.testing.assert_allclose(result.value[1:] + result.slack[1:, 1], high)


def test_a_policy_without_labels_among_labelled_ones_carries_their_spread() -> None:
    ratings = fitted(Judging(items=503, labels=601, labelled=(0, 1, 2, 3)))
    result = calibrated.estimate(ratings)
    assert [part.name for part in result.parts] == ["sampling", "transport"]
    np.testing.assert_array_equal(np.diagonal(result.parts[1].covariance)[:4], 0.0)
    assert result.stderr[4] > 1.2 * result.stderr[:4].max()
    assert result.df[4] < result.df[:4].min()
    assert not result.slack.any()


def test_few_labels_borrow_from_the_others_and_many_do_not() -> None:
    world = Judging(items=503, labels=1009, truth=(0.7, 0.6, 0.5, 0.4)).draw(7).ratings
    gold = world.gold.copy()
    gold[np.flatnonzero(world.labelled & (world.policy == 3))[7:]] = np.nan
    ratings = replace(world, gold=gold)
    ratings = isotonic.fit(ratings)(ratings)
    pooled, alone = calibrated.estimate(ratings), calibrated.estimate(ratings, few=0)
    width = [np.diff(result.interval()[3])[0] for result in (pooled, alone)]
    assert width[0] < width[1]
    np.testing.assert_allclose(pooled.value[:3], alone.value[:3], rtol=1e-12)
    np.testing.assert_allclose(pooled.stderr[:3], alone.stderr[:3], rtol=1e-9)
    assert [f.subject for f in pooled.findings if f.code == "residual-pooled"] == [("p03",)]


def test_identical_policies_differ_by_exactly_nothing() -> None:
    ratings = small_tables.drawn(5, clusters=31)
    both = np.tile(np.arange(ratings.n), 2)
    twins = replace(ratings.take(both), policies=("a", "b"), policy=np.repeat([0, 1], ratings.n))
    result = calibrated.estimate(linear.fit(twins)(twins)).difference("a", "b")
    assert (abs(result.value[0]), result.stderr[0]) == (pytest.approx(0.0, abs=1e-14), 0.0)


def test_without_a_forecast_it_says_what_to_do() -> None:
    with pytest.raises(AdjudgeError, match="Calibrate first"):
        calibrated.estimate(small_tables.drawn(4))


@pytest.mark.parametrize(
    "world",
    [
        Judging(truth=(0.7, 0.5), items=211, labels=101, cluster_size=4, draws=2),
        Judging(truth=(0.7, 0.5), items=307, labels=113, unequal=3.0, cluster_size=3),
        Judging(truth=(0.7, 0.5), items=211, labels=101, outcome="binary"),
    ],
    ids=["partly labelled clusters", "unequal propensities", "binary judge"],
)
def test_covers_the_truth(world: Judging) -> None:
    trials, level = 300, 0.95
    hits = np.zeros(3)
    for seed in range(trials):
        result = calibrated.estimate(fitted(world, seed))
        result = result.contrast([[1, 0], [0, 1], [1, -1]], ["a", "b", "a − b"])
        reach = special.stdtrit(result.df, 0.5 + level / 2) * result.stderr
        hits += np.abs(result.value - [0.7, 0.5, 0.2]) <= reach
    tolerance = 4 * np.sqrt(level * (1 - level) / trials)
    assert np.all(np.abs(hits / trials - level) < tolerance), hits / trials


def test_seven_labels_that_borrow_cover_and_are_narrower_than_alone() -> None:
    trials, width, hits = 100, np.zeros(2), 0
    for seed in range(trials):
        world = Judging(items=401, labels=503, truth=(0.7, 0.65, 0.6, 0.55, 0.4)).draw(seed).ratings
        gold = world.gold.copy()
        gold[np.flatnonzero(world.labelled & (world.policy == 4))[7:]] = np.nan
        ratings = replace(world, gold=gold)
        ratings = isotonic.fit(ratings)(ratings)
        ends = [calibrated.estimate(ratings, few=few).interval()[4] for few in (30, 0)]
        width += np.diff(ends)[:, 0] / trials
        hits += ends[0][0] <= 0.4 <= ends[0][1]
    assert width[0] < 0.8 * width[1]
    assert hits / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)
