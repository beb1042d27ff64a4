"""Isotonic regression: against a quadratic programme, its laws, its derivatives, and the cost of a refit."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from adjudge.stats import isotonic


def sample(seed: int, m: int, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 7, m) / 7 if ties else rng.random(m)
    return x, x + 0.5 * rng.standard_normal(m), rng.exponential(size=m)


def by_quadratic_programme(at: isotonic.Levels, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The same fit as a free base plus non-negative rises, by non-negative least squares."""
    rises = np.tril(np.ones((at.point.size, at.point.size)))[at.level]
    rises[:, 0] = 1.0
    root = np.sqrt(w)[:, None]
    solved, _ = nnls(root * np.column_stack([rises, -np.ones(y.size)]), root[:, 0] * y)
    steps = solved[:-1].copy()
    steps[0] -= solved[-1]
    return np.cumsum(steps)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_equals_a_quadratic_programme(seed, ties):
    x, y, w = sample(seed, 37, ties=ties)
    at = isotonic.levels(x)
    assert isotonic.refit(at, y, w[None])[0] == pytest.approx(by_quadratic_programme(at, y, w), abs=1e-8)


def test_hand_worked():
    # 1, 3 | 2 pooled to 2.5 | 4: the example of Robertson, Wright & Dykstra's pooling in its smallest form.
    steps, lever = isotonic.fit(isotonic.levels(np.arange(4.0)), np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
    assert steps.value == pytest.approx([1.0, 2.5, 4.0])
    assert steps.mass == pytest.approx([1.0, 2.0, 1.0])
    assert steps.centre == pytest.approx([0.0, 1.5, 3.0])
    assert lever == pytest.approx(np.array([[1, 0, 0], [0, 0.5, 0], [0, 0.5, 0], [0, 0, 1]]))
    value, gradient = steps.respond(np.array([-9.0, 0.5, 1.7, 9.0]))
    assert value == pytest.approx([1.0, 1.75, 2.5, 4.0])
    assert gradient[1] == pytest.approx([0.5, 0.5, 0.0])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.floats(-5, 5, allow_nan=False), st.integers(1, 4)), min_size=1, max_size=31
    )
)
def test_laws(rows):
    x, y, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    at = isotonic.levels(x)
    curve = isotonic.refit(at, y, w[None])[0]
    fitted = curve[at.level]
    assert (np.diff(curve) >= -1e-12).all()
    assert w @ fitted == pytest.approx(w @ y, abs=1e-9)  # keeps the mean
    assert w @ (fitted * (y - fitted)) == pytest.approx(0, abs=1e-8)  # the residual is orthogonal to the fit
    copies = np.repeat(np.arange(x.size), w.astype(int))  # weight k is k copies
    repeated = isotonic.refit(isotonic.levels(x[copies]), y[copies], np.ones((1, copies.size)))[0]
    assert repeated == pytest.approx(curve, abs=1e-9)
    again = isotonic.refit(at, fitted, w[None])[0]  # stands still at its answer
    assert again == pytest.approx(curve, abs=1e-12)


def test_ordered_labels_are_left_alone():
    y = np.sort(np.random.default_rng(2).random(23))
    assert isotonic.refit(isotonic.levels(y), y, np.ones((1, 23)))[0] == pytest.approx(y)


def test_falling_labels_become_their_mean():
    steps, _ = isotonic.fit(isotonic.levels(np.arange(11.0)), -np.arange(11.0), np.ones(11))
    assert steps.value == pytest.approx([-5.0])
    assert steps.slope(np.array([3.0])) == 0
    assert steps.respond(np.array([99.0]))[0] == pytest.approx([-5.0])


def test_single_point():
    steps, lever = isotonic.fit(isotonic.levels(np.array([0.3])), np.array([0.7]), np.array([2.0]))
    assert steps.respond(np.array([0.0, 0.3, 1.0]))[0] == pytest.approx([0.7, 0.7, 0.7])
    assert lever == pytest.approx(np.array([[1.0]]))


@pytest.mark.parametrize("ties", [False, True])
def test_lever_is_the_derivative_by_each_label(ties):
    x, y, w = sample(4, 29, ties=ties)
    at, grid = isotonic.levels(x), np.linspace(-0.1, 1.1, 13)
    steps, lever = isotonic.fit(at, y, w)
    value, gradient = steps.respond(grid)
    for row in (0, 7, 28):
        raised = y.copy()
        raised[row] += 1e-7
        moved = (isotonic.fit(at, raised, w)[0].respond(grid)[0] - value) / 1e-7
        assert gradient @ lever[row] == pytest.approx(moved, abs=1e-6)


def test_many_weightings_equal_one_at_a_time():
    x, y, _ = sample(6, 41)
    at = isotonic.levels(x)
    weights = np.random.default_rng(1).poisson(1.0, (17, 41)).astype(float)
    table = isotonic.refit(at, y, weights)
    for curve, w in zip(table, weights, strict=True):
        kept = w > 0
        steps, _ = isotonic.fit(isotonic.levels(x[kept]), y[kept], w[kept])
        assert curve == pytest.approx(steps.respond(at.point)[0])


def test_no_weight_is_nan():
    assert np.isnan(isotonic.refit(isotonic.levels(np.arange(3.0)), np.arange(3.0), np.zeros((1, 3)))).all()


def test_refits_are_cheap_enough_for_a_bootstrap():
    """2,000 refits on 1,250 labels take about 0.35 CPU-seconds; 3 leaves room for a slow machine."""
    x, y, _ = sample(8, 1250)
    weights = np.random.default_rng(2).exponential(size=(500, 1250))
    at, start = isotonic.levels(x), time.process_time()
    isotonic.refit(at, y, weights)
    assert time.process_time() - start < 0.75
