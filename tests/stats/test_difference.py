"""Folding batches of rows gives the numbers of the table in memory, for every method that can be folded."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.calibration import linear
from adjudge.stats import difference, leaning, strata
from adjudge.tables import read, stream
from adjudge.value import calibrated, labels_only, post_stratified, ppi, ppi_cross, ppi_multi, ppi_plus, ppi_stratified
from value import small_tables


def batches(ratings: small_tables.Ratings, count: int) -> list[small_tables.Ratings]:
    order = np.random.default_rng(0).permutation(ratings.n)
    return [ratings.take(np.sort(rows)) for rows in np.array_split(order, count)]


def same(one: difference.Estimate, other: difference.Estimate) -> None:
    np.testing.assert_allclose(one.value, other.value, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-12, atol=1e-18)
    np.testing.assert_allclose(one.df, other.df, rtol=1e-10)


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize(("method", "judges"), [(labels_only, ()), (ppi, (0,)), (ppi_plus, (0,)), (ppi_multi, (0, 1))])
def test_batches_are_the_table(method: object, judges: tuple[int, ...], count: int) -> None:
    ratings = small_tables.drawn(1, k=3, clusters=83, judges=2)
    ratings.score[::5] = np.nan
    sums = difference.prepare(ratings.take(ratings.labelled), judges=judges)
    for batch in batches(ratings, count):
        sums = difference.fold(sums, batch)
    same(method.finish(sums), method.estimate(ratings))  # type: ignore[attr-defined]


def test_batches_are_the_table_for_calibrated_forecasts() -> None:
    ratings = small_tables.drawn(2, k=3, clusters=83)
    calibrator = linear.fit(ratings)
    labelled = calibrator(ratings.take(ratings.labelled))
    sums, leans = difference.prepare(labelled, forecast=True), leaning.prepare(labelled)
    for batch in batches(ratings, 5):
        sums, leans = difference.fold(sums, calibrator(batch)), leaning.fold(leans, calibrator(batch))
    same(calibrated.finish(sums, leans), calibrated.estimate(calibrator(ratings)))
    same(ppi_cross.finish(sums), ppi_cross.estimate(calibrator(ratings)))


def test_batches_are_the_table_for_strata() -> None:
    ratings = small_tables.drawn(3, n=401, m=211, k=2)
    ratings = small_tables.replace(ratings, stratum=np.arange(401) % 3, strata=("a", "b", "c"))
    labelled = strata.refined(ratings.take(ratings.labelled), ratings.stratum[ratings.labelled], 3)
    sums = difference.prepare(labelled, judges=(0,))
    for batch in batches(ratings, 5):
        sums = difference.fold(sums, strata.refined(batch, batch.stratum, 3))
    same(ppi_stratified.finish(sums, ratings.policies, 3), ppi_stratified.estimate(ratings))
    edges = post_stratified.bin_edges(ratings.score[ratings.labelled, 0], 5)
    cells = 3 * (edges.size + 2)
    cell = post_stratified.cell_of(ratings.score[:, 0], ratings.stratum, edges)
    sums = difference.prepare(strata.refined(ratings.take(ratings.labelled), cell[ratings.labelled], cells))
    for rows in np.array_split(np.arange(ratings.n), 3):
        sums = difference.fold(sums, strata.refined(ratings.take(rows), cell[rows], cells))
    same(post_stratified.finish(sums, ratings.policies, cells), post_stratified.estimate(ratings))


def test_satterthwaite_of_one_source_is_its_own() -> None:
    np.testing.assert_allclose(
        difference.satterthwaite(np.array([[3.0, 1.0], [0.0, 1.0]]), np.array([[7.0, 7.0], [5.0, 7.0]])), [7.0, 14.0]
    )


def test_labelled_and_unlabelled_clusters_are_two_samples() -> None:
    ratings = small_tables.drawn(4, n=101, m=29)
    sums = difference.fold(difference.prepare(ratings, judges=(0,)), ratings)
    pieces = difference.pieces(sums)
    for side in (pieces.has_label, ~pieces.has_label):
        assert abs(pieces.a[0][side].sum()) < 1e-15
    assert (pieces.n[0], pieces.unlabelled[0]) == (29, 72)


def test_a_file_read_in_batches_gives_the_numbers_of_the_file_read_whole() -> None:
    rng = np.random.default_rng(6)
    n = 503
    rows = {
        "policy": [("ash", "birch", "cedar")[i % 3] for i in range(n)],
        "prompt_id": [f"q{i // 3}" for i in range(n)],
        "judge_score": rng.random(n),
        "gold": [float(g) if i % 5 == 0 else None for i, g in enumerate(rng.random(n))],
    }
    scan = stream.scan(rows)
    sums = difference.prepare(scan.labelled(), judges=(0,))
    for batch in scan.batches(rows=101):
        sums = difference.fold(sums, batch)
    same(ppi_plus.finish(sums), ppi_plus.estimate(read.read(rows)))
