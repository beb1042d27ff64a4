"""Mean win rates: HELM's definition by hand, missing cells, perturbed copies, who leaves, errors and their coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import mean_win_rate
from ranking.run_tables import codes, table


def scenarios(means: list[list[float]], items: int = 5, noise: float = 0.0, seed: int = 0) -> tuple:
    """Scores [k, S·items, 1] whose mean by policy and scenario is [k, S] `means`, and the stratum of each item."""
    truth = np.asarray(means, dtype=float)
    spread = np.random.default_rng(seed).normal(size=(truth.shape[0], truth.shape[1] * items, 1)) * noise
    return np.repeat(truth, items, axis=1)[..., None] + spread, np.repeat(np.arange(truth.shape[1]), items)


def ranked(means: list[list[float]], **options):
    score, stratum = scenarios(means)
    return mean_win_rate.rank(table(score, stratum=stratum), draws=31, **options)


def test_by_hand_with_ties_and_missing_cells() -> None:
    result = ranked([[3, 1, 5], [2, 1, 6], [1, 1, np.nan]])
    # scenario 0: 1, ½, 0; scenario 1: all tie: ½ each; scenario 2, without p2: 0, 1
    np.testing.assert_allclose(result.value, [(1 + 0.5 + 0) / 3, (0.5 + 0.5 + 1) / 3, (0 + 0.5) / 2])
    np.testing.assert_allclose(result.figures["coverage"].value, [1, 1, 2 / 3])
    assert "cells-missing" in codes(result)
    assert result.findings[0].number == 1


def test_order_of_wins_is_not_the_order_of_means() -> None:
    result = ranked([[0.9, 0.50, 0.50, 0.50], [0.2, 0.51, 0.51, 0.51]])
    np.testing.assert_allclose(result.value, [0.25, 0.75])


def test_a_copy_of_a_policy_turns_the_order_of_two_others() -> None:
    means = [[2.0] * 5 + [0.0] * 2, [1.0] * 5 + [2.0] * 2, [0.0] * 5 + [1.0] * 2]
    one, more = ranked(means), ranked([*means, [each - 1e-3 for each in means[2]]])
    np.testing.assert_allclose(one.value[:2], [5 / 7, (2.5 + 2) / 7])
    np.testing.assert_allclose(more.value[:2], [5 / 7, (5 * 2 / 3 + 2) / 7])
    assert "order-depends-on-field" in codes(more)
    low, high = (more.figures[name].value for name in ("lowest without one", "highest without one"))
    assert np.all(low <= more.value + 1e-12)
    assert np.all(high >= more.value - 1e-12)


def test_leaving_one_out_is_ranking_the_rest() -> None:
    rng = np.random.default_rng(3)
    means = rng.normal(size=(4, 7))
    means[2, 5] = np.nan
    result = ranked(means.tolist())
    every = np.full((4, 4), np.nan)
    for gone in range(4):
        rest = np.delete(np.arange(4), gone)
        every[gone, rest] = ranked(means[rest].tolist()).value
    np.testing.assert_allclose(result.figures["lowest without one"].value, np.nanmin(every, axis=0))
    np.testing.assert_allclose(result.figures["highest without one"].value, np.nanmax(every, axis=0))
    before, flips = np.sign(np.round(result.value[:, None] - result.value, 12)), np.zeros((4, 4), dtype=bool)
    for row in every:
        flips |= before * np.nan_to_num(np.sign(np.round(row[:, None] - row, 12))) < 0
    told = [finding.number for finding in result.findings if finding.code == "order-depends-on-field"]
    assert told == ([np.triu(flips).sum()] if flips.any() else [])


def test_worst_of_the_perturbed_copies() -> None:
    score = np.full((2, 6, 3), 0.5)
    score[0, :, 1], score[0, :, 0] = 0.1, 0.9  # higher on the original, lower when perturbed, the same on average
    stratum = np.repeat([0, 1], 3)
    np.testing.assert_allclose(mean_win_rate.rank(table(score, stratum=stratum)).value, [0.5, 0.5])
    worst = mean_win_rate.rank(table(score, stratum=stratum), copies="worst")
    np.testing.assert_allclose(worst.value, [0.0, 1.0])


def test_several_metrics_and_metrics_of_which_less_is_better() -> None:
    accuracy, error = scenarios([[3, 3], [2, 2]])[0], scenarios([[0.3, 0.1], [0.2, 0.2]])[0]
    score = np.stack([accuracy, error], axis=-1)
    ratings = table(score, stratum=np.repeat([0, 1], 5), metrics=("accuracy", "ece"))
    np.testing.assert_allclose(mean_win_rate.rank(ratings).value, [1, 0])
    np.testing.assert_allclose(mean_win_rate.rank(ratings, metric="ece", lower=("ece",)).value, [0.5, 0.5])
    both = mean_win_rate.rank(ratings, metric=("accuracy", "ece"), lower=("ece",))
    np.testing.assert_allclose(both.value, [0.75, 0.25])


def test_items_are_scenarios_where_there_is_one_stratum() -> None:
    score = np.random.default_rng(5).normal(size=(3, 41, 1)) + np.arange(3)[:, None, None] / 3
    result = mean_win_rate.rank(table(score))
    flat = score[..., 0]
    rate = (flat[:, None] > flat[None]).sum(axis=1) / 2
    np.testing.assert_allclose(result.value, rate.mean(axis=1))
    np.testing.assert_allclose(result.covariance, np.cov(rate) / 41 + np.eye(3) * (0.25 / 41) ** 2 / 41, rtol=1e-10)


def test_bootstrap_is_the_spread_of_close_calls() -> None:
    """Two policies, seven scenarios: the variance of a mean of independent steps, each near a coin toss."""
    score, stratum = scenarios(np.zeros((2, 7)).tolist(), items=101, noise=1.0, seed=7)
    result = mean_win_rate.rank(table(score, stratum=stratum), draws=4001)
    gap = (score[0] - score[1]).reshape(7, 101)
    z = gap.mean(axis=1) / gap.std(axis=1, ddof=1) * np.sqrt(101)
    chance = special.ndtr(z)  # paired: clusters of items are drawn for both policies
    pull = (chance - (z > 0)).sum() / 7
    assert result.stderr[0] ** 2 == pytest.approx((chance * (1 - chance)).sum() / 49 + pull**2, rel=0.1)
    assert result.covariance[0, 1] == pytest.approx(-(result.stderr[0] ** 2), rel=0.01)


def test_covers_the_expected_win_rate() -> None:
    """Means that items tell apart now and then; the truth is the win rate to be expected on 53 other items."""
    trials, level = 300, 0.95
    truth = np.array([[0.2, -0.1, 0.3, 0.0, 0.5, -0.4, 0.1], np.zeros(7), [-0.3, 0.2, 0.1, 0.1, -0.2, 0.3, 0.4]])
    boards = truth + np.random.default_rng(11).normal(size=(20_000, 3, 7)) / np.sqrt(53)
    goal = (boards[:, :, None] > boards[:, None]).sum(axis=2).mean(axis=(0, 2)) / 2
    hits = np.zeros(3)
    for seed in range(trials):
        score, stratum = scenarios(truth.tolist(), items=53, noise=1.0, seed=seed)
        low, high = mean_win_rate.rank(table(score, stratum=stratum), draws=200).interval(level).T
        hits += (low <= goal) & (goal <= high)
    assert np.all(np.abs(hits / trials - level) < 4 * np.sqrt(level * (1 - level) / trials)), hits / trials


@pytest.mark.parametrize(("k", "least", "most"), [(2, 0.9, 1.1), (5, 0.7, 1.0)])
def test_error_of_true_ties_is_that_of_other_items(k: int, least: float, most: float) -> None:
    """Equal policies: the squared error claimed is the variance of win rates over 300 tables, three quarters for five.

    An error about the replicates' own mean would be two thirds and half of it.
    """
    values, claimed = np.empty((300, k)), np.empty((300, k))
    for seed in range(300):
        score, stratum = scenarios(np.zeros((k, 7)).tolist(), items=31, noise=1.0, seed=seed)
        result = mean_win_rate.rank(table(score, stratum=stratum), draws=200)
        values[seed], claimed[seed] = result.value, result.stderr**2
    assert least < claimed.mean() / values.var(axis=0).mean() < most


def test_clear_orders_still_have_an_error_and_single_items_none() -> None:
    clear = ranked([[3, 3], [2, 2]])
    assert np.all(clear.stderr > 0)
    assert clear.value.tolist() == [1.0, 0.0]
    score, stratum = scenarios([[3, 3], [2, 2]], items=1)
    single = mean_win_rate.rank(table(score, stratum=stratum), draws=31)
    assert np.isnan(single.stderr).all()
    assert "items-too-few" in codes(single)


def test_nobody_to_beat() -> None:
    with pytest.raises(AdjudgeError, match="one policy"):
        mean_win_rate.rank(table(np.zeros((1, 3, 1))))
    ratings = table(np.zeros((2, 3, 1)))
    with pytest.raises(AdjudgeError):
        mean_win_rate.rank(ratings, copies="best")
    alone = replace(ratings, score=np.where(ratings.policy[:, None] == 0, np.nan, ratings.score))
    result = mean_win_rate.rank(alone)
    assert np.isnan(result.value).all()
    assert np.isnan(result.stderr).all()
