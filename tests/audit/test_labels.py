"""Labels: counts by cluster, gaps by hand, silence at the nominal rate, and planted picking found."""

import dataclasses

import numpy as np
import pytest

from adjudge.audit.labels import check
from adjudge.core.finding import Severity
from adjudge.sim.judging import Judging
from adjudge.tables.ratings import Ratings
from contracts import worlds


def _codes(ratings, **options):
    return [finding.code for finding in check(ratings, **options).findings]


def _table(score, gold, weight=None, propensity=None):
    n = len(score)
    return Ratings(
        ("a",), ("judge",), np.zeros(n, int), np.arange(n), np.arange(n), np.asarray(score, float)[:, None],
        np.asarray(gold, float), np.ones(n) if weight is None else np.asarray(weight, float),
        np.full(n, np.nan) if propensity is None else np.asarray(propensity, float), np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


def _picked(seed, strength, *, recorded=False, items=211, m=60):
    """Rows with high scores are more likely to be labelled: log-odds grow by `strength` for each SD of score."""
    ratings = Judging(items=items, labels=1, truth=(0.6, 0.5)).draw(seed).ratings
    rng = np.random.default_rng(seed + 1)
    z = (ratings.score[:, 0] - ratings.score.mean()) / ratings.score.std()
    size = np.exp(strength * z)
    chance = np.minimum(size * 2 * m / size.sum(), 1.0)
    gold = np.where(rng.random(ratings.n) < chance, np.clip(ratings.score[:, 0], 0, 1), np.nan)
    return dataclasses.replace(ratings, gold=gold, propensity=chance if recorded else ratings.propensity)


def test_gap_by_hand():
    """Scores 0, 0, 2, 2 with labels on the last two: (2 − 1)/1 = 1."""
    gap = check(_table([0, 0, 2, 2], [np.nan, np.nan, 1, 0])).figures["judge"]
    np.testing.assert_allclose(gap.value, 1.0)
    # ψ = √2·0 on the labelled rows' own mean, minus (s − 1)/4 on every row: Σψ² = 4/16, scaled by u/(u − 1) nowhere
    np.testing.assert_allclose(gap.stderr, 0.5)


def test_gap_with_recorded_propensities_by_hand():
    """Inverse propensities 4 and 1: (4·0 + 1·2)/5 − 1 = −0.6."""
    gap = check(_table([0, 2, 0, 2], [0, 1, np.nan, np.nan], propensity=[0.25, 1, 0.25, 1])).figures["judge"]
    np.testing.assert_allclose(gap.value, -0.6)


def test_all_rows_labelled_is_gap_exactly_0():
    ratings = Judging(items=53, labels=106, truth=(0.6, 0.5)).draw(1).ratings
    assert np.all(check(ratings).figures["judge"].value == 0)
    assert _codes(ratings) == []


@pytest.mark.parametrize("world", [
    Judging(items=211, labels=101, truth=(0.6, 0.4)),
    Judging(items=210, labels=101, truth=(0.6, 0.4), cluster_size=7, draws=2),
    Judging(items=211, labels=71, truth=(0.6, 0.4), unequal=2.0),
    Judging(items=211, labels=61, truth=(0.6,), outcome="binary"),
])  # fmt: skip
def test_silent_at_its_level_when_labels_are_drawn_at_random(world):
    trials = 300
    alarms = sum("labels-unrepresentative" in _codes(world.draw(s).ratings, gap=0.0, level=0.95) for s in range(trials))
    assert alarms / trials < 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)


def test_the_standard_error_of_the_gap_is_the_spread_over_tables():
    world = Judging(items=211, labels=101, truth=(0.6, 0.4))
    gaps = [check(world.draw(seed).ratings).figures["judge"] for seed in range(300)]
    spread = np.std([gap.value for gap in gaps], axis=0, ddof=1)
    claimed = np.mean([gap.stderr for gap in gaps], axis=0)
    np.testing.assert_allclose(claimed, spread, rtol=4 / np.sqrt(2 * 300))  # the error of a standard deviation


def test_picked_labels_are_found_and_the_gap_has_the_planted_size():
    found = [_picked(seed, 1.0) for seed in range(20)]
    assert all("labels-unrepresentative" in _codes(ratings) for ratings in found)
    for ratings in found[:5]:
        score, policy, labelled = ratings.score[:, 0], ratings.policy, ratings.labelled
        direct = [
            (score[(policy == p) & labelled].mean() - score[policy == p].mean()) / score[policy == p].std()
            for p in range(2)
        ]
        np.testing.assert_allclose(check(ratings).figures["judge"].value, direct)


