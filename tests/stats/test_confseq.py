"""Confidence sequences: coverage counted over all times, hand-worked values, and the algebra of streams."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.stats.confseq import GRID, asymptotic, betting, init, merge, update


def table(rows, rng, *, propensity=0.4, truth=(0.7, 0.6)):
    """Paired arms: forecasts, labels (NaN where there is none) and propensities of one stream."""
    taste = rng.normal(size=(rows, 1))
    chance = 1 / (1 + np.exp(-(np.log(np.array(truth) / (1 - np.array(truth))) + taste)))
    gold = (rng.random(chance.shape) < chance) * 1.0
    forecast = np.clip(chance + rng.normal(0, 0.1, chance.shape), 0, 1)
    seen = np.where(rng.random((rows, 1)) < propensity, gold, np.nan)
    return forecast, seen, np.full(chance.shape, propensity)


def mean_of_arms(truth):
    taste, weight = np.polynomial.hermite_e.hermegauss(41)
    logit = np.log(np.array(truth) / (1 - np.array(truth)))
    return (weight / weight.sum()) @ (1 / (1 + np.exp(-(logit + taste[:, None]))))


def test_betting_holds_at_every_time_together():
    """One miss anywhere on the way counts as a miss of the whole stream."""
    trials, step, steps, rng = 101, 31, 11, np.random.default_rng(3)
    truth = mean_of_arms((0.7, 0.6))
    truth = np.r_[truth, truth[0] - truth[1]]
    missed = np.zeros(3)
    for _ in range(trials):
        stream, wrong = init(("a", "b"), least=0.4, level=0.9), np.zeros(3, dtype=bool)
        for _ in range(steps):
            stream = update(stream, *table(step, rng))
            low, high = betting(stream).T
            wrong |= (truth < low) | (truth > high)
        missed += wrong
    assert np.all(missed <= stats.binom.ppf(0.999, trials, 0.1))


def test_asymptotic_holds_from_the_first_dozens_of_labels_on():
    trials, step, steps, rng = 67, 61, 11, np.random.default_rng(5)
    truth = mean_of_arms((0.7, 0.6))
    truth = np.r_[truth, truth[0] - truth[1]]
    missed = np.zeros(3)
    for _ in range(trials):
        stream, wrong = init(("a", "b"), least=0.4, level=0.9), np.zeros(3, dtype=bool)
        for _ in range(steps):
            stream = update(stream, *table(step, rng))
            low, high = asymptotic(stream, planned=400).T
            wrong |= (truth < low) | (truth > high)
        missed += wrong
    assert np.all(missed <= stats.binom.ppf(0.999, trials, 0.1))


def test_unequal_recorded_propensities_leave_the_mean_alone():
    rng, rows = np.random.default_rng(7), 10_007
    forecast, _, _ = table(rows, rng)
    gold = (rng.random(forecast.shape) < forecast) * 1.0
    propensity = 0.1 + 0.8 * forecast[:, :1]  # labels go where the judge is keen
    seen = np.where(rng.random((rows, 1)) < propensity, gold, np.nan)
    stream = update(init(("a", "b"), least=0.1), 1 - forecast, seen, propensity)  # a forecast that is upside down
    assert stream.total[:2] / rows == pytest.approx(gold.mean(axis=0), abs=4 * 1.5 / np.sqrt(rows))


def test_asymptotic_width_by_hand():
    """σ = ½, t = 400, planned 1000: ρ² = (5.991 + log 6.991)/1000 = 0.0079362."""
    stream = update(init(("a",)), np.full((400, 1), 0.5), np.tile([[0.0], [1.0]], (200, 1)))
    rho2 = (-2 * np.log(0.05) + np.log(-2 * np.log(0.05) + 1)) / 1000
    spread = 0.5 * np.sqrt(400 / 399)
    half = spread * np.sqrt(2 * (400 * rho2 + 1) / (400**2 * rho2) * np.log(np.sqrt(400 * rho2 + 1) / 0.05))
    assert asymptotic(stream)[0] == pytest.approx([0.5 - half, 0.5 + half])
    assert half == pytest.approx(0.0782, abs=1e-4)


def test_wealth_by_hand():
    """Three labels 1, 0, 1 of one arm, the candidate ½: bets know only the past."""
    stream = update(init(("a",)), np.full((3, 1), 0.5), np.array([[1.0], [0.0], [1.0]]))
    x, mean, spread, log_up = np.array([1.0, 0.0, 1.0]), 0.5, 0.25, 0.0
    total, deviation = 0.0, 0.0
    for t, each in enumerate(x, start=1):
        variance = (0.25 + deviation) / t
        bet = min(np.sqrt(2 * np.log(40) / (variance * t * np.log(t + 1))), 1.0)
        log_up += np.log1p(bet * (each - 0.5))
        total += each
        mean = (0.5 + total) / (t + 1)
        deviation += (each - mean) ** 2
    assert spread == 0.25
    assert stream.wealth[0, GRID // 2, 0] == pytest.approx(log_up)


def test_batches_do_not_matter():
    rng = np.random.default_rng(11)
    forecast, gold, propensity = table(607, rng)
    empty = init(("a", "b"), least=0.4)
    once, parts = update(empty, forecast, gold, propensity), empty
    for rows in np.array_split(np.arange(607), 7):
        parts = update(parts, forecast[rows], gold[rows], propensity[rows])
    np.testing.assert_allclose(parts.wealth, once.wealth, atol=1e-9)
    np.testing.assert_allclose(asymptotic(parts), asymptotic(once), atol=1e-12)
    np.testing.assert_allclose(betting(parts), betting(once), atol=0.02)  # each keeps the narrowest that it has seen
    assert empty.rows == 0


def test_merging_is_symmetric_and_tells_more_than_either():
    rng = np.random.default_rng(13)
    one, other = (update(init(("a", "b"), least=0.4), *table(rows, rng)) for rows in (1009, 997))
    both = merge(one, other)
    np.testing.assert_allclose(betting(both), betting(merge(other, one)))
    assert both.rows == 2006
    assert np.all(np.diff(asymptotic(both)) < np.diff(asymptotic(one)))
    assert np.mean(np.diff(betting(both))) < np.mean(np.diff(betting(one)))


def test_merged_streams_hold():
    trials, rng = 199, np.random.default_rng(17)
    truth, missed = mean_of_arms((0.7,))[0], 0
    for _ in range(trials):
        empty = init(("a",), least=0.4, level=0.9)
        one, other = (update(empty, *table(rows, rng, truth=(0.7,))) for rows in (101, 211))
        low, high = betting(merge(one, other))[0]
        missed += not low <= truth <= high
    assert missed <= stats.binom.ppf(0.999, trials, 0.1)


def test_pairing_and_a_good_forecast_narrow_the_sequence():
    rng = np.random.default_rng(19)
    gold = np.clip(rng.uniform(size=(2003, 1)) + np.array([0.05, 0.0]), 0, 1)
    seen = np.where(rng.random((2003, 1)) < 0.5, gold, np.nan)
    good = update(init(("a", "b"), least=0.5), gold, seen, 0.5)
    poor = update(init(("a", "b"), least=0.5), np.full_like(gold, 0.5), seen, 0.5)
    for sequence in (betting, asymptotic):
        assert np.all(np.diff(sequence(good)) < np.diff(sequence(poor)))
        assert np.diff(sequence(good)[2]) < 0.7 * np.diff(sequence(good)[0])


def test_inside_the_range_from_the_start_and_nothing_from_nothing():
    empty = init(("a", "b", "c"), bounds=(1.0, 5.0))
    np.testing.assert_array_equal(betting(empty), [[1, 5]] * 3 + [[-4, 4]] * 3)
    assert np.isnan(asymptotic(empty)).all()
    assert empty.names == ("a", "b", "c", "a − b", "a − c", "b − c")


@pytest.mark.parametrize(
    ("forecast", "gold", "propensity", "match"),
    [
        ([[0.5, 1.5]], [[np.nan, 1.0]], 0.5, "forecast"),
        ([[0.5, np.nan]], [[np.nan, 1.0]], 0.5, "forecast"),
        ([[0.5, 0.5]], [[np.nan, 1.2]], 0.5, "gold"),
        ([[0.5, 0.5]], [[np.nan, 1.0]], 0.2, "propensity"),
        ([[0.5, 0.5, 0.5]], [[np.nan, 1.0, 1.0]], 0.5, "columns"),
    ],
)
def test_what_would_break_the_promise_is_refused(forecast, gold, propensity, match):
    with pytest.raises(AdjudgeError, match=match):
        update(init(("a", "b"), least=0.5), forecast, gold, propensity)


@pytest.mark.parametrize("settings", [{"bounds": (0.0, np.inf)}, {"least": 0.0}, {"level": 1.0}])
def test_settings_that_mean_nothing_are_refused(settings):
    with pytest.raises(AdjudgeError, match="finite range"):
        init(("a",), **settings)
