"""Quantile aggregation on a table: order, counted coverage, honest ends and a mean that agrees with its quantiles."""

import dataclasses

import numpy as np
import pytest

from adjudge.calibration.quantile_aggregation import fit, quantiles
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import quantile_loss

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.mark.parametrize("form", ["coarse", "medium"])
def test_conformal_quantiles_cover_fresh_rows(form):
    world = Judging(truth=(0.6, 0.5), items=503, labels=59)
    covered = []
    for seed in range(10):
        drawn = world.draw(seed)
        fresh = ~drawn.ratings.labelled
        found = quantiles(drawn.ratings, levels=LEVELS, form=form, folds=2)[fresh]
        assert quantile_loss.crossing(found) == 0
        covered.append(quantile_loss.covered(found, drawn.gold[fresh], np.array(LEVELS))[1])
    error = 4 * np.std(covered, axis=0) / np.sqrt(len(covered))
    assert np.all(np.mean(covered, axis=0) > np.array([0.9, 0.5]) - error)
    assert np.all(np.mean(covered, axis=0) < np.array([0.9, 0.5]) + error + 3 / 59)


def test_labelled_rows_get_quantiles_that_never_saw_them():
    ratings = Judging(truth=(0.6, 0.5), items=101, labels=53).draw(3).ratings
    row = np.flatnonzero(ratings.labelled)[7]
    mine = ratings.labelled & (ratings.cluster == ratings.cluster[row])
    other = dataclasses.replace(ratings, gold=np.where(mine, 1 - ratings.gold, ratings.gold))
    one, two = (quantiles(each, levels=LEVELS, folds=2) for each in (ratings, other))
    np.testing.assert_allclose(two[mine], one[mine], atol=1e-9)
    assert np.abs(two - one).max() > 0


def test_few_labels_give_ends_at_the_bounds():
    ratings = Judging(truth=(0.6,), items=101, labels=23).draw(1).ratings
    found = quantiles(ratings, levels=(0.005, 0.5, 0.995), folds=2)[~ratings.labelled]
    assert set(found[:, 0]) == {0.0}
    assert set(found[:, 2]) == {1.0}


def test_the_forecast_tracks_gold():
    drawn = Judging(truth=(0.6, 0.5), items=307, labels=101).draw(5)
    made = fit(drawn.ratings, folds=2)(drawn.ratings).forecast
    fresh = ~drawn.ratings.labelled
    error = np.sqrt(np.mean((made.value - drawn.gold)[fresh] ** 2))
    assert error < 0.7 * drawn.gold.std()
    bias = (drawn.gold - made.value)[fresh]
    assert abs(bias.mean()) < 4 * drawn.gold.std() / np.sqrt(101)


def test_missing_scores_are_nan_and_nine_labels_an_error():
    ratings = Judging(truth=(0.6,), items=101, labels=29).draw(1).ratings
    score = ratings.score.copy()
    score[4] = np.nan
    found = quantiles(dataclasses.replace(ratings, score=score), levels=LEVELS, folds=2)
    assert np.isnan(found[4]).all()
    assert np.isfinite(found[5]).all()
    with pytest.raises(AdjudgeError, match="ten labels"):
        quantiles(Judging(truth=(0.6,), items=101, labels=9).draw(1).ratings)
