"""Several gold raters: mean, noise, and what a single rater borrows from the overlap."""

import numpy as np
import pytest

from adjudge.tables.labels import over_raters
from adjudge.tables.read import read


def test_hand_worked_noise():
    mean, variance = over_raters(
        np.array([[1.0, 0.0, 0.5], [1.0, np.nan, 1.0], [np.nan, 0.25, np.nan], [np.nan, np.nan, np.nan]])
    )
    np.testing.assert_allclose(mean, [0.5, 1.0, 0.25, np.nan])
    pooled = (2 * 0.25 + 1 * 0.0) / 3  # Σ (m−1) s² / Σ (m−1)
    np.testing.assert_allclose(variance, [0.25 / 3, 0.0, pooled, 0.0])


def test_one_rater_everywhere_has_unknown_noise():
    mean, variance = over_raters(np.array([[0.2, np.nan], [np.nan, 0.4], [np.nan, np.nan]]))
    np.testing.assert_allclose(mean, [0.2, 0.4, np.nan])
    assert variance.tolist() == [0.0, 0.0, 0.0]


def test_noise_is_unbiased():
    rng = np.random.default_rng(11)
    rows, raters, noise = 4001, 3, 0.3
    labels = rng.random((rows, 1)) + rng.normal(0, noise, (rows, raters))
    labels[rng.random((rows, raters)) < 0.4] = np.nan
    mean, variance = over_raters(labels)
    count = np.isfinite(labels).sum(axis=1)
    for raters_seen in (1, 2, 3):
        rows_seen = count == raters_seen
        truth = noise**2 / raters_seen
        # relative sd of s² with one degree of freedom is √2; four standard errors of its mean over the rows
        tolerance = 4 * truth * np.sqrt(2 / rows_seen.sum())
        assert variance[rows_seen].mean() == pytest.approx(truth, abs=tolerance)
    assert np.isnan(mean[count == 0]).all()


def test_raters_outside_the_range_are_found_by_their_mean_only_if_it_is_outside():
    rows = {"policy": ["a", "a"], "prompt_id": [1, 2], "judge_score": [0.1, 0.2], "r1": [1, 5], "r2": [3, 4]}
    assert read(rows, gold=["r1", "r2"], bounds=(1, 5)).gold.tolist() == [2.0, 4.5]
