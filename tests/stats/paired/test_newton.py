"""The fit: closed forms, textbook tables, an independent optimiser, the certificate, and summing that loses nothing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from adjudge.stats.paired import algebra, newton
from adjudge.stats.paired.votes import collect
from adjudge.tables.comparisons import from_arrays
from stats.paired.worlds import season

# Games of the American League East, 1987, won at home and by the visitors; rows at home, columns visitors.
# Agresti, Categorical Data Analysis (2nd ed., 2002), Tables 10.10-10.11; data(baseball) of the R package BradleyTerry2.
TEAMS = ("Baltimore", "Boston", "Cleveland", "Detroit", "Milwaukee", "New York", "Toronto")
GAMES = """
Baltimore    -    1-6  3-4  1-5  2-5  2-4  1-6
Boston       6-0  -    5-2  2-5  5-1  4-2  3-3
Cleveland    2-4  4-2  -    3-3  2-5  4-3  3-4
Detroit      4-3  6-0  6-1  -    3-3  4-3  4-2
Milwaukee    6-0  6-1  4-2  4-3  -    4-3  4-2
NewYork      6-1  4-3  4-2  5-1  3-3  -    2-5
Toronto      6-0  4-3  4-2  4-3  2-5  2-4  -
"""


def baseball():
    rows = [
        (home, away, outcome, int(games))
        for home, line in enumerate(GAMES.strip().splitlines())
        for away, cell in enumerate(line.split()[1:])
        if cell != "-"
        for outcome, games in zip((1.0, 0.0), cell.split("-"), strict=True)
    ]
    left, right, outcome, count = map(np.array, zip(*rows, strict=True))
    return from_arrays(left, right, outcome, count=count.astype(float), policies=TEAMS)


def against(fit, base=0):
    """Ratings and model-based standard errors against one policy, as textbooks print them."""
    k, V = fit.votes.k, fit.inverse
    variance = np.diagonal(V)[:k] + V[base, base] - 2 * V[base, :k]
    return fit.theta - fit.theta[base], np.sqrt(np.maximum(variance, 0.0))


def test_the_baseball_table_of_the_textbook():
    # Turner, Firth (2012), Bradley-Terry Models in R, J. Stat. Softw. 48(9), Section 2: baseballModel1, baseballModel2
    theta, error = against(newton.fit(collect(baseball())))
    np.testing.assert_allclose(theta, [0, 1.1077, 0.6839, 1.4364, 1.5814, 1.2476, 1.2945], atol=6e-5)
    np.testing.assert_allclose(error, [0, 0.3339, 0.3319, 0.3396, 0.3433, 0.3359, 0.3367], atol=6e-5)
    fit = newton.fit(collect(baseball(), order=True))
    theta, _ = against(fit)
    np.testing.assert_allclose(theta, [0, 1.1438, 0.7047, 1.4754, 1.6196, 1.2813, 1.3271], atol=6e-5)
    np.testing.assert_allclose(fit.effects, [0.3023], atol=6e-5)
    np.testing.assert_allclose(np.sqrt(fit.inverse[-1, -1]), 0.131, atol=6e-4)


def pair(wins, ties, losses):
    outcome = np.repeat([1.0, 0.5, 0.0], [wins, ties, losses])
    return from_arrays(np.zeros(outcome.size, int), np.ones(outcome.size, int), outcome)


def test_two_policies_have_closed_forms():
    plain = newton.fit(collect(pair(30, 0, 12)))
    np.testing.assert_allclose(plain.theta[0] - plain.theta[1], np.log(30 / 12))
    davidson = newton.fit(collect(pair(30, 10, 12)))
    np.testing.assert_allclose(davidson.theta[0] - davidson.theta[1], np.log(30 / 12))
    np.testing.assert_allclose(np.exp(davidson.tie), 10 / np.sqrt(30 * 12))
    kupper = newton.fit(collect(pair(30, 10, 12)), ties="rao-kupper")
    a, b = np.log(30 / 22), np.log(12 / 40)  # p_win = 30/52 = 1/(1 + e^{τ−η}),  p_loss = 12/52
    np.testing.assert_allclose([kupper.theta[0] - kupper.theta[1], kupper.tie], [(a - b) / 2, -(a + b) / 2])
    half = newton.fit(collect(pair(30, 10, 12), half=True), ties="half")
    np.testing.assert_allclose(half.theta[0] - half.theta[1], np.log(35 / 17))
    soft = newton.fit(collect(from_arrays(np.zeros(2, int), np.ones(2, int), np.array([0.9, 0.3]))))
    np.testing.assert_allclose(soft.theta[0] - soft.theta[1], np.log(0.6 / 0.4))


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half"])
def test_an_optimiser_that_knows_only_the_chances_finds_the_same(ties):
    table = season(seed=2, d=2)
    fit = newton.fit(collect(table, covariates=True, half=ties == "half"), ties=ties)

    def loss(beta):
        theta, gamma, t = np.append(0.0, beta[:6]), beta[6:8], beta[8]
        p, q = np.exp(theta[table.left] + table.covariates @ gamma), np.exp(theta[table.right])
        if ties == "davidson":
            nu = np.exp(t)
            chance = np.array([q, nu * np.sqrt(p * q), p]) / (p + q + nu * np.sqrt(p * q))
        elif ties == "rao-kupper":
            k = 1 + np.exp(t)
            chance = np.array([q / (q + k * p), (k * k - 1) * p * q / ((p + k * q) * (q + k * p)), p / (p + k * q)])
        else:
            chance = np.array([q / (p + q), np.sqrt(p * q) / (p + q), p / (p + q)])
        return -np.log(chance[(2 * table.outcome).astype(int), np.arange(table.n)]).sum()

    found = optimize.minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-5}).x
    theta = np.append(0.0, found[:6])
    np.testing.assert_allclose(fit.theta, theta - theta.mean(), atol=1e-6)
    np.testing.assert_allclose(fit.effects, found[6:8], atol=1e-6)
    tie = {"davidson": found[8], "rao-kupper": np.log1p(np.exp(found[8])), "half": -np.inf}[ties]
    np.testing.assert_allclose(fit.tie, tie, atol=1e-6)
    assert fit.gradient_norm < 1e-12
    assert newton.fit(fit.votes, ties=ties, start=fit.beta).iterations == 1
    np.testing.assert_allclose(newton.fit(fit.votes, ties=ties, start=fit.beta).beta, fit.beta, atol=1e-10)


@pytest.mark.parametrize("order", [False, True, "rater"])
@pytest.mark.parametrize("law", ["davidson", "rao-kupper"])
def test_gradient_and_information_are_those_of_the_log_posterior(order, law):
    votes = collect(season(seed=3, d=2, ragged=True), covariates=True, order=order)
    problem = newton.Problem(votes, law, np.ones(7, bool), 0.4)
    beta = np.random.default_rng(0).normal(scale=0.3, size=problem.q)
    beta[-1], h = 0.4, 1e-5
    _, gradient, A = problem.at(beta)
    moves = np.eye(problem.q) * h
    slope = [(problem.at(beta + move)[0] - problem.at(beta - move)[0]) / (2 * h) for move in moves]
    bend = [-(problem.at(beta + move)[1] - problem.at(beta - move)[1]) / (2 * h) for move in moves]
    np.testing.assert_allclose(gradient, slope, atol=1e-5)
    difference = A - np.array(bend)
    pin = difference[0, 0]  # holds the mean rating; no part of the likelihood
    difference[:7, :7] -= pin
    np.testing.assert_allclose(difference, 0.0, atol=1e-5)
    assert pin > 0


def test_summed_votes_and_rows_one_by_one_are_the_same_fit():
    table = season(seed=4, ragged=True)
    summed = newton.fit(collect(table, order="rater"))
    rows = collect(replace(table, covariates=np.zeros((table.n, 1))), covariates=True, order="rater")
    assert summed.votes.code is not None
    assert rows.code is None
    one_by_one = newton.fit(rows)
    np.testing.assert_allclose(one_by_one.theta, summed.theta, atol=1e-9)
    np.testing.assert_allclose(one_by_one.effects[1:], summed.effects, atol=1e-9)
    assert np.isnan(one_by_one.effects[0])  # a column of zeros says nothing


def test_a_covariate_in_other_units_changes_its_coefficient_alone():
    table = season(seed=5, d=2)
    grams = replace(table, covariates=table.covariates * [1000.0, 1e-4])
    one, other = (newton.fit(collect(each, covariates=True)) for each in (table, grams))
    np.testing.assert_allclose(other.theta, one.theta, atol=1e-9)
    np.testing.assert_allclose(other.effects * [1000.0, 1e-4], one.effects, atol=1e-9)


def test_a_prior_draws_to_the_mean_and_fades_when_it_is_wide():
    votes = collect(season(seed=6))
    free, wide, tight = (newton.fit(votes, prior=s) for s in (np.inf, 1e5, 0.3))
    np.testing.assert_allclose(wide.theta, free.theta, atol=1e-8)
    assert np.ptp(tight.theta) < 0.8 * np.ptp(free.theta)
    assert tight.gradient_norm < 1e-12


@pytest.mark.parametrize("outcome", [[1, 0.5, 0.5], [0.5, 0.5]])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_ties_that_run_away_are_not_converged(outcome, ties):
    n = len(outcome)
    fit = newton.fit(collect(from_arrays(np.zeros(n, int), np.ones(n, int), np.array(outcome))), ties=ties)
    assert not fit.converged
    assert np.isnan(fit.theta).all()


def test_the_inverse_says_what_is_not_identified():
    A = np.diag([2.0, 3.0, 0.0])
    A[:2, :2] += 1.0
    found = algebra.inverse(A)
    np.testing.assert_allclose(found[:2, :2] @ A[:2, :2], np.eye(2), atol=1e-12)
    assert np.isnan(found[2, 2])
    twins = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 4.0]])
    np.testing.assert_allclose(np.diagonal(algebra.inverse(twins)), [np.nan, np.nan, 0.25])
