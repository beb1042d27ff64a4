"""Labels alone: the textbook mean and error, their clustered and weighted forms, and what is too little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.value import labels_only
from value import small_tables

NAN = np.nan


def test_one_label_a_cluster_is_the_textbook_mean() -> None:
    result = labels_only.estimate(small_tables.table([1, 2, 4, NAN, NAN], [0] * 5))
    assert result.value[0] == pytest.approx(7 / 3)
    assert result.stderr[0] ** 2 == pytest.approx(np.var([1, 2, 4], ddof=1) / 3)
    assert result.df[0] == pytest.approx(2)


def test_a_hand_worked_clustered_error() -> None:
    # Clusters {0, 2} and {4} and {6}: mean 3, sums of deviations −4, 1, 3 over 4 labels, factor 3/2.
    result = labels_only.estimate(small_tables.table([0, 2, 4, 6], [0] * 4, cluster=[0, 0, 1, 2]))
    assert result.value[0] == pytest.approx(3)
    assert result.stderr[0] ** 2 == pytest.approx(1.5 * (16 + 1 + 9) / 16)


def test_recorded_propensities_weigh_labels_by_their_inverse() -> None:
    gold, propensity = np.array([1.0, 0.0, 1.0, NAN]), [0.5, 0.25, 0.5, 0.25]
    result = labels_only.estimate(small_tables.table(gold, [0] * 4, propensity=propensity))
    assert result.value[0] == pytest.approx((2 + 0 + 2) / (2 + 4 + 2))
    deviations = np.array([2 * 0.5, 4 * -0.5, 2 * 0.5]) / 8
    assert result.stderr[0] ** 2 == pytest.approx(1.5 * (deviations**2).sum())
    assert result.df[0] == pytest.approx((4 + 16 + 4) ** 2 / (16 + 256 + 16) - 1)  # of a variance


def test_duplicated_rows_within_a_cluster_change_nothing() -> None:
    ratings = small_tables.drawn(1, k=2)
    twice = ratings.take(np.repeat(np.arange(ratings.n), 2))
    one, two = labels_only.estimate(ratings), labels_only.estimate(twice)
    np.testing.assert_allclose(two.value, one.value, rtol=1e-13)
    np.testing.assert_allclose(two.covariance, one.covariance, rtol=1e-12)
    np.testing.assert_allclose(two.df, one.df, rtol=1e-12)


def test_identical_policies_differ_by_exactly_nothing() -> None:
    ratings = small_tables.drawn(2, clusters=31)
    both = np.tile(np.arange(ratings.n), 2)
    twins = replace(ratings.take(both), policies=("a", "b"), policy=np.repeat([0, 1], ratings.n))
    difference = labels_only.estimate(twins).difference("a", "b")
    assert difference.value[0] == 0.0
    assert difference.stderr[0] == 0.0


def test_policies_labelled_on_different_clusters_are_independent() -> None:
    result = labels_only.estimate(
        small_tables.table([1, 2, 3, 4, 6], [0] * 5, policy=[0, 0, 1, 1, 1], cluster=[0, 1, 2, 3, 4])
    )
    assert result.covariance[0, 1] == 0.0


@pytest.mark.parametrize("gold", [[NAN, NAN], [1.0, NAN]])
def test_too_few_labels_give_no_value_and_a_finding(gold: list[float]) -> None:
    result = labels_only.estimate(small_tables.table(gold, [0.0, 1.0]))
    assert np.isnan(result.value).all()
    assert np.isnan(result.stderr).all()
    assert [finding.code for finding in result.findings] == ["labels-missing"]


def test_noisy_gold_is_already_in_the_spread_of_the_labels() -> None:
    rng = np.random.default_rng(3)
    replicates, m = 2000, 23
    gold = 0.5 + 0.1 * rng.standard_normal((replicates, m)) + 0.2 * rng.standard_normal((replicates, m))
    variance = np.var(gold, axis=1, ddof=1) / m
    one = labels_only.estimate(small_tables.table(gold[0], np.zeros(m)))
    assert one.stderr[0] ** 2 == pytest.approx(variance[0])
    assert variance.mean() == pytest.approx((0.1**2 + 0.2**2) / m, rel=4 * np.sqrt(2 / (m - 1) / replicates))
