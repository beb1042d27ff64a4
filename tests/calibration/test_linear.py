"""Straight lines: least squares, its limits, and its closed-form error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import linear, mean
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    ratings = Judging(**{"items": 97, "labels": 83, **kw}).draw(seed).ratings
    return replace(ratings, bounds=(-np.inf, np.inf))


def test_is_least_squares():
    ratings = world()
    x, y = ratings.score[ratings.labelled, 0], ratings.gold[ratings.labelled]
    slope, intercept = np.polyfit(x, y, 1)
    assert linear.fit(ratings)(ratings).forecast.value == pytest.approx(intercept + slope * ratings.score[:, 0])


def test_a_line_is_found_exactly_from_two_labels():
    ratings = world(labels=2)
    ratings = replace(ratings, gold=np.where(ratings.labelled, 3 - 2 * ratings.score[:, 0], np.nan))
    assert linear.fit(ratings).predict([0.0, 1.0]) == pytest.approx([3.0, 1.0])


def test_infinite_ridge_is_the_mean():
    ratings = world()
    assert linear.fit(ratings, ridge=1e12)(ratings).forecast.value == pytest.approx(
        mean.fit(ratings)(ratings).forecast.value, abs=1e-8
    )


def test_scale_of_score_and_gold_carry_over():
    ratings = world()
    moved = replace(ratings, score=7 - 1e6 * ratings.score, gold=5 + 1e3 * ratings.gold)
    assert linear.fit(moved)(moved).forecast.value == pytest.approx(
        5 + 1e3 * linear.fit(ratings)(ratings).forecast.value
    )


def test_a_judge_given_twice_changes_nothing():
    ratings = world()
    twice = replace(ratings, judges=("a", "b"), score=ratings.score[:, [0, 0]])
    one, two = linear.fit(ratings)(ratings).forecast, linear.fit(twice)(twice).forecast
    assert two.value == pytest.approx(one.value)
    assert two.gradient @ two.influence.T == pytest.approx(one.gradient @ one.influence.T, abs=1e-9)


def test_band_is_that_of_the_jackknifed_sandwich():
    """Var f̂(x) = Σ_l (x·A⁻¹ x_l e_l(held out))² · m/(m−1), centred, written out in full."""
    ratings = world(labels=17)
    rows = np.flatnonzero(ratings.labelled)
    X = np.column_stack([np.ones(17), ratings.score[rows, 0]])
    y, inverse = ratings.gold[rows], np.linalg.inv(X.T @ X)
    leverage = np.einsum("mi,ij,mj->m", X, inverse, X)
    held_out = (y - X @ inverse @ X.T @ y) / (1 - leverage)  # every cluster is its own fold with 17 labels
    if np.unique(ratings.cluster[rows]).size < 17:
        pytest.skip("two labels share a cluster in this draw")
    psi = (X @ inverse * held_out[:, None]) @ np.array([1.0, 0.3])
    expected = np.sqrt(((psi - psi.mean()) ** 2).sum() * 17 / 16)
    assert linear.fit(ratings).curve([0.3])[1][0] == pytest.approx(expected)


def test_missing_covariates_fall_back_to_the_mean():
    ratings = world()
    column = np.random.default_rng(0).random((ratings.n, 1))
    column[3] = np.nan
    ratings = replace(ratings, covariates=column, covariate_names=("length",))
    calibrator = linear.fit(ratings)
    assert calibrator(ratings).forecast.value[3] == pytest.approx(calibrator.mean)
    with pytest.raises(AdjudgeError, match="covariates were given"):
        calibrator.predict([0.5])
    assert np.isfinite(calibrator.predict([0.5, 0.6], covariates=[[0.2]])).all()
