"""Prediction-powered Bradley-Terry: its limits are its relatives, its gradient is zero, its intervals cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize, special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _ppi_findings, _ppi_fit, ppi_bradley_terry
from adjudge.ranking import _soft_davidson as davidson
from adjudge.ranking._matches import gather
from adjudge.tables.comparisons import Comparisons, from_arrays

TRUTH = np.array([0.7, 0.3, 0.1, -0.2, -0.9])
NU = 0.6


def verdict(rng: np.random.Generator, d: np.ndarray, nu: float = NU) -> np.ndarray:
    win, tie, _ = davidson.chances(d, np.full(d.size, np.log(nu)))
    u = rng.random(d.size)
    return np.where(u < win, 1.0, np.where(u < win + tie, 0.5, 0.0))


def world(seed: int, *, matches: int = 1009, labelled: int = 101, cluster: int = 1, copy: bool = False) -> Comparisons:
    """A judge who sees what people see, adds a taste for each policy, and answers every match; people answer some."""
    rng = np.random.default_rng(seed)
    k = TRUTH.size
    left = rng.integers(0, k, matches)
    right = (left + rng.integers(1, k, matches)) % k
    unit = np.arange(matches) // cluster
    shared = rng.normal(0, 0.8, (unit.max() + 1, k)) if cluster > 1 else np.zeros((unit.max() + 1, k))
    shock = shared[unit, left] - shared[unit, right] + rng.logistic(0, 1.2, matches)
    d = TRUTH[left] - TRUTH[right] + shock
    human = verdict(rng, d)
    bias = np.array([-0.6, 0.5, 0.0, 0.4, 0.9])
    judge = human.copy() if copy else verdict(rng, 2.5 * d + bias[left] - bias[right], 0.1)
    label = np.zeros(matches, dtype=bool)
    label[rng.permutation(matches // cluster)[: labelled // cluster][:, None] * cluster + np.arange(cluster)] = True
    both = np.concatenate([np.arange(matches), np.flatnonzero(label)])
    trusted = np.arange(both.size) >= matches
    return from_arrays(
        left[both],
        right[both],
        np.where(trusted, human[both], judge[both]),
        rater=trusted.astype(np.int64),
        raters=("judge", "person"),
        trusted=trusted,
        match=both,
        cluster=unit[both][:, None],
    )


def davidson_of(left: np.ndarray, right: np.ndarray, outcome: np.ndarray, k: int) -> np.ndarray:
    """Centred Davidson ratings by minorisation-free ascent: an optimiser that shares no code with the fit."""

    def loss(at: np.ndarray) -> float:
        d = at[left] - at[right]
        total = np.logaddexp(np.logaddexp(d / 2, -d / 2), at[k])
        return float(-np.sum((outcome - 0.5) * d + (outcome == 0.5) * at[k] - total))

    found = optimize.minimize(loss, np.zeros(k + 1), method="BFGS", options={"gtol": 1e-7}).x[:k]
    return np.asarray(found - found.mean())


def test_without_judges_it_is_the_davidson_fit_to_the_people() -> None:
    table = world(1)
    people = table.take(table.trusted)
    result = ppi_bradley_terry.rank(people)
    expected = davidson_of(people.left, people.right, people.outcome, 5)
    np.testing.assert_allclose(result.value, 1000 + 400 / np.log(10) * expected, atol=2e-3)
    assert [finding.code for finding in result.findings] == ["no-judge-votes"]


def test_at_lambda_zero_the_judges_have_no_part() -> None:
    table = world(2)
    result, people = ppi_bradley_terry.rank(table, lam=0.0), ppi_bradley_terry.rank(table.take(table.trusted))
    np.testing.assert_allclose(result.value, people.value, atol=1e-7)
    np.testing.assert_allclose(result.covariance, people.covariance, rtol=1e-7, atol=1e-9)


def test_a_judge_who_says_what_people_say_gives_the_fit_to_all_matches() -> None:
    table = world(3, copy=True)
    judge = table.take(~table.trusted)
    result = ppi_bradley_terry.rank(table, calibrate=False)
    assert result.figures["lambda"].value[0] > 0.9
    full = ppi_bradley_terry.rank(table, calibrate=False, lam=1.0)
    expected = davidson_of(judge.left, judge.right, judge.outcome, 5)
    np.testing.assert_allclose(full.value, 1000 + 400 / np.log(10) * expected, atol=2e-3)


def test_the_estimating_equation_is_zero_at_the_answer() -> None:
    table = world(4)
    matches, lam, h = gather(table), 0.37, 1e-5
    said = matches.jury
    at = _ppi_fit.solve(matches, said, lam, 5)

    def objective(theta: np.ndarray, log_nu: float) -> float:
        d = theta[matches.left] - theta[matches.right]
        log = np.column_stack([d / 2, np.full(d.size, log_nu), -d / 2])
        log -= special.logsumexp(log, axis=1, keepdims=True)
        label = matches.labelled
        own = (matches.label[label] * log[label]).sum(axis=1).mean()
        return float(own + lam * ((said * log).sum(axis=1).mean() - (said[label] * log[label]).sum(axis=1).mean()))

    for p in range(5):
        step = np.eye(5)[p] * h
        slope = (objective(at.theta + step, at.log_tie) - objective(at.theta - step, at.log_tie)) / (2 * h)
        assert abs(slope) < 1e-8
    assert abs(objective(at.theta, at.log_tie + h) - objective(at.theta, at.log_tie - h)) / (2 * h) < 1e-8


def test_swapping_sides_and_shuffling_rows_change_nothing() -> None:
    table = world(5)
    rng = np.random.default_rng(0)
    expected = ppi_bradley_terry.rank(table)
    for other in (table.swapped(rng.random(table.n) < 0.5), table.take(rng.permutation(table.n))):
        result = ppi_bradley_terry.rank(other)
        np.testing.assert_allclose(result.value, expected.value, atol=1e-6)
        np.testing.assert_allclose(result.covariance, expected.covariance, rtol=1e-6, atol=1e-6)


def test_several_people_on_one_match_are_one_match_known_better() -> None:
    table = world(6)
    twice = table.take(np.concatenate([np.arange(table.n), np.flatnonzero(table.trusted)]))
    one, two = ppi_bradley_terry.rank(table), ppi_bradley_terry.rank(twice)
    np.testing.assert_allclose(two.value, one.value, atol=1e-7)
    np.testing.assert_allclose(two.stderr, one.stderr, rtol=1e-7)


def test_a_weight_of_two_is_the_match_seen_twice() -> None:
    table = world(11)
    weight = np.where(table.match % 3 == 0, 2.0, 1.0)
    weighted = ppi_bradley_terry.rank(replace(table, weight=weight))
    repeated = ppi_bradley_terry.rank(table.take(np.repeat(np.arange(table.n), weight.astype(int))))
    np.testing.assert_allclose(repeated.value, weighted.value, atol=1e-6)
    np.testing.assert_allclose(repeated.covariance, weighted.covariance, rtol=1e-6, atol=1e-6)


def test_clusters_in_two_ways_add_up() -> None:
    table = world(12, cluster=4)
    one = ppi_bradley_terry.rank(table, lam=0.5)
    same = ppi_bradley_terry.rank(replace(table, cluster=np.tile(table.cluster, (1, 2))), lam=0.5)
    np.testing.assert_allclose(same.covariance, one.covariance, rtol=1e-6, atol=1e-6)
    crossed = replace(table, cluster=np.column_stack([table.cluster[:, 0], table.match % 97]))
    result = ppi_bradley_terry.rank(crossed, lam=0.5)
    assert np.linalg.eigvalsh(result.covariance).min() > -1e-6
    np.testing.assert_allclose(result.value, one.value, atol=1e-3)


def test_a_useless_judge_is_found_out_and_costs_nothing() -> None:
    table = world(7)
    noise = np.random.default_rng(1).choice([0.0, 0.5, 1.0], table.n)
    useless = replace(table, outcome=np.where(table.trusted, table.outcome, noise))
    result = ppi_bradley_terry.rank(useless)
    assert "judges-useless" in {finding.code for finding in result.findings}
    assert np.all(result.stderr < 1.1 * result.figures["labels_only"].stderr)


def test_a_policy_that_people_never_judged_has_no_rating() -> None:
    table = world(8)
    hidden = table.trusted & ((table.left == 2) | (table.right == 2))
    result = ppi_bradley_terry.rank(table.take(~hidden))
    assert np.isnan(result.value[2])
    assert np.isfinite(np.delete(result.value, 2)).all()
    codes = {finding.code for finding in result.findings}
    assert {"policy-unlabelled", "labels-unlike-matches"} <= codes


@pytest.mark.parametrize("k", [3, 5])
def test_labels_drawn_at_random_are_seldom_called_unlike_the_matches(k: int) -> None:
    rng, runs = np.random.default_rng(k), 2000
    left = rng.integers(0, k, 601)
    matches = gather(from_arrays(left, (left + rng.integers(1, k, 601)) % k, np.ones(601)))
    draws = rng.random((runs, 601)) < 0.1
    found = np.array([_ppi_findings._unlike(replace(matches, labelled=each), k)[1] for each in draws])
    assert abs(np.mean(found < 0.05) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / runs)
    assert np.mean(found < 0.01) < 0.01 + 4 * np.sqrt(0.01 * 0.99 / runs)


def test_two_leagues_that_never_meet_are_not_ranked_together() -> None:
    table = world(9)
    apart = np.isin(table.left, [0, 1]) == np.isin(table.right, [0, 1])
    result = ppi_bradley_terry.rank(table.take(apart))
    assert np.isnan(result.value[:2]).all()
    assert np.isfinite(result.value[2:]).all()
    assert "policies-apart" in {finding.code for finding in result.findings}


def test_an_undefeated_policy_without_judges_gets_no_finite_rating() -> None:
    table = from_arrays(
        np.array([0, 0, 1, 2, 1]), np.array([1, 2, 2, 1, 2]), np.array([1.0, 1, 1, 1, 0.5]), trusted=np.ones(5, bool)
    )
    result = ppi_bradley_terry.rank(table)
    assert np.isnan(result.value[0])
    assert "rating-infinite" in {finding.code for finding in result.findings}


@pytest.mark.parametrize("outcome", [0.5, np.nan])
def test_all_ties_or_no_verdicts(outcome: float) -> None:
    table = world(10)
    if np.isnan(outcome):
        with pytest.raises(AdjudgeError, match="no row is a trusted vote"):
            ppi_bradley_terry.rank(replace(table, outcome=np.full(table.n, np.nan)))
        return
    result = ppi_bradley_terry.rank(replace(table, outcome=np.full(table.n, outcome)))
    assert np.isnan(result.value).all()
    assert "votes-all-tied" in {finding.code for finding in result.findings}


@pytest.mark.parametrize(("cluster", "pool"), [(1, False), (4, False), (1, True)], ids=["matches", "prompts", "pooled"])
def test_covers_the_truth(cluster: int, pool: bool) -> None:
    """Counted over policies and leagues; the target is the fit to people's verdicts on endless matches."""
    trials, level, k = 60, 0.95, TRUTH.size
    endless = world(999, matches=100_000, labelled=0, cluster=cluster, copy=True)
    judge = replace(endless, trusted=np.ones(endless.n, dtype=bool))
    truth = ppi_bradley_terry.rank(judge).value
    hits, width = np.zeros(k), np.zeros(2)
    for seed in range(trials):
        result = ppi_bradley_terry.rank(world(seed, cluster=cluster), pool=pool, seed=seed)
        low, high = result.interval(level).T
        hits += (low <= truth) & (truth <= high)
        width += result.stderr.mean(), result.figures["labels_only"].stderr.mean()
    rate = hits.mean() / trials
    tolerance = 4 * np.sqrt(level * (1 - level) / (trials * (k - 1) / 2))  # ratings of one league lean on each other
    assert abs(rate - level) < tolerance, hits / trials
    assert width[0] < (0.95 if pool else 0.9) * width[1], width / trials
