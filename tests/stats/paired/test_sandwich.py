"""The meat: sums over clusters by hand, two ways, counts that repeat, large clusters left out, no seams in blocks."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.stats.paired import leverage, links, newton, sandwich
from adjudge.stats.paired.votes import collect
from stats.paired.worlds import season


def by_hand(table, fit, *, order=False, covariates=False):
    """[n, q] weighted score of each row, from X written out."""
    votes, n, k = fit.votes, table.n, table.k
    X = np.zeros((n, votes.width))
    X[np.arange(n), table.left], X[np.arange(n), table.right] = 1.0, -1.0
    at = k
    if covariates:
        X[:, k : k + table.covariates.shape[1]] = table.covariates
        at += table.covariates.shape[1]
    if order == "rater":
        X[np.arange(n), at + table.rater] = table.first
    elif order:
        X[:, at] = table.first
    y = np.where(table.known, table.outcome, 0.5)
    slopes = links.slopes(fit.law, X @ fit.beta[:-1], fit.tie, np.ones(n), y - 0.5, 1.0 * (y == 0.5))
    scores = np.column_stack([X * slopes.eta[:, None], slopes.tie])
    return scores * (table.weight * table.count * table.known)[:, None]


def summed(scores, code):
    return np.array([scores[code == g].sum(axis=0) for g in np.unique(code)])


@pytest.mark.parametrize("law", ["davidson", "rao-kupper"])
@pytest.mark.parametrize("how", [{}, {"order": True}, {"order": "rater", "covariates": True}])
def test_the_clustered_meat_is_the_sum_over_clusters(how, law):
    table = season(seed=1, d=2, ragged=True)
    fit = newton.fit(collect(table, **how), ties=law)
    scores = by_hand(table, fit, **how)
    np.testing.assert_allclose(scores.sum(axis=0), 0.0, atol=1e-10)
    S = summed(scores, table.cluster[:, 0])
    found = sandwich.meat(fit, table.cluster, correct=False)
    np.testing.assert_allclose(found.matrix, S.T @ S * 23 / 22, atol=1e-9)
    assert found.units == 23
    r, s = fit.score()
    np.testing.assert_allclose(sandwich.cluster_scores(fit.votes, r, s, table.cluster[:, 0]).toarray(), S, atol=1e-10)


def test_each_battle_its_own_unit_and_two_ways():
    table = season(seed=2, ragged=True)
    fit = newton.fit(collect(table))
    scores = by_hand(table, fit)
    count = np.where(table.known, table.count, 0.0)
    each = scores / np.maximum(count, 1)[:, None]
    found = sandwich.meat(fit, table.cluster[:, :0])
    np.testing.assert_allclose(found.matrix, (each.T * count) @ each * count.sum() / (count.sum() - 1), atol=1e-9)
    assert found.units == count.sum()

    other = np.random.default_rng(0).integers(11, size=table.n)
    both = np.column_stack([table.cluster[:, 0], other])
    pieces = [summed(scores, code) for code in (both[:, 0], other, both[:, 0] * 11 + other)]
    active = [len(np.unique(code[table.known])) for code in (both[:, 0], other, both[:, 0] * 11 + other)]
    one, two, cross = (S.T @ S * c / (c - 1) for S, c in zip(pieces, active, strict=True))
    expected = sandwich.positive(one + two - cross)
    assert np.linalg.eigvalsh(expected).min() > -1e-9
    found = sandwich.of_scores(fit.votes, *fit.score(), both)
    np.testing.assert_allclose(found.matrix, expected, atol=1e-9)
    assert found.units == 11
    nested = np.column_stack([table.cluster[:, 0], table.cluster[:, 0]])
    same = sandwich.of_scores(fit.votes, *fit.score(), nested)
    np.testing.assert_allclose(same.matrix, one, atol=1e-8)


def test_a_count_repeats_a_row_and_so_does_a_weight_within_a_cluster():
    table = season(seed=3)
    times = np.random.default_rng(1).integers(1, 4, size=table.n)
    long = table.take(np.repeat(np.arange(table.n), times))
    fits = {}
    for name, each in {
        "long": long,
        "count": replace(table, count=times.astype(float)),
        "weight": replace(table, weight=times.astype(float)),
    }.items():
        fit = newton.fit(collect(each))
        fits[name] = (
            fit.theta,
            sandwich.covariance(fit, each.cluster)[0],
            sandwich.covariance(fit, each.cluster[:, :0])[0],
        )
    for name in ("count", "weight"):
        np.testing.assert_allclose(fits[name][0], fits["long"][0], atol=1e-9)
        np.testing.assert_allclose(fits[name][1], fits["long"][1], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(fits["count"][2], fits["long"][2], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("law", ["davidson", "rao-kupper"])
@pytest.mark.parametrize("how", [{}, {"covariates": True, "order": "rater"}])
def test_large_clusters_count_as_in_the_jackknife(law, how):
    table = replace(
        season(seed=4, n=907, clusters=13, d=2, ragged=True), cluster=season(seed=4, n=907, clusters=13).cluster
    )
    fit = newton.fit(collect(table, **how), ties=law)
    without = [
        newton.fit(collect(table.take(table.cluster[:, 0] != g), **how), ties=law, start=fit.beta).beta
        for g in range(13)
    ]
    moved = np.array(without) - fit.beta
    found = sandwich.around(fit, sandwich.meat(fit, table.cluster))
    np.testing.assert_allclose(np.diagonal(found), (moved**2).sum(axis=0) * 12 / 13, rtol=0.12)
    plain = sandwich.around(fit, sandwich.meat(fit, table.cluster, correct=False))
    nearer = np.abs(np.log(np.diagonal(found) / np.diagonal(moved.T @ moved * 12 / 13))).mean()
    assert nearer < 0.7 * np.abs(np.log(np.diagonal(plain) / np.diagonal(moved.T @ moved * 12 / 13))).mean()


def test_the_informations_of_the_clusters_add_up_to_the_whole():
    table = season(seed=5, d=2, ragged=True)
    fit = newton.fit(collect(table, covariates=True, order="rater"))
    known = np.flatnonzero(table.known)
    parts = leverage.informations(fit, table.cluster[known, 0], known, fit.votes.weight[known], 23)
    rest = fit.information - parts.sum(axis=0)
    np.testing.assert_allclose(rest[:7, :7], rest[0, 0], atol=1e-9)
    np.testing.assert_allclose(rest[7:], 0.0, atol=1e-9)


def test_sparse_and_dense_and_small_blocks_give_one_meat(monkeypatch):
    table = season(seed=6, n=1009, clusters=401, ragged=True)
    fit = newton.fit(collect(table))
    found = []
    for block, dense in ((1 << 17, 4.0), (1 << 17, 0.0), (37, 4.0), (37, 0.0)):
        monkeypatch.setattr(sandwich, "BLOCK", block)
        monkeypatch.setattr(sandwich, "DENSE", dense)
        found.append(sandwich.meat(fit, table.cluster))
    for other in found[1:]:
        np.testing.assert_allclose(other.matrix, found[0].matrix, atol=1e-9)
        np.testing.assert_array_equal(other.seen, found[0].seen)
    S = summed(by_hand(table, fit), table.cluster[:, 0])
    np.testing.assert_array_equal(found[0].seen[:7], (np.abs(S) > 0).sum(axis=0)[:7])


def test_degrees_of_freedom_count_equal_clusters_and_those_that_met_the_policy():
    table = season(seed=7, n=701, clusters=0)
    fit = newton.fit(collect(table))
    size = np.array([350, 150, 100, 50, 51])
    code = np.repeat(np.arange(5), size)[:, None]
    found = sandwich.meat(fit, code)
    np.testing.assert_allclose(found.even, 701**2 / (size**2).sum())
    np.testing.assert_allclose(found.df, found.even - 1)
    lonely = np.where((table.left == 2) | (table.right == 2), 0, 1 + np.arange(701) % 30)[:, None]
    assert sandwich.meat(fit, lonely).seen[2] == 1
    assert sandwich.meat(fit, lonely).df[2] == 0
