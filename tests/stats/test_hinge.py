"""Hinge regression: straight limits, straight ends, many fits at once, and a bend that it follows."""

import numpy as np

from adjudge.stats import hinge


def _draw(n=211):
    rng = np.random.default_rng(1)
    x = rng.uniform(-2, 2, (n, 1))
    return x, np.abs(x[:, 0]) + 0.1 * rng.normal(size=n)


def test_it_follows_a_bend_and_goes_on_straight():
    x, y = _draw()
    design = hinge.place(x, weight=np.ones(211))
    beta, _ = hinge.smooth(design(x), y, np.ones((1, 211)), design)
    at = np.array([[-3.0], [-2.5], [-1.0], [1.0], [2.5], [3.0], [3.5]])
    value = design(at) @ beta[0]
    np.testing.assert_allclose(value, np.abs(at[:, 0]), atol=0.2)
    np.testing.assert_allclose(value[6] - value[5], value[5] - value[4])


def test_straight_data_give_the_least_squares_line():
    x, _ = _draw()
    y = 3 - 2 * x[:, 0]
    design = hinge.place(x, weight=np.ones(211))
    beta, _ = hinge.smooth(design(x), y, np.ones((1, 211)), design)
    np.testing.assert_allclose(design(x) @ beta[0], y, atol=1e-8)


def test_few_rows_get_no_hinges():
    x, y = _draw(7)
    design = hinge.place(x, weight=np.ones(7))
    assert design.knots.shape == (1, 0)
    beta, _ = hinge.smooth(design(x), y, np.ones((1, 7)), design)
    np.testing.assert_allclose(design(x) @ beta[0], np.polyval(np.polyfit(x[:, 0], y, 1), x[:, 0]))


def test_each_weighting_is_its_own_fit():
    x, y = _draw()
    design = hinge.place(x, weight=np.ones(211))
    weights = np.ones((2, 211))
    weights[1, :50] = 0
    both, ridge = hinge.smooth(design(x), y, weights, design)
    kept = design(x[50:])
    alone = np.linalg.solve(kept.T @ kept + np.diag(ridge), kept.T @ y[50:])
    np.testing.assert_allclose(kept @ both[1], kept @ alone, atol=1e-8)
