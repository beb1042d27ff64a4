"""Thurstone-Mosteller: a published scale, closed forms, derivatives, ties, priors, runaways, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _probit, _votes, thurstone
from adjudge.tables.comparisons import Comparisons, from_arrays
from ranking.votes_worlds import covered, league

# J. P. Guilford (1954), Psychometric Methods, Chapter 7: share of 148 people who prefer the vegetable of the column to
# that of the row (turnips, cabbage, beets, asparagus, carrots, spinach, string beans, peas, corn). The scale is that of
# R's psych package, ?thurstone, "thurstone(veg)": the least-squares solution of the same case V.
VEGETABLES = """
.500 .818 .770 .811 .878 .892 .899 .892 .926
.182 .500 .601 .723 .743 .736 .811 .845 .858
.230 .399 .500 .561 .736 .676 .845 .797 .818
.189 .277 .439 .500 .561 .588 .676 .601 .730
.122 .257 .264 .439 .500 .493 .574 .709 .764
.108 .264 .324 .412 .507 .500 .628 .682 .628
.101 .189 .155 .324 .426 .372 .500 .527 .642
.108 .155 .203 .399 .291 .318 .473 .500 .628
.074 .142 .182 .270 .236 .372 .358 .372 .500
"""
PUBLISHED = [0.0, 0.52, 0.65, 0.98, 1.12, 1.14, 1.40, 1.44, 1.63]


def vegetables() -> tuple[np.ndarray, Comparisons]:
    share = np.array(VEGETABLES.split(), dtype=float).reshape(9, 9)
    i, j = np.triu_indices(9, 1)
    both = np.concatenate([1 - share[i, j], share[i, j]])
    outcome = np.repeat([1.0, 0.0], i.size)
    return share, from_arrays(np.tile(i, 2), np.tile(j, 2), outcome, count=148 * both)


def test_guilfords_vegetables() -> None:
    share, table = vegetables()
    quantiles = special.ndtri(share).mean(axis=0)
    np.testing.assert_allclose(quantiles - quantiles[0], PUBLISHED, atol=0.005)  # the data are the published ones
    value = thurstone.rank(table).value
    np.testing.assert_allclose(value - value[0], PUBLISHED, atol=0.05)  # likelihood weighs the clear pairs more


def test_shares_that_obey_the_model_give_its_scale_exactly() -> None:
    theta = np.array([0.9, 0.1, -0.3, -0.7])
    i, j = np.triu_indices(4, 1)
    p = special.ndtr(theta[i] - theta[j])
    table = from_arrays(np.tile(i, 2), np.tile(j, 2), np.repeat([1.0, 0.0], 6), count=np.concatenate([p, 1 - p]) * 1000)
    np.testing.assert_allclose(thurstone.rank(table).value, theta, atol=1e-10)


def test_one_pair_with_ties_is_two_normal_quantiles() -> None:
    count = np.array([50.0, 20.0, 30.0])
    result = thurstone.rank(from_arrays(np.zeros(3, int), np.ones(3, int), np.array([1.0, 0.5, 0.0]), count=count))
    win, loss = special.ndtri([0.5, 0.3])
    assert result.value[0] - result.value[1] == pytest.approx((win - loss) / 2, abs=1e-9)
    assert result.figures["threshold"].value[0] == pytest.approx(-(win + loss) / 2, abs=1e-9)


def test_derivatives_are_those_of_the_likelihood() -> None:
    table = league(seed=1, n=67, k=5, ties=0.3)
    outcome = np.where(np.arange(67) % 7 == 0, 0.3, table.outcome)
    votes, _ = _votes.gather(replace(table, outcome=outcome))
    cells, inside = _probit._cells(votes), np.ones(5, dtype=bool)
    at = np.array([0.4, -0.2, 0.3, -0.6, 0.1, 0.35])

    def derive(theta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        return _probit._derivatives(theta, cells, inside, 0.7, True)

    step = 1e-6 * np.eye(6)
    slope = [(derive(at + d)[0] - derive(at - d)[0]) / 2e-6 for d in step]
    bend = [-(derive(at + d)[1] - derive(at - d)[1]) / 2e-6 for d in step]
    np.testing.assert_allclose(derive(at)[1], slope, atol=1e-6)
    np.testing.assert_allclose(derive(at)[2], bend, atol=1e-6)


def test_the_fit_stands_still_at_its_answer() -> None:
    votes, _ = _votes.gather(league(seed=2, n=307, k=7, ties=0.2))
    fit = _probit.fit(votes, np.ones(7, dtype=bool), 0.0)
    assert fit.converged
    assert fit.gradient < 1e-11


def test_soft_votes_are_read_without_a_threshold() -> None:
    table = from_arrays(np.zeros(2, int), np.ones(2, int), np.array([0.8, 0.8]))
    gap = np.diff(thurstone.rank(table).value)[0]
    assert -gap == pytest.approx(special.ndtri(0.8), abs=1e-9)


def test_an_undefeated_policy_has_no_rating_without_a_prior() -> None:
    table = from_arrays(np.array([0, 0, 1, 2, 1]), np.array([1, 2, 2, 1, 2]), np.array([1.0, 1, 1, 1, 0]))
    bare, held = thurstone.rank(table), thurstone.rank(table, pseudo=0.5)
    assert np.isnan(bare.value).tolist() == [True, False, False]
    assert "policy-undefeated" in {finding.code for finding in bare.findings}
    assert np.argmax(held.value) == 0
    assert np.all(np.isfinite(held.stderr))


@pytest.mark.parametrize("pseudo", [0.0, 0.5])
def test_ties_alone_are_no_scale(pseudo: float) -> None:
    result = thurstone.rank(from_arrays(np.zeros(3, int), np.ones(3, int), np.full(3, 0.5)), pseudo=pseudo)
    assert np.isnan(result.value).all()
    assert {finding.code for finding in result.findings} & {"all-ties", "votes-all-tied"}


def test_a_likelihood_without_a_maximum_is_said_and_not_hidden() -> None:
    """Wins and ties but no loss: the distance and the threshold run away together."""
    result = thurstone.rank(from_arrays(np.zeros(30, int), np.ones(30, int), np.repeat([0.5, 1.0], 15)))
    assert np.isnan(result.value).all()
    assert "not-converged" in {finding.code for finding in result.findings}


def test_a_negative_prior_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="pseudo"):
        thurstone.rank(vegetables()[1], pseudo=-1.0)


def test_covers_the_truth_under_clustering() -> None:
    theta = np.array([0.6, 0.2, 0.0, -0.3, -0.5])
    marginal = theta / np.sqrt(1 + 2 * 0.7**2)  # normal tastes of normal votes: case V again, on a wider spread
    rate, tolerance = covered(thurstone.rank, theta, lambda table, p: marginal, trials=300, link=special.ndtr)
    assert np.all(np.abs(rate - 0.95) < tolerance), rate
