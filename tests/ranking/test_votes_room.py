"""The room that linear ratings share: groups, units, two ways of clustering, tables with nothing in them."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from adjudge.ranking import _pulls, _votes, colley, elo, glicko, massey, rank_centrality, thurstone
from adjudge.stats.design import equal_clusters
from adjudge.tables.comparisons import from_arrays
from ranking.votes_worlds import league

METHODS = (colley, elo, glicko, massey, rank_centrality, thurstone)
BY_CLUSTER = (colley, elo, massey, rank_centrality, thurstone)
each = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__.rpartition(".")[2])
each_clustered = pytest.mark.parametrize("method", BY_CLUSTER, ids=lambda method: method.__name__.rpartition(".")[2])


@each
@pytest.mark.parametrize("columns", [0, 1, 2])
def test_a_table_without_a_verdict_gives_nan_and_findings(method: ModuleType, columns: int) -> None:
    table = league(seed=1, n=7, k=3)
    silent = replace(table, outcome=np.full(7, np.nan), cluster=np.zeros((7, columns), dtype=int))
    result = method.rank(silent)
    assert np.isnan(result.value).all()
    assert {"outcome-unknown", "policy-without-votes"} <= {finding.code for finding in result.findings}


@each_clustered
def test_one_cluster_has_no_spread(method: ModuleType) -> None:
    result = method.rank(replace(league(seed=2, n=53, k=3), cluster=np.zeros((53, 1), dtype=int)))
    assert np.isfinite(result.value).all()
    assert np.isnan(result.stderr).all()


@each_clustered
def test_a_second_way_of_single_units_adds_nothing(method: ModuleType) -> None:
    """M₁ + M₂ − M₁₂ = M₁ where every row is a unit of its own in the second way."""
    table = league(seed=3, n=211, k=5, ties=0.2, clusters=29)
    both = replace(table, cluster=np.column_stack([table.cluster[:, 0], np.arange(211)]))
    np.testing.assert_allclose(method.rank(both).covariance, method.rank(table).covariance, rtol=1e-6, atol=1e-9)


@each_clustered
def test_the_names_of_clusters_are_nothing(method: ModuleType) -> None:
    table = league(seed=4, n=97, k=5, ties=0.2, clusters=13)
    other = replace(table, cluster=(table.cluster * 1009 + 7) % 100_003)
    np.testing.assert_allclose(method.rank(other).covariance, method.rank(table).covariance, rtol=1e-8, atol=1e-12)


def test_the_meat_is_the_sum_over_clusters() -> None:
    table = league(seed=5, n=61, k=5, clusters=11)
    votes, _ = _votes.gather(table)
    pull = np.random.default_rng(6).normal(size=61)
    found, units = _pulls.sandwich(votes, [(votes.left, pull), (votes.right, -pull)], np.eye(5), parameters=4)
    rows = pull[:, None] * (np.eye(5)[table.left] - np.eye(5)[table.right])
    sums = np.array([rows[table.cluster[:, 0] == g].sum(axis=0) for g in range(11)])
    assert units == 11
    np.testing.assert_allclose(found, sums.T @ sums * 11 / 10 * 60 / 57, rtol=1e-12, atol=1e-14)


def test_two_imaginary_verdicts_a_policy() -> None:
    votes, _ = _votes.gather(league(seed=7, n=61, k=5))
    assert _pulls.imagined(votes).sum() == pytest.approx(5.0)  # ½ + ½ from each side of a row: one unit a policy


def test_a_policy_in_one_cluster_has_a_rating_and_no_error() -> None:
    left, right = np.array([0, 0, 1, 0, 2, 2]), np.array([1, 1, 0, 1, 0, 1])
    table = from_arrays(left, right, np.array([1.0, 0, 1, 1, 1, 0]), cluster=np.array([0, 1, 2, 3, 4, 4]))
    result = massey.rank(table)
    assert np.isfinite(result.value).all()
    assert np.isnan(result.stderr).tolist() == [False, False, True]
    assert [finding.subject for finding in result.findings if finding.code == "votes-too-few"] == [("p2",)]


@pytest.mark.parametrize("clusters", [0, 13])
@each
def test_a_count_is_a_repetition(method: ModuleType, clusters: int) -> None:
    table = league(seed=8, n=61, k=5, ties=0.2, clusters=clusters)
    table = replace(table, count=np.tile([1.0, 2, 3], 21)[:61], weight=np.tile([1.0, 0.5], 31)[:61])
    rows = np.repeat(np.arange(61), table.count.astype(int))
    repeated = replace(table.take(rows), count=np.ones(rows.size), row=np.arange(rows.size))
    one, other = method.rank(table), method.rank(repeated)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-7, atol=1e-10)


def test_a_weight_multiplies_a_vote_and_not_their_number() -> None:
    table = league(seed=9, n=61, k=5)
    one, twice = massey.rank(table), massey.rank(replace(table, weight=np.full(61, 2.0)))
    np.testing.assert_allclose(twice.value, one.value, atol=1e-12)
    np.testing.assert_allclose(twice.covariance, one.covariance, rtol=1e-10, atol=1e-14)


def test_large_clusters_count_as_if_left_out() -> None:
    """Massey's ratings are linear: the error is the jackknife over clusters, save the hundredth held back."""
    table = league(seed=8, n=151, k=5, clusters=7)
    full, cluster = massey.rank(table), table.cluster[:, 0]
    moved = np.array([massey.rank(table.take(cluster != g)).value - full.value for g in range(7)])
    jackknife = 6 / 7 * moved.T @ moved
    votes, _ = _votes.gather(table)
    added = np.linalg.pinv(votes.laplacian(np.ones(151)))
    imagined = added @ votes.laplacian(_pulls.imagined(votes)) @ added
    np.testing.assert_allclose(full.covariance - imagined, jackknife * 150 / 147, atol=0.02 * jackknife.max())


def test_a_few_large_clusters_have_few_degrees_of_freedom() -> None:
    table = league(seed=9, n=151, k=5, clusters=11)
    uneven = replace(table, cluster=np.where(np.arange(151) < 120, 0, table.cluster[:, 0])[:, None])
    assert massey.rank(table).df[0] == pytest.approx(equal_clusters(table.cluster, np.ones(151))[1] - 1)
    assert 8 < massey.rank(table).df[0] <= 10
    assert massey.rank(uneven).df[0] == 1.0
