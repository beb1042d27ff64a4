"""Nash-MP's loss: two half-steps by it are one of mirror prox, and its limits are IPO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.objectives import ipo, nash_mp
from adjudge.stats.games import gap
from adjudge.stats.self_play import prox
from contracts.objective_batches import PAIRS
from objectives.self_play_pairs import minimiser
from stats.test_games import game

MU = np.array([0.4, 0.3, 0.1, 0.15, 0.05])


@pytest.mark.parametrize(("beta", "eta"), [(0.4, None), (0.2, 0.9)])
def test_two_half_steps_by_the_loss_are_a_step_on_the_table(beta: float, eta: float | None) -> None:
    P, policy = game(5, 4), MU
    for known in prox(P, MU, beta=beta, eta=eta, steps=3).policy[1:]:
        start, drawn = policy, policy
        for _ in range(2):
            drawn = minimiser(lambda b: nash_mp.loss(b, beta=beta, eta=eta), P, MU, start, drawn)
        policy = drawn
        np.testing.assert_allclose(policy, known, atol=1e-6)
    assert gap(P, policy, reference=MU, beta=beta) < gap(P, MU, reference=MU, beta=beta)


def test_from_the_reference_or_with_an_endless_step_it_is_ipo() -> None:
    pairs = PAIRS.batch(preference=np.linspace(0, 1, 7), weight=np.arange(7.0), flip=np.full(7, 0.1))
    # β = ½, η = 1: s = 1
    np.testing.assert_allclose(nash_mp.loss(pairs, beta=0.5), ipo.loss(pairs, beta=1.0), rtol=1e-12)
    moved = replace(pairs, old_chosen=pairs.chosen - 1, old_rejected=pairs.rejected + 2)
    np.testing.assert_allclose(nash_mp.loss(moved, beta=0.25, eta=1e9), ipo.loss(pairs, beta=0.25), rtol=1e-6)
    assert not np.allclose(nash_mp.loss(moved, beta=0.5), ipo.loss(pairs, beta=1.0))


def test_a_short_step_asks_for_the_policy_that_it_starts_from() -> None:
    pairs = PAIRS.batch()
    stay = replace(pairs, old_chosen=pairs.chosen, old_rejected=pairs.rejected)
    np.testing.assert_allclose(nash_mp.loss(stay, beta=0.1, eta=1e-9), 0, atol=1e-12)


def test_hand_worked_on_both_kinds_of_array() -> None:
    one = np.ones(1)
    pair = replace(
        PAIRS.batch(1), chosen=-1 * one, rejected=-4 * one, ref_chosen=-2 * one, ref_rejected=-3 * one,
        old_chosen=-1 * one, old_rejected=-6 * one,
    )  # fmt: skip
    # η = 1: anchor ½·(−1 + 6) + ½·(−2 + 3) = 3, h = 0, s = 1
    assert nash_mp.loss(pair, beta=0.5) == pytest.approx(0.25)
    assert nash_mp.loss(PAIRS.tensors(pair), beta=0.5).item() == pytest.approx(0.25)


@pytest.mark.parametrize(("beta", "eta"), [(0.0, None), (-1.0, 1.0), (0.1, 0.0), (np.nan, None)])
def test_a_step_that_is_none_is_refused(beta: float, eta: float | None) -> None:
    with pytest.raises(AdjudgeError, match="beta"):
        nash_mp.loss(PAIRS.batch(), beta=beta, eta=eta)
