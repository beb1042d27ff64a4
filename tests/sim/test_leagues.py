"""The leagues are what they say: expected votes, the fit to them, graphs, riggers and judges."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.sim import _league_target as target_fit
from adjudge.sim.leagues import League
from adjudge.stats.paired.scale import POINTS


@pytest.mark.parametrize(("model", "tie"), [("davidson", 0.0), ("davidson", 0.3), ("rao_kupper", 0.3)])
def test_without_tastes_the_target_is_the_ability_itself(model, tie):
    league = League(policies=7, tie=tie, tie_model=model, order=0.3, length=0.5, graph="regular")
    np.testing.assert_allclose(league.target.theta, league.theta, atol=1e-6)
    assert league.target.effects["order"] == pytest.approx(0.3, abs=1e-6)
    assert league.target.effects["length"] == pytest.approx(0.5, abs=1e-6)
    between_equals = target_fit.chances(np.zeros(1), league.target.tie if tie else -np.inf, model)
    assert between_equals[1][0] == pytest.approx(tie, abs=1e-6)


def test_tastes_pull_the_target_to_the_middle_as_the_logistic_normal_integral_says():
    league = League(ability=(0.5, -0.5), taste=0.8)
    z = np.random.default_rng(3).standard_normal(2_000_003)
    chance = np.mean(1 / (1 + np.exp(-1.0 - np.sqrt(2) * 0.8 * z)))
    assert np.ptp(league.target.theta) == pytest.approx(np.log(chance / (1 - chance)), abs=4e-3)
    assert np.ptp(league.target.theta) < 1.0


@pytest.mark.parametrize("model", ["davidson", "rao_kupper"])
def test_a_huge_season_is_fitted_by_the_target(model):
    league = League(
        policies=5, votes=1_000_003, raters=50_021, taste=0.6, prompts=40_009, prompt_taste=0.5, tie=0.2,
        tie_model=model, order=0.4, length=0.3, cycle=0.3, unreliable=0.1, drift=0.7, graph="hub", degree=2,
        popular=0.5,
    )  # fmt: skip
    table = league.draw(11).comparisons
    won = [(table.outcome == v).astype(float) for v in (1.0, 0.5, 0.0)]
    x = table.covariates[:, 0]
    cells = target_fit.Cells(table.left, table.right, table.first, x, np.full(table.n, 1 / table.n), np.array(won))
    beta, tie = target_fit.fit(cells, np.column_stack([table.first, x]), 5, model)
    found = beta[:5] - beta[:5].mean()
    np.testing.assert_allclose(found, league.target.theta, atol=0.02)  # 4 standard errors
    assert np.abs(league.target.theta - league.theta).max() > 0.1  # so that the test could fail
    assert beta[5] == pytest.approx(league.target.effects["order"], abs=0.012)
    assert beta[6] == pytest.approx(league.target.effects["length"], abs=0.012)
    assert tie == pytest.approx(league.target.tie, abs=0.012)


def test_the_fit_stands_where_its_slope_is_zero():
    d, rng = np.linspace(-1.7, 1.9, 13), np.random.default_rng(2)
    votes = rng.dirichlet(np.ones(3), size=13).T
    for ties in ("davidson", "rao_kupper"):
        by_d, by_u, _ = target_fit._slopes(d, 0.4, *votes, ties)
        step = 1e-6
        up_d, down_d = (target_fit._slopes(d + s, 0.4, *votes, ties)[2] for s in (step, -step))
        up_u, down_u = (target_fit._slopes(d, 0.4 + s, *votes, ties)[2] for s in (step, -step))
        np.testing.assert_allclose(by_d, (up_d - down_d) / (2 * step), atol=1e-8)
        np.testing.assert_allclose(by_u, (up_u - down_u) / (2 * step), atol=1e-8)


def test_half_a_win_for_a_tie_shrinks_the_scale():
    """The known attenuation: a Davidson league told as half wins looks closer together."""
    league = League(policies=11, tie=0.4)
    halves = league.target_of("none").theta
    slope = halves @ league.theta / (league.theta @ league.theta)
    assert 0.5 < slope < 0.95


@pytest.mark.parametrize(
    ("graph", "pairs"), [("full", 11 * 10 // 2), ("regular", 22), ("hub", 10 + 9 + 8 + 7), ("swiss", 10 + 9 + 8 + 7)]
)
def test_graphs_have_their_pairs_and_only_those_meet(graph, pairs):
    league = League(policies=11, votes=5003, graph=graph, degree=4)
    table = league.draw(1).comparisons
    one, other, share = league.pairs
    met = set(zip(np.minimum(table.left, table.right), np.maximum(table.left, table.right), strict=True))
    assert one.size == pairs
    assert met == set(zip(one, other, strict=True))
    assert share.sum() == pytest.approx(1)


def test_same_seed_same_season_and_another_seed_another():
    league = League(policies=5, votes=307, taste=1.0, prompts=13, prompt_taste=0.5, uneven=1.0)
    one, same, another = (league.draw(seed).comparisons for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.outcome, same.outcome)
    assert np.any(one.outcome != another.outcome)
    assert league.draw((3, 1)).comparisons.n == 307


def test_raters_share_the_votes_evenly_or_not():
    even = np.bincount(League(votes=1000, raters=10).draw(0).comparisons.rater)
    uneven = np.bincount(League(votes=1000, raters=10, uneven=1.5).draw(0).comparisons.rater, minlength=10)
    assert set(even) == {100}
    assert uneven.std() > 50


def test_riggers_always_lift_their_policy_and_nobody_else_does():
    season = League(policies=7, votes=4001, raters=20, riggers=3, rigged=6, rig_focus=0.8).draw(2)
    table = season.comparisons
    assert set(table.rater[season.rigging]) == {0, 1, 2}
    np.testing.assert_array_equal(table.outcome[season.rigging], (table.left == 6)[season.rigging])
    assert season.rigging.mean() > 0.8 * 3 / 20
    np.testing.assert_allclose(season.target.theta, League(policies=7).target.theta)


def test_judges_see_every_match_and_people_a_share_of_them():
    season = League(policies=5, votes=2003, judges=2, gold=0.25, judge_bias=0.7).draw(4)
    table = season.comparisons
    assert table.n == 2 * 2003 + 501
    assert table.trusted.sum() == 501
    assert {table.raters[r] for r in table.rater[~table.trusted]} == {"judge 0", "judge 1"}
    assert np.all(np.bincount(table.match[~table.trusted]) == 2)
    judged = table.outcome[~table.trusted]
    assert np.all((judged > 0) & (judged < 1))
    truth = table.outcome[table.trusted]
    twin = dict(zip(table.match[~table.trusted], judged, strict=True))
    assert np.corrcoef(truth, [twin[m] for m in table.match[table.trusted]])[0, 1] > 0.2


def test_truth_is_in_points_around_a_thousand():
    season = League(policies=5, votes=11).draw(0)
    assert season.truth.mean() == pytest.approx(1000)
    np.testing.assert_allclose((season.truth - 1000) / POINTS, season.target.theta, atol=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [{"tie_model": "x"}, {"graph": "x"}, {"clusters": ("x",)}, {"tie": 1.0}, {"policies": 1}, {"prompt_taste": 1.0}],
)
def test_impossible_leagues_are_refused(wrong):
    with pytest.raises(AdjudgeError):
        League(**wrong)
