"""Platt's curve: worked value, stationarity, and bounded gold of any range."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.calibration import platt
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    return Judging(**{"items": 97, "labels": 83, "outcome": "graded", **kw}).draw(seed).ratings


def test_two_groups_give_their_shares():
    """A yes/no judge: the logistic curve through two points is their label means."""
    ratings = world()
    ratings = replace(ratings, score=(ratings.score > 0.6).astype(float))
    labelled, high = ratings.labelled, ratings.score[:, 0] == 1
    low, up = ratings.gold[labelled & ~high].mean(), ratings.gold[labelled & high].mean()
    assert platt.fit(ratings, ridge=0.0).predict([0.0, 1.0]) == pytest.approx([low, up])


def test_true_coefficients_come_back():
    ratings = world(items=4001, labels=20005)
    rng = np.random.default_rng(1)
    gold = (rng.random(ratings.n) < special.expit(-1 + 3 * ratings.score[:, 0])).astype(float)
    ratings = replace(ratings, gold=gold)
    found = special.logit(platt.fit(ratings).predict([0.0, 1.0]))
    assert found == pytest.approx([-1.0, 2.0], abs=0.15)  # standard error of an end of the line: 0.04


def test_gold_on_another_range_is_the_same_curve():
    ratings = world(outcome="continuous")
    grades = replace(ratings, gold=1 + 9 * ratings.gold, bounds=(1.0, 10.0))
    one, other = platt.fit(ratings)(ratings).forecast, platt.fit(grades)(grades).forecast
    assert other.value == pytest.approx(1 + 9 * one.value)
    assert other.gradient @ other.influence.T == pytest.approx(9 * (one.gradient @ one.influence.T))


def test_separated_labels_are_survived():
    ratings = world(labels=11)
    ratings = replace(ratings, gold=np.where(ratings.labelled, (ratings.score[:, 0] > 0.6).astype(float), np.nan))
    forecast = platt.fit(ratings)(ratings).forecast
    assert np.isfinite(forecast.value).all()
    assert np.isfinite(forecast.influence).all()


def test_endless_gold_is_refused_with_another_way():
    with pytest.raises(AdjudgeError, match=r"calibration\.isotonic"):
        platt.fit(replace(world(), bounds=(-np.inf, np.inf)))


def test_gold_outside_its_range_is_refused():
    with pytest.raises(AdjudgeError, match=r"outside 0\.2 to 0\.8"):
        platt.fit(replace(world(), bounds=(0.2, 0.8)))
