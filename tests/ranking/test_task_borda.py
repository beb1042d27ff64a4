"""Ranks over tasks: worked by hand, deaf to the units of metrics, and of one mind where there is one task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import _ballots, task_borda, task_kemeny
from adjudge.tables.ratings import Ratings

METHODS = (task_borda, task_kemeny)


def table(score: np.ndarray, *, stratum: np.ndarray | None = None) -> Ratings:
    """Scores [items, k, metrics]; tasks by item in `stratum`."""
    items, k, J = score.shape
    item, policy = (grid.ravel() for grid in np.meshgrid(np.arange(items), np.arange(k), indexing="ij"))
    n, task = item.size, np.zeros(items, int) if stratum is None else stratum
    return Ratings(
        policies=tuple("abcdefghijk"[:k]),
        judges=tuple(f"metric {j}" for j in range(J)),
        policy=policy,
        item=item,
        cluster=item,
        score=score.reshape(n, J),
        gold=np.full(n, np.nan),
        weight=np.ones(n),
        propensity=np.full(n, np.nan),
        gold_variance=np.zeros(n),
        covariates=np.zeros((n, 0)),
        stratum=task[item],
        strata=tuple(f"task {t}" for t in range(int(task.max()) + 1)),
    )


def drawn(seed: int, items: int = 31, k: int = 5, J: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(items, k, J)) + np.linspace(0.6, -0.6, k)[:, None]


def test_one_level_is_the_mean_rank() -> None:
    score = drawn(1)
    ranks = np.argsort(np.argsort(score, axis=1), axis=1).mean(axis=(0, 2)) / 4
    np.testing.assert_allclose(task_borda.rank(table(score), levels=1, draws=20).value, ranks)


def test_two_levels_by_hand() -> None:
    """Task 0: a > b > c by mean rank, task 1: b > a > c; so a and b share the lead."""
    score = np.array([[3, 2, 1], [3, 2, 1], [2, 3, 1], [1, 3, 2], [2, 3, 1], [2, 3, 1.0]])[:, :, None]
    made = table(score, stratum=np.array([0, 0, 0, 1, 1, 1]))
    np.testing.assert_allclose(task_borda.rank(made, draws=20).value, [0.75, 0.75, 0])
    np.testing.assert_allclose(task_kemeny.rank(made, draws=20).value, [-1.5, -1.5, -3])
    one = task_borda.rank(made, levels=1, draws=20).value  # pooled: b leads
    assert one[1] > one[0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("levels", [1, 2])
def test_units_of_metrics_change_nothing(method, levels: int) -> None:
    score = drawn(2)
    other = score * np.array([1.0, 1000.0, 1.0])
    other[:, :, 2] = np.exp(other[:, :, 2])
    one, two = (method.rank(table(each), levels=levels, draws=50) for each in (score, other))
    np.testing.assert_array_equal(one.value, two.value)
    np.testing.assert_array_equal(one.covariance, two.covariance)
    assert not np.allclose(one.figures["mean"].value, two.figures["mean"].value)


def test_metrics_of_which_less_is_better() -> None:
    score = drawn(3)
    flipped = score * np.array([1.0, -1.0, 1.0])
    one = task_borda.rank(table(score), draws=20)
    two = task_borda.rank(table(flipped), lower=["metric 1"], draws=20)
    np.testing.assert_array_equal(one.value, two.value)
    with pytest.raises(AdjudgeError, match="no metric is named"):
        task_borda.rank(table(score), lower=["cost"])


def test_missing_scores_leave_the_other_pairs_alone() -> None:
    score = drawn(5, J=1)
    score[:7, 2] = np.nan
    found = _ballots.read(table(score))
    M, weight = found.margins(np.ones((1, found.units)))
    assert weight[0, 0, 0, 2] == 24
    assert weight[0, 0, 0, 1] == 31
    assert M[0, 0, 0, 2] == pytest.approx((score[7:, 0] > score[7:, 2]).mean() - 0.5)


@pytest.mark.parametrize("method", METHODS)
def test_a_policy_without_scores_is_unknown(method) -> None:
    score = drawn(6)
    score[:, 3] = np.nan
    result = method.rank(table(score), draws=50)
    assert np.isnan(result.value).tolist() == [False, False, False, True, False]
    assert "policy-without-ballots" in [finding.code for finding in result.findings]


def test_ties_share() -> None:
    score = np.zeros((7, 3, 1))
    score[:, 0] = 1.0
    np.testing.assert_allclose(task_borda.rank(table(score), levels=1, draws=20).value, [1, 0.25, 0.25])


def test_runs_are_averaged_first() -> None:
    score = drawn(7, J=1)
    single = table(score)
    noise = np.random.default_rng(1).normal(size=single.n)[:, None]
    twice = single.take(np.tile(np.arange(single.n), 2))
    twice = replace(twice, score=np.concatenate([single.score + noise, single.score - noise]))
    np.testing.assert_allclose(
        task_borda.rank(twice, draws=20).value, task_borda.rank(single, draws=20).value, atol=1e-12
    )


def test_errors_of_the_mean_rank_cover_it() -> None:
    repeats, hits = 150, 0
    rng = np.random.default_rng(11)
    many = rng.normal(size=(40_000, 3)) + np.array([0.4, 0.0, -0.4])
    truth = np.argsort(np.argsort(many, axis=1), axis=1).mean(axis=0) / 2
    for _ in range(repeats):
        score = (rng.normal(size=(29, 3)) + np.array([0.4, 0.0, -0.4]))[:, :, None]
        ends = task_borda.rank(table(score), levels=1, draws=200).interval(0.95)
        hits += ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).sum()
    assert abs(hits / (3 * repeats) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / repeats) + 0.01


def test_tau_by_hand() -> None:
    np.testing.assert_allclose(
        _ballots.tau(np.array([[4.0, 3, 2, 1], [4, 3, 1, 2], [1, 1, 1, 1]]), np.arange(4.0))[:2], [-1, -4 / 6]
    )


@pytest.mark.parametrize("method", METHODS)
def test_levels_are_one_or_two(method) -> None:
    with pytest.raises(AdjudgeError, match="levels is 3"):
        method.rank(table(drawn(1)), levels=3)
