"""Values by slice: alone, pooled, together."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.calibration import isotonic
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.value import slices


def world(seed=1, items=1511, labels=601, groups=3):
    drawn = Judging(truth=(0.7, 0.5), items=items, labels=labels, judge_noise=0.3).draw(seed)
    ratings = drawn.ratings
    return drawn, replace(ratings, stratum=ratings.item % groups, strata=tuple("abcdefghijklm"[:groups]))


def test_names_and_truth_of_each_slice():
    drawn, ratings = world()
    for pool in (False, True):
        found = slices.estimate(ratings, pool=pool)
        assert found.names == ("p00 · a", "p00 · b", "p00 · c", "p01 · a", "p01 · b", "p01 · c")
        truth = np.repeat(drawn.truth, 3)
        assert (np.abs(found.value - truth) < 4 * found.stderr).all()


def test_all_labelled_and_a_blind_judge_is_the_mean_of_the_slice():
    drawn = Judging(truth=(0.7,), items=301, labels=301).draw(1).ratings
    ratings = replace(drawn, score=np.zeros((301, 1)), stratum=drawn.item % 3, strata=("a", "b", "c"))
    found = slices.estimate(ratings, pool=False)
    means = [drawn.gold[drawn.item % 3 == s].mean() for s in range(3)]
    np.testing.assert_allclose(found.value, means, atol=2e-3)  # folds of unequal size
    errors = [drawn.gold[drawn.item % 3 == s].std(ddof=1) / np.sqrt((drawn.item % 3 == s).sum()) for s in range(3)]
    np.testing.assert_allclose(found.stderr, errors, rtol=0.05)


def test_one_slice_is_the_policy():
    drawn, ratings = world(groups=1)
    assert slices.estimate(ratings).names == drawn.ratings.policies


def test_a_slice_without_labels_is_nan_alone_and_wide_when_pooled():
    _, ratings = world(groups=5)
    bare = replace(ratings, gold=np.where((ratings.stratum == 2) & (ratings.policy == 0), np.nan, ratings.gold))
    alone, pooled = slices.estimate(bare, pool=False), slices.estimate(bare)
    assert np.isnan(alone.value[2])
    assert "labels-missing" in {finding.code for finding in alone.findings}
    assert abs(pooled.value[2] - 0.7) < 4 * pooled.stderr[2]
    assert [part.name for part in pooled.parts] == ["sampling", "transport"]


def test_pooling_narrows_slices_with_few_labels():
    _, ratings = world(labels=131, groups=13)
    alone, pooled = slices.estimate(ratings, pool=False), slices.estimate(ratings)
    assert np.nanmean(pooled.stderr) < np.nanmean(alone.stderr)


@pytest.mark.parametrize("pool", [False, True])
def test_intervals_cover_all_at_once(pool):
    trials, hits = 150, 0
    for seed in range(trials):
        drawn, ratings = world(seed, items=901, labels=401)
        low, high = slices.estimate(ratings, pool=pool).simultaneous().T
        truth = np.repeat(drawn.truth, 3)
        hits += bool(((low <= truth) & (truth <= high)).all())
    assert hits / trials > 0.95 - 3.2 * np.sqrt(0.95 * 0.05 / trials)


def test_a_covariate_can_slice_unless_it_has_too_many_values():
    _, ratings = world()
    values = np.column_stack([ratings.item % 2, np.arange(ratings.n)]).astype(float)
    ratings = replace(ratings, covariates=values, covariate_names=("turn", "length"))
    assert slices.estimate(ratings, by="turn").names[0] == "p00 · turn=0"
    with pytest.raises(AdjudgeError, match="distinct values"):
        slices.estimate(ratings, by="length")
    with pytest.raises(AdjudgeError, match="no covariate is named"):
        slices.estimate(ratings, by="mood")


def test_the_unit_of_judge_and_label_is_nothing():
    """A calibrated forecast has flat stretches: ties that another unit's rounding must not break."""
    _, ratings = world(items=307, labels=151)
    one = slices.estimate(isotonic.fit(ratings)(ratings))
    other = replace(ratings, score=3 * ratings.score + 100, gold=5 * ratings.gold - 2, bounds=(-2.0, 3.0))
    there = slices.estimate(isotonic.fit(other)(other))
    np.testing.assert_allclose((there.value + 2) / 5, one.value, atol=1e-9)
    np.testing.assert_allclose(there.stderr / 5, one.stderr, rtol=1e-8)
