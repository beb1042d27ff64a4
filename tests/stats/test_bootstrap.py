"""Bootstraps: against the analytic error, seeds, the refit at weight 1, and what 2,000 replicates cost."""

from __future__ import annotations

import time

import numpy as np
import pytest

from adjudge.calibration import isotonic
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import bootstrap
from adjudge.value import calibrated
from value import small_tables


@pytest.mark.parametrize("law", bootstrap.LAWS)
def test_multipliers_have_the_covariance_of_the_influence(law: str) -> None:
    influence = np.random.default_rng(1).standard_normal((101, 3)) / 101
    draws = bootstrap.multiplier(influence, draws=20_011, seed=2, law=law)
    expected = influence.T @ influence
    scale = np.sqrt(np.outer(np.diagonal(expected), np.diagonal(expected)))
    np.testing.assert_allclose(np.cov(draws.T) / scale, expected / scale, atol=5 * np.sqrt(3 / 20_011))
    assert np.all(np.abs(draws.mean(axis=0)) < 5 * np.sqrt(np.diagonal(expected) / 20_011))


def test_same_seed_same_draws_and_an_unknown_law_is_named() -> None:
    influence = np.ones((7, 2))
    np.testing.assert_array_equal(
        bootstrap.multiplier(influence, draws=5, seed=3), bootstrap.multiplier(influence, draws=5, seed=3)
    )
    with pytest.raises(AdjudgeError, match="normal"):
        bootstrap.multiplier(influence, law="normal")
    ratings = small_tables.drawn(1, k=2)
    np.testing.assert_array_equal(
        bootstrap.calibrated(ratings, draws=5, seed=3), bootstrap.calibrated(ratings, draws=5, seed=3)
    )


def test_weights_of_one_give_the_estimate_itself() -> None:
    ratings = Judging(items=211, labels=503).draw(3).ratings
    ready = bootstrap.refit(ratings)
    value = ready.values(np.ones((1, ratings.units)), np.ones(5))[0]
    np.testing.assert_allclose(value, calibrated.estimate(isotonic.fit(ratings)(ratings), few=0).value, rtol=1e-12)


@pytest.mark.parametrize("multinomial", [False, True])
def test_the_refit_spread_is_the_analytic_error(multinomial: bool) -> None:
    ratings = Judging(items=503, labels=1009, cluster_size=2).draw(4).ratings
    draws = bootstrap.calibrated(ratings, draws=1009, multinomial=multinomial, seed=5)
    result = calibrated.estimate(isotonic.fit(ratings)(ratings), few=0)
    np.testing.assert_allclose(draws.std(axis=0) / result.stderr, 1.0, atol=0.12)
    paired = result.difference("p00", "p01").stderr[0]
    assert (draws[:, 0] - draws[:, 1]).std() / paired == pytest.approx(1.0, abs=0.12)


def test_too_few_labels_are_refused() -> None:
    with pytest.raises(AdjudgeError, match="at least 2"):
        bootstrap.calibrated(small_tables.table([1.0, np.nan], [0, 1]))


def test_two_thousand_refits_of_25_000_rows_take_seconds() -> None:
    ratings = Judging(items=5000, labels=1250).draw(6).ratings
    start = time.process_time()
    bootstrap.calibrated(ratings, draws=200)
    assert time.process_time() - start < 10 / 10 * 3  # a tenth of the bar's draws; a busy machine gets three times
