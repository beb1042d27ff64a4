"""Margins of pairs: their value, what is unknown, and errors that know clusters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.ranking import borda
from adjudge.stats.voting import rules
from adjudge.stats.voting.margins import margins
from adjudge.tables.comparisons import Comparisons, from_arrays


def league(seed: int, n: int = 211, k: int = 5, *, clusters: int = 0) -> Comparisons:
    rng = np.random.default_rng(seed)
    left = rng.integers(0, k, n)
    right = (left + rng.integers(1, k, n)) % k
    outcome = rng.choice([0.0, 0.5, 1.0], n, p=[0.3, 0.2, 0.5])
    unit = rng.integers(0, clusters, n) if clusters else None
    return from_arrays(left, right, outcome, cluster=unit)


def test_margins_by_hand() -> None:
    table = from_arrays(np.array([0, 0, 1, 2]), np.array([1, 1, 0, 1]), np.array([1.0, 0.5, 1.0, 0.0]))
    found = margins(table)
    assert found.table()[0, 1] == pytest.approx(1.5 / 3 - 0.5)
    assert found.table()[1, 2] == pytest.approx(0.5)
    assert found.unknown.tolist() == [1, 0, 1]
    assert [finding.code for finding in found.findings] == ["pairs-never-met"]


def test_the_binomial_error_without_clusters() -> None:
    won = np.repeat([1.0, 0.0], [70, 31])
    found = margins(from_arrays(np.zeros(101, int), np.ones(101, int), won))
    p = 70 / 101
    expected = p * (1 - p) / 100 + 0.25 / 101**2
    assert found.covariance(np.ones((1, 1)))[0, 0] == pytest.approx(expected)


def test_counts_are_repeated_rows() -> None:
    table = league(1)
    rng = np.random.default_rng(2)
    counted = replace(table, count=rng.integers(1, 4, table.n).astype(float))
    repeated = table.take(np.repeat(np.arange(table.n), counted.count.astype(int)))
    one, other = margins(counted), margins(repeated)
    np.testing.assert_allclose(one.value, other.value)
    W = np.random.default_rng(3).normal(size=(3, one.value.size))
    np.testing.assert_allclose(one.covariance(W), other.covariance(W))
    assert one.units == other.units


def test_replicates_spread_as_the_analytic_error_says() -> None:
    for clusters in (0, 37):
        found = margins(league(5, 997, clusters=clusters))
        drawn = found.replicates(rules.borda, draws=4000, seed=7)
        W = np.zeros((5, found.value.size))
        pair = np.arange(found.value.size)
        W[found.left, pair], W[found.right, pair] = 0.25, -0.25
        error = found.part(drawn, step=0.0).covariance
        np.testing.assert_allclose(np.diag(error), np.diag(found.covariance(W)), rtol=0.15)


def test_clusters_of_copies_are_told_from_independent_votes() -> None:
    table = league(11, 101)
    copied = replace(table.take(np.tile(np.arange(101), 7)), cluster=np.tile(np.arange(101), 7)[:, None])
    W = np.ones((1, margins(table).value.size))
    assert margins(copied).covariance(W)[0, 0] == pytest.approx(margins(table).covariance(W)[0, 0], rel=0.05)


def test_two_ways_add_up_and_both_bootstraps_see_them() -> None:
    table = league(13, 499, clusters=17)
    second = np.random.default_rng(1).integers(0, 19, table.n)
    both = margins(replace(table, cluster=np.column_stack([table.cluster[:, 0], second])))
    assert both.units == 17
    error = both.part(both.replicates(rules.borda, draws=500, seed=0), step=0.0).covariance
    assert np.isfinite(error).all()
    assert (np.diag(error) > 0).all()


def test_one_cluster_has_no_error_and_says_so() -> None:
    found = margins(replace(league(17), cluster=np.zeros((211, 1), int)))
    assert np.isnan(found.covariance(np.ones((1, found.value.size)))).all()
    assert "votes-too-few" in [finding.code for finding in found.findings]


def test_policies_out_of_reach_are_outside() -> None:
    left, right = np.array([0, 0, 1, 3]), np.array([1, 2, 2, 4])
    found = margins(from_arrays(left, right, np.ones(4), policies=tuple("abcdef")))
    assert found.inside.tolist() == [True, True, True, False, False, False]
    assert {finding.code for finding in found.findings} == {"policy-without-votes", "policies-unconnected"}


def test_intervals_of_borda_cover_the_truth() -> None:
    k, repeats, hits = 5, 300, 0
    rng = np.random.default_rng(19)
    chance = 0.5 + 0.1 * np.sign(np.arange(k)[None, :] - np.arange(k)[:, None])
    truth = (chance.sum(axis=1) - 0.5) / (k - 1)
    left, right = (np.repeat(each, 23) for each in np.triu_indices(k, 1))
    for _ in range(repeats):
        outcome = (rng.random(left.size) < chance[left, right]).astype(float)
        ends = borda.rank(from_arrays(left, right, outcome)).interval(0.95)
        hits += ((ends[:, 0] <= truth) & (truth <= ends[:, 1])).sum()
    share, tolerance = hits / (k * repeats), 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert abs(share - 0.95) < tolerance
