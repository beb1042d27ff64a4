"""Pooled statistics of runs: their definitions, the spread of their bootstrap, scales, shared tasks, sparse cells.

Golden values: rliable 1.2.0 (google-research/rliable, Apache-2.0), `metrics.aggregate_iqm`, `aggregate_median`,
`aggregate_optimality_gap` on the array of `world()`, computed with NumPy 2 and pandas 2.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _runs, iqm, median, optimality_gap
from ranking.run_tables import codes, table


def world() -> np.ndarray:
    """[3, 13, 8] scores that anybody can write down again."""
    k, t, r = np.indices((3, 13, 8))
    return (7 * k + 11 * t + 5 * r + t * r * (k + 1)) % 31 / 20


RLIABLE = {
    iqm: [0.7375, 0.6971153846153846, 0.8432692307692308],
    median: [0.725, 0.73125, 0.8],
    optimality_gap: [-0.3524038461538461, -0.3701923076923077, -0.29711538461538467],
}


@pytest.mark.parametrize("method", list(RLIABLE))
def test_agrees_with_rliable(method) -> None:
    np.testing.assert_allclose(method.rank(table(world()), draws=7).value, RLIABLE[method], rtol=1e-12)


def test_partial_quarters_count_in_part() -> None:
    score = np.arange(5.0).reshape(1, 1, 5)  # a quarter is 1¼ runs: the middle 2½ are ¾ of 1, all of 2 and ¾ of 3
    assert iqm.rank(table(score), draws=3).value[0] == pytest.approx(2.0)
    score = np.array([0.0, 0, 1, 10, 99, 99]).reshape(1, 1, 6)  # half of 0, 1, 10, half of 99 over 3 runs
    assert iqm.rank(table(score), draws=3).value[0] == pytest.approx((0 + 1 + 10 + 49.5) / 3)


def test_tasks_count_equally_however_many_runs_they_have() -> None:
    score = np.full((1, 2, 4), np.nan)
    score[0, 0], score[0, 1, :2] = [1.0, 1.0, 1.0, 1.0], [4.0, 4.0]
    assert iqm.rank(table(score), draws=3).value[0] == pytest.approx(2.5)
    assert median.rank(table(score), draws=3).value[0] == pytest.approx(2.5)


def test_replicates_spread_as_the_variance_of_a_mean_not_as_its_resample() -> None:
    rng = np.random.default_rng(3)
    score = rng.normal(size=(2, 5, 3)) * np.arange(1, 6)[:, None]
    gap = optimality_gap.rank(table(score), gamma=99.0, draws=20_011)  # γ above all scores: the mean
    expected = score.var(axis=2, ddof=1).sum(axis=1) / 3 / 25
    np.testing.assert_allclose(gap.stderr**2, expected, rtol=5 * np.sqrt(2 / 20_011))
    assert gap.covariance[0, 1] == 0.0
    cell = score.var(axis=2, ddof=1)
    np.testing.assert_allclose(gap.df, 2 * cell.sum(axis=1) ** 2 / (cell**2).sum(axis=1))


def test_single_runs_resample_tasks_and_pair_the_policies() -> None:
    rng = np.random.default_rng(5)
    score = rng.normal(size=(1, 41, 1)) + 0.3 * rng.normal(size=(2, 41, 1))
    result = optimality_gap.rank(table(score), gamma=99.0, draws=20_011)
    np.testing.assert_allclose(result.stderr**2, score[..., 0].var(axis=1, ddof=1) / 41, rtol=0.05)
    np.testing.assert_allclose(result.covariance[0, 1], np.cov(score[..., 0])[0, 1] / 41, rtol=0.05)
    assert codes(result) == ["tasks-resampled"]
    assert result.df.tolist() == [40.0, 40.0]


def test_clusters_of_tasks_are_drawn_whole() -> None:
    rng = np.random.default_rng(7)
    shared = np.repeat(rng.normal(size=11), 3)
    score = (shared + np.zeros((2, 33)))[..., None]
    whole = iqm.rank(table(score, cluster=np.repeat(np.arange(11), 3)), draws=997)
    single = iqm.rank(table(score), draws=997)
    assert whole.df[0] == 10
    assert whole.stderr[0] > 1.4 * single.stderr[0]


def test_episodes_of_one_run_are_one_run() -> None:
    rng = np.random.default_rng(11)
    score = rng.normal(size=(2, 3, 5))
    episodes = table(np.repeat(score, 2, axis=2) + np.tile([0.5, -0.5], 5))
    seed = np.tile(np.repeat(np.arange(5), 2), 6)  # seed 3 of one task and seed 3 of another are two runs
    by_run = _runs.prepare(_with_cluster(episodes, episodes.item * 5 + seed))
    assert by_run.over == "runs"
    np.testing.assert_allclose(np.sort(by_run.score), np.sort(score.ravel()))


def _with_cluster(ratings, cluster):
    return replace(ratings, cluster=cluster)


def test_scale_by_numbers_by_policies_and_by_extremes() -> None:
    rng = np.random.default_rng(13)
    score = rng.normal(size=(3, 5, 4)) * 10 + 7
    mean = score.mean(axis=2)
    names = ("agent", "human", "random")
    by_policy = optimality_gap.rank(table(score, names=names), low="random", high="human", gamma=99.0, draws=3)
    expected = ((mean[0] - mean[2]) / (mean[1] - mean[2])).mean() - 99
    np.testing.assert_allclose(by_policy.value, [expected, -98.0, -99.0])
    extremes = optimality_gap.rank(table(score, names=names), low="lowest", high="highest", gamma=99.0, draws=3)
    z = (mean - mean.min(axis=0)) / np.ptp(mean, axis=0)
    np.testing.assert_allclose(extremes.value, z.mean(axis=1) - 99)
    numbers = iqm.rank(table(score), low=7.0, high=17.0, draws=3)
    np.testing.assert_allclose(numbers.value, (iqm.rank(table(score), draws=3).value - 7) / 10)


def test_tasks_of_very_different_scale_are_told() -> None:
    score = np.random.default_rng(17).normal(size=(2, 7, 5)) * 10.0 ** np.arange(7)[:, None]
    assert "scores-not-normalised" in codes(iqm.rank(table(score), draws=3))
    assert "scores-not-normalised" not in codes(iqm.rank(table(score), low="lowest", high="highest", draws=3))


def test_only_shared_tasks_count_and_the_others_are_told() -> None:
    score = np.random.default_rng(19).normal(size=(2, 7, 3))
    thin = score.copy()
    thin[1, 5:] = np.nan
    result = iqm.rank(table(thin), draws=97)
    np.testing.assert_array_equal(result.value, iqm.rank(table(score[:, :5]), draws=97).value)
    assert codes(result) == ["tasks-not-shared"]
    assert result.findings[0].number == 2


@pytest.mark.parametrize("method", [iqm, median, optimality_gap])
def test_too_little_gives_nan_and_a_finding(method) -> None:
    never = np.zeros((2, 3, 2))
    never[1] = np.nan
    result = method.rank(table(never), draws=5)
    assert np.isnan(result.value).all()
    assert "tasks-not-shared" in codes(result)
    equal = method.rank(table(np.full((1, 3, 5), 0.5)), draws=5)
    assert np.isnan(equal.stderr).all()
    assert "spread-unknown" in codes(equal)
    single = method.rank(table(np.array([[[0.3]]])), draws=5)
    assert single.value.size == 1
    assert np.isnan(single.stderr).all()


def test_arguments_are_checked() -> None:
    ratings = table(np.zeros((1, 2, 2)))
    for wrong in ({"resample": "both"}, {"low": 0.0}, {"low": "nobody", "high": 1.0}, {"metric": "none"}):
        with pytest.raises(AdjudgeError):
            iqm.rank(ratings, **wrong)


def test_interval_of_the_iqm_covers_over_runs_of_skewed_scores() -> None:
    """Five runs on seven tasks of very different means: nominal 95 %, counted in 600 tables at once."""
    trials, level, tasks, repeats = 600, 0.95, 7, 5
    rng = np.random.default_rng(23)
    scale = np.linspace(0.5, 2.0, tasks)[:, None]
    truth = iqm.interquartile_mean(
        np.sort((rng.gamma(2.0, 1.0, (tasks, 40_000)) * scale).ravel()), np.ones((1, tasks * 40_000))
    )[0, 0]
    score = rng.gamma(2.0, 1.0, (trials, tasks, repeats)) * scale  # each trial is a policy: runs are independent
    result = iqm.rank(table(score), draws=400)
    critical = -special.stdtrit(result.df, (1 - level) / 2)
    covered = np.mean(np.abs(result.value - truth) <= critical * result.stderr)
    assert abs(covered - level) < 4 * np.sqrt(level * (1 - level) / trials), covered
