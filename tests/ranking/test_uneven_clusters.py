"""A few large clusters tell less than their number says: degrees of freedom, coverage, and tables of counts."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from adjudge.core.estimate import Estimate
from adjudge.ranking import mixed_evidence, plackett_luce
from adjudge.stats.design import equal_clusters
from adjudge.tables.comparisons import Comparisons, from_arrays
from adjudge.tables.ratings import Ratings

THETA = np.array([0.7, 0.2, 0.0, -0.3, -0.6])
SIZES = np.array([0.42, 0.21, 0.13, 0.1, 0.05, 0.04, 0.03, 0.02])  # tell as much as 3.9 equal ones
METHODS = {
    "bradley_terry": {},
    "mixed_evidence": {},
    "rater_bradley_terry": {"spread": 0.0, "order": False},
    "roboarena": {"buckets": 1, "draws": 23},
    "thurstone": {},
    "rank_centrality": {},
    "elo": {"shuffles": 3},
}


def world(rng: np.random.Generator, n: int = 601) -> Comparisons:
    """Votes in clusters of very unequal size, each with tastes of its own."""
    k, unit = THETA.size, rng.choice(SIZES.size, n, p=SIZES)
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    taste = THETA + 0.6 * rng.standard_normal((SIZES.size, k))
    won = rng.random(n) < 1 / (1 + np.exp(taste[unit, right] - taste[unit, left]))
    return from_arrays(left, right, won.astype(float), cluster=unit, item=unit)


@pytest.mark.parametrize("name", METHODS)
def test_degrees_of_freedom_count_equal_clusters(name: str) -> None:
    votes = world(np.random.default_rng(1))
    found: Estimate = importlib.import_module(f"adjudge.ranking.{name}").rank(votes, **METHODS[name])
    size = np.bincount(votes.cluster[:, 0])
    assert np.all(found.df <= size.sum() ** 2 / (size**2).sum() - 1 + 1e-9)
    assert np.all(found.df >= 1)


def test_rankings_of_a_few_large_clusters_of_tasks_too() -> None:
    rng = np.random.default_rng(2)
    n, k = 211, THETA.size
    unit = rng.choice(SIZES.size, n, p=SIZES)
    score = (THETA + rng.gumbel(size=(n, k))).ravel()
    rows, nothing = n * k, np.full(n * k, np.nan)
    table = Ratings(
        tuple("abcde"),
        ("judge",),
        np.tile(np.arange(k), n),
        np.repeat(np.arange(n), k),
        np.repeat(unit, k),
        score[:, None],
        nothing,
        np.ones(rows),
        nothing,
        np.zeros(rows),
        np.empty((rows, 0)),
    )
    assert plackett_luce.rank(table).df.max() < 4


def test_intervals_of_mixed_evidence_cover_with_a_few_large_clusters() -> None:
    runs, inside = 200, []
    big = world(np.random.default_rng(3), 1009)
    taste = THETA + 0.6 * np.random.default_rng(4).standard_normal((200_003, THETA.size))
    left, right = np.triu_indices(THETA.size, 1)
    chance = (1 / (1 + np.exp(taste[:, right] - taste[:, left]))).mean(axis=0)
    both = np.concatenate([left, left]), np.concatenate([right, right])
    weight = np.concatenate([chance, 1 - chance]) * 1e6
    even = from_arrays(*both, np.repeat([1.0, 0.0], left.size), policies=big.policies, count=weight)
    truth = mixed_evidence.rank(even).value
    for seed in range(runs):
        low, high = mixed_evidence.rank(world(np.random.default_rng((5, seed)))).interval().T
        inside.append((low <= truth) & (truth <= high))
    assert np.mean(inside) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / runs / 2)  # the five of one run hang together


def test_a_table_of_counts_has_as_many_units_as_votes() -> None:
    left, right = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 1, 2, 2, 0, 0])
    won, count = np.array([1.0, 0, 1, 0, 1, 0]), np.array([31, 19, 37, 23, 11, 29])
    rows = np.repeat(np.arange(6), count)
    one = mixed_evidence.rank(from_arrays(left, right, won, count=count.astype(float)))
    many = mixed_evidence.rank(from_arrays(left[rows], right[rows], won[rows]))
    np.testing.assert_allclose(one.stderr, many.stderr)
    np.testing.assert_allclose(one.df, many.df)
    assert one.parts[0].units == many.parts[0].units == 150
    assert not {finding.code for finding in one.findings} & {"clusters-few"}


def test_the_scarcer_way_counts() -> None:
    cluster = np.array([[0, 0], [1, 0], [2, 1], [3, 1]])
    assert equal_clusters(cluster, np.ones(4)) == (2, 2.0)
    assert equal_clusters(cluster[:, :1], np.ones(4)) == (4, 4.0)
    assert equal_clusters(np.arange(2)[:, None], np.array([6.0, 2.0]), np.array([6.0, 2.0])) == (8, 8.0)
