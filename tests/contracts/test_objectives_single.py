"""What every objective on single responses obeys beside the laws of all: soft and turned labels, a still reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contracts.objective_batches import SINGLES, loss
from contracts.objective_batches import singles as batch

each_objective = pytest.mark.parametrize("address", SINGLES.addresses)


@each_objective
def test_a_soft_label_is_the_mean_of_both_labels(address: str) -> None:
    chance = np.linspace(0.0, 1.0, 7)
    good, bad = (loss(address, batch(desirable=np.full(7, label))) for label in (1.0, 0.0))
    assert not np.allclose(good, bad)
    found = loss(address, batch(desirable=chance))
    np.testing.assert_allclose(found, chance * good + (1 - chance) * bad, rtol=1e-12)


@each_objective
def test_turned_labels_change_nothing_in_expectation(address: str) -> None:
    rate = np.linspace(0.0, 0.49, 7)
    noisy = batch(flip=rate)
    mean = (1 - rate) * loss(address, noisy) + rate * loss(address, replace(noisy, desirable=1 - noisy.desirable))
    np.testing.assert_allclose(mean, loss(address, batch()), rtol=1e-9, atol=1e-12)


@each_objective
def test_the_reference_point_carries_no_gradient(address: str) -> None:
    singles = SINGLES.tensors(batch())
    moved = replace(singles, kl=(singles.response - singles.ref_response).mean().abs() + 0.1)
    loss(address, moved).sum().backward()
    held = SINGLES.tensors(batch(kl=moved.kl.detach().numpy()))
    loss(address, held).sum().backward()
    np.testing.assert_allclose(singles.response.grad.numpy(), held.response.grad.numpy(), rtol=1e-12)
