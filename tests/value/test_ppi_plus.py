"""PPI++: λ by regression, shrunk; its limits; its coverage where clusters are partly labelled and chances unequal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.sim.judging import Judging
from adjudge.value import labels_only, ppi, ppi_plus
from value import small_tables


def test_lambda_is_the_shrunk_slope_of_label_on_score() -> None:
    ratings = small_tables.drawn(1, n=97, m=23)
    labelled = ratings.labelled
    y, h = ratings.gold[labelled], ratings.score[labelled, 0]
    r2 = np.corrcoef(y, h)[0, 1] ** 2
    slope = np.cov(y, h)[0, 1] / np.var(h, ddof=1)
    shrink = 1 - (1 - r2) / (r2 * (23 - 2))
    expected = y.mean() + shrink * slope * (ratings.score.mean() - h.mean())
    assert ppi_plus.estimate(ratings).value[0] == pytest.approx(expected, rel=1e-12)


def test_a_judge_without_evidence_is_left_out_entirely() -> None:
    gold = np.array([0.0, 1.0, 0.0, 1.0, np.nan, np.nan, np.nan])
    ratings = small_tables.table(gold, [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    one, other = ppi_plus.estimate(ratings), labels_only.estimate(ratings)
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    np.testing.assert_array_equal(one.df, other.df)


@pytest.mark.parametrize("scale", [1.0, -3.0])
def test_a_perfect_judge_on_any_scale_gives_the_mean_over_all_rows(scale: float) -> None:
    rng = np.random.default_rng(3)
    truth = rng.random(101)
    gold = np.where(np.arange(101) < 29, truth, np.nan)
    result = ppi_plus.estimate(small_tables.table(gold, 5 + scale * truth))
    assert result.value[0] == pytest.approx(truth.mean(), rel=1e-12)
    within = np.var(truth[:29]) * 29 / 28 * 29 + np.var(truth[29:]) * 72 / 71 * 72
    assert result.stderr[0] ** 2 == pytest.approx(within / 101**2, rel=0.04)  # 1/28 for λ


def test_with_every_row_labelled_the_value_is_that_of_the_labels() -> None:
    ratings = small_tables.drawn(2, n=53, m=53)
    assert ppi_plus.estimate(ratings).value[0] == pytest.approx(labels_only.estimate(ratings).value[0], rel=1e-13)


def test_is_never_less_certain_than_ppi_with_many_labels() -> None:
    ratings = small_tables.drawn(7, n=2003, m=401, noise=1.5)
    assert ppi_plus.estimate(ratings).stderr[0] < ppi.estimate(ratings).stderr[0]
    assert ppi_plus.estimate(ratings).stderr[0] < labels_only.estimate(ratings).stderr[0]


def test_identical_policies_differ_by_exactly_nothing() -> None:
    ratings = small_tables.drawn(5, clusters=31)
    both = np.tile(np.arange(ratings.n), 2)
    twins = replace(ratings.take(both), policies=("a", "b"), policy=np.repeat([0, 1], ratings.n))
    difference = ppi_plus.estimate(twins).difference("a", "b")
    assert (difference.value[0], difference.stderr[0]) == (0.0, 0.0)


@pytest.mark.parametrize(
    "world",
    [
        Judging(truth=(0.7, 0.5), items=211, labels=101, cluster_size=4, draws=2),
        Judging(truth=(0.7, 0.5), items=307, labels=113, unequal=3.0, cluster_size=3),
        Judging(truth=(0.7, 0.5), items=101, labels=131),
    ],
    ids=["partly labelled clusters", "unequal propensities", "most rows labelled"],
)
def test_covers_the_truth(world: Judging) -> None:
    trials, level = 400, 0.95
    hits = np.zeros(3)
    for seed in range(trials):
        result = ppi_plus.estimate(world.draw(seed).ratings)
        both = covered(result.value, result.stderr, result.df, np.array(world.truth), level)
        difference = result.difference("p00", "p01")
        paired = covered(difference.value, difference.stderr, difference.df, np.array([0.2]), level)
        hits += np.concatenate([both, paired])
    tolerance = 4 * np.sqrt(level * (1 - level) / trials)
    assert np.all(np.abs(hits / trials - level) < tolerance), hits / trials


def covered(value: np.ndarray, stderr: np.ndarray, df: np.ndarray, truth: np.ndarray, level: float) -> np.ndarray:
    """Whether plain t intervals hold the truth: the estimator's own error, without the reserve's help."""
    return np.abs(value - truth) <= special.stdtrit(df, 0.5 + level / 2) * stderr
