"""Means of the worst share: hand-worked, at their limits, paired, and covering."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.sim.judging import Judging
from adjudge.stats import quantiles
from adjudge.value import cvar


def blind(ratings):
    return replace(ratings, score=np.zeros_like(ratings.score))


def test_all_labelled_is_the_mean_of_the_worst_share():
    full = blind(Judging(truth=(0.6,), items=200, labels=200).draw(1).ratings)
    order = np.sort(full.gold)
    assert cvar.estimate(full, tail=0.1).value[0] == pytest.approx(order[:20].mean())
    assert cvar.estimate(full, tail=0.1, side="high").value[0] == pytest.approx(order[-20:].mean())


def test_a_share_inside_an_atom_splits_it():
    """Labels 0, 1, 1, 1 and τ = ½: the worst half is 0 and one 1, mean ½."""
    y, w = np.array([0.0, 1.0, 1.0, 1.0]), np.full(4, 0.25)
    t = quantiles.distribution(y, w).quantile(0.5)
    assert w @ quantiles.shortfall(y, t, 0.5, low=True) == pytest.approx(0.5)


def test_the_whole_is_the_mean_and_its_error_that_of_the_mean():
    full = blind(Judging(truth=(0.6,), items=200, labels=200).draw(1).ratings)
    found = cvar.estimate(full, tail=1.0)
    assert found.value[0] == pytest.approx(full.gold.mean())
    assert found.stderr[0] == pytest.approx(full.gold.std(ddof=1) / np.sqrt(200), rel=0.02)


def test_influence_of_the_shortfall_is_flat_in_the_threshold():
    """Envelope theorem: at the quantile, moving t changes CVaR by 0 to first order."""
    y = np.random.default_rng(1).standard_normal(100_003)
    t = np.quantile(y, 0.1)
    value = [quantiles.shortfall(y, t + h, 0.1, low=True).mean() for h in (-1e-3, 0.0, 1e-3)]
    assert abs(value[2] - value[0]) / 2e-3 < 0.02
    assert max(value) == pytest.approx(value[1], abs=1e-5)


def test_intervals_cover_and_beat_the_labels_alone():
    world = Judging(truth=(0.7, 0.5), items=1009, labels=401, judge_noise=0.3)
    scale = np.sqrt(1 + world.item_sd**2 + world.response_sd**2)
    spread = np.sqrt(world.item_sd**2 + world.response_sd**2)
    grid = (np.arange(20_000) + 0.5) / 20_000 * 0.2
    truth = special.ndtr(special.ndtri(world.truth)[:, None] * scale + spread * special.ndtri(grid)).mean(axis=1)
    trials, hits, widths, alone = 250, np.zeros(2), 0.0, 0.0
    for seed in range(trials):
        ratings = world.draw(seed).ratings
        found = cvar.estimate(ratings, tail=0.2)
        low, high = found.interval().T
        hits += (low <= truth) & (truth <= high)
        if seed < 20:
            widths += found.stderr.mean()
            alone += cvar.estimate(blind(ratings), tail=0.2).stderr.mean()
    assert (hits / trials > 0.95 - 3.2 * np.sqrt(0.95 * 0.05 / trials)).all()
    assert widths < 0.9 * alone


def test_twins_differ_by_nothing():
    ratings = Judging(truth=(0.6,), items=211, labels=97).draw(1).ratings
    columns = ("item", "cluster", "score", "gold", "weight", "propensity", "gold_variance", "covariates", "stratum")
    twins = replace(
        ratings,
        policies=("one", "two"),
        policy=np.repeat([0, 1], 211),
        row=np.arange(422),
        **{name: np.concatenate([getattr(ratings, name)] * 2) for name in columns},
    )
    gap = cvar.estimate(twins).difference("one", "two")
    assert gap.value[0] == pytest.approx(0.0, abs=1e-12)
    assert gap.stderr[0] < 1e-7


def test_thin_tails_are_told_and_values_stay_in_range():
    ratings = Judging(truth=(0.9, 0.8), items=101, labels=61).draw(1).ratings
    found = cvar.estimate(ratings, tail=0.05)
    assert "tail-labels-too-few" in {finding.code for finding in found.findings}
    assert ((found.value >= 0) & (found.value <= 1)).all()
    assert np.isfinite(cvar.estimate(replace(ratings, score=ratings.score * 1e6)).value).all()
    nought = Judging(truth=(0.5, 0.4), items=503, labels=211, outcome="binary").draw(1).ratings
    worst = cvar.estimate(nought, tail=0.1)
    assert (worst.value == 0).all()
    assert (worst.stderr > 0).all()  # the rule of three: no label in the tail differs


def test_impossible_tails_are_refused():
    ratings = Judging(truth=(0.9, 0.8), items=101, labels=61).draw(1).ratings
    with pytest.raises(AdjudgeError, match="share in"):
        cvar.estimate(ratings, tail=0.0)
    with pytest.raises(AdjudgeError, match="side is 'left'"):
        cvar.estimate(ratings, side="left")
