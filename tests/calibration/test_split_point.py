"""Split points: the identity, the inflation, coverage of each side, and a discrepancy that grows off the labels."""

import numpy as np
import pytest

from adjudge.calibration.split_point import MOST, discrepancy, fit, shortfall, spread
from adjudge.errors import AdjudgeError
from adjudge.tables.ratings import Ratings


def _table(score, gold):
    n = len(score)
    return Ratings(
        ("a",), ("judge",), np.zeros(n, int), np.arange(n), np.arange(n), np.asarray(score, float)[:, None],
        np.asarray(gold, float), np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)),
    )  # fmt: skip


def _draw(seed, m, n, far=0):
    """Skewed noise whose scale grows with the score; the last `far` rows lie beyond all labels."""
    rng = np.random.default_rng(seed)
    s = rng.uniform(-2, 2, m + n)
    s = np.append(s, rng.choice([-1, 1], far) * rng.uniform(2.5, 4, far))
    gold = s + (1 + 0.2 * s) * (rng.exponential(1, s.size) - 1)
    return gold, _table(s, np.where(np.arange(s.size) < m, gold, np.nan))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.83])
def test_binary_gold_fulfils_the_identity(p):
    # residual 1 − p with chance p, −p with chance 1 − p: MAR = 2p(1 − p), MAR₊ = 1 − p, MAR₋ = p
    assert discrepancy(np.array([2 * p * (1 - p)]), np.array([1 - p]), np.array([p]))[0] < 1e-15


def test_the_identity_holds_at_the_mean_of_any_sample_and_nowhere_else():
    sample = np.random.default_rng(1).gamma(2, size=101)
    for split, zero in ((sample.mean(), True), (np.median(sample), False)):
        r = sample - split
        heads = [np.array([np.abs(part).mean()]) for part in (r, r[r > 0], r[r < 0])]
        assert (discrepancy(*heads)[0] < 1e-12) == zero


def test_shortfall_by_hand():
    one, three, two = np.array([1.0]), np.array([3.0]), np.array([2.0])
    both = 2 * one * three / (one + three)  # 1.5
    np.testing.assert_allclose(shortfall(both, one, three), 1.0)  # consistent
    np.testing.assert_allclose(shortfall(both, np.array([0.5]), three), 2.0)  # a head at half of what it should be
    np.testing.assert_allclose(shortfall(both, two, three), 1.0)  # never narrower
    np.testing.assert_allclose(shortfall(np.array([7.0]), one, three), MOST)  # no head can mend that


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_each_side_covers_its_share_of_fresh_rows(level):
    above, below, over, under = [], [], [], []
    for seed in range(40):
        gold, ratings = _draw(seed, 211, 307)
        found, fresh = spread(ratings, level=level), ~ratings.labelled
        up = gold > found.value
        above.append(up[fresh].mean())
        below.append(1 - up[fresh].mean())
        over.append((gold > found.high)[fresh].mean())
        under.append((gold < found.low)[fresh].mean())
    assert np.mean(over) < (1 - level) * np.mean(above) + 4 * np.std(over) / np.sqrt(40)
    assert np.mean(under) < (1 - level) * np.mean(below) + 4 * np.std(under) / np.sqrt(40)
    assert np.mean(over) + np.mean(under) > 0.4 * (1 - level)  # and it is not bought by endless intervals


def test_discrepancy_ranks_rows_beyond_the_labels():
    areas = []
    for seed in range(10):
        _, ratings = _draw(seed, 211, 101, far=101)
        sds = spread(ratings).sds[~ratings.labelled]
        areas.append(np.mean(sds[101:, None] > sds[None, :101]))
    assert np.mean(areas) > 0.8


def test_held_out_rows_are_no_better_than_fresh_ones():
    residuals = []
    for seed in range(40):
        gold, ratings = _draw(seed, 53, 307)
        found, seen = spread(ratings), ratings.labelled
        residuals.append([np.abs(gold - found.value)[rows].mean() for rows in (seen, ~seen)])
    gap = np.diff(residuals, axis=1)
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(40)


def test_the_forecast_is_the_mean_curve_of_the_spread():
    _, ratings = _draw(3, 101, 53)
    made, found = fit(ratings)(ratings).forecast, spread(ratings)
    fresh = ~ratings.labelled
    np.testing.assert_allclose(made.value[fresh], found.value[fresh])
    np.testing.assert_allclose(made.held_out[~fresh], found.value[~fresh])


def test_too_few_labels_are_an_error():
    with pytest.raises(AdjudgeError, match="ten labels"):
        spread(_draw(1, 7, 11)[1])
