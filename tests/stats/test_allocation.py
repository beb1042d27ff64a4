"""Square-root allocation: hand-worked values, the optimality conditions, and the dual problem."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudge.errors import AdjudgeError
from adjudge.stats.allocation import allocate, cheapest, minimum_detectable_effect


def test_neyman_by_hand():
    # x ∝ √(v/c) = (6, 2, 1); cost of one such bundle 6·1 + 2·4 + 1·9 = 23; a budget of 230 buys ten
    np.testing.assert_allclose(allocate([36.0, 16.0, 9.0], [1.0, 4.0, 9.0], 230.0), [60, 20, 10], rtol=1e-9)


def test_bounds_bind_and_the_rest_is_shared():
    x = allocate([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], 30.0, lower=[0, 20, 0], upper=[3, 50, 50])
    np.testing.assert_allclose(x, [3, 20, 7], rtol=1e-9)


@given(
    st.lists(st.tuples(st.floats(0.01, 50), st.floats(0.1, 20)), min_size=2, max_size=7),
    st.floats(10, 1e5),
    st.randoms(use_true_random=False),
)
def test_no_other_spending_of_the_budget_does_better(sources, budget, random):
    v, c = np.array(sources).T
    x = allocate(v, c, budget)
    assert c @ x == pytest.approx(budget, rel=1e-6)
    share = np.array([random.random() + 0.01 for _ in sources])
    other = share / share.sum() * budget / c
    assert (v / x).sum() <= (v / other).sum() * (1 + 1e-6)


def test_cheapest_is_the_dual():
    v, c = np.array([5.0, 2.0, 11.0]), np.array([1.0, 3.0, 0.5])
    x = allocate(v, c, 97.0)
    np.testing.assert_allclose(cheapest(v, c, float((v / x).sum())), x, rtol=1e-6)


def test_a_target_out_of_reach_is_nan_and_a_source_without_variance_costs_nothing():
    assert np.isnan(cheapest([1.0, 1.0], [1.0, 1.0], 0.001, upper=[10, 10])).all()
    np.testing.assert_allclose(allocate([0.0, 1.0], [1.0, 1.0], 10.0), [0, 10], rtol=1e-9)


def test_minimum_detectable_effect_has_its_power_when_simulated():
    effect = float(minimum_detectable_effect(0.5, level=0.9, power=0.7))
    z = np.random.default_rng(5).normal(effect / 0.5, 1, 20_011)
    found = np.mean(np.abs(z) > 1.6448536)
    assert abs(found - 0.7) < 4 * np.sqrt(0.7 * 0.3 / z.size)


def test_impossible_plans_are_refused():
    with pytest.raises(AdjudgeError, match="does not pay"):
        allocate([1.0], [1.0], 5.0, lower=[6])
    with pytest.raises(AdjudgeError, match="costs > 0"):
        allocate([1.0], [0.0], 5.0)
