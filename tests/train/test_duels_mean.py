"""What a step of contests is on average over its draws: the gradient of the objective's own expectation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.objectives import dpo, ipo, nash_md, nash_mp, simpo, slic
from adjudge.tables.pair_batch import PairBatch
from adjudge.train.duels import Contest, Duels, DuelStep
from adjudge.train.policy import Exchange, Sampled, TokenChances
from adjudge.train.tabular import Tabular
from train.test_duels import CIRCLE, MU, NAMES, game, table


@pytest.mark.parametrize(("loss", "mix"), [
    (partial(dpo.loss, beta=0.3), 0.0), (partial(ipo.loss, beta=0.3), 0.0), (partial(nash_mp.loss, beta=0.4), 0.0),
    (partial(nash_md.loss, beta=0.4, eta=1.0), 0.4), (simpo.loss, 0.0), (slic.loss, 0.0),
])  # fmt: skip
def test_the_mean_gradient_over_all_draws_is_that_of_the_mean_loss(loss: Any, mix: float) -> None:
    """Every draw of two responses from ρ, equal ones too, against Σ_ij ρ_i·ρ_j·ℓ(i, j; P_ij) differentiated at once."""
    policy, mean = Tabular(np.array([[0.3, 1.0, -0.4, 0.0]]), names=NAMES), torch.zeros(1, 4, dtype=torch.float64)
    recipe = Duels(["0"], game(), loss, policy, contest=Contest(mix=mix), reference=table())
    recipe.warm_up(policy)
    now = policy.logits.detach().log_softmax(1)[0]
    rho = ((1 - mix) * now + mix * torch.tensor(np.log(MU))).softmax(0)
    i, j = np.divmod(np.arange(16), 4)
    for one, two in zip(i.tolist(), j.tolist(), strict=True):
        chances = TokenChances(rho.log()[[one, two], None], torch.ones(2, 1))
        drawn = Sampled((Exchange((0,), (one,)), Exchange((0,), (two,))), chances, (True, True))
        value = DuelStep(recipe, policy, np.zeros(1, dtype=int), drawn).loss(policy, slice(0, 1))
        if value.requires_grad:
            mean += rho[one] * rho[two] * torch.autograd.grad(value, policy.logits)[0]
    logp, ref, length = policy.logits.log_softmax(1)[0], torch.tensor(np.log(MU)), torch.ones(16)
    every = PairBatch(
        logp[i], logp[j], ref[i], ref[j], length, length, preference=torch.tensor(CIRCLE[i, j]),
        old_chosen=now[i], old_rejected=now[j],
    )  # fmt: skip
    whole = torch.autograd.grad((loss(every) * rho[i] * rho[j]).sum(), policy.logits)[0]
    assert whole.abs().max() > 0.01
    torch.testing.assert_close(mean, whole, atol=1e-12, rtol=0)
