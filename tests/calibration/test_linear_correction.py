"""Linear correction: hand-worked line, identity, attenuation removed, propagated error, and where it must fail."""

import dataclasses

import numpy as np
import pytest

from adjudge.calibration.linear_correction import fit, line
from adjudge.core.finding import Severity
from adjudge.errors import AdjudgeError
from adjudge.tables.ratings import Ratings


def _table(score, gold, policy=None, noise=0.0):
    n = len(score)
    return Ratings(
        ("a", "b"), ("judge",), np.zeros(n, int) if policy is None else policy, np.arange(n), np.arange(n),
        np.asarray(score, float)[:, None], np.asarray(gold, float), np.ones(n), np.full(n, np.nan),
        np.where(np.isfinite(gold), noise, 0.0), np.empty((n, 0)), bounds=(0.0, 4.0),
    )  # fmt: skip


def _worlds(seed, repeats, m=97, n=211, shift=0.0, gold_noise=0.0):
    """Score = 1 + 0.5·Y + noise; m old labels, then n rows of each policy, b better by 0.5 and without labels."""
    rng = np.random.default_rng(seed)
    for _ in range(repeats):
        truth = rng.normal(size=m + 2 * n) + 0.5 * (np.arange(m + 2 * n) >= m + n)
        policy = (np.arange(m + 2 * n) >= m + n).astype(int)
        score = 1 + 0.5 * truth + 0.3 * rng.normal(size=truth.size) + shift * policy
        gold = np.where(np.arange(truth.size) < m, truth + gold_noise * rng.normal(size=truth.size), np.nan)
        yield dataclasses.replace(_table(score, gold, policy, gold_noise**2), bounds=(-np.inf, np.inf))


def _difference(ratings, fitted=fit):
    """b − a over unlabelled rows, and its standard error from sampling and from the labels."""
    made = fitted(ratings)(ratings).forecast
    rows = ~ratings.labelled
    a, b = rows & (ratings.policy == 0), rows & (ratings.policy == 1)
    share = b / b.sum() - a / a.sum()
    labels = made.influence @ (share @ made.gradient)
    variance = sum(made.value[group].var(ddof=1) / group.sum() for group in (a, b)) + labels @ labels
    return share @ made.value, np.sqrt(variance)


def test_a_noiseless_judge_is_inverted_exactly_and_unclipped():
    gold = np.array([0.0, 1.0, 2.0, 4.0, np.nan, np.nan])
    ratings = _table(3 + 0.25 * np.array([0, 1, 2, 4, 3, 5]), gold)
    made = fit(ratings)(ratings).forecast
    np.testing.assert_allclose(made.value, [0, 1, 2, 4, 3, 5], atol=1e-12)  # 5 is outside the bounds, and must stay
    np.testing.assert_allclose(made.held_out[:4], gold[:4], atol=1e-12)


def test_intercept_zero_and_slope_one_leave_the_score_alone():
    gold = np.array([1.0, 1.0, 3.0, 3.0, np.nan])
    score = np.array([0.5, 1.5, 2.5, 3.5, 2.2])  # residuals cancel at each label: a = 0, b = 1
    ratings = _table(score, gold)
    np.testing.assert_allclose(fit(ratings)(ratings).forecast.value, score, atol=1e-12)


def test_line_with_noisy_labels_by_hand():
    # off = ±1, Σoff² = 4, noise 4·0.5 → spread 2; Σ off·score = 2 → b = 1 instead of ½
    score, gold = np.array([0.0, 0.0, 1.0, 1.0]), np.array([-1.0, -1.0, 1.0, 1.0])
    a, b, spread = line(score, gold, np.full(4, 0.5), np.ones((1, 4)))
    np.testing.assert_allclose([a[0], b[0], spread[0]], [0.5, 1.0, 2.0])


def test_gradient_and_influence_are_derivatives():
    ratings = next(_worlds(3, 1))
    calibrator = fit(ratings)
    made = calibrator(ratings).forecast
    row = np.flatnonzero(ratings.labelled)[5]
    step = 1e-4  # more weight on one label moves the forecasts by gradient · influence
    heavier = ratings.weight.copy()
    heavier[row] += step
    moved = fit(dataclasses.replace(ratings, weight=heavier))(ratings).forecast.value
    np.testing.assert_allclose((moved - made.value) / step, made.gradient @ made.influence[5], rtol=2e-3, atol=1e-5)


@pytest.mark.parametrize("gold_noise", [0.0, 0.6])
def test_attenuation_is_removed_and_the_interval_counts_the_line(gold_noise):
    found = np.array([_difference(r) for r in _worlds(11, 300, gold_noise=gold_noise)])
    error = found[:, 0] - 0.5
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(300)
    covered = np.mean(np.abs(error) < 1.96 * found[:, 1])
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 300)


def test_it_fails_by_shift_over_slope_where_calibration_does_not_transport():
    found = np.array([_difference(r)[0] for r in _worlds(13, 200, shift=0.1)])
    assert abs(found.mean() - (0.5 + 0.1 / 0.5)) < 4 * found.std() / np.sqrt(200)


def test_a_judge_that_knows_nothing_is_a_severe_finding():
    rng = np.random.default_rng(1)
    ratings = _table(rng.normal(size=101), np.where(np.arange(101) < 53, rng.normal(size=101), np.nan))
    (finding,) = [f for f in fit(ratings).findings if f.code == "slope-near-zero"]
    assert finding.severity is Severity.SEVERE


def test_labels_all_alike_are_an_error():
    with pytest.raises(AdjudgeError, match="spread"):
        fit(_table([0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 1.0, np.nan]))
