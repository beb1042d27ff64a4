"""Partial pooling: published worked values, limits, and coverage counted."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.pooling import METHODS, between_interval, pool

# BCG vaccine trials (Colditz et al. 1994, JAMA 271): tuberculosis yes / no among vaccinated, yes / no among controls.
BCG = np.array(
    [
        [4, 119, 11, 128],
        [6, 300, 29, 274],
        [3, 228, 11, 209],
        [62, 13536, 248, 12619],
        [33, 5036, 47, 5761],
        [180, 1361, 372, 1079],
        [8, 2537, 10, 619],
        [505, 87886, 499, 87892],
        [29, 7470, 45, 7232],
        [17, 1699, 65, 1600],
        [186, 50448, 141, 27197],
        [5, 2493, 3, 2338],
        [27, 16886, 29, 17825],
    ],
    dtype=float,
)


def bcg() -> tuple[np.ndarray, np.ndarray]:
    """Log relative risks and their variances."""
    a, b, c, d = BCG.T
    return np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


# Viechtbauer (2010), J. Stat. Softw. 36(3), Section 3 and the documentation of metafor's rma.uni and confint.
@pytest.mark.parametrize(
    ("method", "between"), [("dersimonian_laird", 0.3088), ("reml", 0.3132), ("paule_mandel", 0.3181)]
)
def test_between_variance_of_the_bcg_trials(method, between):
    assert pool(*bcg(), method=method, cautious=None).between == pytest.approx(between, abs=5e-5)


def test_pooled_mean_of_the_bcg_trials():
    pooled = pool(*bcg(), method="reml", cautious=None)
    assert pooled.mean == pytest.approx(-0.7145, abs=5e-5)
    assert np.sqrt(pooled.mean_variance) == pytest.approx(0.1808, abs=5e-5)  # Knapp-Hartung; 0.1798 without
    assert pooled.heterogeneity == pytest.approx(152.2330, abs=5e-5)
    assert pooled.pvalue < 1e-4


def test_q_profile_interval_of_the_bcg_trials():
    assert between_interval(*bcg()) == pytest.approx((0.1197, 1.1115), abs=5e-5)


def test_paule_mandel_solves_its_equation():
    effect, variance = bcg()
    pooled = pool(effect, variance, cautious=None)
    w = 1 / (variance + pooled.between)
    assert w @ (effect - pooled.mean) ** 2 == pytest.approx(12.0)


def test_reml_is_stationary():
    effect, variance = bcg()

    def likelihood(between):
        w = 1 / (variance + between)
        mean = w @ effect / w.sum()
        return 0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (effect - mean) ** 2)

    at = pool(effect, variance, method="reml", cautious=None).between
    slope = (likelihood(at + 1e-5) - likelihood(at - 1e-5)) / 2e-5
    assert abs(slope) < 1e-4


@pytest.mark.parametrize("method", METHODS)
def test_diagonal_covariance_is_its_variances(method):
    effect, variance = bcg()
    lone = pool(effect, variance, method=method, cautious=None)
    both = pool(effect, np.diag(variance), method=method, cautious=None)
    assert both.value == pytest.approx(lone.value)
    assert both.between == pytest.approx(lone.between)


@pytest.mark.parametrize("method", METHODS)
def test_correlated_residuals_match_generalised_least_squares(method):
    rng = np.random.default_rng(5)
    effect, root = rng.standard_normal(7), rng.standard_normal((7, 7))
    V = root @ root.T / 7 + 0.2 * np.eye(7)
    pooled = pool(effect, V, method=method, cautious=0.9)
    W = np.linalg.inv(V + pooled.between * np.eye(7))
    assert pooled.mean == pytest.approx(W.sum(axis=0) @ effect / W.sum())


def test_no_difference_pools_completely():
    pooled = pool([0.2, 0.2, 0.2], [0.01, 0.02, 0.03], cautious=None)
    assert pooled.between == 0
    assert pooled.value == pytest.approx([0.2, 0.2, 0.2])
    assert pooled.share == pytest.approx([0, 0, 0])
    assert pooled.variance == pytest.approx(np.full(3, 1 / (100 + 50 + 100 / 3)))


def test_huge_difference_does_not_pool():
    pooled = pool([-1e3, 0.0, 1e3], [0.01, 0.02, 0.03])
    assert pooled.share == pytest.approx(np.ones(3), abs=1e-6)
    assert pooled.variance == pytest.approx([0.01, 0.02, 0.03], rel=1e-3)


def test_caution_pools_less():
    effect, variance = bcg()
    plain, cautious = pool(effect, variance, cautious=None), pool(effect, variance, cautious=0.95)
    assert cautious.between > plain.between
    assert (cautious.share > plain.share).all()


def test_policy_without_labels_gets_the_mean_and_a_prediction_variance():
    pooled = pool([0.1, 0.3, 0.2, np.nan], [0.01, 0.01, 0.01, 0.01], cautious=0.8)
    assert pooled.share[3] == 0
    assert pooled.value[3] == pytest.approx(pooled.mean)
    assert pooled.variance[3] == pytest.approx(pooled.between + pooled.mean_variance)
    assert pooled.df[3] == 1


def test_one_labelled_policy_keeps_its_own_and_says_nothing_of_others():
    pooled = pool([0.3, np.nan], [0.04, np.nan])
    assert pooled.value == pytest.approx([0.3, 0.3])
    assert pooled.share == pytest.approx([1.0, 0.0])
    assert pooled.variance[0] == 0.04
    assert np.isnan(pooled.variance[1])
    assert np.isnan(pooled.interval()[1]).all()


def test_no_labels_at_all_is_nan():
    pooled = pool([np.nan, np.nan], [np.nan, np.nan])
    assert np.isnan(pooled.value).all()
    assert np.isnan(pooled.variance).all()


def test_order_of_policies_is_nothing():
    effect, variance = bcg()
    order = np.random.default_rng(3).permutation(13)
    assert pool(effect[order], variance[order]).value == pytest.approx(pool(effect, variance).value[order])


def test_scale_and_shift_carry_over():
    effect, variance = bcg()
    plain, moved = pool(effect, variance), pool(5 - 7 * effect, 49 * variance)
    assert moved.value == pytest.approx(5 - 7 * plain.value)
    assert moved.variance == pytest.approx(49 * plain.variance)


def test_zero_variances_do_not_divide_by_zero():
    pooled = pool([0.0, 1.0, 0.5], [0.0, 0.0, 0.0])
    assert np.isfinite(pooled.value).all()
    assert pooled.value == pytest.approx([0.0, 1.0, 0.5], abs=1e-6)


def test_bad_input_is_refused():
    with pytest.raises(AdjudgeError, match="negative"):
        pool([0.1, 0.2], [0.1, -0.1])
    with pytest.raises(AdjudgeError, match="method"):
        pool([0.1, 0.2], [0.1, 0.1], method="eyeball")


@pytest.mark.parametrize(("policies", "ratio"), [(3, 1.0), (5, 0.3), (7, 1.0), (7, 4.0)])
def test_intervals_cover(policies, ratio):
    """Counted over 600 worlds: at least 93 % of 95 % intervals hold, less three standard errors of the count."""
    rng, worlds = np.random.default_rng(11), 600
    variance = np.linspace(0.5, 2.0, policies)
    own = new = 0.0
    for _ in range(worlds):
        truth = 0.5 + np.sqrt(ratio) * rng.standard_normal(policies + 1)
        effect = np.append(truth[:-1] + np.sqrt(variance) * rng.standard_normal(policies), np.nan)
        low, high = pool(effect, np.append(variance, np.nan)).interval().T
        inside = (low <= truth) & (truth <= high)
        own += inside[:-1].mean()
        new += inside[-1]
    slip = 3 * np.sqrt(0.93 * 0.07 / worlds)
    assert own / worlds > 0.93 - slip
    assert new / worlds > 0.93 - slip
