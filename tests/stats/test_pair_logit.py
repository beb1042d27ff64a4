"""Penalised logistic fits of pairs: at their minimum, with margins, flips and clusters, and an error that covers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize

from adjudge.errors import AdjudgeError
from adjudge.stats import pair_logit, row_products
from adjudge.stats.pair_logit import Pairs

N, D = 211, 5


def world(seed: int = 0, margin: bool = False) -> Pairs:
    rng = np.random.default_rng(seed)
    weight, target = rng.uniform(0, 3, N), rng.random(N)
    return Pairs(
        rng.normal(size=(N, D)), weight * target, weight * (1 - target), rng.uniform(0, 2, N) if margin else None
    )


@pytest.mark.parametrize("margin", [False, True])
def test_derivatives_are_those_of_the_loss(margin: bool) -> None:
    pairs, lead, step = world(margin=margin), np.random.default_rng(1).normal(size=N) * 3, 1e-4
    first, second = pairs.slopes(lead)
    for place in (0, 7, 100):
        up, down = (pairs.loss(lead + sign * step * (np.arange(N) == place)) for sign in (1, -1))
        assert first[place] == pytest.approx((up - down) / (2 * step), abs=1e-6)
        assert second[place] == pytest.approx((up + down - 2 * pairs.loss(lead)) / step**2, abs=1e-4)


@pytest.mark.parametrize("margin", [False, True])
def test_the_minimum_is_that_of_another_solver(margin: bool) -> None:
    pairs = world(margin=margin)
    centre = np.linspace(-1, 1, D)
    found = pair_logit.minimise(pairs, ridge=2.0, centre=centre)
    by = minimize(lambda b: pairs.loss(pairs.x @ b) + float((b - centre) @ (b - centre)), np.zeros(D), tol=1e-12)
    np.testing.assert_allclose(found, by.x, atol=1e-5)


def test_targets_beyond_0_and_1_keep_one_minimum() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(N, D))
    target = np.where(rng.random(N) < 0.5, 1.5, -0.5)
    found = pair_logit.minimise(Pairs(x, target, 1 - target), ridge=0.1)
    first, _ = Pairs(x, target, 1 - target).slopes(x @ found)
    np.testing.assert_allclose(x.T @ first + 0.1 * found, 0, atol=1e-6)


def test_sparse_rows_are_the_same_rows() -> None:
    pairs = world()
    thin = Pairs(sparse.csr_array(pairs.x), pairs.better, pairs.worse)
    one, other = (pair_logit.fit(each, np.arange(N) // 3, ridge=1.0) for each in (pairs, thin))
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-9)


def test_columns_that_repeat_each_other_share_the_slope() -> None:
    pairs = world()
    twice = Pairs(np.column_stack([pairs.x, pairs.x]), pairs.better, pairs.worse)
    half = pair_logit.minimise(twice, ridge=1e-6)
    np.testing.assert_allclose(half[:D], half[D:], atol=1e-4)
    np.testing.assert_allclose(2 * half[:D], pair_logit.minimise(pairs, ridge=1e-6), atol=1e-4)


def test_data_that_a_plane_separates_and_clusters_that_are_few_are_told() -> None:
    x = np.random.default_rng(3).normal(size=(N, 1))
    won = (x[:, 0] > 0).astype(float)
    apart = pair_logit.fit(Pairs(x, won, 1 - won), np.arange(N), ridge=1e-6)
    assert "rewards-separable" in [finding.code for finding in apart.findings]
    few = pair_logit.fit(world(), np.arange(N) % 7, ridge=0.01)
    assert [finding.code for finding in few.findings] == ["rewards-few-clusters"]
    alone = pair_logit.fit(world(), np.zeros(N, int), ridge=0.01)
    assert np.isnan(alone.covariance).all()


@pytest.mark.parametrize("ridge", [0.0, -1.0, np.nan])
def test_a_penalty_is_needed(ridge: float) -> None:
    with pytest.raises(AdjudgeError, match="ridge"):
        pair_logit.minimise(world(), ridge=ridge)


def test_a_long_table_ends_where_a_short_way_would() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(20_011, 7)) * np.array([1e-3, 1, 1, 1, 1, 30, 1])
    won = (rng.random(20_011) < 1 / (1 + np.exp(-x @ np.full(7, 0.3)))).astype(float)
    beta = pair_logit.fit(Pairs(x, won, 1 - won), np.arange(20_011), ridge=1.0).coefficients
    first, _ = Pairs(x, won, 1 - won).slopes(x @ beta)
    np.testing.assert_allclose(x.T @ first + beta, 0, atol=1e-3)
    order = rng.permutation(20_011)
    again = pair_logit.fit(Pairs(x[order], won[order], 1 - won[order]), order, ridge=1.0).coefficients
    np.testing.assert_allclose(again, beta, rtol=1e-6)


@pytest.mark.parametrize("kind", ["white", "mixed", "sorted", "unseen", "margin"])
def test_a_long_table_that_starts_from_a_part_ends_where_exact_steps_do(kind: str) -> None:
    rng = np.random.default_rng(3)
    n, d = 29_989, 61
    assert n * d**2 > pair_logit.DEAR
    assert n > max(pair_logit.LONG, pair_logit.THIN * pair_logit.ROWS * d)
    x = rng.normal(size=(n, d))
    if kind == "mixed":
        x = x * 9.0 ** -np.arange(d).clip(max=4) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    won = rng.random(n) < 1 / (1 + np.exp(-x[:, 0] - x[:, 1]))
    if kind == "sorted":
        order = np.argsort(x[:, 0])
        x, won = x[order], won[order]
    if kind == "unseen":
        x[:, 7] = 0
        x[[100, 101, 5000], 7] = [30.0, -40.0, 25.0]  # a feature of three rows, that no part may hold
    pairs = Pairs(x, won.astype(float), 1.0 - won, rng.uniform(0, 1, n) if kind == "margin" else None)
    rough = pair_logit.minimise(pairs, ridge=1.0)
    fine = pair_logit.fit(pairs, np.arange(n), ridge=1.0).coefficients
    exact = np.zeros(d)
    for _ in range(60):
        first, second = pairs.slopes(x @ exact)
        slope = x.T @ first + exact
        exact = exact - row_products.solve(row_products.gram(x, second), 1.0, slope)
    left = [pairs.loss(x @ at) + 0.5 * at @ at for at in (rough, fine, exact)]
    assert left[0] - left[2] < pair_logit.SPARE * d / 2  # a part in 1e5 of what chance leaves
    assert left[1] - left[2] < 1e-12 * n


@pytest.mark.parametrize("kind", ["each", "shuffled", "sorted", "random", "long"])
def test_clusters_across_blocks_are_summed_whole(kind: str) -> None:
    rng = np.random.default_rng(5)
    n, d = 3 * row_products.BLOCK + 17, 3
    x, first = rng.normal(size=(n, d)), rng.normal(size=n)
    code = {
        "each": np.arange(n),
        "shuffled": rng.permutation(n),
        "sorted": np.arange(n) // 7,
        "random": rng.integers(0, 97, n),
        "long": (np.arange(n) > 11).astype(int),  # a cluster that is longer than two blocks
    }[kind]
    sums = np.zeros((code.max() + 1, d))
    np.add.at(sums, code, first[:, None] * x)
    np.testing.assert_allclose(row_products.squared(x, first, code, None), sums.T @ sums, rtol=1e-10, atol=1e-9)
    turn, thin = rng.normal(size=(d, d)), sparse.csr_array(x)
    turned = sums @ turn
    np.testing.assert_allclose(row_products.squared(thin, first, code, turn), turned.T @ turned, rtol=1e-10, atol=1e-9)


@pytest.mark.parametrize("ridge", [1.0, 1e-5])
def test_the_covariance_is_the_product_of_the_influence_with_itself(ridge: float) -> None:
    rows, pairs = np.random.default_rng(0).normal(size=(N, D)), world()
    twice = Pairs(np.column_stack([rows, rows[:, :2]]), pairs.better, pairs.worse)
    found = pair_logit.fit(twice, np.arange(N) // 3, ridge=ridge)
    assert bool(np.linalg.cond(found.bread) > pair_logit.STIFF) is (ridge < 1)
    influence = found.influence()
    np.testing.assert_allclose(found.covariance, influence.T @ influence, rtol=1e-9, atol=1e-12)


def test_a_feature_that_met_one_outcome_alone_is_told_and_only_such() -> None:
    """Four pairs hold it; a sandwich error of .5 where the truth is 2 away."""
    seen: dict[bool, list[bool]] = {True: [], False: []}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(N, D))
        x[:, 0] = np.arange(N) < 4
        won = (rng.random(N) < 1 / (1 + np.exp(-x @ np.array([1.0, 0.3, 0.3, 0.3, 0.3])))).astype(float)
        for weight in (1.0, 0.01):  # weights are not taken for it
            found = pair_logit.fit(Pairs(x, weight * won, weight * (1 - won)), np.arange(N), ridge=0.05 * weight)
            one = bool(won[:4].all() or not won[:4].any())
            seen[one].append("rewards-one-sided" in [finding.code for finding in found.findings])
    assert all(seen[True])
    assert not any(seen[False])
    assert len(seen[True]) > 10


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_part_of_a_table_is_read_where_it_lies(order) -> None:
    n, step = 3 * 5 * row_products.RUN + 17, 5
    x = np.asarray(np.random.default_rng(7).normal(size=(n, 3)), order=order)
    part, rows = row_products.Runs(x, step), row_products.Runs.of(n, step)
    assert part.shape == (3 * row_products.RUN, 3)
    assert np.shares_memory(part._runs, x)
    for at in (slice(0, 7), slice(60, 130), slice(100, 10_000)):
        np.testing.assert_array_equal(part[at], x[rows][at])
    np.testing.assert_allclose(part @ np.array([1.0, 2.0, 3.0]), x[rows] @ np.array([1.0, 2.0, 3.0]), rtol=1e-14)
