"""Strength as weight: equal strengths are Bradley-Terry, a start from ratings reaches to either relative."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import bradley_terry, regression, scaled
from rewards.pairs_worlds import pairs
from rewards.test_regression import rated


@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_equal_strengths_are_bradley_terry(size: float) -> None:
    table = replace(pairs(307, 0), margin=np.full(307, size))
    one, plain = scaled.fit(table), bradley_terry.fit(table)
    np.testing.assert_allclose(one.parameters, plain.parameters, rtol=1e-12)
    np.testing.assert_allclose(one.held_out, plain.held_out, rtol=1e-12)


def test_strengths_are_weights() -> None:
    table = pairs(307, 1)
    strength = np.random.default_rng(2).integers(0, 4, 307).astype(float)
    one = scaled.fit(replace(table, margin=strength), folds=0)
    other = bradley_terry.fit(replace(table, weight=strength / strength.mean()), folds=0)
    np.testing.assert_allclose(one.parameters, other.parameters, rtol=1e-9)


def test_a_start_from_ratings_reaches_from_the_regression_to_the_pairs() -> None:
    table = replace(rated(301, 3), margin=np.ones(301))
    by_rating = regression.fit(table, folds=0)
    near = scaled.fit(table, start="ratings", ridge=1e9, folds=0)
    expected = by_rating.figures["log-odds by point"] * by_rating.parameters[:5]
    np.testing.assert_allclose(near.parameters, expected, rtol=1e-4)
    far = scaled.fit(table, start="ratings", ridge=1e-7, folds=0)
    np.testing.assert_allclose(far.parameters, bradley_terry.fit(table, ridge=1e-7, folds=0).parameters, atol=1e-4)


def test_ratings_of_pairs_that_nobody_compared_count_in_the_start() -> None:
    table = replace(rated(301, 5), margin=np.ones(301))
    compared = np.arange(301) % 3 == 0
    apart = replace(
        table,
        outcome=np.where(compared, table.outcome, np.nan),
        rating=np.where(compared[:, None], np.nan, table.rating),
    )
    by_rating = regression.fit(apart, folds=0)
    near = scaled.fit(apart, start="ratings", ridge=1e9)
    expected = by_rating.figures["log-odds by point"] * by_rating.parameters[:5]
    np.testing.assert_allclose(near.parameters, expected, rtol=1e-4)
    assert near.report["all"].accuracy > 0.7
    said = [each.log_odds(table.left, table.right)[1].mean() for each in (near, by_rating)]
    assert said[0] == pytest.approx(said[1], rel=0.02)


def test_the_error_counts_that_of_the_start() -> None:
    # A penalty of 30 pairs pulls towards ratings: over worlds the fits must spread as their errors say.
    fits = [scaled.fit(replace(rated(300, seed, shared=1.0), margin=np.ones(300)), start="ratings", ridge=30.0, folds=0)
            for seed in range(150)]  # fmt: skip
    spread = np.std([model.parameters for model in fits], axis=0, ddof=1)
    said = np.sqrt(np.mean([np.diag(model.covariance) for model in fits], axis=0))
    np.testing.assert_allclose(said, spread, rtol=0.25)


def test_strengths_that_are_missing_are_told_and_none_at_all_refused() -> None:
    table = pairs(101, 4)
    assert [f.code for f in scaled.fit(table, folds=0).findings] == ["rewards-strength-unknown"]
    with pytest.raises(AdjudgeError, match="every strength is 0"):
        scaled.fit(replace(table, margin=np.zeros(101)))
    with pytest.raises(AdjudgeError, match="no response is rated"):
        scaled.fit(table, start="ratings")
    with pytest.raises(AdjudgeError, match="start"):
        scaled.fit(table, start="middle")
