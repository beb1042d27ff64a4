"""The guarded leaderboard: its limits, its noise in its own part, its order of submission, and its coverage."""

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking.guarded_leaderboard import rank, tiers
from adjudge.tables.read import from_arrays


def table(rng, k=5, items=211, means=None):
    means = np.full(k, 0.5) if means is None else np.asarray(means)
    score = (rng.random((items, k)) < means).astype(float)
    policy = np.tile([f"p{p}" for p in range(k)], items)
    return from_arrays(policy=policy, item=np.repeat(np.arange(items), k), score=score.ravel()), score


def codes(estimate):
    return {finding.code for finding in estimate.findings}


def test_without_noise_it_is_the_mean_over_items_and_its_clustered_error():
    ratings, score = table(np.random.default_rng(3))
    found = rank(ratings, kind="gaussian", scale=0.0)
    np.testing.assert_allclose(found.value, score.mean(axis=0))
    np.testing.assert_allclose(found.covariance, np.cov(score.T) / 211)
    assert [part.name for part in found.parts] == ["sampling"]
    np.testing.assert_allclose(rank(ratings, kind="empirical").value, found.value)
    assert "holdout-unguarded" in codes(rank(ratings, kind="empirical"))


def test_noise_is_its_own_part_and_known():
    ratings, _ = table(np.random.default_rng(3))
    for kind, variance in (("gaussian", 0.0009), ("laplace", 0.0018)):
        found = rank(ratings, kind=kind, scale=0.03)
        np.testing.assert_allclose(found.parts[1].covariance, variance * np.eye(5))


def test_thresholdout_releases_public_scores_that_hold_up_and_catches_one_that_does_not():
    ratings, score = table(np.random.default_rng(5), items=2003)
    fair = rank(ratings, scale=0.002, threshold=0.08, seed=7)
    assert np.all(fair.slack == 0.08)
    secret = np.random.default_rng((7, 982_451_653)).permutation(2003)
    shown = secret < round(0.5 * 2003)
    np.testing.assert_allclose(fair.value, score[shown].mean(axis=0))
    fitted = np.where(shown[ratings.item] & (ratings.policy == 2), 1.0, ratings.score[:, 0])
    caught = rank(replace(ratings, score=fitted[:, None]), scale=0.002, threshold=0.08, seed=7)
    finding = next(f for f in caught.findings if f.code == "public-score-not-held-up")
    assert finding.subject == ("p2",)
    assert caught.value[2] == pytest.approx(score[~shown, 2].mean(), abs=0.02)
    assert caught.slack[2].tolist() == [0.0, 0.0]


def test_entries_come_in_order_of_their_rows_and_the_budget_runs_out():
    ratings, _ = table(np.random.default_rng(3))
    late = replace(ratings, row=np.where(ratings.policy == 0, ratings.row + 10**6, ratings.row))
    found = rank(late, kind="gaussian", budget=4)
    assert np.flatnonzero(np.isnan(found.value)).tolist() == [0]
    assert next(f for f in found.findings if f.code == "holdout-budget-spent").subject == ("p0",)
    turned = np.random.default_rng(1).permutation(ratings.n)
    again = rank(late.take(turned), kind="gaussian", budget=4)
    np.testing.assert_allclose(again.value, found.value)
    np.testing.assert_allclose(again.covariance, found.covariance)


def test_split_gives_each_entry_rows_of_its_own():
    ratings, _ = table(np.random.default_rng(3), items=205)
    found = rank(ratings, kind="split", seed=2)
    assert np.all(found.df == 40)
    off = found.covariance[~np.eye(5, dtype=bool)]
    np.testing.assert_array_equal(off, 0.0)


@pytest.mark.parametrize("kind", ["gaussian", "laplace", "split", "thresholdout"])
def test_intervals_cover_entries_that_were_fixed_beforehand(kind):
    rng, hits = np.random.default_rng(11), []
    for seed in range(200):
        ratings, _ = table(rng, k=3, items=151, means=[0.3, 0.5, 0.6])
        low, high = rank(ratings, kind=kind, seed=seed).interval(0.95).T
        hits.append((low <= [0.3, 0.5, 0.6]) & (high >= [0.3, 0.5, 0.6]))
    assert np.mean(hits) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 600)


def test_tiers_part_entries_that_are_surely_apart_and_say_which_are_not():
    ratings, _ = table(np.random.default_rng(2), k=4, items=1009, means=[0.2, 0.8, 0.5, 0.5])
    found = rank(ratings, kind="gaussian", scale=0.001)
    assert tiers(found).tolist() == [3, 1, 2, 2]
    assert next(f for f in found.findings if f.code == "entries-tied").subject == ("p2", "p3")


def test_degenerate_tables():
    ratings, _ = table(np.random.default_rng(3), k=1, items=2)
    assert np.isnan(rank(ratings).stderr).all()  # one holdout item: no error can be told
    silent = replace(ratings, score=np.full_like(ratings.score, np.nan))
    found = rank(silent, kind="gaussian")
    assert np.isnan(found.value).all()
    assert "entries-without-scores" in codes(found)
    with pytest.raises(AdjudgeError, match="range"):
        rank(replace(ratings, score=ratings.score + 7.0, bounds=(-np.inf, np.inf)))
    scaled = replace(ratings, score=ratings.score * 10, bounds=(0.0, 10.0))
    np.testing.assert_allclose(
        rank(scaled, kind="gaussian").value, 10 * rank(ratings, kind="gaussian", bounds=(0.0, 1.0)).value
    )
