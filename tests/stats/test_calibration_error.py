"""Calibration errors: hand-worked values, the expectation of the balance, and the bias of bins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adjudge.stats import calibration_error as ce


@given(st.floats(0, 1), st.floats(0, 1))
def test_expected_balance_is_true_minus_claimed_confidence(p, q):
    side = 1 if q >= 0.5 else -1
    expected = (
        p * ce.balance(np.array([q]), np.array([1.0]))[0] + (1 - p) * ce.balance(np.array([q]), np.array([0.0]))[0]
    )
    np.testing.assert_allclose(expected, side * (p - q), atol=1e-12)
    assert abs(expected) <= ce.true_ece(np.array([p]), np.array([q])) + 1e-12


def test_errors_of_opposite_sign_cancel_in_the_balance_and_not_in_bins():
    q, y = np.array([0.8] * 5 + [0.6] * 5), np.array([1, 1, 1, 0, 0, 1, 1, 1, 1, 0], float)  # 0.6 and 0.8 swapped
    np.testing.assert_allclose(ce.balance(q, y).mean(), 0.0, atol=1e-12)
    np.testing.assert_allclose(ce.binned_ece(q, y, bins=2), 0.2)


def test_bins_of_equal_width_and_weights_by_hand():
    q, y = np.array([0.1, 0.3, 0.9]), np.array([0.0, 1.0, 1.0])
    # bins [0, .5) and [.5, 1]: gaps 0.3 (two rows) and 0.1
    np.testing.assert_allclose(ce.binned_ece(q, y, bins=2, equal_mass=False), (2 * 0.3 + 0.1) / 3)
    doubled = ce.binned_ece(q, y, bins=2, equal_mass=False, weight=np.array([1.0, 1.0, 2.0]))
    np.testing.assert_allclose(doubled, (2 * 0.3 + 2 * 0.1) / 4)


def test_folded_mean_against_numerical_integration():
    z = np.linspace(-9, 9, 20001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    for mean, sd in ((0.0, 1.0), (0.3, 0.7), (-2.0, 0.5)):
        numeric = np.trapezoid(np.abs(mean + sd * z) * density, z)
        np.testing.assert_allclose(ce.folded_mean(np.array([mean]), np.array([sd**2]))[0], numeric, rtol=1e-6)


def test_the_balance_is_unbiased_where_bins_are_not():
    rng = np.random.default_rng(7)
    found = []
    for _ in range(400):
        p = rng.beta(2, 2, 53)
        y = (rng.random(53) < p).astype(float)
        found.append([ce.balance(p, y).mean(), ce.binned_ece(p, y), ce.binned_ece(p, y, debias=True)])
    balance, ece, debiased = np.mean(found, axis=0)
    assert abs(balance) < 4 * np.std(found, axis=0)[0] / np.sqrt(400)
    assert ece > 0.1  # of predictions that are exactly right
    assert debiased < 0.7 * ece
