"""The reserve is the labels-only answer, whatever method asks for it."""

from __future__ import annotations

import numpy as np

from adjudge.stats import difference
from adjudge.stats.reserve import reserve
from adjudge.value import labels_only, ppi_plus, ppi_stratified
from value import small_tables


def test_holds_the_labels_only_means_errors_and_counts() -> None:
    ratings = small_tables.drawn(1, k=3, clusters=83)
    sums = difference.fold(difference.prepare(ratings, judges=(0,)), ratings)
    kept, alone = reserve(difference.pieces(sums)), labels_only.estimate(ratings)
    np.testing.assert_array_equal(kept.mean, alone.value)
    np.testing.assert_array_equal(kept.covariance, alone.covariance)
    labelled = [np.unique(ratings.cluster[ratings.labelled & (ratings.policy == p)]).size for p in range(3)]
    np.testing.assert_array_equal(kept.n, labelled)


def test_is_the_same_whoever_asks() -> None:
    ratings = small_tables.drawn(2, k=2)
    alone = labels_only.estimate(ratings).reserve
    for method in (ppi_plus, ppi_stratified):
        kept = method.estimate(ratings).reserve
        np.testing.assert_allclose(kept.mean, alone.mean, rtol=1e-12)
        np.testing.assert_allclose(kept.covariance, alone.covariance, rtol=1e-12, atol=1e-18)


def test_one_label_has_a_mean_and_no_error() -> None:
    ratings = small_tables.table([1.0, np.nan, 0.0, 1.0], [0] * 4, policy=[0, 0, 1, 1])
    kept = labels_only.estimate(ratings).reserve
    np.testing.assert_array_equal(kept.n, [1, 2])
    np.testing.assert_array_equal(kept.mean, [1.0, 0.5])
    np.testing.assert_array_equal(np.isnan(kept.covariance), [[True, True], [True, False]])


def test_counts_the_prompts_that_two_policies_have_labels_on() -> None:
    """Labels on prompts 0, 1, 2 of one policy and 1, 2, 3, 4 of the other: two of the poorer one's three."""
    gold = [1.0, 0.0, 1.0, np.nan, np.nan, np.nan, 0.0, 1.0, 1.0, 0.0]
    ratings = small_tables.table(gold, [0.0] * 10, policy=[0] * 5 + [1] * 5, cluster=list(range(5)) * 2)
    np.testing.assert_allclose(labels_only.estimate(ratings).reserve.shared, [[1, 2 / 3], [2 / 3, 1]])
