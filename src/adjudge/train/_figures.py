"""Sums that the parts of a step leave behind, so that its figures cost no second pass.

    figure = Σ_parts share of the part

Limits: a part that is asked again, as in a second update on one step, takes the place of what it said before.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from .devices import pooled
from .policy import Tensor


class Figures:
    """Shares of a step's figures by part; they stay on the policy's device until somebody asks.

    >>> figures = Figures()
    >>> figures.keep(slice(0, 2), {"loss": torch.tensor(0.25)})
    >>> figures.keep(slice(2, 3), {"loss": torch.tensor(0.5)})
    >>> figures.sums()
    {'loss': 0.75}
    """

    def __init__(self) -> None:
        self._shares: dict[tuple[int, int], tuple[tuple[str, ...], Tensor]] = {}

    def keep(self, part: slice, shares: Mapping[str, Tensor]) -> None:
        """Keeps [] shares of one part."""
        stacked = torch.stack([share.detach().double().reshape(()) for share in shares.values()])
        self._shares[(part.start or 0, part.stop)] = tuple(shares), stacked

    def sums(self) -> dict[str, float]:
        """Figure -> sum over parts, those of other processes included: all of them ask at once."""
        made: dict[str, float] = {}
        for names, shares in self._shares.values():
            for name, share in zip(names, shares.tolist(), strict=True):
                made[name] = made.get(name, 0.0) + share
        return pooled(made)
