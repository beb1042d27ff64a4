"""Batched straight lines and logistic curves: against closed forms, stationarity, and exact levers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.stats import glm


def sample(seed: int = 0, m: int = 83) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(m), rng.standard_normal((m, 2))])
    return X, special.expit(X @ [0.2, 1.0, -0.5] + rng.standard_normal(m)), rng.exponential(size=(5, m))


def test_line_is_least_squares():
    X, y, weights = sample()
    for beta, w in zip(glm.line(X, y, weights, ridge=np.zeros(3)), weights, strict=True):
        root = np.sqrt(w)
        assert beta == pytest.approx(np.linalg.lstsq(X * root[:, None], y * root, rcond=None)[0])


def test_repeated_columns_share_the_slope():
    X, y, weights = sample()
    twice = glm.line(X[:, [0, 1, 1]], y, weights, ridge=np.zeros(3))
    once = glm.line(X[:, [0, 1]], y, weights, ridge=np.zeros(2))
    assert twice[:, 1] == pytest.approx(twice[:, 2])
    assert twice[:, 1] + twice[:, 2] == pytest.approx(once[:, 1])


@pytest.mark.parametrize("binary", [False, True])
def test_logistic_stands_still_at_its_answer(binary):
    X, y, weights = sample()
    y = (y > 0.5).astype(float) if binary else y
    ridge = np.array([0.0, 0.1, 0.1])
    for beta, w in zip(glm.logistic(X, y, weights, ridge=ridge), weights, strict=True):
        assert X.T @ (w * (y - special.expit(X @ beta))) - ridge * beta == pytest.approx(np.zeros(3), abs=1e-8)


def test_separated_labels_give_finite_slopes():
    X = np.column_stack([np.ones(11), np.arange(11) - 5.0])
    y = (np.arange(11) > 4).astype(float)
    beta = glm.logistic(X, y, np.ones((1, 11)), ridge=np.array([0.0, 0.1]))
    assert np.isfinite(beta).all()
    free = glm.logistic(X, y, np.ones((1, 11)), ridge=np.zeros(2))
    assert np.isfinite(free).all()


def test_constant_labels_give_their_value():
    X = np.column_stack([np.ones(11), np.arange(11) - 5.0])
    beta = glm.logistic(X, np.ones(11), np.ones((1, 11)), ridge=np.array([0.0, 0.1]))
    assert special.expit(X @ beta[0]) == pytest.approx(np.ones(11), abs=1e-6)


def test_no_weight_is_nan():
    X, y, _ = sample()
    assert np.isnan(glm.line(X, y, np.zeros((1, 83)), ridge=np.zeros(3))).all()
    assert np.isnan(glm.logistic(X, y, np.zeros((1, 83)), ridge=np.zeros(3))).all()


@pytest.mark.parametrize("ridge", [0.0, 3.0])
def test_lever_and_influence_are_exact_derivatives(ridge):
    X, y, weights = sample()
    w, penalty, h = weights[0], np.array([0.0, ridge, ridge]), 1e-6
    beta = glm.logistic(X, y, w[None], ridge=penalty)[0]
    mu = special.expit(X @ beta)
    lever = glm.lever(X, w, mu * (1 - mu), ridge=penalty)
    influence = glm.influence(X, y - mu, w, mu * (1 - mu), ridge=penalty)
    for row in (0, 41, 82):
        raised, heavier = y.copy(), w.copy()
        raised[row] += h
        heavier[row] *= np.exp(h)
        by_label = (glm.logistic(X, raised, w[None], ridge=penalty)[0] - beta) / h
        by_weight = (glm.logistic(X, y, heavier[None], ridge=penalty)[0] - beta) / h
        assert lever[row] == pytest.approx(by_label, abs=1e-4)
        assert influence[row] == pytest.approx(by_weight, abs=1e-4)
