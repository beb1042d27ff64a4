"""Figures of pairs held out: by hand, free of flips in the mean, and folds that keep clusters whole."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats import held_pairs
from adjudge.tables.preferences import from_arrays

NONE = np.zeros((4, 1))


def test_figures_by_hand() -> None:
    found = held_pairs.held(from_arrays(NONE, NONE, [1.0, 0.0, 0.5, 1.0]), np.array([0.8, 0.8, 0.6, 0.5]))
    assert found.accuracy == pytest.approx((1 + 0 + 0.5 + 0.5) / 4)
    logs = [np.log(0.8), np.log(0.2), 0.5 * (np.log(0.6) + np.log(0.4)), np.log(0.5)]
    assert found.log_loss == pytest.approx(-np.mean(logs))
    squares = [0.04, 0.64, 0.5 * (0.16 + 0.36), 0.25]
    assert found.brier == pytest.approx(np.mean(squares))
    right = np.array([1, 0, 0.5, 0.5])
    assert found.accuracy_stderr == pytest.approx(np.std(right, ddof=1) / 2)


def test_flips_are_taken_out_in_the_mean() -> None:
    rng = np.random.default_rng(1)
    n = 20011
    chance, none = rng.uniform(0.1, 0.9, n), np.zeros((n, 1))
    truth = (rng.random(n) < chance).astype(float)
    seen = np.where(rng.random(n) < 0.25, 1 - truth, truth)
    clean = held_pairs.held(from_arrays(none, none, truth), chance)
    freed = held_pairs.held(from_arrays(none, none, seen, flip=0.25), chance)
    naive = held_pairs.held(from_arrays(none, none, seen), chance)
    for name in ("accuracy", "log_loss", "brier"):
        assert getattr(freed, name) == pytest.approx(getattr(clean, name), abs=4 / np.sqrt(n))
        assert abs(getattr(naive, name) - getattr(clean, name)) > 6 / np.sqrt(n)
    assert abs(freed.ece) < 0.03 < naive.ece


def test_no_fit_sees_the_cluster_that_it_predicts() -> None:
    cluster = np.repeat(np.arange(7), 3)
    none = np.zeros((21, 1))
    pairs = from_arrays(none, none, np.ones(21), cluster=cluster)

    def predict(some, others):
        assert not set(some.cluster) & set(others.cluster)
        return np.full(others.n, 0.5)

    assert np.isfinite(held_pairs.held_out(pairs, predict, folds=3, seed=0)).all()
    assert np.isnan(held_pairs.held_out(pairs, predict, folds=0, seed=0)).all()
    assert np.isnan(held_pairs.held_out(pairs, predict, folds=8, seed=0)).all()


def test_sources_are_told_apart() -> None:
    pairs = from_arrays(NONE, NONE, [1.0, 1.0, 0.0, 0.0], source=[0, 0, 1, 1], sources=("ann", "bob"))
    told = held_pairs.report(pairs, np.full(4, 0.9))
    assert [told[name].accuracy for name in ("all", "ann", "bob")] == [0.5, 1.0, 0.0]
    assert held_pairs.report(pairs, np.full(4, np.nan)) == {}
    named = from_arrays(NONE, NONE, [1.0, 1.0, 0.0, 0.0], source=[0, 0, 1, 1], sources=("ann", "all"))
    assert held_pairs.report(named, np.full(4, 0.9))["all"].n == 4


def test_rows_that_cannot_be_used() -> None:
    pairs = from_arrays(NONE, NONE, [1.0, np.nan, 0.0, 1.0], weight=[1, 1, 0, 2])
    assert held_pairs.require(pairs).row.tolist() == [0, 3]
    with pytest.raises(AdjudgeError, match="outcome: no row"):
        held_pairs.require(from_arrays(NONE, NONE, np.full(4, np.nan)))


def test_all_right_is_no_certainty() -> None:
    features = np.zeros((31, 1))
    found = held_pairs.held(from_arrays(features, features, np.ones(31)), np.full(31, 0.9))
    assert found.accuracy == 1.0
    assert found.accuracy_stderr == pytest.approx(np.sqrt(33 / 35 * (2 / 35) / 35))


def test_what_a_cluster_repeats_is_no_news() -> None:
    rng = np.random.default_rng(2)
    said, cluster = rng.uniform(0.5, 0.95, 211), np.arange(211) // 2
    won = (rng.random(211) < said - 0.05).astype(float)
    again = np.repeat(np.arange(211), rng.integers(1, 5, 211))
    none = np.zeros((again.size, 1))
    often = held_pairs.held(from_arrays(none, none, won[again], cluster=cluster[again]), said[again])
    times = np.bincount(again).astype(float)
    once = held_pairs.held(from_arrays(none[:211], none[:211], won, cluster=cluster, weight=times), said)
    assert (once.ece, once.accuracy_stderr) == pytest.approx((often.ece, often.accuracy_stderr))
    # Eight equal rows of one prompt are one row: neither figure may gain by them.
    many = np.repeat(np.arange(211), 8)
    table = from_arrays(np.zeros((1688, 1)), np.zeros((1688, 1)), won[many], cluster=cluster[many])
    plain = held_pairs.held(from_arrays(none[:211], none[:211], won, cluster=cluster), said)
    assert held_pairs.held(table, said[many]).ece == pytest.approx(plain.ece)


def test_the_error_of_clusters_unlike_in_size_is_that_of_leaving_each_out() -> None:
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(13), rng.integers(1, 30, 13))
    n = cluster.size
    table = from_arrays(
        np.zeros((n, 1)), np.zeros((n, 1)), (rng.random(13)[cluster] < 0.6).astype(float), cluster=cluster
    )
    said = np.full(n, 0.7)
    without = [held_pairs.held(table.take(cluster != code), said[cluster != code]).accuracy for code in range(13)]
    found = held_pairs.held(table, said)
    assert found.accuracy_stderr == pytest.approx(np.sqrt(12 / 13 * np.sum((np.array(without) - found.accuracy) ** 2)))
