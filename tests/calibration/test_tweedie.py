"""Tweedie's correction: the sign, its Gaussian limit (the linear correction), derivatives and bent worlds."""

import dataclasses

import numpy as np
import pytest

from adjudge.calibration import linear_correction, tweedie
from adjudge.calibration._slice import take
from adjudge.errors import AdjudgeError
from adjudge.stats import score_density
from adjudge.tables.ratings import Ratings


def _table(score, gold, noise=0.0):
    n = len(score)
    return Ratings(
        ("a",), ("judge",), np.zeros(n, int), np.arange(n), np.arange(n), np.asarray(score, float)[:, None],
        np.asarray(gold, float), np.ones(n), np.full(n, np.nan), np.where(np.isfinite(gold), noise, 0.0),
        np.empty((n, 0)),
    )  # fmt: skip


def _draw(seed, n, m, groups):
    rng = np.random.default_rng(seed)
    score = rng.choice([-1.2, 1.2], n) + 0.4 * rng.normal(size=n) if groups else rng.normal(size=n)
    truth = score + 0.5 * rng.normal(size=n)
    return score, truth, _table(score, np.where(np.arange(n) < m, truth, np.nan))


def test_a_gaussian_density_of_the_labelled_rows_is_the_linear_correction_exactly():
    score, gold = np.array([0.3, 1.1, 2.0, 2.2, 4.0]), np.array([1.0, 0.0, 2.0, 3.0, 3.5])
    ratings = _table(score, gold)
    labelled = take(ratings, judges=None, folds=5, seed=0)
    beta = np.polyfit(score, gold, 1)[::-1]
    left = np.mean((gold - beta[0] - beta[1] * score) ** 2)  # with n, not n − 2: the algebraic identity
    value, _ = tweedie.respond(
        labelled.score, labelled.covariates, theta=np.append(beta, left), push=score_density.gaussian(score)
    )
    np.testing.assert_allclose(value, linear_correction.fit(ratings)(ratings).forecast.value, rtol=1e-10)


def test_the_sign_pushes_away_from_the_bulk():
    _, _, ratings = _draw(1, 2003, 499, groups=False)
    made = tweedie.fit(ratings, density="gaussian")(ratings).forecast.value
    line = np.polynomial.Polynomial.fit(ratings.score[:, 0], made, 1).convert().coef[1]
    assert abs(line - 1.25) < 0.08  # 1 + σ²/Var Ŷ = 1.25: expanded, where denoising would give 0.75


@pytest.mark.parametrize("density", tweedie.DENSITIES)
def test_expectation_given_gold_is_gold_to_second_order(density):
    score, truth, ratings = _draw(2, 20011, 5003, groups=density == "matched")
    made = tweedie.fit(ratings, density=density)(ratings).forecast.value
    if density == "matched":  # in two groups the raw predictions lie up to 0.4 off, corrected ones much less
        bins = np.digitize(truth, np.linspace(-2, 2, 9))
        raw = np.array([np.mean((score - truth)[bins == b]) for b in range(1, 9)])
        put = np.array([np.mean((made - truth)[bins == b]) for b in range(1, 9)])
        assert np.sqrt(np.mean(put**2)) < 0.5 * np.sqrt(np.mean(raw**2))
    else:
        assert abs(np.polyfit(truth, made, 1)[0] - 1) < 0.03
        assert np.polyfit(truth, score, 1)[0] < 0.85


def test_no_residual_variance_leaves_the_line():
    score = np.linspace(0, 1, 41)
    ratings = _table(score, np.where(np.arange(41) % 2, 2 + 3 * score, np.nan))
    np.testing.assert_allclose(tweedie.fit(ratings)(ratings).forecast.value, 2 + 3 * score, atol=1e-9)


def test_rater_noise_is_not_taken_for_shrinkage():
    score, _, ratings = _draw(4, 997, 499, groups=False)
    noisy = dataclasses.replace(ratings, gold_variance=np.where(ratings.labelled, 0.25, 0.0))  # all of σ²
    value = tweedie.fit(noisy, density="gaussian")(noisy).forecast.value
    assert abs(np.polyfit(score, value, 1)[0] - 1.0) < 0.15


@pytest.mark.parametrize("density", tweedie.DENSITIES)
def test_gradient_against_finite_differences(density):
    score = np.random.default_rng(5).normal(size=(53, 1))
    push, theta = getattr(score_density, density)(score[:, 0]), np.array([0.3, 1.7, 0.4])
    _, gradient = tweedie.respond(score, np.empty((53, 0)), theta=theta, push=push)
    for j in range(3):
        step = 1e-6 * np.eye(3)[j]
        up, down = (tweedie.respond(score, np.empty((53, 0)), theta=theta + s, push=push)[0] for s in (step, -step))
        np.testing.assert_allclose(gradient[:, j], (up - down) / 2e-6, rtol=1e-6, atol=1e-6)


def test_the_analytic_error_of_the_mean_expansion_is_the_simulated_one():
    values, errors = [], []
    for seed in range(200):
        _, _, ratings = _draw(100 + seed, 307, 101, groups=False)
        made = tweedie.fit(ratings, density="gaussian")(ratings).forecast
        share = np.where(np.arange(307) > 204, ratings.score[:, 0] > 0, 0.0)
        share = share / share.sum()
        at = share @ ratings.score[:, 0]
        values.append(share @ made.value - at)
        error = made.influence @ (share @ made.gradient)
        errors.append(np.sqrt(error @ error))
    assert 0.8 < np.std(values) / np.mean(errors) < 1.35  # the density itself is sampled too, and not counted


def test_few_values_are_a_finding_and_other_densities_an_error():
    score = np.tile([0.0, 0.5, 1.0], 17)
    ratings = _table(score, np.where(np.arange(51) < 29, score + np.arange(51) % 2, np.nan))
    assert "score-few-valued" in {finding.code for finding in tweedie.fit(ratings).findings}
    with pytest.raises(AdjudgeError, match="density"):
        tweedie.fit(ratings, density="spline")
    with pytest.raises(AdjudgeError, match="varies"):
        tweedie.fit(_table(np.ones(9), np.arange(9.0)))
