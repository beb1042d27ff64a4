"""A thousand refits at once: each is the fit it stands for, draws follow their law, errors agree with the sandwich."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.paired import batch, newton, resample, sandwich
from adjudge.stats.paired.votes import collect
from adjudge.tables.comparisons import from_arrays
from stats.paired.worlds import season


@pytest.mark.parametrize("law", ["davidson", "rao-kupper", "half"])
@pytest.mark.parametrize("how", [{}, {"covariates": True, "order": "rater"}])
def test_each_replicate_is_the_fit_to_its_own_masses(law, how):
    table = season(seed=1, d=2, ragged=True)
    votes = collect(table, half=law == "half", **how)
    fit = newton.fit(votes, ties=law)
    masses = next(resample.clusters(fit.votes, table.cluster[:, 0], 5, np.random.default_rng(0)))
    found = batch.refit(fit, masses)
    for b in range(5):
        alone = newton.fit(votes.under(masses[:, b]), ties=law)
        np.testing.assert_allclose(found[:, b], alone.beta, atol=1e-6)
    np.testing.assert_allclose(batch.refit(fit, fit.votes.mass[:, None])[:, 0], fit.beta, atol=1e-12)


def test_own_information_finishes_what_the_common_one_leaves(monkeypatch):
    table = season(seed=2, n=211)
    fit = newton.fit(collect(table))
    masses = next(resample.battles(fit.votes, 40, np.random.default_rng(0)))
    slow = batch.refit(fit, masses)
    monkeypatch.setattr(batch, "CHORD", 0)
    np.testing.assert_allclose(batch.refit(fit, masses), slow, atol=1e-5)


def test_a_replicate_without_a_maximum_is_nan():
    table = from_arrays(np.zeros(5, int), np.ones(5, int), np.array([1.0, 1, 1, 1, 0]))
    fit = newton.fit(collect(table))
    masses = np.column_stack([[0.0, 5.0], [1.0, 4.0]])
    found = batch.refit(fit, masses)
    assert np.isnan(found[:, 0]).all()
    np.testing.assert_allclose(found[0, 1] - found[1, 1], np.log(4))


def test_drawn_battles_are_multinomial():
    rng = np.random.default_rng(3)
    count = np.concatenate([rng.integers(0, 9, size=997), [300.0, 5000.0]]).astype(float)
    draws = 2003
    x = resample.Multinomial.of(count).draw(draws, rng)
    total = count.sum()
    np.testing.assert_array_equal(x.sum(axis=0), total)
    z = (x.mean(axis=1) - count) / np.sqrt(np.maximum(count, 1e-9) * (1 - count / total) / draws)
    assert np.abs(z[count > 0]).max() < 4.5  # of 999 standard normals
    assert (x[count == 0] == 0).all()
    spread = x.var(axis=1)[count > 0] / (count * (1 - count / total))[count > 0]
    np.testing.assert_allclose(spread.mean(), 1.0, atol=4 * np.sqrt(2 / draws / 900))
    np.testing.assert_allclose(spread[-1], 1.0, atol=4 * np.sqrt(2 / draws))


def test_weights_are_carried_along():
    table = season(seed=4, ragged=True)
    votes = collect(table)
    total = sum(mass.sum(axis=1) for mass in resample.battles(votes, 400, np.random.default_rng(0)))
    np.testing.assert_allclose(total.sum() / 400, votes.mass.sum(), rtol=0.01)
    assert sum(mass.shape[1] for mass in resample.battles(votes, 7, np.random.default_rng(0))) == 7


@pytest.mark.parametrize("clusters", [0, 60])
def test_bootstrap_and_sandwich_agree_where_both_are_good(clusters):
    table = season(seed=5, n=4001, clusters=clusters)
    fit = newton.fit(collect(table))
    draws = 1501
    beta = batch.replicates(fit, table.cluster, draws=draws, seed=1)
    error = np.sqrt(np.diagonal(sandwich.covariance(fit, table.cluster)[0]))
    slack = 5 / np.sqrt(2 * draws) + (0.06 if clusters else 0.02)  # Monte Carlo, and what linearising leaves out
    np.testing.assert_allclose(beta.std(axis=0) / error, 1.0, atol=slack)
    again = batch.replicates(fit, table.cluster, draws=draws, seed=1)
    np.testing.assert_array_equal(again, beta)


def test_two_ways_of_clusters_cannot_be_resampled():
    table = season(seed=6)
    fit = newton.fit(collect(table))
    with pytest.raises(AdjudgeError, match="clusters in two ways"):
        batch.replicates(fit, np.column_stack([table.cluster[:, 0]] * 2))
