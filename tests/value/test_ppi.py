"""PPI at fixed λ: the formula, ppi-python's numbers, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.value import labels_only, ppi
from value import small_tables

# ppi-python 0.2.3, ppi_mean_pointestimate and ppi_mean_ci(alpha=0.05) on the arrays of `golden_table`, no weights:
# λ: (point, low, high). Its variances divide by n and N, ours by n − 1 and N − 1.
GOLDEN = {
    0.0: (0.43356643356643354, 0.27237750032842417, 0.594755366804443),
    0.5: (0.451746512991033, 0.2784160388838395, 0.6250769870982266),
    1.0: (0.46992659241563256, 0.24496871765486125, 0.6948844671764038),
}


def golden_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    i, j = np.arange(13), np.arange(31)
    return ((7 * i) % 11) / 11, ((5 * i + 2) % 17) / 17, ((3 * j + 1) % 29) / 29


@pytest.mark.parametrize("lam", sorted(GOLDEN))
def test_agrees_with_ppi_python(lam: float) -> None:
    y, h, f = golden_table()
    gold = np.concatenate([y, np.full(f.size, np.nan)])
    result = ppi.estimate(small_tables.table(gold, np.concatenate([h, f])), lam=lam)
    point, low, high = GOLDEN[lam]
    assert result.value[0] == pytest.approx(point, abs=1e-12)
    theirs = np.var(y - lam * h) / y.size + lam**2 * np.var(f) / f.size
    half = special.ndtri(0.975) * np.sqrt(theirs)
    assert (point - half, point + half) == pytest.approx((low, high), abs=1e-10)
    ours = np.var(y - lam * h, ddof=1) / y.size + lam**2 * np.var(f, ddof=1) / f.size
    assert result.stderr[0] ** 2 == pytest.approx(ours, abs=1e-12)


def test_at_lambda_nought_it_is_labels_only() -> None:
    ratings = small_tables.drawn(1, k=3, clusters=61)
    one, other = ppi.estimate(ratings, lam=0.0), labels_only.estimate(ratings)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    np.testing.assert_array_equal(one.interval(), other.interval())


def test_with_every_row_labelled_it_is_labels_only() -> None:
    ratings = small_tables.drawn(2, n=53, m=53)
    one, other = ppi.estimate(ratings), labels_only.estimate(ratings)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)


def test_a_perfect_judge_gives_the_mean_of_all_scores() -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(101)
    gold = np.where(np.arange(101) < 29, truth, np.nan)
    result = ppi.estimate(small_tables.table(gold, truth))
    assert result.value[0] == pytest.approx(truth[29:].mean())
    assert result.stderr[0] ** 2 == pytest.approx(np.var(truth[29:], ddof=1) / 72)


def test_a_constant_score_is_labels_only() -> None:
    ratings = small_tables.drawn(4)
    ratings.score[:] = 0.3
    np.testing.assert_allclose(ppi.estimate(ratings).value, labels_only.estimate(ratings).value, rtol=1e-12)
    np.testing.assert_allclose(ppi.estimate(ratings).stderr, labels_only.estimate(ratings).stderr, rtol=1e-12)


def test_a_missing_score_is_a_forecast_that_says_nothing() -> None:
    ratings = small_tables.drawn(5)
    ratings.score[::7] = np.nan
    labelled = ratings.labelled & np.isfinite(ratings.score[:, 0])
    filled = small_tables.drawn(5)
    filled.score[::7] = ratings.score[labelled].mean()
    np.testing.assert_allclose(ppi.estimate(ratings).value, ppi.estimate(filled).value, rtol=1e-12)
