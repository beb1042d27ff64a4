"""Means over tasks: pairing, missing cells, the additive fit against a dense regression, coverage, odd tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import task_mean
from adjudge.ranking._level import additive
from ranking.run_tables import codes, table


def drawn(seed: int, k: int = 3, tasks: int = 41, repeats: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(1, tasks, 1)) + rng.normal(size=(k, tasks, repeats)) + np.arange(k)[:, None, None] / 3


def test_a_full_table_is_the_textbook_mean_and_pairs_by_task() -> None:
    score = drawn(1)
    result = task_mean.rank(table(score))
    flat = score[..., 0]
    np.testing.assert_allclose(result.value, flat.mean(axis=1))
    np.testing.assert_allclose(result.covariance, np.cov(flat) / 41)
    difference = result.difference("p2", "p0")
    assert difference.stderr[0] == pytest.approx((flat[2] - flat[0]).std(ddof=1) / np.sqrt(41))
    assert result.findings == ()
    assert result.df.tolist() == [40.0] * 3


def test_runs_are_averaged_within_a_task_and_weights_are_repetitions() -> None:
    score = drawn(2, repeats=3)
    np.testing.assert_allclose(task_mean.rank(table(score)).covariance, np.cov(score.mean(axis=2)) / 41)
    ratings = table(score)
    times = np.random.default_rng(3).integers(1, 4, ratings.n)
    weighted = task_mean.rank(replace(ratings, weight=times.astype(float)))
    repeated = task_mean.rank(ratings.take(np.repeat(np.arange(ratings.n), times)))
    np.testing.assert_allclose(weighted.value, repeated.value, rtol=1e-13)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-12)


def test_unequal_tasks_are_told_and_can_be_made_equal() -> None:
    score = np.full((1, 5, 4), np.nan)
    score[:, :, 0] = [0.0, 1.0, 2.0, 3.0, 14.0]
    score[:, 0] = 0.0
    ratings = table(score)
    by_rows = task_mean.rank(ratings)
    assert by_rows.value[0] == pytest.approx(20 / 8)
    assert codes(by_rows) == ["tasks-unequal"]
    assert task_mean.rank(ratings, equal=True).value[0] == pytest.approx(4.0)


def holes(seed: int, share: float, k: int = 3, tasks: int = 41) -> np.ndarray:
    score = drawn(seed, k, tasks)
    score[np.random.default_rng(seed + 100).random(score.shape) < share] = np.nan
    return score


def test_few_missing_cells_leave_tasks_out_many_are_levelled() -> None:
    few, many = holes(5, 0.05), holes(5, 0.5)
    left_out = task_mean.rank(table(few))
    common = np.isfinite(few).all(axis=(0, 2))
    np.testing.assert_allclose(left_out.value, few[:, common, 0].mean(axis=1))
    assert codes(left_out) == ["cells-missing"]
    assert left_out.findings[0].number == np.isnan(few).sum()
    levelled = task_mean.rank(table(many))
    assert "levelled" in levelled.findings[0].message
    np.testing.assert_allclose(levelled.value, task_mean.rank(table(many), missing="additive").value)
    own = task_mean.rank(table(many), missing="available")
    np.testing.assert_allclose(own.value, np.nanmean(many[..., 0], axis=1))


def test_the_additive_fit_is_least_squares() -> None:
    score = holes(7, 0.4, k=3, tasks=23)[..., 0]
    score = score[:, np.isfinite(score).any(axis=0)]
    tasks = score.shape[1]
    p, i = np.nonzero(np.isfinite(score))
    X = np.zeros((p.size, 3 + tasks))
    X[np.arange(p.size), p] = X[np.arange(p.size), 3 + i] = 1.0
    coef = np.linalg.lstsq(X, score[p, i], rcond=None)[0]
    expected = coef[:3] + coef[3:].mean()
    result = task_mean.rank(table(score[..., None]), missing="additive")
    np.testing.assert_allclose(result.value, expected, rtol=1e-10)


def test_the_additive_influence_is_the_derivative_by_cluster_weights() -> None:
    score = holes(9, 0.4, tasks=13)
    ratings = table(score, cluster=np.arange(13) // 2)
    step, moved = 1e-6, []
    for cluster in range(7):
        weight = np.where(ratings.cluster == cluster, 1 + step, 1.0)
        up = task_mean.rank(replace(ratings, weight=weight), missing="additive").value
        weight = np.where(ratings.cluster == cluster, 1 - step, 1.0)
        moved.append((up - task_mean.rank(replace(ratings, weight=weight), missing="additive").value) / (2 * step))
    psi = np.array(moved)
    result = task_mean.rank(ratings, missing="additive")
    np.testing.assert_allclose(result.covariance, psi.T @ psi * 7 / 6, rtol=1e-6, atol=1e-10)


def test_additive_on_a_full_table_is_the_plain_mean() -> None:
    score = drawn(11)
    ratings = table(score)
    rows, _ = task_mean._rows(ratings, 0, False)
    plain, fitted = task_mean.rank(ratings), additive(ratings.policies, rows)
    np.testing.assert_allclose(fitted.value, plain.value, rtol=1e-12)
    np.testing.assert_allclose(fitted.covariance, plain.covariance, rtol=1e-10)


def test_covers_where_harder_tasks_are_skipped_more_by_one_policy() -> None:
    trials, level = 400, 0.95
    rng = np.random.default_rng(13)
    hits = naive = 0
    for _ in range(trials):
        hard = rng.normal(size=59)
        score = hard + rng.normal(size=(3, 59)) * 0.7
        score[0, (rng.random(59) < 0.7) & (hard < 0)] = np.nan
        score[1, rng.random(59) < 0.3] = np.nan
        for missing in ("additive", "available"):
            found = task_mean.rank(table(score[..., None]), missing=missing)
            low, high = found.difference("p0", "p1").interval(level)[0]
            hits += (low <= 0 <= high) and missing == "additive"
            naive += (low <= 0 <= high) and missing == "available"
    assert abs(hits / trials - level) < 4 * np.sqrt(level * (1 - level) / trials), hits / trials
    assert naive / trials < 0.6, naive / trials


def test_policies_that_nothing_connects_are_not_compared() -> None:
    score = np.full((3, 12, 1), np.nan)
    rng = np.random.default_rng(17)
    score[:2, :8, 0], score[2, 8:, 0] = rng.normal(size=(2, 8)), rng.normal(size=4)
    score[0, 7] = np.nan
    result = task_mean.rank(table(score))
    assert np.isnan(result.value[2])
    assert np.isfinite(result.value[:2]).all()
    assert "policies-not-connected" in codes(result)
    assert "tasks-too-few" in codes(result)


def test_all_passed_is_not_certainty_and_constant_scores_have_no_error() -> None:
    low, high = task_mean.rank(table(np.ones((1, 11, 1)))).interval()[0]
    assert 0.6 < low < 0.9
    assert high == 1.0
    unbounded = task_mean.rank(table(np.full((1, 11, 1), 7.0)))
    assert np.isnan(unbounded.stderr[0])
    assert codes(unbounded) == ["scores-constant"]


def test_one_task_one_policy_and_none() -> None:
    one = task_mean.rank(table(np.array([[[0.5]], [[0.7]]])))
    np.testing.assert_allclose(one.value, [0.5, 0.7])
    assert np.isnan(one.stderr).all()
    assert "tasks-too-few" in codes(one)
    never = drawn(19)
    never[1] = np.nan
    result = task_mean.rank(table(never))
    assert np.isnan(result.value[1])
    np.testing.assert_allclose(result.value[[0, 2]], never[[0, 2], :, 0].mean(axis=1))


def test_metrics_are_chosen_and_told() -> None:
    score = np.random.default_rng(23).uniform(size=(2, 11, 1, 2))
    ratings = table(score, metrics=("accuracy", "speed"))
    assert codes(task_mean.rank(ratings)) == ["metric-chosen"]
    speed = task_mean.rank(ratings, metric="speed")
    np.testing.assert_allclose(speed.value, score[..., 0, 1].mean(axis=1))
    assert speed.findings == ()
    for wrong in ({"metric": "cost"}, {"missing": "imputed"}):
        with pytest.raises(AdjudgeError):
            task_mean.rank(ratings, **wrong)
