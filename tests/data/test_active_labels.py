"""Active labels: exact budgets, uniform limit, unbiased estimates and a shorter interval where rows differ."""

import dataclasses

import numpy as np
import pytest

from adjudge.data.active_labels import combined, scores
from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats.sampling import systematic
from adjudge.tables.ratings import Forecast


def _ratings(seed=1, items=1009, labels=211):
    """Gold = forecast + noise that grows with the forecast: hard rows are the high ones."""
    ratings = Judging(items=items, labels=labels, truth=(0.5, 0.4)).draw(seed).ratings
    value = ratings.score[:, 0]
    rng = np.random.default_rng(seed)
    gold = value + (0.01 + value**3) * 0.5 * rng.standard_normal(ratings.n)
    forecast = Forecast(
        value, np.where(ratings.labelled, value, np.nan), np.zeros((ratings.n, 0)), np.zeros((0, 0)), "test"
    )
    return dataclasses.replace(ratings, gold=np.where(ratings.labelled, gold, np.nan), forecast=forecast), gold


def test_budgets_are_met_and_labelled_rows_are_not_drawn_again():
    ratings, _ = _ratings()
    share = scores(ratings, labels=[31, 7])
    np.testing.assert_allclose(np.bincount(ratings.policy, share), [31, 7])
    assert share[ratings.labelled].max() == 0
    assert share.min() >= 0
    assert share.max() <= 1


def test_uniform_one_is_simple_random_sampling():
    ratings, _ = _ratings()
    share = scores(ratings, labels=[31, 7], uniform=1.0)
    open_rows = (ratings.policy == 0) & ~ratings.labelled
    np.testing.assert_allclose(share[open_rows], 31 / open_rows.sum())


def test_without_a_forecast_or_with_few_labels_draws_are_uniform():
    ratings, _ = _ratings(labels=7)
    for table in (ratings, dataclasses.replace(ratings, forecast=None)):
        share = scores(table, labels=[13, 13])
        assert np.ptp(share[(ratings.policy == 1) & ~ratings.labelled]) < 1e-12


def test_hard_rows_are_drawn_more_often():
    ratings, _ = _ratings()
    share = scores(ratings, labels=[53, 53], uniform=0.2)
    value, open_rows = ratings.score[:, 0], ~ratings.labelled
    assert share[open_rows & (value > 0.8)].mean() > 2 * share[open_rows & (value < 0.3)].mean()


def test_two_rounds_stay_unbiased_and_narrower_than_uniform():
    table, gold = _ratings(items=503, labels=151)
    old = (np.bincount(table.policy[table.labelled]) / 503)[table.policy]
    errors = {}
    for uniform in (1.0, 0.3):
        chance = combined(table, scores(table, labels=[61, 61], uniform=uniform))
        new = (chance - old) / (1 - old)  # what a row that missed round one is offered in round two
        found = []
        for seed in range(600):  # both rounds are redrawn
            rng = np.random.default_rng(seed)
            first = systematic(old, rng=rng)
            seen = first | systematic(np.where(first, 0.0, new), rng=rng)
            correction = np.where(seen, (gold - table.forecast.value) / chance, 0.0)
            found.append((table.forecast.value + correction).mean())
        errors[uniform] = np.array(found) - gold.mean()
    for error in errors.values():
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(error.size)
    assert errors[0.3].std() < 0.95 * errors[1.0].std()


def test_more_labels_than_rows_is_an_error():
    ratings, _ = _ratings(items=53, labels=11)
    with pytest.raises(AdjudgeError, match="unlabelled rows"):
        scores(ratings, labels=[1000, 0])
