"""Biased voters: utilities by hand, laws of Mallows counted, swaps in one direction, and what refuses to be drawn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import multiwinner
from adjudge.sim.biased_voters import BiasedVoters, mallows

QUALITY = (0.8, 0.6, 1.0, -0.4)


def test_bias_halves_what_is_good_and_leaves_what_is_bad():
    made = BiasedVoters(voters=3, candidates=4, undervalued=2, quality=QUALITY, spread=0.0).draw(1)
    np.testing.assert_array_equal(made.latent, [QUALITY] * 3)
    np.testing.assert_array_equal(made.stated, [(0.8, 0.6, 0.5, -0.4)] * 3)
    assert made.groups == {"c00": "valued", "c01": "valued", "c02": "undervalued", "c03": "undervalued"}
    np.testing.assert_array_equal(made.ratings.score[made.ratings.policy == 2, 0], 0.5)
    assert np.isnan(made.ratings.gold).all()


def test_without_bias_and_noise_voters_say_what_they_think():
    made = BiasedVoters(voters=7, theta=1.0, labelled=True).draw(2)
    np.testing.assert_array_equal(made.stated, made.latent)
    np.testing.assert_array_equal(made.ratings.gold, made.ratings.score[:, 0])
    np.testing.assert_array_equal(made.ratings.score[:, 0].reshape(16, 7).T, made.stated)
    np.testing.assert_array_equal(BiasedVoters(voters=7, theta=1.0).draw(2).stated, made.stated)


def test_orders_follow_the_law_of_mallows():
    """Three candidates: 1, φ, φ, φ², φ², φ³ over (1 + φ)(1 + φ + φ²), counted over 20,000 orders."""
    phi, n = 0.4, 20_000
    drawn = mallows(np.random.default_rng(3), n, 3, phi)
    total = (1 + phi) * (1 + phi + phi**2)
    for order in itertools.permutations(range(3)):
        turned = sum(a > b for a, b in itertools.combinations(order, 2))
        p = phi**turned / total
        seen = (drawn == order).all(axis=1).mean()
        assert abs(seen - p) < 4.5 * np.sqrt(p * (1 - p) / n)


def test_noise_and_swaps_give_each_voter_their_own_utilities_in_another_order():
    plain = BiasedVoters(voters=50, undervalued=5).draw(4)
    for made in (BiasedVoters(voters=50, undervalued=5, swaps=3).draw(4), BiasedVoters(voters=50, mallows=0.5).draw(4)):
        assert np.isfinite(made.stated).all()
        np.testing.assert_array_equal(made.latent, plain.latent)
    swapped = BiasedVoters(voters=50, undervalued=5, swaps=3).draw(4)
    np.testing.assert_array_equal(np.sort(swapped.stated), np.sort(plain.stated))
    assert (swapped.stated[:, -5:].sum(axis=1) <= plain.stated[:, -5:].sum(axis=1) + 1e-12).all()
    assert (swapped.stated != plain.stated).any()


def test_one_swap_of_two_candidates_always_puts_the_undervalued_last():
    made = BiasedVoters(candidates=2, undervalued=1, quality=(0.2, 0.9), spread=0.0, theta=1.0, swaps=1).draw(0)
    np.testing.assert_array_equal(made.stated, [(0.9, 0.2)] * 300)


def test_quotas_raise_the_latent_worth_of_a_committee():
    made = BiasedVoters(voters=200, theta=0.3, labelled=True).draw(5)
    free, fair = (
        multiwinner.rank(made.ratings, size=6, rule="borda", groups=made.groups, quotas=quotas, draws=20)
        for quotas in ({}, {"undervalued": 3})
    )
    assert fair.figures["latent"].value[0] > free.figures["latent"].value[0]


@pytest.mark.parametrize(
    "wrong", [{"theta": 1.1}, {"mallows": 1.0}, {"undervalued": 17}, {"voters": 0}, {"swaps": -1}, {"quality": (1.0,)}]
)
def test_worlds_that_cannot_be(wrong):
    with pytest.raises(AdjudgeError, match="biased_voters"):
        BiasedVoters(**wrong)
