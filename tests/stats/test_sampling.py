"""Systematic sampling has exactly the inclusion probabilities that it is given."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.sampling import capped_share, one_each, systematic


def test_inclusion_probabilities_are_exact():
    propensity = np.array([0.1, 0.9, 0.35, 1.0, 0.05, 0.6, 0.0])
    rng = np.random.default_rng(3)
    trials = 20_011
    count = sum(systematic(propensity, rng=rng) for _ in range(trials)) / trials
    tolerance = 4 * np.sqrt(propensity * (1 - propensity) / trials) + 1e-12
    assert np.all(np.abs(count - propensity) <= tolerance)


def test_size_is_fixed_when_the_sum_is_whole():
    rng = np.random.default_rng(5)
    propensity = capped_share(rng.exponential(size=997), 101)
    assert {int(systematic(propensity, rng=rng).sum()) for _ in range(50)} == {101}


def test_capped_share_by_hand():
    # 8 of 10 exceeds its cap at 2 draws (1.6), so it is certain and the others share the remaining one
    np.testing.assert_allclose(capped_share(np.array([1.0, 1.0, 8.0]), 2), [0.5, 0.5, 1.0])
    np.testing.assert_allclose(capped_share(np.array([0.0, 3.0, 1.0]), 5), [0.0, 1.0, 1.0])


def test_a_propensity_above_one_is_refused():
    with pytest.raises(AdjudgeError, match="lies in"):
        systematic(np.array([0.5, 1.2]), rng=np.random.default_rng(0))


def test_each_group_gets_its_whole_number():
    rng = np.random.default_rng(7)
    group = rng.integers(0, 5, 1009)
    propensity = np.zeros(1009)
    for code, count in enumerate((0, 3, 17, 29, 101)):
        propensity[group == code] = capped_share(rng.exponential(size=1009)[group == code], count)
    for _ in range(50):
        drawn = systematic(propensity, rng=rng, group=group)
        assert np.bincount(group[drawn], minlength=5).tolist() == [0, 3, 17, 29, 101]


def test_draws_are_as_often_as_their_chances() -> None:
    chances = np.array([0.1, 0.0, 0.6, 0.3])
    drawn = one_each(np.tile(chances, (40_009, 1)), np.random.default_rng(0))
    share = np.bincount(drawn, minlength=4) / drawn.size
    assert share[1] == 0
    np.testing.assert_allclose(share, chances, atol=4 * np.sqrt(0.25 / drawn.size))


def test_each_row_takes_one_number_in_their_order() -> None:
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    both = one_each(np.full((7, 2), 0.5), rng)
    assert both.tolist() == (same.random(7) >= 0.5).astype(int).tolist()
    assert rng.random() == same.random()
