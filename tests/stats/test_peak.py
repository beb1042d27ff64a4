"""Where a run turns: exact without noise, laws share their say, the next pair is the one that tells most."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from adjudge.errors import AdjudgeError
from adjudge.sim.overoptimisation import Overoptimisation
from adjudge.stats import peak, stopping

D = np.linspace(0, 3, 16)
SLOW = np.r_[0, D[1:] * (1 - np.log(D[1:]))]  # peak at d = 1
SQUARE = 1 - (D / 1.4 - 1) ** 2  # peak at d = 1.4


def labelled(gold, pairs, noise=0.0, seed=0):
    rng = np.random.default_rng((seed, 983))
    earlier, later = np.sort(rng.choice(gold.size, (pairs, 2)), axis=1).T
    return earlier, later, gold[earlier] - gold[later] + rng.normal(0, noise, pairs) * (noise > 0)


@pytest.mark.parametrize(("gold", "where"), [(SLOW, 5), (SQUARE, 7)], ids=["policy_gradient", "best_of_n"])
def test_the_peak_of_either_law_is_found(gold, where):
    found = peak.turn(D, *labelled(gold, 61))
    assert found.keep == where
    assert found.share.max() > 0.99
    assert found.drop(where, 15) == pytest.approx(gold[where] - gold[15], rel=0.02)


def test_coefficients_are_those_of_least_squares_by_hand():
    earlier, later, drop = labelled(SQUARE, 31, noise=0.1)
    x = np.column_stack([D, -(D**2)])[earlier] - np.column_stack([D, -(D**2)])[later]
    alpha, beta = np.linalg.lstsq(x, drop, rcond=None)[0]
    found = peak.turn(D, earlier, later, drop)
    own = found.terms[0] @ np.linalg.solve(
        found.moments[0],
        ((found.terms[0][earlier] - found.terms[0][later]) * drop[:, None]).sum(axis=0),
    )
    np.testing.assert_allclose(own, alpha * D - beta * D**2, atol=0.02)


def test_order_and_repetition_of_pairs_do_not_matter():
    pairs = labelled(SLOW, 29, noise=0.2)
    order = np.random.default_rng(1).permutation(29)
    one, two = peak.turn(D, *pairs), peak.turn(D, *(column[order] for column in pairs))
    np.testing.assert_allclose(one.gain, two.gain)
    assert one.ask() == two.ask()


def test_few_pairs_tell_nothing_and_the_last_is_kept():
    found = peak.turn(D, [0, 1, 2], [3, 4, 5], [0.1, 0.2, 0.3])
    assert found.keep == 15
    assert not found.gain.any()
    assert peak.turn([0.0], [], [], []).keep == 0
    assert peak.turn([0.0, 0.0], [0] * 7, [1] * 7, [0.1] * 7).keep in (0, 1)


def test_pairs_that_are_asked_for_find_the_peak_more_often_than_chance_ones():
    """Where noise is four times the whole gain; with little noise any pairs do."""
    kept = {"asked": [], "chance": []}
    for seed in range(71):
        rng = np.random.default_rng((seed, 991))
        for way, found in kept.items():
            pairs = labelled(SQUARE, 11, noise=4.0, seed=seed)
            while pairs[0].size < 99:
                one, two = peak.turn(D, *pairs).ask() if way == "asked" else np.sort(rng.choice(16, 2, replace=False))
                columns = (np.full(4, one), np.full(4, two), SQUARE[one] - SQUARE[two] + rng.normal(0, 4, 4))
                pairs = tuple(np.concatenate(both) for both in zip(pairs, columns, strict=True))
            found.append(SQUARE[peak.turn(D, *pairs).keep] >= 0.9)
    assert np.mean(kept["asked"]) > np.mean(kept["chance"]) + 0.1


def watched(draw, d, seed, *, labels=200, level=0.95):
    """A whole watch as `adjudge watch` spends its labels: checkpoint to keep and where it stopped."""
    rng, run, seen = np.random.default_rng((seed, 997)), stopping.init(level=level), []

    def labelled_at(one, two, pairs):
        gold = draw(rng, one, two, pairs)
        seen.extend((one, two, drop) for drop in (gold[0] - gold[1]).tolist())
        return gold

    for here in range(1, d.size):
        run, batch = stopping.advance(run), 2
        while True:
            law = peak.turn(d[: here + 1], *(zip(*seen, strict=True) if seen else ((), (), ())))
            wanted = stopping.ask(
                run, max(labels * 4 // 5 - 2 * run.pairs, 0), batch=batch, expected=law.drop(run.best, here)
            )
            if not wanted:
                break
            run, batch = stopping.update(run, *labelled_at(run.best, here, wanted)), 4
        if run.stopped >= 0:
            break
    last = run.stopped if run.stopped >= 0 else d.size - 1
    while 2 * len(seen) + 8 <= labels:
        labelled_at(*peak.turn(d[: last + 1], *zip(*seen, strict=True)).ask(), 4)
    return peak.turn(d[: last + 1], *zip(*seen, strict=True)).keep, run.stopped


@pytest.mark.parametrize("noise", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("law", [SLOW, SQUARE], ids=["policy_gradient", "best_of_n"])
def test_200_labels_keep_a_checkpoint_within_a_tenth_of_the_peak_in_nine_of_ten_seeds(law, noise):
    gold = 0.1 + 0.7 * np.clip(law, -0.1, 1)

    def draw(rng, one, two, pairs):
        prompt = rng.normal(0, 0.05, pairs)
        return [np.clip(gold[at] + prompt + rng.normal(0, noise, pairs), 0, 1) for at in (one, two)]

    runs = 41
    kept, stopped = np.array([watched(draw, D, seed) for seed in range(runs)]).T
    assert (law[kept] >= 0.9).mean() >= 0.95
    assert (stopped >= 0).mean() >= 0.9


@pytest.mark.parametrize("gold", [np.full(16, 0.5), np.linspace(0.3, 0.7, 16)], ids=["flat", "rising"])
def test_labels_that_a_law_moves_raise_no_more_false_alarms_than_promised(gold):
    def draw(rng, one, two, pairs):
        return [(rng.random(pairs) < gold[at]).astype(float) for at in (one, two)]

    runs = 101
    false = sum(watched(draw, D, seed, level=0.8)[1] >= 0 for seed in range(runs))
    assert false <= stats.binom.ppf(0.999, runs, 0.2)


def test_a_proxy_learned_from_labels_of_which_a_quarter_is_wrong():
    """Gold is a chance of winning, seen once a response: its noise is the whole range, and the drop a fifth of it."""
    world, d = Overoptimisation(harm=0.1, flip=0.25), np.linspace(0, 7.5, 13)
    proxy = world.learned(60, seed=4)
    ahead = np.sqrt(2) * d[:, None] * proxy / np.linalg.norm(proxy)
    many = np.random.default_rng(3).normal(size=(20_011, 6))
    lead = np.random.default_rng(4).normal(size=20_011)
    truth = np.array([(1 / (1 + np.exp(-world.gold(many + at) - lead))).mean() for at in ahead])
    gain = (truth - truth[0]) / np.ptp(truth[: truth.argmax() + 1])

    def draw(rng, one, two, pairs):
        prompt = rng.normal(size=pairs)
        found = [world.gold(rng.normal(size=(pairs, 6)) + ahead[at]) + prompt for at in (one, two)]
        return [1 / (1 + np.exp(-each)) for each in found]

    kept = [watched(draw, d, seed)[0] for seed in range(41)]
    assert (gain[kept] >= 0.9).mean() >= 0.9


def test_gold_expected_is_the_mean_over_peaks_and_heights_by_summing_over_a_grid_of_both():
    d = np.array([0, 0.27, 0.31, 1.33, 2])
    earlier, later, drop = labelled(np.array([0.0, 0.4, 0.5, 0.3, -0.4]), 11, noise=1.5)
    places = np.linspace(0, 1.5, 31)
    places = np.unique(np.r_[places[places > 0.0675], d[1:] / 2])
    shapes = []
    for law in (lambda x: 2 * x - x**2, lambda x: np.r_[0, x[1:] * (1 - np.log(x[1:]))]):
        shapes += [law(d / 2 / place) for place in places]
    shapes = np.array([shape / (shape.max() - shape.min()) for shape in shapes])
    lead = shapes[:, earlier] - shapes[:, later]
    slope = (lead @ drop) / (lead**2).sum(axis=1)
    noise = min(((drop - a * x) ** 2).sum() for a, x in zip(slope, lead, strict=True)) / 9
    heights = np.linspace(0, 12, 6001)
    miss = ((drop[:, None, None] - lead.T[:, :, None] * heights) ** 2).sum(axis=0)
    weight = np.exp(-(miss - miss.min()) / (2 * noise) - heights**2 / (2 * np.mean(drop**2)))
    weight *= np.tile(np.gradient(places), 2)[:, None]
    expected = (weight * heights).sum(axis=1) @ shapes / weight.sum()
    np.testing.assert_allclose(peak.turn(d, earlier, later, drop).gain, expected, atol=1e-3 * np.ptp(expected))


def test_units_of_gold_and_of_distance_do_not_matter():
    earlier, later, drop = labelled(SQUARE, 29, noise=0.6)
    one, two = peak.turn(D, earlier, later, drop), peak.turn(7 * D, earlier, later, 1000 * drop)
    np.testing.assert_allclose(1000 * one.gain, two.gain, rtol=1e-4)
    assert one.keep == two.keep


def test_a_rise_keeps_the_last_a_fall_an_early_one_and_no_difference_says_nothing():
    assert peak.turn(D, *labelled(D, 61, noise=0.3)).keep == 15
    assert peak.turn(D, *labelled(-D, 61, noise=0.3)).keep <= 2
    assert not peak.turn(D, *labelled(0 * D, 61)).gain.any()


def test_a_run_far_beyond_a_small_peak_does_not_lose_it():
    """The whole gain is a tenth of the labels' noise, and gold, a chance, ends at 0: no law has that end."""
    world = Overoptimisation(harm=0.5, flip=0.25)
    proxy, d = world.learned(60, seed=4), np.linspace(0, 4.2, 25)
    ahead = np.sqrt(2) * d[:, None] * proxy / np.linalg.norm(proxy)
    many, lead = np.random.default_rng(3).normal(size=(20_011, 7))[:, :6], np.random.default_rng(4).normal(size=20_011)
    truth = np.array([(1 / (1 + np.exp(-world.gold(many + at) - lead))).mean() for at in ahead])
    gain = (truth - truth[0]) / (truth.max() - truth[0])

    def draw(rng, one, two, pairs):
        prompt = rng.normal(size=pairs)
        found = [world.gold(rng.normal(size=(pairs, 6)) + ahead[at]) + prompt for at in (one, two)]
        return [1 / (1 + np.exp(-each)) for each in found]

    kept = [watched(draw, d, seed)[0] for seed in range(61)]
    assert (gain[kept] >= 0.9).mean() >= 0.65


def test_bad_input_is_named():
    for d, earlier, later, drop in (
        ([], [], [], []),
        ([0.0, -1.0], [0], [1], [0.1]),
        ([0.0, 1.0], [0], [1], [np.nan]),
        ([0.0, 1.0], [0, 0], [1], [0.1]),
        ([0.0, 1.0], [0], [2], [0.1]),
    ):
        with pytest.raises(AdjudgeError, match="peak"):
            peak.turn(d, earlier, later, drop)
    with pytest.raises(AdjudgeError, match="one checkpoint"):
        peak.turn([0.0], [], [], []).ask()
