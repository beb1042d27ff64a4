"""Vote rigging: honest tastes are no rigging, planted riggers are found, and what they did is measured."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.data import vote_rigging
from adjudge.ranking import bradley_terry
from adjudge.sim.leagues import League
from adjudge.tables.comparisons import from_arrays


@pytest.mark.parametrize("taste", [0.0, 0.5, 1.0])
def test_honest_tastes_are_rarely_called_rigging(taste):
    league = League(policies=7, votes=3000, raters=40, taste=taste, tie=0.1)
    flagged = [(vote_rigging.raters(league.draw((1, s)).comparisons).adjusted < 0.05).any() for s in range(60)]
    assert np.mean(flagged) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_taste_is_estimated_and_a_minority_of_riggers_does_not_move_it():
    found = {
        riggers: [
            vote_rigging.raters(
                League(policies=12, raters=100, taste=0.5, riggers=riggers, rig_focus=0.5).draw((2, s)).comparisons
            ).taste
            for s in range(10)
        ]
        for riggers in (0, 5)
    }
    assert np.mean(found[0]) == pytest.approx(0.5, abs=0.08)
    assert np.mean(found[5]) == pytest.approx(np.mean(found[0]), abs=0.1)


def test_planted_riggers_are_found_with_their_target_and_nobody_else():
    league = League(policies=12, votes=10_000, raters=100, taste=0.5, riggers=3, rigged=9, rig_focus=0.9)
    hit, false = [], []
    for s in range(20):
        found = vote_rigging.raters(league.draw((3, s)).comparisons)
        flag = found.adjusted < 0.05
        hit.append(flag[:3] & (found.policy[:3] == 9) & found.lifts[:3])
        false.append(flag[3:].any())
    assert np.mean(hit) > 0.95
    assert np.mean(false) <= 0.15


def test_without_tastes_a_cell_is_a_binomial_test():
    rng = np.random.default_rng(5)
    n = 600
    rater = rng.integers(0, 20, n)
    outcome = np.where(rater == 7, 1.0, rng.integers(0, 2, n).astype(float))
    table = from_arrays(np.zeros(n, int), np.ones(n, int), outcome, rater=rater)
    votes = vote_rigging._sides(table)
    high, low = vote_rigging._tails(votes, votes.cell_rater.size, 0.0)
    own = np.flatnonzero((votes.cell_rater == 7) & (votes.cell_policy == 0))[0]
    m = int((rater == 7).sum())
    p = votes.chance[votes.cell == own]
    assert np.ptp(p) < 1e-12
    assert high[own] == pytest.approx(p[0] ** m)  # all m won
    assert low[own] == pytest.approx(1.0)


def test_binomial_tails_bound_those_of_unequal_chances():
    """Hoeffding (1956): beyond mean + 1 the binomial of the mean chance has the larger tail; counted exactly."""
    p = np.array([0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9])
    exact = np.array([1.0])
    for each in p:
        exact = np.convolve(exact, [1 - each, each])
    for wins in (5, 6, 7):
        assert special.betainc(wins, p.size - wins + 1, p.mean()) >= exact[wins:].sum()


def test_points_are_what_leaving_the_rater_out_does():
    season = League(policies=7, votes=6000, raters=60, riggers=2, rigged=5, rig_focus=0.8).draw(4)
    table = season.comparisons
    found = vote_rigging.raters(table)
    whole, without = bradley_terry.rank(table), bradley_terry.rank(table.take(table.rater != 0))
    drop = whole.value[5] - without.value[5]
    assert drop > 5
    assert found.points[0] == pytest.approx(drop, rel=0.25)


def test_rows_are_suspect_only_where_they_serve_the_end():
    season = League(policies=7, votes=3000, raters=50, riggers=1, rigged=6, rig_focus=0.7).draw(1)
    table, suspicion = season.comparisons, vote_rigging.scores(season.comparisons)
    assert np.all(suspicion[season.rigging] > 1.3)
    assert np.all(suspicion[(table.rater == 0) & ~season.rigging] == 0)
    assert suspicion[table.rater != 0].max() < 1.3
    (finding,) = vote_rigging.findings(table)
    assert finding.subject == ("rater 0", "p6")


def test_sides_and_order_of_rows_change_nothing():
    table = League(policies=5, votes=700, raters=11, taste=0.4).draw(2).comparisons
    first = vote_rigging.scores(table)
    turned = table.swapped(np.random.default_rng(1).random(table.n) < 0.5)
    np.testing.assert_allclose(vote_rigging.scores(turned), first, atol=1e-9)
    order = np.random.default_rng(2).permutation(table.n)
    np.testing.assert_allclose(vote_rigging.scores(table.take(order)), first[order], atol=1e-9)


def test_a_count_is_that_many_votes():
    table = League(policies=5, votes=300, raters=11, taste=0.4).draw(2).comparisons
    count = np.random.default_rng(3).integers(0, 4, table.n)
    apart = table.take(np.repeat(np.arange(table.n), count))
    together = vote_rigging.raters(replace(table, count=count.astype(float)))
    np.testing.assert_allclose(together.p, vote_rigging.raters(apart).p)


def test_a_burst_of_many_names_is_seen_and_quiet_seasons_are_not():
    league, quiet = League(policies=7, votes=8000, raters=400, taste=0.5), []
    for s in range(30):
        table = league.draw((6, s)).comparisons
        quiet.append((vote_rigging.bursts(table) < 0.05).any())
    burst = (table.time > 0.6) & (table.time < 0.63) & ((table.left == 5) | (table.right == 5))
    rigged = replace(table, outcome=np.where(burst, (table.left == 5).astype(float), table.outcome))
    p = vote_rigging.bursts(rigged)
    assert np.mean(quiet) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 30)
    policy, stretch = np.unravel_index(np.argmin(p), p.shape)
    assert p.min() < 1e-4
    assert policy == 5
    assert 29 <= stretch <= 32


def test_too_few_raters_say_nothing():
    table = League(policies=5, votes=101, raters=2).draw(0).comparisons
    assert np.isnan(vote_rigging.scores(table)).all()
    assert np.isnan(vote_rigging.bursts(table)).all()
    assert vote_rigging.findings(table) == ()
    silent = replace(table, outcome=np.full(table.n, np.nan))
    assert np.isnan(vote_rigging.scores(silent)).all()
