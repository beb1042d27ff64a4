"""Glicko and Glicko-2: the author's two worked examples, drift, periods, priors, and what the deviations leave out.

M. Glickman, The Glicko system (1999), and Example of the Glicko-2 system (2013), both at glicko.net/glicko: a player of
1500 ± 200 beats 1400 ± 30 and loses to 1550 ± 100 and 1700 ± 300; 1464 ± 151.4, and 1464.06 ± 151.52, σ' 0.05999.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import glicko
from adjudge.tables.comparisons import from_arrays
from ranking.votes_worlds import league

PLAYERS, DEVIATIONS = np.array([1500.0, 1400, 1550, 1700]), np.array([200.0, 30, 100, 300])
GAMES = (np.zeros(3, int), np.array([1, 2, 3]), np.array([1.0, 0, 0]), np.ones(3))


def test_the_worked_example_of_glicko() -> None:
    r, rd, _ = glicko.update(PLAYERS, DEVIATIONS, *GAMES)
    assert (round(r[0]), round(rd[0], 1)) == (1464, 151.4)


def test_the_worked_example_of_glicko_2() -> None:
    r, rd, sigma = glicko.update(PLAYERS, DEVIATIONS, *GAMES, sigma=np.full(4, 0.06), reversion=0.5)
    assert r[0] == pytest.approx(1464.06, abs=0.02)  # the example rounds on its way
    assert rd[0] == pytest.approx(151.52, abs=0.01)
    assert sigma[0] == pytest.approx(0.05999, abs=1e-5)


def test_the_volatility_solves_its_equation() -> None:
    sigma, phi2, v, delta = (np.array(each) for each in ([0.06, 0.3], [1.0, 0.2], [2.0, 0.5], [4.0, -0.1]))
    x = np.log(glicko._volatility(sigma, phi2, v, delta, 0.7) ** 2)
    e = np.exp(x)
    f = e * (delta**2 - phi2 - v - e) / (2 * (phi2 + v + e) ** 2) - (x - np.log(sigma**2)) / 0.7**2
    np.testing.assert_allclose(f, 0.0, atol=1e-12)
    assert x[0] > np.log(0.06**2)  # surprised: more volatile
    assert x[1] < np.log(0.3**2)


def test_an_idle_policy_grows_uncertain() -> None:
    left, right = np.array([0, 0, 1, 1, 1, 1]), np.array([2, 2, 2, 2, 2, 2])
    table = from_arrays(left, right, np.array([1.0, 0, 1, 0, 1, 0]), time=np.array([0.0, 0, 1, 2, 3, 4]))
    still, moving = glicko.rank(table, period=1.0), glicko.rank(table, period=1.0, growth=60.0)
    assert moving.stderr[0] == pytest.approx(np.sqrt(still.stderr[0] ** 2 + 4 * 60**2), rel=1e-12)
    assert glicko.rank(table, period=1.0, growth=1000.0).stderr[0] == 350.0  # never more than at the start


def test_follows_a_policy_that_changes_sides() -> None:
    rng = np.random.default_rng(1)
    n = 3000
    gap = np.where(np.arange(n) < n // 2, 1.0, -1.0)
    outcome = (rng.random(n) < special.expit(gap)).astype(float)
    table = from_arrays(np.zeros(n, int), np.ones(n, int), outcome)
    moving = glicko.rank(table, growth=30.0).difference("p0", "p1")
    truth, still = -400 / np.log(10), glicko.rank(table).value
    assert abs(moving.value[0] - truth) < 3 * moving.stderr[0]
    assert abs(still[0] - still[1]) < 120  # without growth the past weighs about as much as the present


def test_a_count_equals_repeated_rows_and_a_summary_is_spread() -> None:
    table = league(seed=2, n=61, k=5, ties=0.2)
    few = replace(table, count=np.tile([1.0, 2, 3], 21)[:61])
    rows = np.repeat(np.arange(61), few.count.astype(int))
    repeated = replace(few.take(rows), count=np.ones(rows.size), row=np.arange(rows.size))
    np.testing.assert_allclose(glicko.rank(few).value, glicko.rank(repeated).value, atol=1e-9)
    summary = from_arrays(np.array([0, 0]), np.array([1, 1]), np.array([1.0, 0.0]), count=np.array([700.0, 300.0]))
    gap = glicko.rank(summary).difference("p0", "p1").value[0]
    assert gap == pytest.approx(400 * np.log10(7 / 3), abs=10)


def test_swapped_sides_and_row_order_change_nothing() -> None:
    table = league(seed=3, n=211, k=7, ties=0.3)
    rng = np.random.default_rng(4)
    one = glicko.rank(table, volatility=0.06)
    other = glicko.rank(table.swapped(rng.random(211) < 0.5).take(rng.permutation(211)), volatility=0.06)
    np.testing.assert_allclose(other.value, one.value, atol=1e-9)
    np.testing.assert_allclose(other.stderr, one.stderr, atol=1e-9)


@pytest.mark.parametrize("spread", [350.0, 150.0])
def test_covers_the_distance_from_the_mean_of_fixed_strengths(spread: float) -> None:
    """Model-based errors in the model's own world: near nominal, not at it (one step a period, no correlations)."""
    trials, k, hits = 200, 5, 0.0
    for seed in range(trials):
        truth = spread * np.random.default_rng(seed).normal(size=k)
        result = glicko.rank(league(seed=seed, n=307, k=k, theta=truth * np.log(10) / 400))
        miss = (result.value - result.value.mean()) - (truth - truth.mean())
        hits += np.mean(np.abs(miss) <= special.ndtri(0.975) * result.stderr)
    assert 0.88 < hits / trials < 0.995


def test_what_is_left_out_is_said() -> None:
    table = league(seed=5, n=97, k=5, clusters=13)
    assert "clusters-ignored" in {finding.code for finding in glicko.rank(table).findings}
    result = glicko.rank(league(seed=5, n=2003, k=3), period=1e9)
    assert "periods-too-long" in {finding.code for finding in result.findings}
    apart = glicko.rank(from_arrays(np.array([0, 2]), np.array([1, 3]), np.array([1.0, 1.0]), policies=tuple("abcde")))
    assert {finding.code for finding in apart.findings} == {"policies-unconnected", "policy-without-votes"}
    assert np.isnan(apart.value).tolist() == [False, False, False, False, True]


@pytest.mark.parametrize("wrong", [{"period": 0.0}, {"growth": -1.0}, {"volatility": 0.0}, {"deviation": -5.0}])
def test_senseless_settings_are_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(AdjudgeError, match="glicko"):
        glicko.rank(league(seed=6, n=11, k=3), **wrong)
