"""Cluster sums: against plain loops, dense against sparse, merging, and memory with many policies."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.stats import cluster


def rows(seed: int, n: int = 101, clusters: int = 23, k: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, clusters, n), rng.integers(0, k, n), rng.standard_normal((3, n))


def by_loop(code: np.ndarray, group: np.ndarray, x: np.ndarray, k: int) -> np.ndarray:
    table = np.zeros((code.max() + 1, k))
    for g, p, value in zip(code, group, x, strict=True):
        table[g, p] += value
    return table


@given(seed=st.integers(0, 10_000), spread=st.sampled_from([1, 1_000, 1_000_003]))
@settings(max_examples=50, deadline=None)
def test_sums_and_covariance_are_those_of_a_loop(seed: int, spread: int) -> None:
    code, group, x = rows(seed)
    cells = cluster.from_rows(code * spread, group, x, k=5)
    table = by_loop(code, group, x[0], 5)
    np.testing.assert_allclose(cells.sums[0], table[cells.cluster // spread, cells.group], atol=1e-12)
    np.testing.assert_allclose(cells.by_group(cells.sums[0]), table.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(cluster.covariance(cells, cells.sums[0]), table.T @ table, atol=1e-11)
    np.testing.assert_allclose(
        cluster.influence_matrix(cells, cells.sums[0]).toarray().sum(0), table.sum(0), atol=1e-12
    )


@given(seed=st.integers(0, 10_000), batches=st.integers(1, 13))
@settings(max_examples=50, deadline=None)
def test_any_division_into_batches_merges_to_the_same_sums(seed: int, batches: int) -> None:
    code, group, x = rows(seed)
    stack: tuple[cluster.Cells, ...] = ()
    for part in np.array_split(np.random.default_rng(seed).permutation(code.size), batches):
        stack = cluster.push(stack, cluster.from_rows(code[part], group[part], x[:, part], k=5))
    merged, whole = cluster.total(stack), cluster.from_rows(code, group, x, k=5)
    np.testing.assert_array_equal(merged.key, whole.key)
    np.testing.assert_allclose(merged.sums, whole.sums, atol=1e-12)


def test_groups_that_share_no_cluster_have_covariance_exactly_nought() -> None:
    cells = cluster.from_rows(np.arange(7), np.arange(7) % 3, np.ones((1, 7)), k=3)
    covariance = cluster.covariance(cells, cells.sums[0])
    np.testing.assert_array_equal(covariance, np.diag([3.0, 2.0, 2.0]))


@pytest.mark.parametrize("clusters", [11, 100_003])
def test_equal_groups_come_out_exactly_equal(clusters: int) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(clusters)
    code = np.tile(np.arange(clusters), 3)
    cells = cluster.from_rows(code, np.repeat([0, 1, 2], clusters), np.concatenate([x, -x, x])[None], k=3)
    covariance = cluster.covariance(cells, cells.sums[0])
    assert covariance[0, 0] == covariance[2, 2] == covariance[0, 2]
    assert covariance[0, 1] == covariance[2, 1]


def test_a_thousand_unpaired_policies_need_little_memory() -> None:
    n = 100_003
    code, group = np.arange(n), np.arange(n) % 1009
    tracemalloc.start()
    cells = cluster.from_rows(code, group, np.ones((2, n)), k=1009)
    covariance = cluster.covariance(cells, cells.sums[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert covariance.trace() == n
    assert peak < 60e6


def test_a_thousand_thinly_paired_policies_take_the_sparse_way() -> None:
    n = 100_003
    code, group = np.arange(n) // 2, np.arange(n) % 1009
    tracemalloc.start()
    cells = cluster.from_rows(code, group, np.ones((1, n)), k=1009)
    covariance = cluster.covariance(cells, cells.sums[0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert covariance[0, 0] == np.sum(group == 0)
    assert peak < 120e6


def test_cost_grows_linearly_with_rows() -> None:
    def seconds(n: int) -> float:
        code, x = np.arange(n) // 5, np.ones((3, n))
        best = np.inf
        for _ in range(3):
            start = time.process_time()
            cells = cluster.from_rows(code, np.arange(n) % 5, x, k=5)
            cluster.covariance(cells, cells.sums[0])
            best = min(best, time.process_time() - start)
        return best

    assert seconds(1_000_000) < 40 * max(seconds(100_000), 2e-3)


def test_values_laid_side_by_side_keep_their_pairs() -> None:
    code, group, x = rows(3)
    cells = cluster.from_rows(code, group, x, k=5)
    both = cells.stacked(cells.sums[:2])
    assert np.all(np.diff(both.key) > 0)
    joint = cluster.covariance(both, both.sums[0])
    np.testing.assert_allclose(joint[:5, :5], cluster.covariance(cells, cells.sums[0]), atol=1e-11)
    np.testing.assert_allclose(joint[5:, 5:], cluster.covariance(cells, cells.sums[1]), atol=1e-11)


def test_coarser_groups_and_other_keys() -> None:
    cells = cluster.from_rows(np.array([0, 0, 1]), np.array([0, 2, 1]), np.array([[1.0, 2.0, 4.0]]), k=3)
    coarse = cells.regroup(np.array([0, 1, 0]), 2, cells.sums)
    np.testing.assert_array_equal(coarse.sums, [[3.0, 4.0]])
    np.testing.assert_array_equal(cells.at(np.array([0, 1, 4])), [[1.0, 0.0, 4.0]])
