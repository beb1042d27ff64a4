"""Beta calibration: its three parameters come back, and its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.calibration import beta, temperature
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    return Judging(**{"items": 97, "labels": 83, "outcome": "graded", **kw}).draw(seed).ratings


def curve(s, a, b, c):
    return special.expit(a * np.log(s) - b * np.log1p(-s) + c)


@pytest.mark.parametrize(("a", "b", "c"), [(1.0, 1.0, 0.0), (0.3, 1.7, 0.4), (2.0, 0.5, -1.0), (0.0, 1.0, 0.5)])
def test_its_parameters_come_back(a, b, c):
    ratings = world()
    wanted = curve(ratings.score[:, 0].clip(1e-6, 1 - 1e-6), a, b, c)
    ratings = replace(ratings, gold=np.where(ratings.labelled, wanted, np.nan))
    assert beta.fit(ratings, ridge=0.0)(ratings).forecast.value == pytest.approx(wanted, abs=1e-5)


def test_identity_is_left_alone_by_the_ridge_too():
    ratings = world()
    ratings = replace(ratings, gold=np.where(ratings.labelled, ratings.score[:, 0], np.nan))
    grid = np.linspace(0.01, 0.99, 17)
    assert beta.fit(ratings, ridge=50.0).predict(grid) == pytest.approx(grid, abs=1e-6)


def test_never_falls():
    grid = np.linspace(0.001, 0.999, 211)
    for seed in range(20):
        ratings = world(seed, labels=23)
        upside_down = replace(ratings, score=1 - ratings.score)
        for table in (ratings, upside_down):
            assert (np.diff(beta.fit(table).predict(grid)) >= -1e-12).all()


def test_reversed_judge_becomes_the_mean():
    ratings = world(labels=97)
    ratings = replace(ratings, score=1 - ratings.score)
    assert beta.fit(ratings)(ratings).forecast.value == pytest.approx(np.full(ratings.n, np.nanmean(ratings.gold)))


def test_corrects_a_bias_that_a_temperature_cannot():
    ratings = world(labels=97, items=307, shift=(1.0,) * 5)
    errors = [
        np.nanmean((method.fit(ratings)(ratings).forecast.held_out - ratings.gold) ** 2)
        for method in (temperature, beta)
    ]
    assert errors[1] < errors[0]
