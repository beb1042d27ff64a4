"""One temperature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.calibration import temperature
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    return Judging(**{"items": 97, "labels": 83, "outcome": "graded", **kw}).draw(seed).ratings


@pytest.mark.parametrize("T", [0.5, 1.0, 3.0])
def test_the_temperature_comes_back(T):
    ratings = world()
    wanted = special.expit(special.logit(ratings.score[:, 0].clip(1e-6, 1 - 1e-6)) / T)
    ratings = replace(ratings, gold=np.where(ratings.labelled, wanted, np.nan))
    assert temperature.fit(ratings, ridge=0.0)(ratings).forecast.value == pytest.approx(wanted, abs=1e-8)


def test_one_is_the_identity():
    ratings = world()
    ratings = replace(ratings, gold=np.where(ratings.labelled, ratings.score[:, 0], np.nan))
    grid = np.linspace(0.01, 0.99, 17)
    assert temperature.fit(ratings).predict(grid) == pytest.approx(grid, abs=1e-6)


def test_one_half_stays_one_half():
    value, stderr = temperature.fit(world()).curve([0.5])
    assert value[0] == pytest.approx(0.5)
    assert stderr[0] == pytest.approx(0.0, abs=1e-12)


def test_a_reversed_judge_is_flattened_and_reported():
    ratings = world(labels=97)
    ratings = replace(ratings, score=1 - ratings.score)
    calibrator = temperature.fit(ratings)
    assert calibrator(ratings).forecast.value == pytest.approx(np.full(ratings.n, 0.5))
    assert "judge-reversed" in {finding.code for finding in calibrator.findings}


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(AdjudgeError, match=r"calibration\.platt"):
        temperature.fit(replace(world(), score=10 * world().score))


def test_sure_scores_stay_finite():
    ratings = world()
    ratings = replace(ratings, score=ratings.score.round())
    assert np.isfinite(temperature.fit(ratings)(ratings).forecast.gradient).all()
