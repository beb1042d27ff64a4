"""What every objective on pairs obeys beside the laws of all objectives: soft labels, ties, turned labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contracts.objective_batches import PAIRS, loss
from contracts.objective_batches import pairs as batch

each_objective = pytest.mark.parametrize("address", PAIRS.addresses)


@each_objective
def test_a_soft_label_is_the_mean_of_both_orders(address: str) -> None:
    pairs = batch()
    chance = np.linspace(0.0, 1.0, 7)
    mixed = chance * loss(address, pairs) + (1 - chance) * loss(address, pairs.turned)
    np.testing.assert_allclose(loss(address, replace(pairs, preference=chance)), mixed, rtol=1e-12)


@each_objective
def test_a_tie_does_not_know_which_came_first(address: str) -> None:
    tied = batch(preference=np.full(7, 0.5))
    np.testing.assert_allclose(loss(address, tied), loss(address, tied.turned), rtol=1e-12)


@each_objective
def test_turned_labels_change_nothing_in_expectation(address: str) -> None:
    rate = np.linspace(0.0, 0.49, 7)
    kept, turned = (loss(address, batch(preference=np.full(7, label), flip=rate)) for label in (1.0, 0.0))
    np.testing.assert_allclose((1 - rate) * kept + rate * turned, loss(address, batch()), rtol=1e-9)
