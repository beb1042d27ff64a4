"""Mixtures of quantile models: best on a grid, nested forms, regions that help, sample quantiles as limit."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats import quantile_loss as ql
from adjudge.stats import quantile_stack, simplex_quantiles

LEVELS = np.array([0.1, 0.5, 0.9])


def _models(seed, n=211):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = x[:, 0] + rng.normal(size=n)
    good = x[:, [0]] + np.array([-1.28, 0.0, 1.28])
    left = x[:, [1]] < 0
    return x, y, np.stack([np.where(left, good, good + 2), np.where(left, good - 2, good), 0.3 * good], axis=1)


def _loss(stack, q, y, x):
    return ql.pinball(stack.mixed(q, x), y, LEVELS).mean()


def test_coarse_weights_are_the_best_on_a_grid():
    x, y, q = _models(1)
    stack = quantile_stack.fit(q, y, LEVELS, form="coarse")
    best = _loss(stack, q, y, x)
    grid = np.linspace(0, 1, 41)
    for a in grid:
        for b in grid[grid <= 1 - a + 1e-12]:
            mixed = np.einsum("nml,m->nl", q, [a, b, max(1 - a - b, 0)])
            assert ql.pinball(mixed, y, LEVELS).mean() >= best - 1e-9
    np.testing.assert_allclose(stack.weights.sum(axis=1), 1)
    assert stack.weights.min() >= -1e-12


def test_richer_forms_fit_at_least_as_well():
    x, y, q = _models(2)
    fits = [quantile_stack.average(LEVELS, 3)]
    fits += [quantile_stack.fit(q, y, LEVELS, form=form) for form in quantile_stack.FORMS]
    losses = [_loss(stack, q, y, x) for stack in fits]
    assert np.all(np.diff(losses) <= 1e-9)
    assert _loss(quantile_stack.fit(q, y, LEVELS, regions=3, features=x), q, y, x) <= losses[2] + 1e-9


def test_regions_find_the_feature_that_parts_the_models():
    x, y, q = _models(3, n=401)
    local = quantile_stack.fit(q, y, LEVELS, form="coarse", regions=3, features=x)
    assert abs(local.regions.direction[1]) > 3 * abs(local.regions.direction[0])
    np.testing.assert_allclose(local.regions(x, 401).sum(axis=1), 1)
    fresh_x, fresh_y, fresh_q = _models(4, n=2003)
    whole = quantile_stack.fit(q, y, LEVELS, form="coarse")
    assert _loss(local, fresh_q, fresh_y, fresh_x) < 0.9 * _loss(whole, fresh_q, fresh_y, fresh_x)


def test_an_intercept_alone_is_the_sample_quantile():
    y = np.random.default_rng(5).normal(size=101)
    found = simplex_quantiles.linear_quantile(np.ones((101, 1)), y, LEVELS, weight=np.ones(101))[:, 0]
    np.testing.assert_allclose(found, np.sort(y)[[10, 50, 90]])


def test_weight_is_repetition_and_order_is_nothing():
    _, y, q = _models(6, n=53)
    times = np.random.default_rng(0).integers(1, 4, 53)
    one = quantile_stack.fit(q, y, LEVELS, weight=times.astype(float)).weights
    rows = np.random.default_rng(1).permutation(np.repeat(np.arange(53), times))
    np.testing.assert_allclose(quantile_stack.fit(q[rows], y[rows], LEVELS).weights, one, atol=1e-9)


def test_one_model_is_itself_and_regions_need_features():
    x, y, q = _models(7)
    np.testing.assert_array_equal(quantile_stack.fit(q[:, :1], y, LEVELS).mixed(q[:, :1], x), q[:, 0])
    with pytest.raises(AdjudgeError, match="features"):
        quantile_stack.fit(q, y, LEVELS, regions=3)
