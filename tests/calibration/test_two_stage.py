"""Two stages: the index, the curve along it, and their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import isotonic, linear, two_stage
from adjudge.sim.judging import Judging


def world(seed=0, **kw):
    return Judging(**{"items": 307, "labels": 211, **kw}).draw(seed).ratings


@pytest.mark.parametrize("outcome", ["continuous", "graded", "binary"])
def test_one_judge_and_a_straight_index_is_isotonic(outcome):
    ratings = world(outcome=outcome)
    one = isotonic.fit(ratings)(ratings).forecast
    two = two_stage.fit(ratings, stiffness=np.inf)(ratings).forecast
    assert two.value == pytest.approx(one.value, abs=1e-7)
    assert two.held_out == pytest.approx(one.held_out, abs=1e-7, nan_ok=True)
    # and it leans on the labels in the same way: with one judge the index costs nothing
    assert two.gradient @ two.influence.T == pytest.approx(one.gradient @ one.influence.T, abs=1e-6)


def test_one_judge_whose_index_rises_is_isotonic_at_the_labels():
    ratings = world(1)
    one, two = isotonic.fit(ratings)(ratings).forecast, two_stage.fit(ratings)(ratings).forecast
    assert two.value[ratings.labelled] == pytest.approx(one.value[ratings.labelled], abs=1e-7)


def test_a_judge_that_turns_is_turned_back():
    """Gold is highest in the middle of the score: no rising curve can say so, the index can."""
    ratings = world(2)
    x = ratings.score[:, 0]
    truth = 1 - 4 * (x - 0.5) ** 2
    ratings = replace(ratings, gold=np.where(ratings.labelled, truth, np.nan))
    errors = [
        ((method.fit(ratings)(ratings).forecast.value - truth) ** 2).mean() for method in (linear, isotonic, two_stage)
    ]
    assert errors[2] < 0.01 * min(errors[:2])


def test_length_that_fools_the_judge_is_seen_through():
    """The judge adds half a point to long answers; with length as a covariate its forecast is as good as without."""
    drawn = Judging(items=307, labels=307).draw(3)
    long = np.random.default_rng(3).random(drawn.gold.size)
    fooled = replace(
        drawn.ratings,
        score=drawn.ratings.score + 0.5 * np.sin(3 * long[:, None]),
        covariates=long[:, None],
        covariate_names=("length",),
    )
    clean = ((two_stage.fit(drawn.ratings)(drawn.ratings).forecast.value - drawn.gold) ** 2).mean()
    blind = ((two_stage.fit(fooled, covariates=False)(fooled).forecast.value - drawn.gold) ** 2).mean()
    seen = ((two_stage.fit(fooled)(fooled).forecast.value - drawn.gold) ** 2).mean()
    assert seen < 1.2 * clean < blind


def test_error_of_a_shifted_average_includes_that_of_the_index():
    """A target whose covariates differ from those of the labels: analytic error against 200 refits."""
    drawn = Judging(items=307, labels=307).draw(4)
    rng = np.random.default_rng(4)
    length = rng.random(drawn.gold.size)
    ratings = replace(
        drawn.ratings,
        score=drawn.ratings.score + 0.3 * length[:, None],
        covariates=length[:, None],
        covariate_names=("length",),
    )
    target = length > 0.7
    forecast = two_stage.fit(ratings)(ratings).forecast
    claim = np.sqrt(((forecast.influence @ forecast.gradient[target].mean(axis=0)) ** 2).sum())
    means = []
    for _ in range(200):
        heavy = replace(ratings, weight=rng.exponential(size=ratings.units)[ratings.cluster])
        again = two_stage.fit(heavy)
        means.append(again.predict(ratings.score[target], ratings.covariates[target]).mean())
    assert 0.75 < claim / np.std(means) < 1.35
