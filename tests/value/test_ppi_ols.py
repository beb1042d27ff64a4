"""Prediction-powered regressions: their limits, another program's numbers, and counted coverage."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import moments, rectified
from adjudge.value import ppi_logistic, ppi_ols

ROW = np.arange(264.0)
X = np.column_stack([np.ones(264), np.sin(1.7 * ROW), ROW % 5 == 0])
Y = 1 + 0.5 * X[:, 1] - 0.3 * X[:, 2] + 0.4 * np.cos(2.3 * ROW * ROW)
F = Y + 0.3 * np.sin(5.1 * ROW) + 0.2
KNOWN = ROW < 53


def half(y):
    return np.where(KNOWN, y, np.nan)


@pytest.mark.parametrize(
    ("strength", "expected"),
    [
        (0.37, [1.0023519697451544, 0.5115183006594372, -0.43286058864028926]),
        (1.0, [1.0385888147979259, 0.5691971810805401, -0.5583320654526305]),
    ],
)
def test_linear_points_are_those_of_ppi_python(strength, expected):
    """ppi_py.ppi_ols_pointestimate(X[l], Y[l], F[l], X[u], F[u], lam=...), ppi-python 0.2.3, NumPy 2.4.6."""
    np.testing.assert_allclose(rectified.regress(half(Y), X, F, strength=strength).value, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("strength", "expected"),
    [
        (0.37, [0.15031215164236525, 3.365243116205213, -2.509105623280661]),
        (1.0, [0.2902910186166287, 3.896041487509538, -3.641770113582265]),
    ],
)
def test_logistic_points_are_those_of_ppi_python(strength, expected):
    """ppi_py.ppi_logistic_pointestimate(..., optimizer_options={"ftol": 1e-18, "gtol": 1e-14}), ppi-python 0.2.3."""
    chance = 1 / (1 + np.exp(-3 * (F - 1)))
    found = rectified.regress(half((Y > 1).astype(float)), X, chance, model="logistic", strength=strength)
    np.testing.assert_allclose(found.value, expected, atol=1e-10)


PROGRAM = """
import json, sys, numpy as np, ppi_py
y, X, f = (np.array(part) for part in json.load(sys.stdin))
l, u = slice(0, 53), slice(53, None)
print(json.dumps([ppi_py.ppi_ols_pointestimate(X[l], y[l], f[l], X[u], f[u], lam=lam).tolist() for lam in (0, .5, 1)]))
"""


@pytest.mark.skipif(importlib.util.find_spec("ppi_py") is None, reason="ppi-python is not installed")
def test_linear_points_agree_with_the_ppi_python_that_is_installed():
    """In a process of its own: importing ppi_py silences every warning of the program that imports it."""
    rng = np.random.default_rng(3)
    y = Y + rng.standard_normal(264)
    given = json.dumps([y.tolist(), X.tolist(), F.tolist()])
    run = subprocess.run([sys.executable, "-c", PROGRAM], input=given, capture_output=True, text=True, check=True)
    for strength, expected in zip((0.0, 0.5, 1.0), json.loads(run.stdout), strict=True):
        np.testing.assert_allclose(rectified.regress(half(y), X, F, strength=strength).value, expected, atol=1e-10)


def test_strength_nought_is_least_squares_on_the_labels_alone():
    alone = rectified.regress(Y[KNOWN], X[KNOWN], F[KNOWN])
    nought = rectified.regress(half(Y), X, F, strength=0.0)
    np.testing.assert_allclose(nought.value, np.linalg.lstsq(X[KNOWN], Y[KNOWN], rcond=None)[0], atol=1e-12)
    np.testing.assert_allclose(nought.value, alone.value, atol=1e-12)
    np.testing.assert_allclose(nought.stderr, alone.stderr, rtol=0.02)  # G/(G−1) counts unlabelled clusters too


def test_a_perfect_judge_gives_the_regression_on_all_rows_at_full_strength():
    found = rectified.regress(half(Y), X, Y, strength=1.0)
    np.testing.assert_allclose(found.value, np.linalg.lstsq(X[~KNOWN], Y[~KNOWN], rcond=None)[0], atol=1e-12)


def test_tuned_strength_is_no_worse_than_either_end():
    spread = {s: np.trace(rectified.regress(half(Y), X, F, strength=s).covariance) for s in (None, 0.0, 1.0)}
    assert spread[None] <= min(spread[0.0], spread[1.0]) + 1e-12


@pytest.mark.parametrize("model", ["linear", "logistic"])
def test_newton_stands_still_at_its_answer_and_certifies_it(model):
    y = (Y > 1).astype(float)
    root = moments.solve(X, np.ones(264), X.T @ y, model=model)
    residual = X.T @ (y - moments.mean(X @ root.coef, model))
    assert root.certificate < 1e-9
    assert np.abs(residual).max() < 1e-8
    step = 1e-6
    slope = np.array(
        [
            X.T @ (moments.mean(X @ (root.coef + e), model) - moments.mean(X @ (root.coef - e), model))
            for e in step * np.eye(3)
        ]
    ) / (2 * step)
    np.testing.assert_allclose(slope @ root.inverse, np.eye(3), atol=1e-6)


def test_names_are_policies_and_covariates_and_a_difference_is_a_contrast():
    ratings = Judging(truth=(0.7, 0.5), items=503, labels=211).draw(1).ratings
    rng = np.random.default_rng(2)
    ratings = replace(ratings, covariates=rng.standard_normal((ratings.n, 1)), covariate_names=("length",))
    found = ppi_ols.estimate(ratings)
    assert found.names == ("policy=p00", "policy=p01", "length")
    assert found.method == "value.ppi_ols"
    gap = found.difference("policy=p00", "policy=p01")
    assert abs(gap.value[0] - 0.2) < 4 * gap.stderr[0]


def test_repeated_columns_separated_labels_and_too_few_labels_are_told():
    with pytest.raises(AdjudgeError, match="follows from the other columns"):
        rectified.regress(half(Y), np.column_stack([X, X[:, 1]]), F)
    with pytest.raises(AdjudgeError, match="separate"):
        rectified.regress(half((X[:, 1] > 0).astype(float)), X, F, model="logistic", strength=0.0)
    few = rectified.regress(np.where(ROW < 3, Y, np.nan), X, F)
    assert np.isnan(few.value).all()
    assert few.findings[0].code == "labels-too-few"
    ratings = Judging(truth=(0.7,), items=101, labels=53).draw(1).ratings
    with pytest.raises(AdjudgeError, match=r"labels in \[0, 1\]"):
        ppi_logistic.estimate(replace(ratings, gold=3 * ratings.gold))
    with pytest.raises(AdjudgeError, match="no covariate is named 'lenght'"):
        ppi_ols.estimate(ratings, columns=("lenght",))


def test_constant_labels_have_no_error_of_their_own():
    found = rectified.regress(half(np.ones(264)), X, F)
    assert np.isnan(found.stderr).all()
    assert "labels-constant" in {finding.code for finding in found.findings}


@pytest.mark.parametrize("model", ["linear", "logistic"])
def test_intervals_cover(model):
    rng = np.random.default_rng(5)
    n, m, trials, hits = 1009, 131, 300, np.zeros(2)
    truth = np.array([0.4, 0.8])
    for _ in range(trials):
        x = rng.standard_normal(n)
        design = np.column_stack([np.ones(n), x])
        eta = design @ truth
        if model == "linear":
            y = eta + rng.standard_normal(n) * (0.5 + np.abs(x) / 2)
            f = y + 0.7 * rng.standard_normal(n) + 0.5 * x
        else:
            y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
            f = np.clip(0.75 * y + 0.1 + 0.05 * x, 0, 1)
        found = rectified.regress(np.where(np.arange(n) < m, y, np.nan), design, f, model=model)
        low, high = found.interval().T
        hits += (low <= truth) & (truth <= high)
    assert (hits / trials > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)).all()
