"""Ensembles: members around the plain fit, aggregates as their limits, an error that counts the shared data once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.rewards import bradley_terry, ensemble
from adjudge.stats import held_pairs
from adjudge.stats.reward_members import Members
from adjudge.tables.preferences import from_arrays
from rewards.pairs_worlds import TRUE, pairs


def test_members_spread_as_the_error_of_the_plain_fit_says() -> None:
    table = pairs(1009, 0)
    plain = bradley_terry.fit(table, folds=0)
    model = ensemble.fit(table, members=200, how="mean", folds=0)
    every = Members.of(model).table[:, :-1]
    said = np.sqrt(np.diag(plain.covariance))
    np.testing.assert_allclose(every.mean(axis=0), plain.parameters, atol=0.3 * said.max())
    np.testing.assert_allclose(every.std(axis=0), said, rtol=0.25)
    # The mean of many members is the plain fit, and so is its error: their data are one.
    left, right = np.random.default_rng(1).normal(size=(2, 31, 5))
    np.testing.assert_allclose(model.log_odds(left, right)[1], plain.log_odds(left, right)[1], rtol=0.12)


def test_aggregates_and_their_limits() -> None:
    table = pairs(307, 1)
    x = np.random.default_rng(2).normal(size=(41, 5)) * 3
    score = {how: ensemble.fit(table, how=how, penalty=0.5, folds=0).score(x) for how in
             ("mean", "median", "min", "variance", "deviation")}  # fmt: skip
    assert (score["min"] <= score["median"]).all()
    assert (score["min"] <= score["mean"]).all()
    assert (score["variance"] < score["mean"]).all()
    np.testing.assert_allclose(ensemble.fit(table, how="variance", penalty=0, folds=0).score(x), score["mean"])
    alone = [ensemble.fit(table, members=1, how=how, folds=0).score(x) for how in ("min", "mean", "deviation")]
    np.testing.assert_allclose(alone[0], alone[1])
    np.testing.assert_allclose(alone[0], alone[2])


def test_rewards_are_counted_from_their_mean() -> None:
    table = pairs(307, 3)
    model = ensemble.fit(table, how="mean", folds=0)
    every = Members.of(model).rewards(np.concatenate([table.left, table.right]))
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-9)
    moved = ensemble.fit(table.take(np.arange(307)), how="min", folds=0)
    assert moved.score(np.zeros((1, 5)))[0] < 0


def test_the_worst_case_is_wary_of_what_was_hardly_seen() -> None:
    table = pairs(607, 4)
    table.left[:, 3], table.right[:, 3] = 0.05 * table.left[:, 3], 0.05 * table.right[:, 3]
    odd = np.array([[0, 0, 0, 8.0, 0]])
    mean, worst = (ensemble.fit(table, how=how, ridge=0.01, folds=0).score(odd)[0] for how in ("mean", "min"))
    assert worst < mean - 2
    assert worst < 0


def test_members_that_see_a_part_of_the_features() -> None:
    model = ensemble.fit(pairs(607, 5), members=7, features="part", how="mean")
    every = Members.of(model).table[:, :-1]
    assert ((every != 0).sum(axis=1) == 3).all()
    assert model.figures["agreement of members"] < 0.9
    assert model.report["all"].accuracy > 0.6
    assert np.sign(every.sum(axis=0))[:3].tolist() == np.sign(TRUE)[:3].tolist()


def test_the_error_counts_that_of_the_zero_and_of_weights_that_draw_the_fit() -> None:
    trials, centre, truth = 200, np.array([2.0, 0, 0, 1, 0]), np.array([1.0, -0.6, 0.3, 0, 0.5])
    asked = np.random.default_rng(7).normal(size=(2, 11, 5))
    zero, fits = [], []
    for seed in range(trials):
        rng = np.random.default_rng((seed, 181))
        left, right = rng.normal(size=(2, 61, 5))
        won = rng.random(61) < 1 / (1 + np.exp(-(left - right) @ truth))
        model = ensemble.fit(from_arrays(left + centre, right + centre, won), members=3, how="mean", folds=0)
        zero.append([model.score(centre[None])[0], model.score_stderr(centre[None])[0]])
        fits.append(model.log_odds(*asked))
    for found, slack in ((np.array(zero)[:, :, None], 4 / np.sqrt(2 * trials)), (np.array(fits), 0.13)):
        ratio = np.sqrt((found[:, 0].std(axis=0) ** 2).mean() / (found[:, 1] ** 2).mean())
        assert abs(ratio - 1) < slack  # contrasts of 5 coefficients count as about two


def test_the_report_is_of_members_that_see_what_the_members_see() -> None:
    table = pairs(307, 8)
    model = ensemble.fit(table, members=1, features="part", how="mean")
    own = Members.of(model).table[0, :-1] != 0
    by_hand = np.column_stack([table.difference[:, own], np.ones(307)])
    lead = np.log(model.held_out / (1 - model.held_out))
    # Each fold is one linear form of the features shown, so that few rows beside their number span all of them.
    fold = held_pairs.split(307, 5, 0)
    for number in range(5):
        rows = fold == number
        left_over = np.linalg.lstsq(by_hand[rows], lead[rows], rcond=None)[1]
        assert left_over[0] < 1e-9


def test_sides_count_alike_and_what_members_notice_is_told() -> None:
    table = pairs(307, 9)
    one, other = (ensemble.fit(each, folds=0) for each in (table, table.swapped))
    assert one.figures == pytest.approx(other.figures)
    times = np.arange(307) % 3
    weighted = replace(table, weight=times.astype(float))
    again = table.take(np.repeat(np.arange(307), times))
    assert ensemble.fit(weighted, folds=0).figures == pytest.approx(ensemble.fit(again, folds=0).figures)
    apart = from_arrays(table.left, table.right, table.difference[:, 0] > 0)
    assert [found.code for found in ensemble.fit(apart, ridge=1e-6, folds=0).findings] == ["rewards-separable"]


@pytest.mark.parametrize("wrong", [{"members": 0}, {"how": "best"}, {"features": "none"}, {"penalty": -1.0}])
def test_other_arguments_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(AdjudgeError, match="members"):
        ensemble.fit(pairs(101, 6), **wrong)
