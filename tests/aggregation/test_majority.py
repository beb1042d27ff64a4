"""Majority vote: hand-worked shares, the others as yardstick, errors by item, and what is too little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.aggregation import majority
from adjudge.errors import AdjudgeError
from aggregation.crowds import coins, drawn, table


def test_hand_worked_votes_ties_and_accuracies() -> None:
    told = majority.aggregate(table([0, 0, 0, 1, 1], [0, 1, 2, 0, 1], [0, 0, 1, 0, 1]))
    np.testing.assert_allclose(told.probability, [[1, 0], [0.5, 0.5]])
    assert told.label.tolist() == [0, 0]
    # Item 0: the others of rater 0 (and of 1) tie, those of rater 2 say 0. Item 1: each is against the other.
    np.testing.assert_allclose(told.raters.value, [0.25, 0.25, 0])
    assert [finding.code for finding in told.findings] == ["consensus-ties"]


def test_the_error_is_that_of_a_mean_over_items() -> None:
    """Three raters, the third against two who always agree: its credits are plain independent zeros and ones."""
    said = np.array([0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1])
    item = np.repeat(np.arange(13), 3)
    told = majority.aggregate(
        table(item, np.tile([0, 1, 2], 13), np.column_stack([said * 0 + 1, said * 0 + 1, said]).ravel())
    )
    np.testing.assert_allclose(told.raters.stderr[2], said.std(ddof=1) / np.sqrt(13))
    assert told.raters.stderr[0] > 0  # a perfect record is not certain


def test_intervals_cover_the_agreement_with_the_others() -> None:
    """Against a majority of two perfect raters the accuracy is the truth's; 5 raters × 60 crowds are counted."""
    hit = []
    for seed in range(60):
        labels, _ = drawn(seed, coins([1, 1, 1, 1, 0.7], 2), m=101, each=5)
        low, high = majority.aggregate(labels).raters.interval()[4]
        hit.append(low <= 0.7 <= high)
    assert np.mean(hit) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 60)


def test_a_weight_is_a_repetition_and_order_is_nothing() -> None:
    labels, _ = drawn(5, coins([0.9, 0.7, 0.6], 3), m=31, each=3)
    heavy = replace(labels, weight=np.where(labels.item % 2 == 0, 2.0, 1.0))
    rows = np.concatenate([np.arange(labels.n), np.flatnonzero(labels.item % 2 == 0)])
    twice = labels.take(np.random.default_rng(1).permutation(rows))
    one, other = majority.aggregate(heavy), majority.aggregate(twice)
    np.testing.assert_allclose(one.probability, other.probability)
    np.testing.assert_allclose(one.raters.value, other.raters.value)
    np.testing.assert_allclose(one.raters.covariance, other.raters.covariance)


def test_one_rater_has_a_consensus_but_no_accuracy() -> None:
    told = majority.aggregate(table([0, 1, 2], [0, 0, 0], [1, 0, 1]))
    assert told.label.tolist() == [1, 0, 1]
    assert np.isnan(told.raters.value).all()
    assert np.isnan(told.raters.stderr).all()


def test_items_without_labels_are_told_and_one_class_is_certain() -> None:
    told = majority.aggregate(table([0, 0, 2], [0, 1, 1], [0, 0, 0], m=4, C=1, weight=[1, 1, 0]))
    assert told.label.tolist() == [0, -1, -1, -1]
    assert np.isnan(told.probability[1:]).all()
    assert {finding.code: finding.number for finding in told.findings} == {"items-unlabelled": 3.0}


def test_no_item_is_an_error() -> None:
    empty = replace(table([0], [0], [0]), items=())
    with pytest.raises(AdjudgeError, match="0 items"):
        majority.aggregate(empty)
