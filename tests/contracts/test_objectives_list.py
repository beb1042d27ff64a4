"""What every objective on lists obeys beside the laws of all objectives: places, padding, soft labels, ties, flips."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from adjudge.errors import AdjudgeError
from adjudge.stats.soft_lists import turned
from adjudge.tables.list_batch import ListBatch
from contracts.objective_batches import LISTS, B, M, loss
from contracts.objective_batches import lists as batch

ADDRESSES = LISTS.addresses
BY_RESPONSE = ("responses", "ref_responses", "gain", "mask")

each_objective = pytest.mark.parametrize("address", ADDRESSES)


def of_pairs(address: str) -> bool:
    """Whether an objective takes preferences and flips by pair."""
    try:
        loss(address, batch(preference=np.full((B, M, M), 0.5)))
    except AdjudgeError:
        return False
    return True


OF_PAIRS = [address for address in ADDRESSES if of_pairs(address)]


def padded(lists: ListBatch) -> ListBatch:
    """The same lists with two places more, in front, that hold nothing."""
    blank = np.full((lists.gain.shape[0], 2), np.nan)
    wide = {name: np.hstack([blank, getattr(lists, name)]) for name in BY_RESPONSE[:3]}
    return replace(lists, **wide, mask=np.isfinite(wide["gain"]))


def test_the_objectives_are_found() -> None:
    names = {"lipo", "list_mle", "list_softmax", "pairwise_hinge", "pairwise_logistic"}
    assert {f"objectives.{name}" for name in names} <= set(ADDRESSES)
    assert {"objectives.lipo", "objectives.pairwise_hinge", "objectives.pairwise_logistic"} <= set(OF_PAIRS)


@each_objective
@pytest.mark.parametrize("noise", [None, np.array(0.7)])
def test_the_places_of_a_list_mean_nothing(address: str, noise: Any) -> None:
    lists, to = batch(noise=noise), np.array([3, 0, 4, 1, 2])
    moved = {name: getattr(lists, name)[:, to] for name in BY_RESPONSE[:3]}
    np.testing.assert_allclose(loss(address, replace(lists, **moved)), loss(address, lists), rtol=1e-11)
    level = replace(lists, responses=lists.ref_responses)
    moved["responses"] = moved["ref_responses"]
    np.testing.assert_allclose(loss(address, replace(lists, **moved)), loss(address, level), rtol=1e-11)


@each_objective
@pytest.mark.parametrize("noise", [None, np.array(0.7)])
def test_what_is_masked_does_not_matter(address: str, noise: Any) -> None:
    lists = batch(noise=noise, flip=np.full(B, 0.2))
    np.testing.assert_allclose(loss(address, padded(lists)), loss(address, lists), rtol=1e-11)
    carried = LISTS.tensors(padded(lists))
    loss(address, carried).sum().backward()
    assert torch.isfinite(carried.responses.grad).all()
    assert (carried.responses.grad[:, :2] == 0).all()


@each_objective
@pytest.mark.parametrize("noise", [None, np.array(0.7)])
def test_lists_of_one_response_or_none_cost_nothing(address: str, noise: Any) -> None:
    for kept in (0, 1):
        mask = np.arange(M) < kept
        short = batch(mask=np.tile(mask, (B, 1)), noise=noise, flip=np.full(B, 0.2))
        carried = LISTS.tensors(short)
        terms = loss(address, carried)
        terms.sum().backward()
        np.testing.assert_allclose(terms.detach().numpy(), np.zeros(B), atol=1e-12)
        assert (carried.responses.grad == 0).all()


@each_objective
def test_a_soft_label_of_two_is_the_mean_of_both_orders(address: str) -> None:
    two = {name: getattr(batch(), name)[:, :2] for name in BY_RESPONSE[:2]}
    up, down = np.tile([1.0, 0.0], (B, 1)), np.tile([0.0, 1.0], (B, 1))
    chance = 1 / (1 + np.exp(-1 / 0.7))
    both = [loss(address, ListBatch(**two, gain=gain)) for gain in (up, down)]
    soft = loss(address, ListBatch(**two, gain=up, noise=np.full(B, 0.7)))
    np.testing.assert_allclose(soft, chance * both[0] + (1 - chance) * both[1], rtol=1e-11)


@each_objective
@pytest.mark.parametrize("noise", [None, np.array(0.7)])
def test_a_tie_does_not_know_which_is_better(address: str, noise: Any) -> None:
    lists = batch(gain=np.full((B, M), 2.0), noise=noise)
    moved = {name: getattr(lists, name)[:, ::-1] for name in BY_RESPONSE[:2]}
    np.testing.assert_allclose(loss(address, replace(lists, **moved)), loss(address, lists), rtol=1e-11)


@pytest.mark.parametrize("address", [each for each in ADDRESSES if each not in OF_PAIRS])
@pytest.mark.parametrize("noise", [None, np.array(0.7)])
def test_lists_upside_down_change_nothing_in_expectation(address: str, noise: Any) -> None:
    rate, clean = np.linspace(0.0, 0.45, B), batch(noise=noise)
    noisy = replace(clean, flip=rate)
    mean = (1 - rate) * loss(address, noisy) + rate * loss(address, turned(noisy))
    assert not np.allclose(loss(address, clean), loss(address, turned(clean)))
    np.testing.assert_allclose(mean, loss(address, clean), rtol=1e-9)


@pytest.mark.parametrize("address", OF_PAIRS)
@pytest.mark.parametrize("by_pair", [False, True])
def test_turned_pairs_change_nothing_in_expectation(address: str, by_pair: bool) -> None:
    rng = np.random.default_rng(3)
    p = np.triu(rng.random((B, M, M)), 1)
    p += np.tril(1 - p.swapaxes(1, 2), -1) + np.eye(M) / 2
    rate = rng.uniform(0, 0.45, (B, M, M) if by_pair else B)
    if by_pair:
        rate = (rate + rate.swapaxes(1, 2)) / 2
    of_pair = rate if by_pair else rate[:, None, None]
    # a loss is linear in preferences: its mean over turned pairs is its value at the mean preference
    mean = loss(address, batch(preference=(1 - of_pair) * p + of_pair * (1 - p), flip=rate))
    np.testing.assert_allclose(mean, loss(address, batch(preference=p)), rtol=1e-9)


@pytest.mark.parametrize("address", OF_PAIRS)
def test_preferences_of_both_orders_add_up(address: str) -> None:
    with pytest.raises(AdjudgeError, match="preference"):
        loss(address, batch(preference=np.full((B, M, M), 0.6)))


@each_objective
def test_gains_that_are_missing_and_noise_of_nought_are_refused(address: str) -> None:
    with pytest.raises(AdjudgeError, match="gain"):
        loss(address, batch(gain=np.where(np.arange(M) == 2, np.nan, np.ones((B, M)))))
    with pytest.raises(AdjudgeError, match="noise"):
        loss(address, batch(noise=np.array(0.0)))
