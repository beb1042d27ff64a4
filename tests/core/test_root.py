"""Roots: hand-worked, as scipy's Brent finds them, and brackets without a crossing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from adjudge.core.root import root


def test_a_straight_line_takes_one_step_and_an_end_may_be_the_zero():
    tried = []
    assert root(lambda x: tried.append(x) or 2 * x - 3, 0.0, 4.0) == 1.5
    assert len(tried) == 3  # both ends and the zero
    assert root(lambda x: x, 0.0, 1.0) == 0.0
    assert root(lambda x: x - 1, 0.0, 1.0) == 1.0


def test_the_roots_are_those_of_brents_method():
    rng, met = np.random.default_rng(0), 0
    for _ in range(200):
        a, b, c = rng.normal(size=3)

        def f(x, a=a, b=b, c=c):
            return float(np.tanh(a + 5 * x) + b * x**3 + c)

        for tolerance in (1e-3, 2e-12):
            low, high = -rng.exponential(3), rng.exponential(3)
            if f(low) * f(high) < 0:
                assert root(f, low, high, tolerance=tolerance) == brentq(f, low, high, xtol=tolerance)
                met += 1
    assert met > 100


def test_no_change_of_sign_is_refused():
    with pytest.raises(ValueError, match="without a change of sign"):
        root(lambda x: x * x + 1, -1.0, 1.0)
