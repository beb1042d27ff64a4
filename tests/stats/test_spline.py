"""Natural cubic splines: the space, the exact penalty, and its limits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

from adjudge.stats import glm, spline


def columns(m: int = 97) -> np.ndarray:
    return np.sort(np.random.default_rng(4).random((m, 1)), axis=0)


def features(basis: spline.Basis, x: np.ndarray) -> np.ndarray:
    return basis(np.atleast_2d(x).reshape(-1, 1), np.empty((np.size(x), 0)))


def test_holds_every_natural_cubic_spline_of_its_knots():
    basis = spline.basis(columns(), np.ones(97), knots=5)
    knots = basis.knots[0] * basis.scale[0] + basis.centre[0]
    natural = CubicSpline(knots, [0.3, -1.0, 2.0, 0.5, 0.7], bc_type="natural")
    x = np.linspace(knots[0], knots[-1], 61)
    X = features(basis, x)
    assert X.shape == (61, 5)
    beta = np.linalg.lstsq(X, natural(x), rcond=None)[0]
    assert X @ beta == pytest.approx(natural(x), abs=1e-9)


def test_penalty_is_the_integrated_squared_curvature():
    basis = spline.basis(columns(), np.ones(97), knots=6)
    knots = basis.knots[0] * basis.scale[0] + basis.centre[0]
    reach, h = knots[-1] - knots[0], 1e-4
    gamma = np.r_[0.0, 0.0, np.random.default_rng(1).standard_normal(4)]

    def squared(t: float) -> float:
        x = knots[0] + reach * np.array([t - h, t, t + h])
        left, middle, right = features(basis, x) @ gamma
        return ((left - 2 * middle + right) / h**2) ** 2

    inner = (knots - knots[0]) / reach
    total = sum(quad(squared, a + h, b - h, epsabs=1e-6)[0] for a, b in pairwise(inner))
    assert gamma @ basis.curvature @ gamma == pytest.approx(total, rel=5e-3)


def test_straight_beyond_the_outer_knots():
    basis = spline.basis(columns(), np.ones(97))
    X = features(basis, np.array([3.0, 4.0, 5.0]))
    assert X[2] - X[1] == pytest.approx(X[1] - X[0], abs=1e-9)


def test_infinite_stiffness_is_the_straight_line():
    x = columns()
    y = np.sin(5 * x[:, 0])
    basis = spline.basis(x, np.ones(97))
    X = features(basis, x)
    stiff = glm.line(X, y, np.ones((1, 97)), ridge=1e12 * basis.curvature)[0]
    straight = np.polynomial.Polynomial.fit(x[:, 0], y, 1)
    assert X @ stiff == pytest.approx(straight(x[:, 0]), abs=1e-6)


def test_stiffness_follows_the_shape():
    rng = np.random.default_rng(9)
    x = rng.random((199, 1))
    basis = spline.basis(x, np.ones(199))
    X, w = features(basis, x), np.ones((1, 199))
    noise = 0.1 * rng.standard_normal(199)
    bent = spline.stiffness(
        X, np.sin(7 * x[:, 0]) + noise, w, units=np.array([199]), curvature=basis.curvature, ridge=basis.slopes
    )
    straight = spline.stiffness(
        X, x[:, 0] + noise, w, units=np.array([199]), curvature=basis.curvature, ridge=basis.slopes
    )
    assert bent[0] < 1 < straight[0]


@pytest.mark.parametrize("distinct", [1, 2, 3])
def test_few_distinct_values_enter_as_a_line(distinct):
    x = (np.arange(30) % distinct)[:, None].astype(float)
    basis = spline.basis(x, np.ones(30))
    assert features(basis, x).shape == (30, 2)
    assert np.isfinite(features(basis, x)).all()
