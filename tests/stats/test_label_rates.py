"""Labels drawn by stratum at unlike rates, with nothing recorded but the stratum."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars
import pytest
from scipy import stats

from adjudge.flows.evaluate import evaluate, evaluate_ratings
from adjudge.sim.judging import Judging
from adjudge.stats import label_rates
from adjudge.stats.design import label_weight
from adjudge.stats.label_rates import by_stratum, sizes, unlike
from adjudge.tables.ratings import Ratings


def world(seed: int, rates: tuple[float, float] = (0.05, 0.3), items: int = 401) -> tuple[Ratings, np.ndarray]:
    """Three in ten prompts are in a language whose answers are 0.25 worse, which the judge does not see."""
    drawn, rng = Judging(truth=(0.6, 0.5), items=items).draw(seed), np.random.default_rng([5, seed])
    other = (rng.random(items) < 0.3)[drawn.ratings.item]
    gold = drawn.gold - 0.25 * other
    labelled = rng.random(gold.size) < np.where(other, rates[1], rates[0])
    ratings = replace(drawn.ratings, gold=np.where(labelled, gold, np.nan), bounds=(-1.0, 1.0))
    return replace(ratings, stratum=other.astype(np.int64), strata=("en", "cy")), drawn.truth - 0.25 * 0.3


def test_each_label_counts_for_its_stratum() -> None:
    ratings, _ = world(1)
    found = by_stratum(ratings)
    weight = label_weight(found)
    for policy in range(2):
        for stratum in range(2):
            cell = (ratings.policy == policy) & (ratings.stratum == stratum)
            assert weight[cell].sum() == pytest.approx(cell.sum())
    assert [finding.code for finding in found.findings] == ["labels-by-stratum"]


def test_labelled_rows_alone_do_as_well_when_the_sizes_are_told() -> None:
    ratings, _ = world(2)
    rows = np.flatnonzero(ratings.labelled)
    some = by_stratum(ratings.take(rows), sizes(ratings))
    np.testing.assert_allclose(some.propensity, by_stratum(ratings).propensity[rows])


def test_values_are_right_although_nobody_recorded_how_labels_were_drawn() -> None:
    """Without the rates this world's intervals cover about one time in six."""
    trials, hits = 60, 0
    for seed in range(trials):
        ratings, truth = world(seed)
        low, high = evaluate_ratings(ratings, calibration="linear").estimate.interval().T
        hits += int(np.sum((low <= truth) & (truth <= high)))
    assert hits >= stats.binom.ppf(1e-4, 2 * trials, 0.94)


def test_what_is_random_recorded_or_in_one_stratum_is_left_alone() -> None:
    random, _ = world(3, (0.1, 0.1))
    stratified, _ = world(3)
    recorded = replace(stratified, propensity=np.full(stratified.n, 0.2))
    one = replace(stratified, stratum=np.zeros(stratified.n, dtype=np.int64), strata=("all",))
    for ratings in (random, recorded, one):
        assert by_stratum(ratings) is ratings


def test_a_stream_weighs_its_labels_alike(tmp_path: Path) -> None:
    ratings, _ = world(6)
    columns = {
        "prompt": ratings.item,
        "policy": np.array(ratings.policies)[ratings.policy],
        "judge": ratings.score[:, 0],
        "gold": ratings.gold,
        "language": np.array(ratings.strata)[ratings.stratum],
    }
    path = tmp_path / "ratings.parquet"
    polars.DataFrame(columns).with_columns(polars.col("gold").fill_nan(None)).write_parquet(path)
    whole, batched = (
        evaluate(path, judge="judge", gold="gold", stratum="language", bounds=(-1.0, 1.0), stream=stream).estimate
        for stream in (False, True)
    )
    np.testing.assert_allclose(batched.value, whole.value, atol=1e-10)
    np.testing.assert_allclose(batched.interval(), whole.interval(), atol=1e-9)


def test_strata_without_labels_are_told() -> None:
    ratings, _ = world(4, (0.0, 0.3))
    codes = {finding.code: finding for finding in by_stratum(ratings).findings}
    assert codes["strata-without-labels"].number == 2
    assert codes["strata-without-labels"].subject == ("en",)


def test_random_labels_are_hardly_ever_taken_for_stratified() -> None:
    rng, total = np.random.default_rng(7), np.full((5, 3), 211.0)
    alarms = sum(unlike(rng.binomial(211, 0.1, (5, 3)).astype(float), total) < 0.05 for _ in range(997))
    assert alarms <= stats.binom.ppf(0.999, 997, 0.05)
    assert unlike(np.zeros((2, 3)), total[:2]) == 1
    assert label_rates.CHANCE <= 0.01
