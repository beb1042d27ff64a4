"""The judge at its word: a mean, its sampling error, and a warning that goes with it."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.value import labels_only, plug_in
from value import small_tables


def test_is_the_mean_score_with_its_classical_error() -> None:
    ratings = small_tables.drawn(1)
    result = plug_in.estimate(ratings)
    score = ratings.score[:, 0]
    assert result.value[0] == pytest.approx(score.mean())
    assert result.stderr[0] == pytest.approx(score.std(ddof=1) / np.sqrt(score.size))
    assert result.findings[0].code == "judge-not-verified"


def test_rows_without_a_score_are_left_out() -> None:
    ratings = small_tables.drawn(2)
    ratings.score[::3] = np.nan
    kept = ratings.take(np.isfinite(ratings.score[:, 0]))
    np.testing.assert_allclose(plug_in.estimate(ratings).value, plug_in.estimate(kept).value)
    np.testing.assert_allclose(plug_in.estimate(ratings).stderr, plug_in.estimate(kept).stderr)


def test_a_fitted_forecast_carries_the_error_of_its_fit() -> None:
    # The forecast of every row is the mean of all labels, so the plug-in value is that mean, with its error.
    ratings = small_tables.drawn(3)
    one, other = plug_in.estimate(small_tables.fitted_mean(ratings)), labels_only.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12)


def test_a_named_judge_is_used_raw_even_where_there_is_a_forecast() -> None:
    ratings = small_tables.known_forecast(small_tables.drawn(4), np.zeros(211))
    assert plug_in.estimate(ratings).value[0] == 0.0
    assert plug_in.estimate(ratings, judge="judge0").value[0] == pytest.approx(ratings.score.mean())
