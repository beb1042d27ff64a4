"""Post-stratification: P(s)·P(Y | s) by hand, its limits, and how small cells are joined."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.value import labels_only, post_stratified
from value import small_tables


def test_a_binary_judge_by_hand() -> None:
    # Judge says 1 on 6 of 10 rows. Of its labelled 1s, 3 of 4 are right; of its labelled 0s, 1 of 2 is a 1.
    score = [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    gold = [1, 1, 1, 0, np.nan, np.nan, 1, 0, np.nan, np.nan]
    result = post_stratified.estimate(small_tables.table(gold, score), least=2)
    assert result.value[0] == pytest.approx(0.6 * 0.75 + 0.4 * 0.5)
    within = 0.6**2 * (0.75 * 0.25 / 3) + 0.4**2 * (0.5 * 0.5 / 1)
    shares = (0.6 * (0.75 - 0.65) ** 2 + 0.4 * (0.5 - 0.65) ** 2) / 10
    assert result.stderr[0] ** 2 == pytest.approx(within + shares, rel=1e-9)


def test_one_cell_is_labels_only() -> None:
    ratings = small_tables.drawn(1, k=2, clusters=83)
    one, other = post_stratified.estimate(ratings, bins=1), labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-11, atol=1e-16)


def test_cells_that_are_too_small_are_joined_until_none_is_left() -> None:
    ratings = small_tables.drawn(2)
    np.testing.assert_allclose(
        post_stratified.estimate(ratings, least=1009).value, labels_only.estimate(ratings).value, rtol=1e-12
    )


def test_a_score_that_tells_the_label_gives_the_mean_over_all_rows() -> None:
    truth = np.random.default_rng(3).integers(0, 3, 211).astype(float)
    gold = np.where(np.arange(211) < 101, truth, np.nan)
    result = post_stratified.estimate(small_tables.table(gold, 10 * truth))
    assert result.value[0] == pytest.approx(truth.mean(), rel=1e-12)
    assert result.stderr[0] == pytest.approx(truth.std() / np.sqrt(211), rel=1e-9)


def test_missing_scores_are_a_cell_of_their_own() -> None:
    ratings = small_tables.drawn(4)
    ratings.score[::2] = np.nan
    even = np.arange(ratings.n) % 2 == 0
    result = post_stratified.estimate(ratings, bins=1)
    means = [ratings.gold[ratings.labelled & rows].mean() for rows in (even, ~even)]
    assert result.value[0] == pytest.approx(even.mean() * means[0] + (~even).mean() * means[1])


def test_is_narrower_than_labels_alone_with_a_good_judge() -> None:
    ratings = small_tables.drawn(5, n=2003, m=401)
    assert post_stratified.estimate(ratings).stderr[0] < 0.8 * labels_only.estimate(ratings).stderr[0]


def test_bin_edges_count_rows_by_weight() -> None:
    rng = np.random.default_rng(3)
    score, times = rng.random(53), rng.integers(1, 5, 53)
    edges = post_stratified.bin_edges(score, 5, times.astype(float))
    np.testing.assert_array_equal(edges, post_stratified.bin_edges(np.repeat(score, times), 5))
    shares = np.bincount(np.searchsorted(edges, score), times) / times.sum()
    np.testing.assert_allclose(shares, 0.2, atol=4 / times.sum() + 1e-9)
