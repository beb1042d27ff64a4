"""The judge ignored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import mean
from adjudge.sim.judging import Judging


def test_is_the_weighted_mean_of_the_labels():
    ratings = Judging(items=31, labels=29).draw(0).ratings
    weight = np.random.default_rng(0).exponential(size=ratings.n)
    forecast = mean.fit(replace(ratings, weight=weight))(ratings).forecast
    labelled = ratings.labelled
    assert forecast.value == pytest.approx(
        np.full(ratings.n, np.average(ratings.gold[labelled], weights=weight[labelled]))
    )


def test_held_out_is_the_mean_of_the_other_clusters():
    ratings = Judging(items=31, labels=13).draw(1).ratings
    forecast = mean.fit(ratings)(ratings).forecast
    rows = np.flatnonzero(ratings.labelled)
    for row in rows:
        others = rows[ratings.cluster[rows] != ratings.cluster[row]]
        assert forecast.held_out[row] == pytest.approx(ratings.gold[others].mean())


def test_standard_error_is_that_of_a_mean():
    """Leave-one-out residuals make it the classical s/√m, times √((m−1)/m)·m/(m−1)."""
    ratings = Judging(items=307, labels=17).draw(2).ratings
    value, stderr = mean.fit(ratings).curve(np.array([0.5]))
    gold = ratings.gold[ratings.labelled]
    assert value[0] == pytest.approx(gold.mean())
    assert stderr[0] == pytest.approx(gold.std(ddof=1) / np.sqrt(17), rel=0.07)


def test_needs_no_score():
    ratings = Judging(items=31, labels=29).draw(3).ratings
    blind = replace(ratings, score=np.full_like(ratings.score, np.nan))
    assert np.isfinite(mean.fit(blind)(blind).forecast.value).all()
