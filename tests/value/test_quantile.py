"""Quantiles from a judge and labels: the weighting by hand, its limits, and counted coverage."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import quantiles
from adjudge.stats.reweighted import from_ratings, reweigh
from adjudge.value import quantile


def test_weights_of_two_bins_without_own_correction_by_hand():
    """Bins {0} and {1}; arm 0 has ¾ of its rows in bin 0, labels (1, 3) there and 5 in bin 1: ¾·2 + ¼·5 = 2.75."""
    score = np.array([0.0, 0, 0, 1, 1, 1] + [0.0] * 17 + [1.0] * 3)
    gold = np.array([1.0, 3.0, 5.0])
    arm = np.r_[0, 0, 0, 0, 1, 1, np.ones(20)].astype(int)
    made = reweigh(score, np.array([0, 1, 3]), np.ones(3), arm, 2, np.arange(26), np.ones(26), pull=np.zeros(2))
    if len(set(made.bin.tolist())) == 2:
        assert made.omega[0] @ gold == pytest.approx(2.75)
    else:  # fewer than ten labels make one bin: the plain mean
        assert made.omega[0] @ gold == pytest.approx(3.0)


def test_weights_sum_to_one_and_every_row_labelled_gives_equal_ones():
    ratings = Judging(truth=(0.7, 0.5, 0.4), items=211, labels=97).draw(1).ratings
    np.testing.assert_allclose(from_ratings(ratings).omega.sum(axis=1), 1.0, atol=1e-12)
    full = Judging(truth=(0.6,), items=211, labels=211).draw(1).ratings
    assert from_ratings(full).omega[0] @ full.gold == pytest.approx(full.gold.mean(), abs=0.01)


def test_influence_is_the_derivative_by_the_weights_of_rows():
    """Up to the change of bins and folds, which are held: a row's weight times (1 + h), by central differences."""
    ratings = Judging(truth=(0.7, 0.5), items=101, labels=67, labelled=(0, 1)).draw(3).ratings
    made = from_ratings(ratings)
    y = ratings.gold[made.labels]
    step, psi = 1e-5, made.influence(0, y)
    for cluster in (2, 53, 97):
        shifted = [
            from_ratings(replace(ratings, weight=ratings.weight * (1 + h * (ratings.cluster == cluster))))
            for h in (step, -step)
        ]
        if any((other.bin != made.bin).any() or (other.fold != made.fold).any() for other in shifted):
            continue
        slope = (shifted[0].omega[0] @ y - shifted[1].omega[0] @ y) / (2 * step)
        assert slope == pytest.approx(psi[cluster], abs=0.12 * np.abs(psi).max())


def test_all_labelled_is_the_sample_quantile():
    full = Judging(truth=(0.6,), items=211, labels=211).draw(1).ratings
    blind = replace(full, score=np.zeros((211, 1)))
    for q in (0.1, 0.5, 0.9):
        found = quantile.estimate(blind, q=q)
        assert found.value[0] == pytest.approx(np.sort(full.gold)[int(np.ceil(q * 211)) - 1])
        assert found.method == "value.quantile"


def test_a_distribution_of_signed_weights_is_made_monotone():
    law = quantiles.distribution(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 0.3, -0.2, 0.4]))
    assert (np.diff(law.height) >= 0).all()
    assert law.height[-1] == pytest.approx(1.0)
    assert law.quantile(0.5) == 1.0
    assert law.quantile(1.0) == 4.0


def test_tied_points_count_once():
    tied = quantiles.distribution(np.array([1.0, 1.0, 2.0, 2.0]), np.array([0.9, -0.4, 0.1, 0.4]))
    np.testing.assert_allclose(tied.points, [1.0, 2.0])
    np.testing.assert_allclose(tied.height, [0.5, 1.0])


@pytest.mark.parametrize("q", [0.25, 0.5])
def test_intervals_cover_and_beat_the_labels_alone(q):
    world = Judging(truth=(0.7, 0.5), items=601, labels=197, judge_noise=0.3)
    scale = np.sqrt(1 + world.item_sd**2 + world.response_sd**2)
    spread = np.sqrt(world.item_sd**2 + world.response_sd**2)
    truth = special.ndtr(special.ndtri(world.truth) * scale + spread * special.ndtri(q))
    trials, hits, widths, alone = 250, np.zeros(2), 0.0, 0.0
    for seed in range(trials):
        ratings = world.draw(seed).ratings
        found = quantile.estimate(ratings, q=q)
        low, high = found.interval().T
        hits += (low <= truth) & (truth <= high)
        if seed < 20:
            widths += found.stderr.mean()
            alone += quantile.estimate(replace(ratings, score=np.zeros_like(ratings.score)), q=q).stderr.mean()
    assert (hits / trials > 0.95 - 3.2 * np.sqrt(0.95 * 0.05 / trials)).all()
    assert widths < 0.85 * alone


def test_differences_are_paired():
    ratings = Judging(truth=(0.7, 0.65), items=1009, labels=2018, item_sd=1.2, response_sd=0.2).draw(5).ratings
    found = quantile.estimate(ratings)
    apart = np.sqrt((found.stderr**2).sum())
    assert found.difference("p00", "p01").stderr[0] < 0.6 * apart


def test_failures_are_told():
    ratings = Judging(truth=(0.7, 0.5), items=101, labels=31, labelled=(0,)).draw(1).ratings
    assert "labels-missing" in {finding.code for finding in quantile.estimate(ratings).findings}
    edge = quantile.estimate(ratings, q=0.01)
    assert "quantile-beyond-labels" in {finding.code for finding in edge.findings}
    assert edge.stderr[0] > 0
    endless = quantile.estimate(replace(ratings, bounds=(-np.inf, np.inf)), q=0.01)
    assert np.isnan(endless.stderr[0])
    same = replace(ratings, gold=np.where(ratings.labelled, 0.5, np.nan))
    assert np.isnan(quantile.estimate(same).stderr).all()
    with pytest.raises(AdjudgeError, match="no row has a gold label"):
        quantile.estimate(replace(ratings, gold=np.full(ratings.n, np.nan)))
    with pytest.raises(AdjudgeError, match="between 0 and 1"):
        quantile.estimate(ratings, q=0.0)
