"""Raters with sharpness and order bias: exact derivatives, the limit of raters who are alike, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import _rater_error, _rater_fit, rater_bradley_terry
from adjudge.stats.paired import newton, scale, votes
from adjudge.tables.comparisons import Comparisons, from_arrays

THETA = np.array([0.9, 0.4, 0.0, -0.3, -1.0])


def world(seed: int, *, n: int = 4001, raters: int = 23, spread: float = 0.4, order: float = 0.3) -> Comparisons:
    rng = np.random.default_rng(seed)
    k = THETA.size
    left, rater = rng.integers(0, k, n), rng.integers(0, raters, n)
    right = (left + rng.integers(1, k, n)) % k
    first = rng.choice([-1.0, 1.0], n)
    a, b = 1 + spread * rng.standard_normal(raters), 0.2 + order * rng.standard_normal(raters)
    a = a / a.mean()
    eta = a[rater] * (THETA[left] - THETA[right]) + b[rater] * first
    win, tie = np.exp(eta / 2), np.full(n, 0.7)
    u = rng.random(n) * (win + tie + 1 / win)
    outcome = np.where(u < win, 1.0, np.where(u < win + tie, 0.5, 0.0))
    return from_arrays(left, right, outcome, rater=rater, first=first)


def rows_of(table: Comparisons) -> tuple[_rater_fit.Rows, np.ndarray]:
    fit = newton.fit(votes.collect(table))
    _, rows, at = rater_bradley_terry._rows(table, fit, "davidson", True)
    return rows, at


def test_gradient_and_hessian_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(1)
    rows, _ = rows_of(world(1, n=211, raters=3))
    precision, h = np.array([2.0, 5.0]), 1e-5
    x, y = rng.normal(0, 0.5, rows.p), rng.normal(0, 0.3, (3, 2))
    state = _rater_fit.derivatives(rows, x, y, precision)
    pin = np.zeros((rows.p, rows.p))
    pin[: rows.k, : rows.k] = (np.trace(state.A[: rows.k, : rows.k]) / (1 + 1 / rows.k)) / rows.k**2
    flat = np.concatenate([x, y.ravel()])

    def at(point: np.ndarray) -> _rater_fit.State:
        return _rater_fit.derivatives(rows, point[: rows.p], point[rows.p :].reshape(3, 2), precision)

    steps = np.eye(flat.size) * h
    numeric = [(at(flat + step).value - at(flat - step).value) / (2 * h) for step in steps]
    np.testing.assert_allclose(np.concatenate([state.gx, state.gy.ravel()]), numeric, rtol=1e-6, atol=1e-6)
    hessian = [
        [(np.concatenate([one.gx, one.gy.ravel()]) - np.concatenate([two.gx, two.gy.ravel()])) / (2 * h)]
        for one, two in ((at(flat + step), at(flat - step)) for step in steps)
    ]
    B = state.B.reshape(rows.p, -1)
    C = np.zeros((6, 6))
    for r in range(3):
        C[2 * r : 2 * r + 2, 2 * r : 2 * r + 2] = state.C[r]
    mine = np.block([[state.A - pin, B], [B.T, C]])
    np.testing.assert_allclose(mine, -np.array(hessian)[:, 0], rtol=1e-5, atol=1e-5)


def test_influence_is_what_one_more_vote_does_to_the_ratings() -> None:
    rows, start = rows_of(world(11, n=503, raters=5))
    heard, spread, h = np.ones(5, dtype=bool), (0.4, 0.3), 1e-4

    def ratings(at: int, more: float) -> np.ndarray:
        factor = 1 + more * (np.arange(rows.left.size) == at)
        heavier = replace(rows, mass=rows.mass * factor, lean=rows.lean * factor, ties=rows.ties * factor)
        state, _, done = _rater_fit.settle(heavier, start, spread)
        assert done
        theta = _rater_fit.mean_sharpness(state, heard) * state.x[: rows.k]
        return np.asarray(theta - theta.mean())

    state, _, _ = _rater_fit.settle(rows, start, spread)
    expected = _rater_fit.influence(state, heard, rows.k) @ _rater_error._scores(rows, state).toarray().T
    expected -= expected.mean(axis=0)
    for at in (0, 101, 499):
        np.testing.assert_allclose((ratings(at, h) - ratings(at, -h)) / (2 * h), expected[:, at], atol=1e-5)


def test_raters_who_are_alike_are_davidson() -> None:
    table = world(2)
    result = rater_bradley_terry.rank(table, spread=0.0, order=False)
    np.testing.assert_allclose(result.value, scale.points(newton.fit(votes.collect(table)).theta), atol=1e-6)


def test_an_order_effect_that_all_share_is_the_covariate_of_order() -> None:
    table = world(3)
    result = rater_bradley_terry.rank(table, spread=0.0, order_spread=0.0)
    fit = newton.fit(votes.collect(table, order=True))
    np.testing.assert_allclose(result.value, scale.points(fit.theta), atol=1e-5)
    assert result.figures["order_mean"].value[0] == pytest.approx(scale.POINTS * fit.effects[0], abs=1e-5)


def test_swapped_shuffled_and_repeated_rows() -> None:
    table, rng = world(4, n=1501), np.random.default_rng(0)
    expected = rater_bradley_terry.rank(table)
    for other in (table.swapped(rng.random(table.n) < 0.5), table.take(rng.permutation(table.n))):
        result = rater_bradley_terry.rank(other)
        np.testing.assert_allclose(result.value, expected.value, atol=1e-5)
        np.testing.assert_allclose(result.covariance, expected.covariance, rtol=1e-4, atol=1e-4)
    counted = rater_bradley_terry.rank(replace(table, count=np.full(table.n, 3.0)))
    repeated = rater_bradley_terry.rank(table.take(np.repeat(np.arange(table.n), 3)))
    np.testing.assert_allclose(counted.value, repeated.value, atol=1e-5)
    np.testing.assert_allclose(counted.covariance, repeated.covariance, rtol=1e-4, atol=1e-4)


def test_naming_the_raters_as_clusters_as_well_changes_nothing() -> None:
    table = world(4, n=1009, raters=23)
    plain = rater_bradley_terry.rank(table)
    for cluster in (table.rater[:, None], np.column_stack([table.rater, table.rater])):
        named = rater_bradley_terry.rank(replace(table, cluster=cluster))
        np.testing.assert_allclose(named.covariance, plain.covariance, rtol=1e-6, atol=1e-6)


def test_contrary_and_guessing_raters_are_found_and_do_no_harm() -> None:
    table = world(5, n=9001, spread=0.1)
    rng = np.random.default_rng(2)
    outcome = np.where(table.rater == 7, 1 - table.outcome, table.outcome)
    outcome = np.where(table.rater == 11, rng.choice([0.0, 0.5, 1.0], table.n), outcome)
    result = rater_bradley_terry.rank(replace(table, outcome=outcome))
    found = {finding.code: finding.subject for finding in result.findings}
    assert found["raters-reversed"] == ("rater 7",)
    assert found["raters-at-chance"] == ("rater 11",)


def test_many_raters_who_push_one_policy_are_not_said_to_be_alike() -> None:
    table = world(6, n=4001, raters=41, spread=0.1, order=0.0)
    pushed = (table.rater < 9) & ((table.left == 4) | (table.right == 4))
    votes = np.where(pushed, (table.left == 4).astype(float), table.outcome)
    found = rater_bradley_terry.rank(replace(table, outcome=votes)).findings
    told = [finding for finding in found if finding.code == "raters-unsettled"]
    assert len(told) == 1
    assert "contrary raters count in full" in told[0].message
    assert "vote_rigging" in told[0].remedy


def test_order_that_cannot_be_told_from_strength_is_left_out() -> None:
    table = world(8)
    stronger = table.left > table.right
    table = replace(table.swapped(stronger), first=np.ones(table.n)).take(np.abs(table.left - table.right) == 1)
    result = rater_bradley_terry.rank(table)  # only neighbours met, the same one first each time
    assert "order-confounded" in {finding.code for finding in result.findings}
    assert "order" not in result.figures
    assert np.isfinite(result.stderr).all()


def test_one_rater_is_bradley_terry_and_says_so() -> None:
    table = replace(world(6), rater=np.zeros(4001, dtype=np.int64), raters=("r",))
    result = rater_bradley_terry.rank(table, order=False)
    np.testing.assert_allclose(result.value, scale.points(newton.fit(votes.collect(table)).theta), atol=1e-6)
    assert "raters-alike" in {finding.code for finding in result.findings}


def test_nothing_to_rate_is_nan_with_a_finding() -> None:
    table = world(7)
    for outcome in (np.full(table.n, np.nan), (table.left < table.right).astype(float)):
        result = rater_bradley_terry.rank(replace(table, outcome=outcome))
        assert np.isnan(result.value).all()
        assert result.findings
    with pytest.raises(AdjudgeError, match="spread"):
        rater_bradley_terry.rank(table, spread=-1.0)
    with pytest.raises(AdjudgeError, match="ties"):
        rater_bradley_terry.rank(table, ties="coin")


def test_intervals_cover_ratings_and_raters() -> None:
    trials, level, hits = 60, 0.95, np.zeros(2)
    truth = 1000 + scale.POINTS * (THETA - THETA.mean())
    for seed in range(trials):
        result = rater_bradley_terry.rank(world(100 + seed, n=1999, raters=29))
        low, high = result.interval(level).T
        rng = np.random.default_rng(100 + seed)
        rng.integers(0, 5, 1999), rng.integers(0, 29, 1999), rng.integers(1, 5, 1999), rng.choice([-1.0, 1.0], 1999)
        a = 1 + 0.4 * rng.standard_normal(29)
        below, above = result.figures["raters"].interval(level).T
        hits += np.mean((low <= truth) & (truth <= high)), np.mean((below <= a / a.mean()) & (a / a.mean() <= above))
    rates = hits / trials
    tolerance = 4 * np.sqrt(level * (1 - level) / (trials * np.array([2.0, 10.0])))
    assert np.all(np.abs(rates - level) < tolerance), rates
