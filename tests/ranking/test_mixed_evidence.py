"""Mixed evidence: its limits, the task's difficulty that drops out, the test of disagreement, and coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.core.estimate import Estimate
from adjudge.errors import AdjudgeError
from adjudge.ranking import _evidence, _loaded_fit, mixed_evidence
from adjudge.stats.paired import newton, sandwich, scale, votes
from adjudge.tables.comparisons import Comparisons, from_arrays
from adjudge.tables.ratings import Ratings

THETA = np.array([0.8, 0.3, -0.1, -0.3, -0.7])
K = THETA.size
NAMES = ("p0", "p1", "p2", "p3", "p4")


def pairs_world(rng: np.random.Generator, n: int = 401) -> Comparisons:
    left = rng.integers(0, K, n)
    right = (left + rng.integers(1, K, n)) % K
    win = np.exp((THETA[left] - THETA[right]) / 2)
    u = rng.random(n) * (win + 0.6 + 1 / win)
    return from_arrays(left, right, np.where(u < win, 1.0, np.where(u < win + 0.6, 0.5, 0.0)), policies=NAMES)


def scores_world(
    rng: np.random.Generator, tasks: int = 149, *, strength: np.ndarray = THETA, skip: float = 0.2
) -> Ratings:
    """Passes, progress and a rating from 1 to 5 on tasks of mixed difficulty; a fifth of the runs is missing."""
    item, policy = np.repeat(np.arange(tasks), K), np.tile(np.arange(K), tasks)
    hard = rng.normal(0, 2, tasks)[item]
    passed = (rng.random(item.size) < 1 / (1 + np.exp(hard - 1.5 * strength[policy]))).astype(float)
    mean = 1 / (1 + np.exp(0.5 * hard - 0.8 * strength[policy]))
    progress = rng.beta(3 * mean, 3 * (1 - mean))
    rated = np.clip(np.round(3 - 0.5 * hard + strength[policy] + rng.logistic(0, 1, item.size)), 1, 5)
    keep = rng.random(item.size) > skip
    n = int(keep.sum())
    return Ratings(
        NAMES,
        ("passed", "progress", "rating"),
        policy[keep],
        item[keep],
        item[keep],
        np.column_stack([passed, progress, rated])[keep],
        np.full(n, np.nan),
        np.ones(n),
        np.full(n, np.nan),
        np.zeros(n),
        np.empty((n, 0)),
    )


def only(ratings: Ratings, name: str) -> Ratings:
    j = ratings.judges.index(name)
    return replace(ratings, judges=(name,), score=ratings.score[:, j : j + 1])


def test_votes_alone_are_the_davidson_fit_with_its_sandwich() -> None:
    table = pairs_world(np.random.default_rng(1))
    result = mixed_evidence.rank(table)
    fit = newton.fit(votes.collect(table))
    np.testing.assert_allclose(result.value, scale.points(fit.theta), atol=1e-6)
    expected = scale.covariance_points(fit.theta, sandwich.covariance(fit, table.cluster)[0][:K, :K])
    np.testing.assert_allclose(result.covariance, expected, rtol=1e-2)  # small-sample factors may differ


def test_every_two_rows_of_a_task_by_different_policies_meet_once() -> None:
    item, policy = np.array([3, 1, 3, 3, 1, 2]), np.array([0, 0, 1, 0, 2, 1])
    one, other, weight = _evidence.pairs_of_rows(item, policy)
    met = {frozenset((int(a), int(b))): float(w) for a, b, w in zip(one, other, weight, strict=True)}
    assert met == {frozenset((0, 2)): 2 / 3, frozenset((2, 3)): 2 / 3, frozenset((1, 4)): 1.0}


def test_the_difficulty_of_tasks_drops_out() -> None:
    ratings = only(scores_world(np.random.default_rng(2), 20_011), "passed")
    theta = (mixed_evidence.rank(None, ratings=ratings).value - 1000) / scale.POINTS
    np.testing.assert_allclose(theta, 1.5 * (THETA - THETA.mean()), atol=0.06)


def test_gradient_and_curvature_are_those_of_finite_differences() -> None:
    rng, h = np.random.default_rng(3), 1e-5
    table = _evidence.together(pairs_world(rng, 53), scores_world(rng, 11), None, same_clusters=False)
    rows = mixed_evidence._sources(table, np.flatnonzero(table.known), np.arange(4))
    at = rng.normal(0.5, 0.4, rows.q)

    def value(point: np.ndarray) -> float:
        return float(_loaded_fit.slopes(rows, point)[2].value.sum())

    def gradient(point: np.ndarray) -> np.ndarray:
        return np.asarray(_loaded_fit.scores(rows, point).sum(axis=0)).ravel()

    steps = np.eye(rows.q) * h
    numeric = np.array([(value(at + step) - value(at - step)) / (2 * h) for step in steps])
    np.testing.assert_allclose(gradient(at), numeric, rtol=1e-6, atol=1e-6)
    hessian = np.array([-(gradient(at + step) - gradient(at - step)) / (2 * h) for step in steps])
    np.testing.assert_allclose(_loaded_fit.curvature(rows, at), hessian, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(_loaded_fit.curvature(_loaded_fit.summed(rows), at), hessian, rtol=1e-5, atol=1e-5)


def test_a_metric_is_known_by_its_numbers_or_by_name() -> None:
    ratings = scores_world(np.random.default_rng(4), 17)
    assert _evidence.chosen(ratings, None) == {"passed": "pass", "progress": "progress", "rating": "rating"}
    assert _evidence.chosen(ratings, {"passed": "rating"})["passed"] == "rating"
    for kinds, found in (({"rating": "pass"}, "runs from"), ({"passed": "x"}, "is 'x'"), ({"x": "pass"}, "names 'x'")):
        with pytest.raises(AdjudgeError, match=found):
            mixed_evidence.rank(None, ratings=ratings, kinds=kinds)
    with pytest.raises(AdjudgeError, match="no table"):
        mixed_evidence.rank(None)


def test_all_together_are_sharper_than_each_alone_and_agree() -> None:
    rng = np.random.default_rng(5)
    result = mixed_evidence.rank(pairs_world(rng), ratings=scores_world(rng))
    alone = [each.stderr.mean() for name, each in result.figures.items() if name.startswith("only")]
    assert len(alone) == 4
    assert result.stderr.mean() < min(alone)
    assert result.figures["loadings"].names == ("pairs", "passed", "progress", "rating")
    assert "evidence-disagrees" not in {finding.code for finding in result.findings}


def test_evidence_that_ranks_otherwise_is_named() -> None:
    rng = np.random.default_rng(6)
    other = THETA[[1, 3, 0, 4, 2]] * 1.5
    ratings = scores_world(rng, 601, strength=other)
    result = mixed_evidence.rank(pairs_world(rng, 1009), ratings=only(ratings, "passed"))
    assert "evidence-disagrees" in {finding.code for finding in result.findings}
    turned = only(scores_world(rng, 601, strength=-THETA), "passed")
    found = {finding.code for finding in mixed_evidence.rank(pairs_world(rng, 1009), ratings=turned).findings}
    assert "evidence-reversed" in found


def test_policies_are_matched_by_name_and_order_is_nothing() -> None:
    rng = np.random.default_rng(7)
    pairs, ratings = pairs_world(rng), scores_world(rng, 53)
    expected = mixed_evidence.rank(pairs, ratings=ratings)
    names = ("p4", "p3", "p2", "p1", "p0")  # the same policies, coded the other way round
    recoded = replace(ratings, policies=names, policy=K - 1 - ratings.policy)
    order = rng.permutation(ratings.n)
    swapped = pairs.swapped(rng.random(pairs.n) < 0.5)
    for one, two in ((pairs, recoded), (pairs, ratings.take(order)), (swapped, ratings)):
        result = mixed_evidence.rank(one, ratings=two)
        np.testing.assert_allclose(result.value, expected.value, atol=1e-6)
        np.testing.assert_allclose(result.covariance, expected.covariance, rtol=1e-5, atol=1e-5)
    extra = replace(pairs, policies=("p0", "p1", "p2", "p3", "zz"))
    joined = mixed_evidence.rank(extra, ratings=ratings)
    assert joined.names == ("p0", "p1", "p2", "p3", "p4", "zz")
    assert np.isfinite(joined.stderr).all()


def test_nothing_to_rank_is_nan_with_a_finding() -> None:
    table = pairs_world(np.random.default_rng(8))
    for outcome in (np.full(table.n, np.nan), (table.left < table.right).astype(float)):
        result = mixed_evidence.rank(replace(table, outcome=outcome))
        assert np.isnan(result.value).all()
        assert result.findings
    ratings = only(scores_world(np.random.default_rng(9), 1), "passed")
    assert np.isnan(mixed_evidence.rank(None, ratings=ratings).stderr).all()


def test_intervals_cover_and_the_test_of_disagreement_keeps_its_level() -> None:
    trials, level, hits, small, half = 80, 0.95, 0.0, np.zeros(4), np.zeros(4)
    truth = scale.CENTRE + scale.POINTS * (THETA - THETA.mean())

    def both(seed: int) -> Estimate:
        rng = np.random.default_rng(1000 + seed)
        return mixed_evidence.rank(pairs_world(rng, 601), ratings=scores_world(rng, 101))

    for seed in range(trials):
        result = both(seed)
        low, high = result.interval(level).T
        hits += float(np.mean((low <= truth) & (truth <= high)))
        small += result.figures["pvalues"].value < 0.05
        half += result.figures["pvalues"].value < 0.5
    tolerance = 4 * np.sqrt(level * (1 - level) / (trials * 2))
    assert abs(hits / trials - level) < tolerance, hits / trials
    assert np.all(small / trials < 0.05 + 4 * np.sqrt(0.05 * 0.95 / trials)), small / trials
    assert np.all(np.abs(half / trials - 0.5) < 4 * np.sqrt(0.25 / trials)), half / trials
