"""Slopes of log-densities: the Gaussian limit, known bent densities, repeats and units."""

import numpy as np
import pytest

from adjudge.stats import score_density


def test_matched_without_knots_is_the_gaussian_line_on_any_values():
    x = np.random.default_rng(0).gamma(2, size=101)
    at = np.linspace(-1, 9, 13)
    np.testing.assert_allclose(score_density.matched(x, knots=0)(at), score_density.gaussian(x)(at), rtol=1e-10)
    np.testing.assert_allclose(score_density.gaussian(x)(at), -(at - x.mean()) / x.var())


@pytest.mark.parametrize("estimate", [score_density.kernel, score_density.matched])
def test_two_groups_pull_to_the_nearer_one(estimate):
    rng = np.random.default_rng(1)
    x = rng.choice([-2.0, 2.0], 20011) + 0.7 * rng.normal(size=20011)
    slope = estimate(x)(np.array([-3.0, -1.0, 0.0, 1.0, 3.0]))
    assert slope[0] > 1
    assert slope[1] < -0.5
    assert abs(slope[2]) < 0.8  # few values lie there, and the slope is steep
    assert slope[3] > 0.5
    assert slope[4] < -1


def test_kernel_keeps_the_variance():
    x = np.random.default_rng(2).normal(3, 2, 50021)
    line = np.polyfit(x, score_density.kernel(x, bandwidth=0.5)(x), 1)[0]
    assert abs(line * 4 + 1) < 0.03  # without drawing the values in: −1/(1 + 0.25) = −0.8


@pytest.mark.parametrize("estimate", [score_density.kernel, score_density.matched, score_density.gaussian])
def test_repeats_are_weights_and_units_scale(estimate):
    x = np.random.default_rng(3).gamma(3, size=101)
    times = np.random.default_rng(4).integers(1, 4, 101)
    at = np.linspace(0.5, 8, 11)
    one = estimate(x, weight=times.astype(float))(at)
    np.testing.assert_allclose(estimate(np.repeat(x, times))(at), one, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(
        estimate(10 * x - 3, weight=times.astype(float))(10 * at - 3), one / 10, rtol=1e-6, atol=1e-9
    )
