"""Curation: filters by hand, correlations and τ against scipy, and savings that are not made of noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from adjudge.errors import AdjudgeError
from adjudge.ranking import curated
from adjudge.ranking._curation import discrimination, held_out, kendall
from value import small_tables


def table(Y, *, blind=None, doubt=None):
    """Scores [policies, tasks]."""
    policy, item = (each.ravel() for each in np.indices(np.shape(Y)))
    columns = [np.ravel(Y)] + ([] if blind is None else [np.ravel(blind)])
    made = small_tables.table(np.full(policy.size, np.nan), np.column_stack(columns), policy=policy, cluster=item)
    if doubt is not None:
        made = replace(made, covariates=np.asarray(doubt)[item][:, None], covariate_names=("doubt",))
    return replace(made, policies=tuple(f"p{p:02d}" for p in range(len(Y))))


def world(rng, k=41, t=599, tau=0.8):
    theta = rng.standard_normal(k)
    a, b = np.exp(tau * rng.standard_normal(t)), 1.3 * rng.standard_normal(t)
    return theta, (rng.random((k, t)) < special.expit(a * (theta[:, None] - b))).astype(float)


def test_filters_by_hand():
    Y = np.array([[1, 1, 0, 1], [1, 0, 1, 0], [1, 0, 0, 1]])
    blind = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    ratings = table(Y, blind=blind, doubt=[0.0, 0.1, 0.9, 0.5])
    choice = curated.choose(ratings, blind="judge1", doubt="doubt")
    assert [curated.REASONS[reason] for reason in choice.reason] == ["blind", "kept", "doubtful", "kept"]
    found = curated.rank(ratings, blind="judge1", doubt="doubt")
    np.testing.assert_allclose(found.value, [1, 0, 0.5])
    np.testing.assert_allclose(found.figures["all"].value, [0.75, 0.5, 0.5])
    assert [finding.code for finding in found.findings] == ["tasks-blind", "tasks-doubtful"]


def test_circular_scoring_wants_every_rotation():
    score, item = [1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 1]
    ratings = small_tables.table(np.full(6, np.nan), score, cluster=item)
    assert curated.rank(ratings, circular=True).value[0] == 0.5
    assert curated.rank(ratings).value[0] == pytest.approx(5 / 6)


def test_item_rest_correlation_and_tau_are_the_textbooks():
    rng = np.random.default_rng(3)
    Y = (rng.random((13, 7)) < 0.5).astype(float)
    for i in range(7):
        rest = np.delete(Y, i, axis=1).mean(axis=1)
        assert discrimination(Y)[i] == pytest.approx(stats.pearsonr(Y[:, i], rest).statistic)
    a, b = rng.integers(0, 5, 11), rng.integers(0, 5, 11)
    assert kendall(a.astype(float), b.astype(float)) == pytest.approx(stats.kendalltau(a, b).statistic)
    assert np.isnan(discrimination(np.ones((5, 3)))).all()


def test_keeping_all_is_the_mean_over_all():
    _, Y = world(np.random.default_rng(5), k=11, t=101)
    found = curated.rank(table(Y))
    np.testing.assert_allclose(found.value, Y.mean(axis=1))
    np.testing.assert_allclose(found.covariance, found.figures["all"].covariance)


def test_discriminating_tasks_save_some_on_held_out_policies():
    _, Y = world(np.random.default_rng(7))
    found = curated.rank(table(Y), keep=20)
    assert found.figures["saved"].value[0] > 1.5
    agreement = found.figures["agreement"]
    at = dict(zip(agreement.names, agreement.value, strict=True))
    assert at["selected 20"] > at["random 20"] + 0.05


def test_where_tasks_do_not_differ_nothing_is_saved_and_optimism_is_said():
    """Equal tasks and 12 policies: choosing is noise, so the saving is about 1 and the choosers look too good."""
    rng = np.random.default_rng(11)
    Y = (rng.random((13, 601)) < special.expit(0.5 * rng.standard_normal(13))[:, None]).astype(float)
    made = held_out(Y, 20, seed=0)
    assert 0.3 < np.median(made.saved) < 2.5
    assert np.median(made.optimism) > 0.05
    assert "curation-optimistic" in {finding.code for finding in curated.rank(table(Y), keep=20).findings}


def test_inverted_keys_are_said():
    _, Y = world(np.random.default_rng(13), k=31, t=151)
    Y[:, :30] = 1 - Y[:, :30]
    found = curated.rank(table(Y))
    assert "tasks-inverted" in {finding.code for finding in found.findings}
    kept = curated.choose(table(Y), keep=90)
    assert (kept.reason[:30] == 0).mean() < 0.2


def test_order_of_rows_and_policies_changes_nothing():
    _, Y = world(np.random.default_rng(17), k=11, t=61)
    ratings = table(Y)
    one = curated.rank(ratings, keep=20)
    other = curated.rank(ratings.take(np.random.default_rng(1).permutation(ratings.n)), keep=20)
    turned = curated.rank(table(Y[::-1]), keep=20)
    np.testing.assert_allclose(one.value, other.value)
    np.testing.assert_allclose(one.value, turned.value[::-1])
    np.testing.assert_allclose(one.figures["saved"].value, turned.figures["saved"].value)


def test_too_little_and_impossible():
    assert np.isnan(curated.rank(table(np.ones((2, 1)))).stderr).all()
    nothing = curated.rank(table(np.ones((2, 1))).take(np.zeros(0, dtype=np.int64)))
    assert np.isnan(nothing.value).all()
    with pytest.raises(AdjudgeError, match="keep"):
        curated.rank(table(np.ones((2, 3))), keep=0)
    with pytest.raises(AdjudgeError, match="policies"):
        curated.rank(table(np.ones((2, 3))), chosen_by=("nobody",))


def test_policies_that_chose_the_tasks_have_no_error_and_others_keep_theirs():
    """Equal policies: with the tasks they chose themselves, half of the pairs would be told apart."""
    rng, apart = np.random.default_rng(5), []
    for _ in range(40):
        Y = (rng.random((20, 200)) < 1 / (1 + np.exp(-rng.normal(0.5, 1, 200)))).astype(float)
        ratings = table(Y)
        own = curated.rank(ratings, keep=0.3)
        assert np.isnan(own.stderr).all()
        assert "chosen-by-the-ranked" in {finding.code for finding in own.findings}
        held = curated.rank(ratings, keep=0.3, chosen_by=ratings.policies[:10]).select(ratings.policies[10:])
        gap = held.differences()
        apart.append(np.mean(np.abs(gap.value) > 2 * gap.stderr))
    assert np.mean(apart) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 40 / 5)  # some five independent pairs a table
