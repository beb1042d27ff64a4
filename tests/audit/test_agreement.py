"""Agreement: the correlation by hand, its error against a bootstrap, and a judge that points the wrong way."""

import dataclasses

import numpy as np
import pytest

from adjudge.audit.agreement import check
from adjudge.core.finding import Severity
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings
from contracts import worlds


def _table(score, gold, policy=None, cluster=None):
    score = np.asarray(score, float).reshape(len(gold), -1)
    n, judges = score.shape
    policy = np.zeros(n, int) if policy is None else np.asarray(policy)
    return Ratings(
        tuple(f"p{i}" for i in range(policy.max() + 1)), tuple(f"j{i}" for i in range(judges)), policy, np.arange(n),
        np.arange(n) if cluster is None else cluster, score, np.asarray(gold, float), np.ones(n), np.full(n, np.nan),
        np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


def _normal(seed, n, r, clusters=None):
    """Bivariate normal with correlation r; rows of a cluster share both normals."""
    rng = np.random.default_rng(seed)
    code = np.arange(n) if clusters is None else np.arange(n) % clusters
    y = rng.standard_normal(n if clusters is None else clusters)[code]
    s = r * y + np.sqrt(1 - r**2) * rng.standard_normal(n if clusters is None else clusters)[code]
    return _table(s, y, cluster=code)


def test_by_hand_within_policies():
    """Policy 0: (1, 1), (3, 2); policy 1: (10, 7), (11, 7), (12, 10). Centred sums: Σsy 1 + 3, Σs² 2 + 2, Σy² ½ + 6."""
    ratings = _table([1, 3, 10, 11, 12], [1, 2, 7, 7, 10], policy=[0, 0, 1, 1, 1])
    np.testing.assert_allclose(check(ratings).figures["correlation"].value, 4 / np.sqrt(4 * 6.5))


def test_differences_between_policies_are_no_agreement():
    """Between policies score and gold rise together, within them not at all."""
    rng = np.random.default_rng(1)
    policy = np.repeat([0, 1], 500)
    r = check(_table(rng.standard_normal(1000) + 9 * policy, rng.standard_normal(1000) + 9 * policy, policy))
    assert abs(r.figures["correlation"].value[0]) < 3 / np.sqrt(1000)
    assert [finding.code for finding in r.findings] == ["judge-weak"]


def test_the_error_is_that_of_normal_theory_and_of_a_bootstrap():
    n, r = 2003, 0.6
    estimate = check(_normal(1, n, r)).figures["correlation"]
    np.testing.assert_allclose(estimate.stderr, (1 - r**2) / np.sqrt(n), rtol=0.08)
    ratings = _normal(2, 211, r)
    rng, draws = np.random.default_rng(3), []
    for _ in range(1000):
        rows = rng.integers(0, 211, 211)
        draws.append(np.corrcoef(ratings.score[rows, 0], ratings.gold[rows])[0, 1])
    np.testing.assert_allclose(check(ratings).figures["correlation"].stderr, np.std(draws), rtol=0.12)


@pytest.mark.parametrize("r", [0.0, 0.6])
def test_intervals_cover(r):
    trials = 400
    held = 0
    for seed in range(trials):
        low, high = check(_normal(seed, 101, r)).figures["correlation"].interval(0.95)[0]
        held += low <= r <= high
    assert abs(held / trials - 0.95) < 3 * np.sqrt(0.05 * 0.95 / trials) + 0.01


def test_clusters_are_the_units():
    """Seven copies of each of 101 rows, in clusters: the same as 101 rows; by rows it would look √7 surer."""
    one, many = _normal(5, 101, 0.5), _normal(5, 707, 0.5, clusters=101)
    first, second = check(one).figures["correlation"], check(many).figures["correlation"]
    np.testing.assert_allclose(second.value, first.value)
    np.testing.assert_allclose(second.stderr, first.stderr)
    np.testing.assert_allclose(second.pvalue(0.0), first.pvalue(0.0), atol=1e-9)


def test_a_weight_is_a_repetition():
    ratings = Judging(items=101, labels=97, truth=(0.6, 0.5)).draw(3).ratings
    weight = 1.0 + (ratings.item % 3)
    heavy = check(dataclasses.replace(ratings, weight=weight)).figures["correlation"]
    many = check(worlds.take(ratings, np.repeat(np.arange(ratings.n), weight.astype(int)))).figures["correlation"]
    np.testing.assert_allclose(heavy.value, many.value)
    np.testing.assert_allclose(heavy.stderr, many.stderr)


def test_an_inverted_judge_is_severe_and_a_useless_one_a_warning():
    rng = np.random.default_rng(7)
    gold = rng.standard_normal(211)
    noise = rng.standard_normal(211)
    found = check(_table(np.column_stack([gold + noise, -gold + noise, noise]), gold)).findings
    assert [(f.code, f.severity, f.subject) for f in found] == [
        ("judge-inverted", Severity.SEVERE, ("j1",)),
        ("judge-weak", Severity.WARNING, ("j2",)),
    ]
    assert found[0].number == pytest.approx(-0.7, abs=0.1)


def test_chance_inverts_a_useless_judge_no_more_often_than_it_should():
    trials = 400
    codes = [{finding.code for finding in check(_normal(seed, 53, 0.0)).findings} for seed in range(trials)]
    alarms = sum("judge-inverted" in found for found in codes)
    assert alarms / trials < 0.025 + 3 * np.sqrt(0.025 * 0.975 / trials)


def test_recorded_propensities_undo_the_picking():
    """Gold rows far from the mean are labelled more often, which flatters r until each label counts by 1/π."""
    world = _normal(11, 20011, 0.5)
    chance = np.where(np.abs(world.gold) > 1, 0.9, 0.1)
    chosen = np.random.default_rng(12).random(20011) < chance
    picked = dataclasses.replace(world, gold=np.where(chosen, world.gold, np.nan))
    plain = check(picked).figures["correlation"].value[0]
    weighed = check(dataclasses.replace(picked, propensity=chance)).figures["correlation"]
    assert plain > 0.57
    assert abs(weighed.value[0] - 0.5) < 4 * weighed.stderr[0]


def test_missing_scores_and_constants_are_not_known():
    ratings = _normal(13, 101, 0.5)
    holes = dataclasses.replace(ratings, score=np.where(np.arange(101)[:, None] % 4 == 0, np.nan, ratings.score))
    rows = np.arange(101) % 4 != 0
    expected = np.corrcoef(ratings.score[rows, 0], ratings.gold[rows])[0, 1]
    np.testing.assert_allclose(check(holes).figures["correlation"].value, expected)
    for broken in (
        dataclasses.replace(ratings, score=np.full((101, 1), 0.5)),
        dataclasses.replace(ratings, gold=np.full(101, 0.5)),
        dataclasses.replace(ratings, gold=np.full(101, np.nan)),
        dataclasses.replace(ratings, score=np.full((101, 1), np.nan)),
    ):
        audit = check(broken)
        assert np.isnan(audit.figures["correlation"].value).all()
        assert audit.findings == ()
