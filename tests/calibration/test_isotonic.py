"""Isotonic calibration: a worked table, ties, and how it lends itself to averages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import isotonic
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings


def table(score, gold) -> Ratings:
    n = len(score)
    return Ratings(
        policies=("a",),
        judges=("judge",),
        policy=np.zeros(n, dtype=np.int64),
        item=np.arange(n),
        cluster=np.arange(n),
        score=np.asarray(score, dtype=float)[:, None],
        gold=np.asarray(gold, dtype=float),
        weight=np.ones(n),
        propensity=np.full(n, np.nan),
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
        bounds=(0.0, 1.0),
    )


def test_hand_worked():
    nan = np.nan
    ratings = table([1, 2, 3, 4, 2.5, 3.5, 0, 9], [0.0, 0.6, 0.4, 1.0, nan, nan, nan, nan])
    forecast = isotonic.fit(ratings)(ratings).forecast
    assert forecast.value == pytest.approx([0.0, 0.5, 0.5, 1.0, 0.5, 0.75, 0.0, 1.0])
    assert forecast.gradient[5] == pytest.approx([0.0, 0.5, 0.5])
    # leaving row 2 out, the line from (1, 0) to (3, 0.4) says 0.2 at its score
    assert forecast.held_out[1] == pytest.approx(0.2)
    assert forecast.influence[1] == pytest.approx([0.0, 0.5 * (0.6 - 0.2), 0.0])


def test_a_right_order_on_a_wrong_scale_is_put_right():
    ratings = Judging(items=97, labels=485).draw(0).ratings
    ratings = replace(ratings, score=np.exp(9 * ratings.gold)[:, None])
    assert isotonic.fit(ratings)(ratings).forecast.value == pytest.approx(ratings.gold)


def test_a_rising_function_of_the_score_changes_no_label_forecast():
    ratings = Judging(items=97, labels=83).draw(1).ratings
    bent = replace(ratings, score=ratings.score**3)
    labelled = ratings.labelled
    one, other = isotonic.fit(ratings)(ratings).forecast, isotonic.fit(bent)(bent).forecast
    assert other.value[labelled] == pytest.approx(one.value[labelled])


def test_yes_no_judge_gives_two_means():
    ratings = Judging(items=307, labels=211, outcome="binary").draw(2).ratings
    labelled, yes = ratings.labelled, ratings.score[:, 0] == 1
    expected = [ratings.gold[labelled & ~yes].mean(), ratings.gold[labelled & yes].mean()]
    assert isotonic.fit(ratings).predict([0.0, 1.0]) == pytest.approx(expected)


def test_error_of_an_average_is_right_with_few_labels():
    """Counted: the spread of the mean forecast of 500 fixed rows over 300 draws of 23 labels, against its own claim."""
    rng = np.random.default_rng(4)
    target = rng.random(500)
    means, claims = [], []
    for _ in range(300):
        x = rng.random(23)
        ratings = table(x, (rng.random(23) < x).astype(float))
        calibrator = isotonic.fit(ratings)
        everywhere = table(np.r_[x, target], np.r_[ratings.gold, np.full(500, np.nan)])
        forecast = calibrator(everywhere).forecast
        means.append(forecast.value[23:].mean())
        claims.append(((forecast.influence @ forecast.gradient[23:].mean(axis=0)) ** 2).sum())
    ratio = np.sqrt(np.mean(claims)) / np.std(means)
    assert 0.95 < ratio < 1.3  # 300 draws know a standard deviation to ± 4 %; held-out residuals err on the wide side


def test_several_judges_rise_with_their_index():
    drawn = Judging(items=307, labels=307).draw(5)
    second = drawn.gold + 0.2 * np.random.default_rng(5).standard_normal(drawn.gold.size)
    both = replace(drawn.ratings, judges=("a", "b"), score=np.column_stack([drawn.ratings.score[:, 0], second]))
    calibrator = isotonic.fit(both)
    assert (np.diff(calibrator.predict(np.column_stack([np.linspace(0, 1, 53)] * 2))) >= -1e-12).all()
