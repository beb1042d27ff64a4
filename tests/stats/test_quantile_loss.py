"""Quantile scores: interval form of the WIS, ordering that never hurts, isotonic against SciPy, conformal coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import isotonic_regression

from adjudge.errors import AdjudgeError
from adjudge.stats import quantile_loss as ql

LEVELS = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
some = arrays(float, (3, 5), elements=st.floats(-10, 10))


@given(some, st.floats(-10, 10))
def test_ordering_never_raises_the_score(quantile, y):
    outcome = np.full(3, y)
    raw = ql.weighted_interval_score(quantile, outcome, LEVELS)
    for order in (ql.sort, ql.isotonic):
        assert np.all(ql.weighted_interval_score(order(quantile), outcome, LEVELS) <= raw + 1e-9)


@given(some)
def test_isotonic_is_scipys_row_by_row(quantile):
    found = ql.isotonic(quantile)
    assert ql.crossing(found) == 0
    np.testing.assert_allclose(found, [isotonic_regression(row).x for row in quantile], atol=1e-9)


def test_wis_is_the_weighted_sum_of_interval_scores():
    # Bracher et al. (2021), Eq. 2: (½|y − m| + Σ α_k/2·IS_k) / (K + ½), IS = width + 2/α·overshoot
    q, y = np.array([[1.0, 2.0, 3.0, 5.0, 8.0]]), 9.0
    interval = [(0.1, 1.0, 8.0), (0.4, 2.0, 5.0)]
    total = 0.5 * abs(y - 3.0) + sum(a / 2 * ((u - low) + 2 / a * (y - u)) for a, low, u in interval)
    np.testing.assert_allclose(ql.weighted_interval_score(q, np.array([y]), LEVELS), total / 2.5)


def test_conformal_steps_cover_whatever_the_quantiles_are():
    rng = np.random.default_rng(1)
    n, covered = 59, []
    for _ in range(600):
        q = np.array([-0.2, -0.1, 0.3, 0.4, 0.5]) + np.zeros((n + 1, 5))  # of a standard normal: far too narrow
        y = rng.normal(size=n + 1)
        shift = ql.conformal_shift(q[:n], y[:n], LEVELS)
        covered.append(ql.covered(q[n:] + shift, y[n:], LEVELS)[1])
    rank = np.ceil((n + 1) * np.array([0.9, 0.6])) / (n + 1)  # exact for continuous outcomes
    assert np.all(np.abs(np.mean(covered, axis=0) - rank) < 4 * np.sqrt(rank * (1 - rank) / 600))


def test_too_few_outcomes_give_an_endless_interval():
    shift = ql.conformal_shift(np.zeros((7, 5)), np.arange(7.0), LEVELS)
    assert shift[0] == -np.inf
    assert shift[4] == np.inf
    assert np.isfinite(shift[1:4]).all()


def test_levels_that_make_no_intervals_are_an_error():
    with pytest.raises(AdjudgeError, match="symmetric"):
        ql.pairs(np.array([0.1, 0.5, 0.8]))
