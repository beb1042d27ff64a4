"""Label weights: recorded, estimated and mixed; effective clusters; the share of rater noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.stats import design
from value import small_tables

NAN = np.nan


def test_recorded_propensities_are_divided_by_and_others_leave_the_row_weight() -> None:
    gold = [1, 0, NAN, 1, NAN]
    policy = [0, 0, 0, 1, 1]
    ratings = small_tables.table(
        gold, [0] * 5, policy=policy, weight=[2, 1, 1, 3, 1], propensity=[0.5, 0.25, 0.5, NAN, NAN]
    )
    np.testing.assert_allclose(design.label_weight(ratings), [4, 4, 0, 3, 0])
    np.testing.assert_array_equal(design.recorded_groups(ratings), [True, False])


def test_where_some_are_recorded_the_others_get_their_share() -> None:
    # Two rows with propensity 1/2; of the four others, two are labelled: share 1/2 too.
    ratings = small_tables.table([1, NAN, 1, 0, NAN, NAN], [0] * 6, propensity=[0.5, 0.5, NAN, NAN, NAN, NAN])
    np.testing.assert_allclose(design.label_weight(ratings), [2, 0, 2, 2, 0, 0])


def test_shares_can_be_taken_within_other_groups() -> None:
    ratings = small_tables.table([1, NAN, 1, 0], [0] * 4, propensity=[0.5, NAN, NAN, NAN])
    group = np.array([0, 0, 1, 1])
    np.testing.assert_allclose(design.label_weight(ratings, group=group, groups=2), [2, 0, 1, 1])


def test_effective_clusters() -> None:
    group, weight = np.array([0, 0, 0, 1]), np.array([1.0, 1.0, 2.0, 5.0])
    np.testing.assert_allclose(design.effective_clusters(group, weight, 3), [16 / 6, 1.0, 0.0])


def test_share_of_rater_noise() -> None:
    ratings = small_tables.table([0, 1, 0, 1, NAN], [0] * 5)
    assert design.rater_share(ratings) == 0.0
    noisy = replace(ratings, gold_variance=np.where(ratings.labelled, 0.1, 0.0))
    assert design.rater_share(noisy) == pytest.approx(0.1 / (1 / 3))
    assert np.isnan(design.rater_share(small_tables.table([1, NAN], [0, 0])))
