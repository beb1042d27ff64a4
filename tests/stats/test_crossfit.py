"""Folds: whole clusters, balanced, and blind to row order and labels."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats import crossfit


def sample(seed: int = 0, m: int = 211, units: int = 53) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, units, m), rng.random(m)


def test_clusters_stay_whole():
    cluster, key = sample()
    fold = crossfit.folds(cluster, key)
    assert all(np.unique(fold[cluster == unit]).size == 1 for unit in np.unique(cluster))


def test_folds_are_balanced_over_clusters():
    cluster, key = sample()
    fold = crossfit.folds(cluster, key, count=5)
    sizes = np.bincount([fold[cluster == unit][0] for unit in np.unique(cluster)])
    assert sizes.size == 5
    assert np.ptp(sizes) <= 1


def test_folds_span_the_scores():
    cluster, key = np.arange(1000), np.random.default_rng(1).random(1000)
    fold = crossfit.folds(cluster, key)
    means = [key[fold == f].mean() for f in range(5)]
    assert np.ptp(means) < 0.01


def test_order_of_rows_is_nothing():
    cluster, key = sample()
    order = np.random.default_rng(7).permutation(cluster.size)
    assert (crossfit.folds(cluster[order], key[order]) == crossfit.folds(cluster, key)[order]).all()


def test_names_of_clusters_are_nothing():
    cluster, key = sample()
    renamed = np.random.default_rng(3).permutation(99)[cluster]
    assert (crossfit.folds(renamed, key) == crossfit.folds(cluster, key)).all()


def test_seed_decides():
    cluster, key = sample()
    assert (crossfit.folds(cluster, key, seed=1) == crossfit.folds(cluster, key, seed=1)).all()
    assert (crossfit.folds(cluster, key, seed=1) != crossfit.folds(cluster, key, seed=2)).any()


@pytest.mark.parametrize("units", [1, 2, 7, 20])
def test_few_clusters_are_left_out_one_at_a_time(units):
    fold = crossfit.folds(np.repeat(np.arange(units), 3), np.repeat(np.arange(units) / 7, 3))
    assert np.unique(fold).size == units


def test_training_weights_leave_the_fold_out():
    weight, fold = np.arange(1.0, 8.0), np.array([0, 1, 2, 0, 1, 2, 0])
    weights = crossfit.training_weights(weight, fold)
    assert weights.shape == (4, 7)
    assert weights[0] == pytest.approx(weight)
    for f in range(3):
        assert (weights[1 + f] == np.where(fold == f, 0, weight)).all()


def test_one_fold_is_refused():
    with pytest.raises(AdjudgeError, match="at least 2 folds"):
        crossfit.folds(np.arange(5), np.arange(5.0), count=1)


@pytest.mark.parametrize(("scale", "offset"), [(1e-6, 0.0), (3.0, 1e6), (1.0, -7.0)])
def test_the_unit_of_the_scores_is_nothing(scale, offset):
    """Scores tied but for rounding, as the blocks of an isotonic curve are, stay tied in another unit."""
    cluster = np.arange(211)
    key = np.random.default_rng(11).integers(0, 13, 211) / 13
    fold = crossfit.folds(cluster, key)
    assert (crossfit.folds(cluster, key * scale + offset) == fold).all()
    assert (crossfit.folds(cluster, key + np.random.default_rng(1).normal(0, 1e-15, 211)) == fold).all()


def test_unit_free_scores_keep_gaps_and_constants():
    np.testing.assert_array_equal(crossfit.unit_free(np.array([np.nan, np.nan])), [np.nan, np.nan])
    found = crossfit.unit_free(np.array([1e6, np.nan, 1e6 + 1e-9]))
    np.testing.assert_array_equal(found, [0, np.nan, 0])


def test_a_row_of_weight_two_is_the_row_twice():
    cluster, key = sample()
    times = np.random.default_rng(5).integers(1, 4, cluster.size)
    twice = np.repeat(np.arange(cluster.size), times)
    weighted = crossfit.folds(cluster, key, weight=times.astype(float))
    assert (weighted[twice] == crossfit.folds(cluster[twice], key[twice])).all()
    assert (weighted != crossfit.folds(cluster, key)).any()
