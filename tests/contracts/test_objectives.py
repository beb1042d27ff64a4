"""The laws that every objective obeys, on pairs, single responses or lists: rows, weights, flips, gradients, kinds."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from contracts.objective_batches import TABLES, B, Table, loss

EACH = [pytest.param(table, address, id=address) for table in TABLES.values() for address in table.addresses]
each_objective = pytest.mark.parametrize(("table", "address"), EACH)


def kept(batch: Any) -> dict[str, Any]:
    return {c.name: v for c in fields(batch) if (v := getattr(batch, c.name)) is not None}


def test_the_objectives_are_found() -> None:
    found = {name: set(table.addresses) for name, table in TABLES.items()}
    assert "objectives.dpo" in found["pairs"]
    assert "objectives.kto" in found["singles"]
    assert "objectives.lipo" in found["lists"]


@each_objective
def test_a_row_has_a_finite_loss_of_its_own(table: Table, address: str) -> None:
    batch = table.batch()
    terms = loss(address, batch)
    assert terms.shape == (B,)
    assert np.isfinite(terms).all()
    alone = replace(batch, **{name: value[2:3] for name, value in kept(batch).items() if value.ndim})
    np.testing.assert_allclose(loss(address, alone), terms[2:3], rtol=1e-12)


@each_objective
def test_weights_count_rows(table: Table, address: str) -> None:
    weight = np.arange(float(B))
    heavy, plain = table.batch(weight=weight), table.batch()
    np.testing.assert_allclose(loss(address, heavy), weight * loss(address, plain), rtol=1e-12)


@each_objective
@pytest.mark.parametrize("rate", [0.5, -0.1, np.nan])
def test_labels_that_say_nothing_are_refused(table: Table, address: str, rate: float) -> None:
    with pytest.raises(AdjudgeError, match="flip"):
        loss(address, table.batch(flip=np.full(B, rate)))


@each_objective
def test_a_tensor_has_the_same_loss_and_the_gradient_of_finite_differences(table: Table, address: str) -> None:
    for full in table.full:
        batch = table.batch(**full)
        carried = table.tensors(batch)
        terms = loss(address, carried)
        np.testing.assert_allclose(terms.detach().numpy(), loss(address, batch), rtol=1e-12)
        terms.sum().backward()
        for name in table.learnt:
            value, found = getattr(batch, name), getattr(carried, name).grad.numpy()
            for at in product(*(range(size) for size in value.shape[1:])):
                step = np.zeros_like(value)
                step[(slice(None), *at)] = 1e-6
                up, down = (loss(address, replace(batch, **{name: value + s})) for s in (step, -step))
                np.testing.assert_allclose(found[(slice(None), *at)], (up - down) / 2e-6, rtol=1e-5, atol=2e-7)


@each_objective
def test_far_likelihoods_neither_overflow_nor_lose_their_gradient(table: Table, address: str) -> None:
    batch = table.tensors(replace(table.batch(), **table.far))
    terms = loss(address, batch)
    terms.sum().backward()
    assert torch.isfinite(terms).all()
    assert all(torch.isfinite(getattr(batch, name).grad).all() for name in table.learnt)


@each_objective
def test_the_batch_is_not_written_to(table: Table, address: str) -> None:
    for full in table.full:
        batch = table.batch(**full)
        before = {name: value.copy() for name, value in kept(batch).items()}
        loss(address, batch)
        for name, old in before.items():
            np.testing.assert_array_equal(old, getattr(batch, name))
