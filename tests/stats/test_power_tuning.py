"""λ: James-Stein weight, the number of independent forecasts, and the array-level mean."""

from __future__ import annotations

import time

import numpy as np
import pytest

from adjudge.stats import difference, power_tuning
from adjudge.stats.ppi_mean import ppi_mean
from adjudge.value import ppi, ppi_plus
from value import small_tables


def test_james_stein_goes_from_nothing_to_everything() -> None:
    one = np.ones(3)
    weight = power_tuning.james_stein(np.array([0.05, 0.5, 1.0]), one, 8 * one, one)
    np.testing.assert_allclose(weight, [0.0, 1 - 0.5 / (8 * 0.5), 1.0])
    assert power_tuning.james_stein(one[:1], one[:1], np.zeros(1), one[:1])[0] == 0.0


def test_identical_forecasts_count_once() -> None:
    ratings = small_tables.drawn(1, judges=2)
    ratings.score[:, 1] = 3 - 2 * ratings.score[:, 0]
    pieces = difference.pieces(difference.fold(difference.prepare(ratings, judges=(0, 1)), ratings))
    assert power_tuning.tune(pieces).spent[0] == pytest.approx(1.0, abs=0.05)


def test_a_constant_forecast_gets_no_weight() -> None:
    ratings = small_tables.drawn(2)
    ratings.score[:] = 7.3
    pieces = difference.pieces(difference.fold(difference.prepare(ratings, judges=(0,)), ratings))
    tuned = power_tuning.tune(pieces)
    assert (tuned.lam[0, 0], tuned.spent[0]) == (0.0, 0.0)


@pytest.mark.parametrize("m", [5, 53])
def test_the_array_mean_is_ppi_plus(m: int) -> None:
    ratings = small_tables.drawn(3, m=m)
    labelled, f = ratings.labelled, ratings.score[:, 0]
    mean = ppi_mean(ratings.gold[labelled], f[labelled], f[~labelled])
    table = ppi_plus.estimate(ratings)
    assert mean.value == pytest.approx(table.value[0], rel=1e-12)
    assert mean.variance == pytest.approx(table.stderr[0] ** 2, rel=1e-11)
    assert mean.df == pytest.approx(table.df[0], rel=1e-9)


@pytest.mark.parametrize("lam", [0.0, 0.7, 1.0])
def test_the_array_mean_at_fixed_lambda_is_ppi(lam: float) -> None:
    ratings = small_tables.drawn(4)
    labelled, f = ratings.labelled, ratings.score[:, 0]
    mean = ppi_mean(ratings.gold[labelled], f[labelled], f[~labelled], lam=lam)
    table = ppi.estimate(ratings, lam=lam)
    assert mean.value == pytest.approx(table.value[0], rel=1e-12)
    assert mean.variance == pytest.approx(table.stderr[0] ** 2, rel=1e-11)
    assert mean.df == pytest.approx(table.df[0], rel=1e-9)


def test_the_array_mean_survives_a_huge_offset_and_too_little_data() -> None:
    rng = np.random.default_rng(5)
    y, h, f = rng.random(101), rng.random(101), rng.random(1009)
    one, far = ppi_mean(y, h, f, lam=1.0), ppi_mean(y + 1e6, h + 1e6, f + 1e6, lam=1.0)
    assert far.variance == pytest.approx(one.variance, rel=1e-6)
    assert np.isnan(ppi_mean([1.0], [1.0], [1.0]).value)


def test_two_million_rows_take_a_twentieth_of_a_second() -> None:
    rng = np.random.default_rng(6)
    y, h, f = rng.random((3, 1_000_000))
    best = np.inf
    for _ in range(3):
        start = time.process_time()
        ppi_mean(y, h, f)
        best = min(best, time.process_time() - start)
    assert best < 0.05 * 3  # the bar is 0.05 s; a busy machine gets three times that
