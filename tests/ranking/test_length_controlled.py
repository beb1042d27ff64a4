"""Length-controlled win rates: the fit, its limits, an error that a bootstrap confirms, coverage, odd tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special

from adjudge.errors import AdjudgeError
from adjudge.ranking import length_controlled
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.run_tables import codes

THETA, PHI = np.array([0.4, -0.5, 1.0]), np.array([1.2, 0.6, 1.8])


def world(seed: int, n: int = 401, *, difficulty: bool = True, theta: np.ndarray = THETA) -> Comparisons:
    """Each policy meets the baseline (the last) on each instruction; the better ones also write more."""
    rng = np.random.default_rng(seed)
    k = theta.size
    policy, item = (code.ravel() for code in np.indices((k, n)))
    delta = 200 * rng.normal(size=k * n) + 150 * theta[policy]
    gamma = rng.normal(size=n)[item]
    spread = np.sqrt(np.bincount(policy, delta**2) / n - (np.bincount(policy, delta) / n) ** 2)
    logit = theta[policy] + PHI[policy] * np.tanh(delta / spread[policy]) + 0.8 * gamma * difficulty
    won = rng.random(k * n) < special.expit(logit)
    covariates = np.column_stack([delta, gamma]) if difficulty else delta[:, None]
    return from_arrays(
        policy,
        np.full(k * n, k),
        won.astype(float),
        item=item,
        cluster=item[:, None],
        covariates=covariates,
        covariate_names=("length", "difficulty")[: covariates.shape[1]],
    )


def truth(theta: float, *, difficulty: bool) -> float:
    at, mass = np.polynomial.hermite_e.hermegauss(61)
    return float(mass @ special.expit(theta + 0.8 * at * difficulty) / mass.sum())


def test_is_the_maximum_likelihood_of_the_model() -> None:
    table = world(1, 211)
    result = length_controlled.rank(table, difficulty=("difficulty",))
    at = table.left == 1
    delta, gamma = table.covariates[at].T
    X = np.column_stack([np.ones(211), np.tanh(delta / delta.std()), gamma])
    y = table.outcome[at]
    fit = optimize.minimize(lambda b: np.sum(np.logaddexp(0, X @ b) - y * (X @ b)), np.zeros(3), tol=1e-12)
    assert result.figures["length"].value[1] == pytest.approx(fit.x[1], abs=1e-5)
    assert result.value[1] == pytest.approx(special.expit(fit.x[0] + fit.x[2] * gamma).mean(), abs=1e-6)
    assert result.figures["raw"].value[1] == pytest.approx(y.mean())
    assert codes(result) == []


def test_equal_lengths_are_the_raw_win_rate_and_its_error() -> None:
    table = world(2, 211, difficulty=False)
    table = replace(table, covariates=np.zeros_like(table.covariates))
    result = length_controlled.rank(table)
    raw = table.outcome.reshape(3, -1)
    np.testing.assert_allclose(result.value[:3], raw.mean(axis=1), atol=1e-8)
    np.testing.assert_allclose(result.covariance[:3, :3], np.cov(raw) / 211, atol=1e-8)
    np.testing.assert_allclose(result.figures["raw"].covariance[:3, :3], np.cov(raw) / 211, atol=1e-12)


def test_the_baseline_is_a_half_by_definition_and_is_found() -> None:
    result = length_controlled.rank(world(3, 53, difficulty=False))
    assert result.value[3] == 0.5
    assert result.stderr[3] == 0.0
    np.testing.assert_allclose(result.interval()[3], 0.5, atol=1e-5)
    lead = result.difference("p0", "p3")
    assert lead.stderr[0] == pytest.approx(result.stderr[0])


def test_sides_order_and_repetition_change_nothing() -> None:
    table = world(5, 101)
    one = length_controlled.rank(table, difficulty=("difficulty",))
    rng = np.random.default_rng(7)
    swapped = length_controlled.rank(table.swapped(rng.random(table.n) < 0.5), difficulty=("difficulty",))
    shuffled = length_controlled.rank(table.take(rng.permutation(table.n)), difficulty=("difficulty",))
    for other in (swapped, shuffled):
        np.testing.assert_allclose(other.value, one.value, rtol=1e-9)
        np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-6, atol=1e-12)
    times = rng.integers(1, 4, table.n)
    repeated = length_controlled.rank(table.take(np.repeat(np.arange(table.n), times)), difficulty=("difficulty",))
    weighted = length_controlled.rank(replace(table, count=times.astype(float)), difficulty=("difficulty",))
    np.testing.assert_allclose(weighted.value, repeated.value, rtol=1e-9)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("difficulty", [True, False])
def test_error_is_the_bootstrap_error_where_the_published_one_is_not(difficulty: bool) -> None:
    n, replicates = 211, 300
    table = world(11, n, difficulty=difficulty)
    kept = ("difficulty",) if difficulty else ()
    result = length_controlled.rank(table, difficulty=kept)
    rng = np.random.default_rng(13)
    drawn = np.empty((replicates, 3))
    for b in range(replicates):
        items = rng.integers(0, n, n)
        rows = (np.arange(3)[:, None] * n + items).ravel()
        again = replace(table.take(rows), cluster=np.tile(np.arange(n), 3)[:, None])
        drawn[b] = length_controlled.rank(again, difficulty=kept).value[:3]
    bootstrap = drawn.std(axis=0, ddof=1)
    np.testing.assert_allclose(result.stderr[:3], bootstrap, rtol=0.10)
    correlation = np.corrcoef(drawn.T)[0, 1]
    ours = result.covariance[0, 1] / result.stderr[0] / result.stderr[1]
    assert abs(ours - correlation) < 4 / np.sqrt(replicates)
    gamma = table.covariates[:n, 1] if difficulty else np.zeros(n)
    predicted = special.expit(THETA[0] + 0.8 * gamma)  # the spread of the predictions is all that is published
    assert predicted.std() / np.sqrt(n) < 0.5 * bootstrap[0]


def test_covers_the_win_rate_at_equal_length() -> None:
    trials, level, theta = 300, 0.95, np.array([0.4, -0.5])
    goal = np.array([truth(each, difficulty=True) for each in theta])
    hits = np.zeros(2)
    raw = 0
    for seed in range(trials):
        result = length_controlled.rank(world(1000 + seed, 211, theta=theta), difficulty=("difficulty",))
        low, high = result.interval(level)[:2].T
        hits += (low <= goal) & (goal <= high)
        low, high = result.figures["raw"].interval(level)[0]
        raw += low <= goal[0] <= high
    assert np.all(np.abs(hits / trials - level) < 4 * np.sqrt(level * (1 - level) / trials)), hits / trials
    assert raw / trials < 0.9  # the longer answers of the better policy


def test_two_ways_of_clustering() -> None:
    table = world(17, 101, difficulty=False)
    raters = np.random.default_rng(19).integers(0, 11, table.n)
    both = length_controlled.rank(replace(table, cluster=np.column_stack([table.item, raters])))
    assert both.df[0] == 11 - 2
    one = length_controlled.rank(replace(table, cluster=np.zeros((table.n, 0), dtype=np.int64)))
    np.testing.assert_allclose(
        one.covariance, length_controlled.rank(table).covariance
    )  # the item, where none is known


def test_a_policy_that_always_wins_is_not_certain_to() -> None:
    table = world(23, 53, difficulty=False)
    always = replace(table, outcome=np.where(table.left == 2, 1.0, table.outcome))
    result = length_controlled.rank(always)
    assert result.value[2] == 1.0
    assert 0.85 < result.interval()[2, 0] < 0.99
    assert codes(result) == ["wins-separated"]
    assert np.isnan(result.figures["length"].value[2])


def test_ties_missing_verdicts_and_strangers() -> None:
    table = world(29, 53, difficulty=False)
    outcome = np.where(np.arange(table.n) % 7 == 0, np.nan, np.where(np.arange(table.n) % 5 == 0, 0.5, table.outcome))
    odd = replace(table, outcome=outcome, weight=(np.arange(table.n) % 11 > 0).astype(float))
    left = length_controlled.rank(odd.take(np.flatnonzero(odd.known)))
    np.testing.assert_allclose(length_controlled.rank(odd).value, left.value, rtol=1e-12)
    ties = length_controlled.rank(replace(table, outcome=np.full(table.n, 0.5)))
    np.testing.assert_allclose(ties.value, 0.5, atol=1e-9)
    strangers = replace(table, right=np.where((table.left == 0) & (table.item == 0), 1, table.right))
    assert "comparisons-left-out" in codes(length_controlled.rank(strangers, baseline="p3"))
    few = length_controlled.rank(table.take(np.flatnonzero((table.item < 2) | (table.left != 1))), baseline="p3")
    assert np.isnan(few.stderr[1])
    assert "comparisons-too-few" in codes(few)


def test_names_are_checked() -> None:
    table = world(31, 23)
    for wrong in ({"baseline": "nobody"}, {"length": "width"}, {"difficulty": ("mood",)}):
        with pytest.raises(AdjudgeError):
            length_controlled.rank(table, **wrong)
    with pytest.raises(AdjudgeError, match="0 policies are in every comparison"):
        length_controlled.rank(replace(table, right=np.where(table.left == 0, 1, table.right)))
    with pytest.raises(AdjudgeError, match="covariates look like a length"):
        length_controlled.rank(replace(table, covariates=np.zeros((table.n, 0)), covariate_names=()))


def test_a_difference_from_the_baseline_is_no_more_certain_than_the_win_rate() -> None:
    rng, n = np.random.default_rng(9), 97
    won = (rng.random(n) < 0.6).astype(float)
    votes = from_arrays(
        np.zeros(n, int), np.ones(n, int), won, covariates=rng.normal(0, 9, (n, 1)), covariate_names=("length",)
    )
    found = length_controlled.rank(votes, baseline="p1")
    low, high = found.difference("p0", "p1").interval()[0] + 0.5
    own = found.select(["p0"]).interval()[0]
    np.testing.assert_allclose([low, high], own, atol=0.02)
