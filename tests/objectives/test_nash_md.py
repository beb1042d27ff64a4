"""Nash-MD's loss: its minimiser is the step, its gradient the win rate's, and its limit is IPO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.objectives import ipo, nash_md
from adjudge.stats.games import gap, regularised_nash
from adjudge.stats.self_play import descent
from contracts.objective_batches import PAIRS
from objectives.self_play_pairs import all_pairs, minimiser
from stats.test_games import CIRCLE, game

MU = np.array([0.6, 0.3, 0.1])


def mixture(policy: np.ndarray, mu: np.ndarray, share: float) -> np.ndarray:
    mixed = policy ** (1 - share) * mu**share
    return np.asarray(mixed / mixed.sum())


def test_steps_by_the_loss_are_the_steps_on_the_table() -> None:
    beta, eta = 0.4, 1.5
    policy = MU
    for known in descent(CIRCLE, MU, beta=beta, steps=3, eta=eta).policy[1:]:
        drawn = mixture(policy, MU, eta * beta)
        policy = minimiser(lambda b: nash_md.loss(b, beta=beta, eta=eta), CIRCLE, MU, policy, drawn)
        np.testing.assert_allclose(policy, known, atol=1e-6)


def test_at_the_mixture_the_gradient_is_that_of_the_win_rate() -> None:
    P, mu = game(5, 8), np.random.default_rng(8).dirichlet(np.ones(5))
    old = np.random.default_rng(9).dirichlet(np.ones(5))
    eta = 0.7
    drawn = mixture(old, mu, eta * 0.5)
    logits = torch.tensor(np.log(drawn), requires_grad=True)
    nash_md.loss(all_pairs(logits, P, mu, old, drawn), beta=0.5, eta=eta).sum().backward()
    wins = P @ drawn
    np.testing.assert_allclose(logits.grad.numpy(), -4 * eta * drawn * (wins - wins @ drawn), atol=1e-12)


def test_from_the_reference_or_with_the_longest_step_it_is_ipo() -> None:
    pairs = PAIRS.batch(preference=np.linspace(0, 1, 7), weight=np.arange(7.0), flip=np.full(7, 0.1))
    np.testing.assert_allclose(nash_md.loss(pairs, beta=0.1, eta=4.0), ipo.loss(pairs, beta=0.25), rtol=1e-12)
    moved = replace(pairs, old_chosen=pairs.chosen - 1, old_rejected=pairs.rejected + 2)
    np.testing.assert_allclose(nash_md.loss(moved, beta=0.25, eta=4.0), ipo.loss(pairs, beta=0.25), rtol=1e-12)
    assert not np.allclose(nash_md.loss(moved, beta=0.1, eta=4.0), ipo.loss(pairs, beta=0.25))


def test_the_start_of_a_step_is_turned_with_its_pair_and_gets_no_say_alone() -> None:
    pairs = PAIRS.batch()
    moved = replace(pairs, old_chosen=pairs.chosen - 1, old_rejected=pairs.rejected + 2)
    tied = replace(moved, preference=np.full(7, 0.5))
    np.testing.assert_allclose(nash_md.loss(tied), nash_md.loss(tied.turned), rtol=1e-12)
    np.testing.assert_allclose(nash_md.loss(PAIRS.tensors(moved)).detach().numpy(), nash_md.loss(moved), rtol=1e-12)
    for name in ("old_chosen", "old_rejected"):
        with pytest.raises(AdjudgeError, match="old_chosen"):
            nash_md.loss(replace(moved, **{name: None}))


def test_hand_worked() -> None:
    one = np.ones(1)
    pair = replace(PAIRS.batch(1), chosen=-1 * one, rejected=-4 * one, ref_chosen=-2 * one, ref_rejected=-3 * one)
    pair = replace(pair, old_chosen=-1 * one, old_rejected=-5 * one)
    # anchor: ¾·(−1 + 5) + ¼·(−2 + 3) = 3.25; h = 3 − 3.25; (−0.25 − 0.5)²
    assert nash_md.loss(pair, beta=0.25, eta=1.0) == pytest.approx(0.5625)


@pytest.mark.parametrize(("beta", "eta"), [(0.5, 3.0), (0.0, 1.0), (0.1, -1.0), (np.nan, 1.0)])
def test_a_mixture_that_is_none_is_refused(beta: float, eta: float) -> None:
    with pytest.raises(AdjudgeError, match="eta"):
        nash_md.loss(PAIRS.batch(), beta=beta, eta=eta)


def test_falling_steps_by_the_loss_come_near_the_equilibrium() -> None:
    beta, policy = 0.5, MU
    for t in range(12):
        eta = 2 / (beta * (t + 2))
        drawn = mixture(policy, MU, eta * beta)
        policy = minimiser(lambda b, eta=eta: nash_md.loss(b, beta=beta, eta=eta), CIRCLE, MU, policy, drawn)
    assert gap(CIRCLE, policy, reference=MU, beta=beta) < gap(CIRCLE, MU, reference=MU, beta=beta) / 10
    np.testing.assert_allclose(policy, regularised_nash(CIRCLE, MU, beta=beta), atol=0.05)
