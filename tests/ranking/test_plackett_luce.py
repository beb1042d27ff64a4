"""Plackett-Luce: a published fit with ties, derivatives, Bradley-Terry as the limit, degenerate tables, coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.ranking import _choices, bradley_terry, plackett_luce
from adjudge.stats.paired.scale import POINTS
from adjudge.tables.comparisons import from_arrays
from adjudge.tables.ratings import Ratings

# R. Davidson (1970), JASA 65, Example 2: chocolate puddings i, j, comparisons, wins of i, wins of j, ties.
# The fit is that of R's PlackettLuce 0.4, vignette "Introduction to PlackettLuce", Sections 2.1.1 and 2.2, which stops
# after 7 iterations as Davidson did: its worths are good to four figures, its standard errors model-based.
PUDDING = np.array(
    [
        (1, 2, 57, 19, 22, 16),
        (1, 3, 47, 16, 19, 12),
        (2, 3, 48, 19, 19, 10),
        (1, 4, 54, 18, 23, 13),
        (2, 4, 51, 23, 19, 9),
        (3, 4, 54, 19, 20, 15),
        (1, 5, 50, 13, 19, 18),
        (2, 5, 48, 16, 20, 12),
        (3, 5, 48, 16, 15, 17),
        (4, 5, 47, 17, 14, 16),
        (1, 6, 51, 18, 21, 12),
        (2, 6, 54, 22, 20, 12),
        (3, 6, 41, 13, 18, 10),
        (4, 6, 51, 14, 19, 18),
        (5, 6, 44, 11, 21, 12),
    ]
)
WORTH = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
TIE = 0.7468147
STDERR = [0.1872, 0.1935, 0.1882, 0.1927, 0.1924, 0.0825]  # of log-worths against brand 1, and of log δ


def table(score: np.ndarray, **columns: object) -> Ratings:
    """One row for each item and policy of [n, k] scores."""
    n, k = score.shape
    rows = n * k
    ratings = Ratings(
        policies=tuple(f"p{p}" for p in range(k)),
        judges=("judge",),
        policy=np.tile(np.arange(k), n),
        item=np.repeat(np.arange(n), k),
        cluster=np.repeat(np.arange(n), k),
        score=score.reshape(-1, 1).astype(float),
        gold=np.full(rows, np.nan),
        weight=np.ones(rows),
        propensity=np.full(rows, np.nan),
        gold_variance=np.zeros(rows),
        covariates=np.zeros((rows, 0)),
    )
    return replace(ratings, **columns)


def pudding_scores() -> np.ndarray:
    """[741, 6] scores of each comparison: 1 and 0, or equal."""
    rows = []
    for i, j, _, wins, losses, ties in PUDDING:
        for count, pair in ((wins, (1, 0)), (losses, (0, 1)), (ties, (1, 1))):
            row = np.full(6, np.nan)
            row[[i - 1, j - 1]] = pair
            rows += [row] * int(count)
    return np.array(rows)


def test_davidsons_puddings() -> None:
    result = plackett_luce.rank(table(pudding_scores()))
    worth = np.exp(result.value / POINTS)
    np.testing.assert_allclose(worth / worth.sum(), WORTH, atol=3e-5)
    assert result.figures["ties"].value[0] == pytest.approx(TIE, abs=3e-5)


def test_davidsons_model_based_errors() -> None:
    place = plackett_luce._places(pudding_scores())
    fit = _choices.fit(_choices.from_ranks(place, np.ones(len(place))), np.ones(6, dtype=bool), [2], 0.0)
    covariance = np.linalg.inv(fit.information[1:, 1:])  # brand 1 is the reference
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), STDERR, atol=1e-4)
    assert fit.gradient < 1e-11


@pytest.mark.parametrize(("k", "levels"), [(5, 3), (7, 3), (13, 2), (3, 50)], ids=["ties", "larger", "passes", "none"])
def test_derivatives_are_those_of_the_likelihood(k: int, levels: int) -> None:
    rng = np.random.default_rng(k)
    choices = _choices.from_ranks(
        plackett_luce._places(rng.integers(levels, size=(41, k)).astype(float)), rng.random(41)
    )
    orders = tuple(int(d) for d in np.unique(choices.size) if d > 1)
    at, free = rng.normal(size=k + len(orders)) / 2, np.ones(k, dtype=bool)

    def derive(beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, bend = _choices.slopes(choices, beta, orders, 0.3, free)
        return value, gradient, bend()

    step = 1e-6 * np.eye(at.size)
    slope = [(derive(at + d)[0] - derive(at - d)[0]) / 2e-6 for d in step]
    bend = [-(derive(at + d)[1] - derive(at - d)[1]) / 2e-6 for d in step]
    np.testing.assert_allclose(derive(at)[1], slope, atol=1e-6)
    np.testing.assert_allclose(derive(at)[2], bend, atol=1e-6)


def test_chances_of_a_ranking_add_up_to_one() -> None:
    """Three policies have 13 rankings with ties."""
    rankings = np.array([(a, b, c) for a in range(3) for b in range(3) for c in range(3)])
    rankings = np.unique([np.unique(each, return_inverse=True)[1] for each in rankings], axis=0)
    beta = np.array([0.5, -0.2, 0.1, -0.4, -1.3])
    chance = [
        _choices.slopes(_choices.from_ranks(each[None], np.ones(1)), beta, (2, 3), 0.0, np.ones(3, dtype=bool))[0]
        for each in rankings
    ]
    assert len(rankings) == 13
    assert np.exp(chance).sum() == pytest.approx(1.0, abs=1e-12)


def test_one_pair_is_log_odds() -> None:
    score = np.repeat([[1.0, 0.0], [0.0, 1.0]], [30, 10], axis=0)
    result = plackett_luce.rank(table(score))
    assert result.value[0] - result.value[1] == pytest.approx(POINTS * np.log(3), abs=1e-9)


def test_rankings_of_two_are_bradley_terry_with_davidsons_ties() -> None:
    left, right = (PUDDING[:, c] - 1 for c in (0, 1))
    votes = from_arrays(
        np.tile(left, 3),
        np.tile(right, 3),
        np.repeat([1.0, 0.0, 0.5], 15),
        count=PUDDING[:, 3:].T.ravel().astype(float),
    )
    one, other = plackett_luce.rank(table(pudding_scores())), bradley_terry.rank(votes, ties="davidson")
    np.testing.assert_allclose(one.value, other.value, atol=1e-6)
    np.testing.assert_allclose(one.stderr, other.stderr, rtol=0.02)  # two imaginary verdicts a policy


def test_scores_count_by_their_order_only() -> None:
    score = gumbel(seed=1, n=53, theta=np.array([0.5, 0.0, -0.2, 0.3, -0.6]))
    one, other = plackett_luce.rank(table(score)), plackett_luce.rank(table(np.exp(score) - 7))
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)


def test_a_weight_is_a_repetition_and_the_order_of_rows_nothing() -> None:
    score = np.round(gumbel(seed=2, n=23, theta=np.array([0.5, 0.0, -0.2])))
    ratings = table(score)
    weight = np.repeat(np.tile([1.0, 2.0, 3.0], 8)[:23], 3)
    rows = np.repeat(np.arange(ratings.n), weight.astype(int))
    repeated = replace(ratings.take(rows), row=np.arange(rows.size))
    one = plackett_luce.rank(replace(ratings, weight=weight))
    np.testing.assert_allclose(plackett_luce.rank(repeated).value, one.value, atol=1e-8)
    mixed = plackett_luce.rank(replace(ratings, weight=weight).take(np.random.default_rng(3).permutation(ratings.n)))
    np.testing.assert_allclose(mixed.value, one.value, atol=1e-9)
    np.testing.assert_allclose(mixed.covariance, one.covariance, rtol=1e-6)


def test_each_column_ranks_by_itself_unless_one_is_named() -> None:
    score = gumbel(seed=4, n=61, theta=np.array([0.5, 0.0, -0.2]))
    both = np.column_stack([score.ravel(), -score.ravel()])
    ratings = replace(table(score), judges=("up", "down"), score=both)
    np.testing.assert_allclose(
        plackett_luce.rank(ratings, judge="up").value, plackett_luce.rank(table(score)).value, atol=1e-9
    )
    assert np.abs(plackett_luce.rank(ratings).value - 1000).max() < 40
    with pytest.raises(AdjudgeError, match="up, down"):
        plackett_luce.rank(ratings, judge="sideways")


def test_policies_without_a_finite_rating_get_none() -> None:
    result = plackett_luce.rank(table(np.array([[3.0, 1, 2], [3, 2, 1], [5, 1, 2]])))
    assert np.isnan(result.value).tolist() == [True, False, False]
    assert "policy-undefeated" in {finding.code for finding in result.findings}
    held = plackett_luce.rank(table(np.tile([3.0, 2.0, 1.0], (7, 1))), pseudo=0.5)
    assert np.all(np.diff(held.value) < 0)
    assert np.all(held.stderr > 50)  # rankings that never disagree do not know everything


@pytest.mark.parametrize(
    "score",
    [np.ones((5, 3)), np.tile([3.0, 2.0, 1.0], (5, 1)), np.array([[1.0, np.nan], [np.nan, 2.0]]), np.zeros((0, 3))],
    ids=["all tied", "one order", "alone", "empty"],
)
def test_too_little_gives_nan_and_a_finding(score: np.ndarray) -> None:
    result = plackett_luce.rank(table(score))
    assert np.isnan(result.value).all()
    assert result.findings


def test_large_ties_are_split_with_a_finding() -> None:
    score = (np.random.default_rng(5).random((59, 11)) < np.linspace(0.2, 0.8, 11)).astype(float)
    result = plackett_luce.rank(table(score), most_tied=5)
    assert "ties-split" in {finding.code for finding in result.findings}
    assert np.corrcoef(result.value, np.arange(11))[0, 1] > 0.8


def test_splitting_ties_draws_ratings_together() -> None:
    score = np.round(gumbel(seed=6, n=211, theta=np.array([1.0, 0.5, 0.0, -0.5, -1.0])))
    exact, split = plackett_luce.rank(table(score)), plackett_luce.rank(table(score), most_tied=1)
    assert "ties-split" not in {finding.code for finding in exact.findings}
    assert np.ptp(split.value) < np.ptp(POINTS * np.array([1.0, -1.0])) < np.ptp(exact.value)


def test_one_cluster_gives_no_error() -> None:
    ratings = table(np.array([[1.0, 2, 3], [3, 1, 2], [2, 3, 1]]), cluster=np.zeros(9, dtype=int))
    assert np.isnan(plackett_luce.rank(ratings).stderr).all()


def gumbel(*, seed: int, n: int, theta: np.ndarray) -> np.ndarray:
    """Scores whose order is Plackett-Luce with log-worths θ."""
    return theta + np.random.default_rng(seed).gumbel(size=(n, theta.size))


def test_covers_the_truth_with_clusters_of_tasks_and_missing_answers() -> None:
    """Each cluster repeats its rankings, so errors that took them as independent would be √3 too small."""
    theta, trials = np.array([0.6, 0.2, 0.0, -0.3, -0.5]), 300
    hits = np.zeros(5)
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        score = gumbel(seed=seed + 10_000, n=71, theta=theta)
        score[rng.random(score.shape) < 0.2] = np.nan
        ratings = table(np.repeat(score, 3, axis=0), cluster=np.repeat(np.arange(71), 15))
        result = plackett_luce.rank(ratings)
        truth = 1000 + POINTS * (theta - theta.mean())
        hits += np.abs(result.value - truth) <= special.stdtrit(result.df, 0.975) * result.stderr
    assert np.all(np.abs(hits / trials - 0.95) < 4 * np.sqrt(0.95 * 0.05 / trials)), hits / trials
