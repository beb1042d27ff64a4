"""Cross-fitted PPI: limits at λ = 0 and for a forecast that leans on no label; the calibrator's own error."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.value import labels_only, ppi_cross, ppi_plus
from value import small_tables


def test_at_lambda_nought_it_is_labels_only() -> None:
    ratings = small_tables.known_forecast(small_tables.drawn(1, k=2))
    one, other = ppi_cross.estimate(ratings, lam=0.0), labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-13)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12, atol=1e-18)


def test_tuned_on_a_forecast_that_leans_on_no_label_it_is_ppi_plus() -> None:
    ratings = small_tables.drawn(2, k=2)
    one = ppi_cross.estimate(small_tables.known_forecast(ratings), lam=None)
    other = ppi_plus.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)


def test_at_lambda_one_it_is_the_mean_forecast_plus_the_mean_held_out_residual() -> None:
    gold = np.array([1.0, 0.0, 1.0, np.nan, np.nan])
    forecast = np.array([0.8, 0.3, 0.6, 0.4, 0.9])
    ratings = small_tables.known_forecast(small_tables.table(gold, forecast))
    ratings.forecast.held_out[:3] = [0.7, 0.4, 0.5]
    assert ppi_cross.estimate(ratings).value[0] == pytest.approx(0.6 + (0.3 - 0.4 + 0.5) / 3)


def test_a_fitted_constant_is_labels_only() -> None:
    ratings = small_tables.drawn(3)
    one, other = ppi_cross.estimate(small_tables.fitted_mean(ratings)), labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)


def test_without_a_forecast_it_says_what_to_do() -> None:
    with pytest.raises(AdjudgeError, match="Calibrate first"):
        ppi_cross.estimate(small_tables.drawn(4))
