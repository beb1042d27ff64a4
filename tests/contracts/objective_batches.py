"""Random batches of the three tables that objectives read, with what the laws need to know of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from adjudge import catalogue
from adjudge.tables.list_batch import ListBatch
from adjudge.tables.pair_batch import PairBatch
from adjudge.tables.single_batch import SingleBatch

B, M = 7, 5


def pairs(b: int = B, seed: int = 0, **more: Any) -> PairBatch:
    """Pairs of responses of 3 to 29 tokens, some hardly likely."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 30, (2, b)).astype(float)
    logs = -lengths * rng.uniform(0.2, 3.0, (2, b))
    near = logs + rng.normal(0, 2.0, (2, b)).clip(max=-0.9 * logs)
    return PairBatch(*near, *logs, *lengths, **more)


def singles(b: int = B, seed: int = 0, **more: Any) -> SingleBatch:
    """Responses of 3 to 29 tokens, good and bad in turn, some hardly likely."""
    rng = np.random.default_rng(seed)
    length = rng.integers(3, 30, b).astype(float)
    logs = -length * rng.uniform(0.2, 3.0, b)
    near = logs + rng.normal(0, 2.0, b).clip(max=-0.9 * logs)
    return SingleBatch(near, logs, length, **{"desirable": np.arange(b) % 2.0, "kl": np.array(0.3)} | more)


def lists(b: int = B, seed: int = 0, **more: Any) -> ListBatch:
    """Lists of 5 graded responses, some hardly likely."""
    rng = np.random.default_rng(seed)
    logs = -rng.uniform(1, 60, (b, M))
    near = logs + rng.normal(0, 2.0, (b, M)).clip(max=-0.9 * logs)
    return ListBatch(near, logs, **{"gain": rng.permuted(np.tile(np.arange(M, dtype=float), (b, 1)), axis=1)} | more)


@dataclass(frozen=True)
class Table:
    """One of the three tables.

    Arguments:
        batch: makes one; keyword arguments are columns.
        far: column that carries gradients -> likelihoods as far as they come.
        full: columns of batches in which everything that matters is set.
        needs: columns that the card of an objective on this table must name.
    """

    batch: Callable[..., Any]
    far: Mapping[str, np.ndarray]
    full: tuple[Mapping[str, Any], ...]
    needs: frozenset[str] = frozenset()

    @property
    def learnt(self) -> tuple[str, ...]:
        """Columns that carry gradients."""
        return tuple(self.far)

    @property
    def addresses(self) -> list[str]:
        """Objectives on this table."""
        columns = {column.name for column in fields(self.batch())}
        return [
            each
            for each in catalogue.addresses("objectives")
            if self.needs <= set(catalogue.card(each).needs) <= columns
        ]

    def tensors(self, batch: Any) -> Any:
        """The same batch as tensors, whose policy log-probabilities carry gradients."""
        made = {}
        for column in fields(batch):
            value = getattr(batch, column.name)
            made[column.name] = None if value is None else torch.tensor(value)
        for name in self.learnt:
            made[name].requires_grad_(True)
        return type(batch)(**made)


_SEEN = {"flip": np.full(B, 0.2), "weight": np.arange(1.0, B + 1)}
PAIRS = Table(
    pairs,
    {"chosen": np.full(B, -3000.0), "rejected": np.full(B, -2000.0)},
    ({"preference": np.linspace(0, 1, B), **_SEEN},),
)
SINGLES = Table(
    singles,
    {"response": np.array([-3000.0, 0.0, -1e-9, -2000.0, -1e4, -1.0, -500.0])},
    ({"desirable": np.linspace(0, 1, B), **_SEEN},),
)
LISTS = Table(
    lists,
    {"responses": np.linspace(-3000.0, 0.0, B * M).reshape(B, M)},
    tuple(_SEEN | {"noise": noise, "mask": np.ones((B, M), dtype=bool)} for noise in (None, np.full(B, 0.7))),
    frozenset({"responses", "gain"}),
)
TABLES = {"pairs": PAIRS, "singles": SINGLES, "lists": LISTS}


def loss(address: str, batch: Any) -> Any:
    """Terms of an objective."""
    return catalogue.load(address).loss(batch)
