"""Stratified PPI++: one stratum is PPI++, shares put strata together, small strata are joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.sim.judging import Judging
from adjudge.value import labels_only, ppi_plus, ppi_stratified
from value import small_tables


def two_strata(seed: int, n: int = 401, m: int = 101, *, rate: float = 2.0) -> small_tables.Ratings:
    """The judge is right in stratum 0 and noise in stratum 1; labels favour stratum 1 by `rate`."""
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, 2, n)
    truth = stratum + rng.standard_normal(n)
    score = np.where(stratum == 0, truth, rng.standard_normal(n)) + 0.1 * rng.standard_normal(n)
    chance = np.where(stratum == 1, rate, 1.0)
    gold = np.full(n, np.nan)
    chosen = rng.choice(n, m, replace=False, p=chance / chance.sum())
    gold[chosen] = truth[chosen]
    return small_tables.table(gold, score, stratum=stratum)


def test_one_stratum_is_ppi_plus() -> None:
    ratings = small_tables.drawn(1, k=2, clusters=83)
    one, other = ppi_stratified.estimate(ratings), ppi_plus.estimate(ratings)
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-11)
    np.testing.assert_allclose(one.df, other.df, rtol=1e-10)


def test_is_the_share_weighted_sum_of_the_strata() -> None:
    ratings = two_strata(2)
    parts = [ppi_plus.estimate(replace(ratings.take(ratings.stratum == s), strata=("x",))).value[0] for s in (0, 1)]
    share = ratings.stratum.mean()
    expected = (1 - share) * parts[0] + share * parts[1]
    assert ppi_stratified.estimate(ratings).value[0] == pytest.approx(expected, rel=1e-12)


def test_strata_with_too_few_labels_are_joined() -> None:
    ratings = two_strata(3)
    all_joined = ppi_stratified.estimate(ratings, least=1009)
    np.testing.assert_allclose(all_joined.value, ppi_plus.estimate(ratings).value, rtol=1e-12)
    np.testing.assert_allclose(all_joined.covariance, ppi_plus.estimate(ratings).covariance, rtol=1e-11)


def test_covers_where_labels_favour_a_stratum_and_labels_alone_do_not() -> None:
    trials, level, truth = 300, 0.95, 0.5
    hits, naive = 0, 0
    for seed in range(trials):
        ratings = two_strata(seed)
        result, alone = ppi_stratified.estimate(ratings), labels_only.estimate(ratings)
        reach = special.stdtrit(result.df, 0.5 + level / 2) * result.stderr
        hits += abs(result.value[0] - truth) <= reach[0]
        naive += abs(alone.value[0] - truth) <= 2 * alone.stderr[0]
    assert abs(hits / trials - level) < 4 * np.sqrt(level * (1 - level) / trials)
    assert naive / trials < 0.9


def test_strata_labelled_at_unlike_rates_are_covered_when_called_directly():
    """Labels were drawn by stratum, four in five from the poor responses, and nobody recorded the rates."""
    world, trials, held = Judging(truth=(0.6, 0.5), items=601, labels=1), 120, 0
    rates = np.array([0.20, 0.02, 0.02, 0.01, 0.01])
    for seed in range(trials):
        drawn, rng = world.draw(seed), np.random.default_rng((seed, 1))
        stratum = np.digitize(drawn.gold + rng.normal(0, 0.1, drawn.gold.size), [0.3, 0.5, 0.7, 0.85])
        gold = np.where(rng.random(drawn.gold.size) < rates[stratum], drawn.gold, np.nan)
        ratings = replace(drawn.ratings, gold=gold, stratum=stratum, strata=tuple("abcde"))
        low, high = ppi_stratified.estimate(ratings).interval().T
        held += int(np.sum((low <= drawn.truth) & (drawn.truth <= high)))
    assert held / (2 * trials) > 0.95 - 3 * np.sqrt(0.95 * 0.05 / trials)
