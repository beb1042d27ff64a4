"""What a recipe makes of some rows of its data: one step of the optimiser, in parts that add up to it exactly.

    L = Σ_parts L_part,      L_part = Σ_{i in part} loss_i / (Σ of weights of the whole step)

The denominator is that of the step, never of a part, so that one part of eight rows and eight of one row give the same
gradient. What a step needs of all its rows at once (samples, advantages, an estimate of KL) is made in `prepare`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch

from .._typing import IntArray
from .policy import Policy, Tensor


class Step(Protocol):
    """One update."""

    n: int
    """Rows that can be taken apart: pairs, lists, responses."""
    tokens: int
    """Codes that go through the policy for the update, prompts and responses, padding left out."""

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of the step's loss that some of its n rows have; summed over a partition it is the loss."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """Figures of the step, once every part's loss was asked for."""
        ...

    def rows(self, part: slice) -> list[dict[str, object]]:
        """The rows of a part in words, JSON-ready: what is kept for inspection where its loss is not a number."""
        ...


class Recipe(Protocol):
    """Data and a loss: what to descend on."""

    n: int
    """Rows of the data: pairs, lists, responses, or prompts to sample for."""
    updates: int
    """Steps of the optimiser on each prepared step, >= 1; above 1 only where responses are sampled."""

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> Step:
        """The step that some rows make. Every draw comes from the generator."""
        ...

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Called once, before the first update: asks the reference about the data, or copies the policy.

        Where a run goes on, `restore` is called before, so that what it brought need not be asked again; the policy
        gets its weights of the checkpoint after, so that a copy is of the one with which the run began.
        """
        ...

    def state(self) -> Mapping[str, object]:
        """What a checkpoint keeps so that the recipe goes on as if nothing had happened: numbers, arrays, tensors."""
        ...

    def restore(self, state: Mapping[str, object]) -> None:
        """Takes over what `state` gave, before `warm_up`."""
        ...
