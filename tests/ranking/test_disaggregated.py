"""Groups behind the mean: by hand, one group, no single best only when it is so, and shares of best."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import disaggregated
from value import small_tables


def table(score, stratum, policy, cluster=None, weight=None):
    score = np.asarray(score, dtype=float)
    cluster = np.arange(score.size) if cluster is None else cluster
    return small_tables.table(
        np.full(score.size, np.nan), score, policy=policy, cluster=cluster, stratum=stratum, weight=weight
    )


def league(means, rng, tasks=211, sd=0.5):
    """means [k, G]: every policy on the same tasks of each group."""
    k, G = np.shape(means)
    item = np.tile(np.arange(tasks * G), k)
    policy = np.repeat(np.arange(k), tasks * G)
    shared = rng.standard_normal(tasks * G)
    score = np.asarray(means)[policy, item % G] + shared[item] + sd * rng.standard_normal(item.size)
    return table(score, item % G, policy, item)


def codes(found):
    return [finding.code for finding in found.findings]


def test_by_hand():
    ratings = table([1, 0, 1, 1, 0, 0, 1, 1], [0, 0, 1, 1] * 2, np.repeat([0, 1], 4), np.tile(np.arange(4), 2))
    found = disaggregated.rank(ratings)
    np.testing.assert_allclose(found.value, [0.75, 0.5])
    np.testing.assert_allclose(found.figures["groups"].value, [0.5, 1, 0, 1])
    np.testing.assert_allclose(found.figures["best_share"].value, [0.75, 0.25])
    np.testing.assert_allclose(found.figures["spread"].value, [0.5, 1])


def test_one_group_is_the_plain_mean_with_the_plain_error():
    rng = np.random.default_rng(3)
    ratings = league([[0.3], [0.1], [0.0]], rng)
    found = disaggregated.rank(ratings)
    wide = ratings.score[:, 0].reshape(3, -1)
    np.testing.assert_allclose(found.value, wide.mean(axis=1))
    np.testing.assert_allclose(found.covariance, np.cov(wide) / wide.shape[1])


def test_shares_follow_the_weight_or_are_even():
    ratings = table([1.0, 1, 0, 0], [0, 0, 1, 1], np.zeros(4, int), weight=[3, 3, 1, 1])
    assert disaggregated.rank(ratings).value[0] == pytest.approx(0.75)
    assert disaggregated.rank(ratings, balanced=True).value[0] == pytest.approx(0.5)


def test_equal_means_that_hide_opposite_groups_have_no_single_best():
    found = disaggregated.rank(league([[0.5, 0.0, 0.25], [0.0, 0.5, 0.25]], np.random.default_rng(5)))
    assert codes(found) == ["no-single-best"]
    low, high = found.difference("p0", "p1").interval()[0]
    assert low < 0 < high
    assert found.figures["best_share"].value.min() > 0.2


def test_noise_alone_is_not_called_no_single_best():
    """200 leagues of 3 equal policies in 5 groups: family-wise error at most 5 % plus three standard errors."""
    rng, called = np.random.default_rng(7), 0
    for _ in range(200):
        found = disaggregated.rank(league(np.zeros((3, 5)), rng, tasks=41))
        sure = [finding for finding in found.findings if finding.code in ("no-single-best", "policy-dominated")]
        called += bool(sure)
    assert called / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_a_dominated_policy_is_named():
    found = disaggregated.rank(league([[0.5, 0.5], [0.0, 0.0]], np.random.default_rng(11)))
    (finding,) = found.findings
    assert (finding.code, finding.subject) == ("policy-dominated", ("p1", "p0"))
    assert found.figures["best_share"].interval()[0, 0] > 0.9


def test_a_group_that_one_policy_never_saw_is_left_out_for_all():
    ratings = league([[0.5, 0.0, 0.1], [0.0, 0.5, 0.1]], np.random.default_rng(13))
    ratings = ratings.take(~((ratings.policy == 1) & (ratings.stratum == 2)))
    found = disaggregated.rank(ratings)
    assert codes(found)[0] == "groups-left-out"
    np.testing.assert_allclose(found.figures["shares"].value, [0.5, 0.5, 0])
    assert np.isfinite(found.stderr).all()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_too_little_is_nan_and_said(rows):
    ratings = league([[0.5, 0.0], [0.0, 0.5]], np.random.default_rng(17)).take(np.arange(rows))
    found = disaggregated.rank(ratings)
    assert np.isnan(found.value).all()
    assert found.findings


def test_too_many_cells_are_refused():
    ratings = league(np.zeros((2, 3)), np.random.default_rng(19))
    with pytest.raises(AdjudgeError, match="covariate"):
        disaggregated.rank(ratings, by="colour")