def test_recorded_propensities_excuse_the_picking():
    trials = 200
    alarms = sum(
        "labels-unrepresentative" in _codes(_picked(seed, 0.5, recorded=True), gap=0.0, level=0.95)
        for seed in range(trials)
    )
    assert alarms / trials < 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials) + 0.01  # a skewed ratio


def test_bonferroni_counts_every_judge():
    ratings = _picked(3, 0.35)
    alone = check(ratings, gap=0.0).figures["judge"].pvalue(0.0).min()
    twenty = dataclasses.replace(
        ratings, score=np.repeat(ratings.score, 20, axis=1), judges=tuple(f"j{i}" for i in range(20))
    )
    level = 1 - 2 * alone * 1.5  # passes for 2 policies × 1 judge, not for 2 × 20
    assert "labels-unrepresentative" in _codes(ratings, gap=0.0, level=level)
    assert "labels-unrepresentative" not in _codes(twenty, gap=0.0, level=level)


def test_few_labels_are_counted_by_prompt_and_grow_severe():
    ratings = Judging(items=53, labels=106, truth=(0.6, 0.5), draws=1).draw(1).ratings
    keep = np.concatenate([np.flatnonzero(ratings.policy == 0)[:4], np.flatnonzero(ratings.policy == 1)[:19]])
    found = [f for f in check(worlds.unlabelled(ratings, keep)).findings if f.code == "labels-too-few"]
    assert [(f.subject, f.number, f.severity) for f in found] == [
        (("p00",), 4.0, Severity.SEVERE),
        (("p01",), 19.0, Severity.WARNING),
    ]
    assert "Label 16 more" in found[0].remedy
    doubled = worlds.take(worlds.unlabelled(ratings, keep), np.repeat(np.arange(ratings.n), 2))
    again = [f for f in check(doubled).findings if f.code == "labels-too-few"]
    assert [f.number for f in again] == [4.0, 19.0]


def test_a_single_heavy_row_is_told():
    n = 97
    score = np.linspace(0, 1, n)
    gold = np.where(np.arange(n) % 2 == 0, score, np.nan)
    assert _codes(_table(score, gold)) == []
    heavy = check(_table(score, gold, weight=np.where(np.arange(n) == 4, 1e6, 1.0))).findings
    assert {f.code for f in heavy} == {"weights-uneven"}
    assert all(f.severity is Severity.SEVERE and f.number < 1.01 for f in heavy)
    rare = check(_table(score, gold, propensity=np.where(np.arange(n) == 4, 1e-6, 0.5))).findings
    assert [f.code for f in rare] == ["weights-uneven"]  # one label stands for a million rows


def test_copies_within_a_cluster_change_no_pvalue():
    ratings = _picked(2, 0.5)
    one = check(ratings).figures["judge"]
    many = check(worlds.take(ratings, np.repeat(np.arange(ratings.n), 3))).figures["judge"]
    np.testing.assert_allclose(many.pvalue(0.0), one.pvalue(0.0), rtol=1e-6)


def test_a_weight_is_a_repetition():
    ratings = _picked(2, 0.5)
    weight = 1.0 + (ratings.item % 3)
    heavy = check(dataclasses.replace(ratings, weight=weight)).figures["judge"]
    many = check(worlds.take(ratings, np.repeat(np.arange(ratings.n), weight.astype(int)))).figures["judge"]
    np.testing.assert_allclose(heavy.value, many.value)
    np.testing.assert_allclose(heavy.stderr, many.stderr)


def test_missing_scores_one_policy_and_no_labels():
    ratings = _picked(1, 0.0)
    score = ratings.score.copy()
    score[::5] = np.nan
    assert np.isfinite(check(dataclasses.replace(ratings, score=score)).figures["judge"].value).all()
    assert check(dataclasses.replace(ratings, gold=np.full(ratings.n, np.nan))).figures["judge"].names == ()
    assert check(_table([0.1, 0.5, 0.9], [1, 0, np.nan])).figures["judge"].names == ("a",)
    constant = dataclasses.replace(ratings, score=np.full_like(score, 0.5))
    assert check(constant).figures["judge"].names == ()
