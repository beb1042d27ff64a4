"""Borrowing residuals: who stands alone, who borrows, and what the transport error is."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.stats import mixing

SHIFT = np.array([0.10, -0.05, 0.02, -0.08, 0.0])
ERROR = np.array([4e-4, 4e-4, 4e-4, 9e-3, 0.0])
N = np.array([101.0, 101.0, 101.0, 7.0, 0.0])
OWN = np.array([True, True, True, True, False])


def test_labels_enough_stand_alone_few_borrow_and_none_take_all() -> None:
    mixed = mixing.mix(SHIFT, ERROR, N, OWN)
    np.testing.assert_array_equal(mixed.share[:3], 1.0)
    assert 0 < mixed.share[3] < 1
    assert mixed.share[4] == 0
    np.testing.assert_allclose(mixed.matrix.sum(axis=1), 1.0)
    assert np.all(np.diagonal(mixed.transport)[:3] == 0)
    assert 0 < mixed.transport[3, 3] < mixed.transport[4, 4]


def test_the_new_policys_error_is_that_of_one_more_draw() -> None:
    mixed = mixing.mix(SHIFT[[0, 1, 2, 4]], ERROR[[0, 1, 2, 4]], N[[0, 1, 2, 4]], OWN[[0, 1, 2, 4]])
    spread = np.var(SHIFT[:3], ddof=1)
    assert mixed.spread == pytest.approx(np.sqrt(spread))
    assert mixed.transport[3, 3] == pytest.approx(spread * (1 + 1 / 3))


def test_two_labelled_policies_say_nothing_of_a_third() -> None:
    mixed = mixing.mix(SHIFT[2:], ERROR[2:], N[2:], OWN[2:])
    np.testing.assert_array_equal(mixed.share, [1, 1, 0])
    assert mixed.alone
    assert not mixed.transport.any()


def test_alike_and_uncertain_residuals_are_pooled_and_unlike_ones_are_not() -> None:
    few = np.full(5, 7.0)
    alike = mixing.mix(SHIFT, np.full(5, 1.0), few, np.ones(5, bool))
    unlike = mixing.mix(100 * SHIFT, np.full(5, 1.0), few, np.ones(5, bool))
    assert alike.share.max() < 0.2
    assert unlike.share.min() > 0.9


def test_certain_residuals_are_not_pooled() -> None:
    assert mixing.mix(SHIFT, np.zeros(5), np.full(5, 7.0), np.ones(5, bool)).alone
