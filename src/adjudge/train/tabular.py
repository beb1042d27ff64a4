"""A policy as a table: logits of k responses in each of p contexts, for worlds small enough to be solved exactly.

    π(y|x) = softmax(θ_x)_y

Limits: a context that was never seen has its first logits for ever; nothing is shared between contexts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .._typing import ArrayLike
from ..errors import AdjudgeError
from ._arms import Arms
from .policy import Tensor


class Tabular(Arms):
    """A softmax over k responses in each of p contexts.

    Arguments:
        logits: [p, k] at the beginning; -inf for responses that cannot be given.
        names: [k] texts of the responses; their numbers where ().

    >>> from adjudge.train.policy import Exchange
    >>> policy = Tabular([[0.0, 0.0], [0.0, np.log(3)]])
    >>> round(policy.chances([Exchange((1,), (1,))]).total.exp().item(), 6)
    0.75
    """

    def __init__(self, logits: ArrayLike, *, names: Sequence[str] = ()) -> None:
        table = torch.nn.Parameter(torch.as_tensor(np.array(logits, dtype=float)))
        if table.ndim != 2 or not table.numel() or torch.isnan(table).any():
            raise AdjudgeError(f"tabular: logits of shape {tuple(table.shape)}.", "[p, k] numbers.", "Give a table.")
        module = torch.nn.Module()
        module.register_parameter("logits", table)
        super().__init__(module, len(table), tuple(names) or tuple(map(str, range(table.shape[1]))))

    @property
    def logits(self) -> Tensor:
        """[p, k] as they are now."""
        table: Tensor = self.module.logits  # type: ignore[assignment]
        return table

    def logits_of(self, contexts: Tensor) -> Tensor:
        """[b, k] rows of the table."""
        return self.logits[contexts]

    def save(self, folder: Path) -> None:
        """Writes `logits.pt`."""
        torch.save(self.logits.detach(), folder / "logits.pt")

    def load(self, folder: Path) -> None:
        """Takes over `logits.pt`."""
        with torch.no_grad():
            self.logits.copy_(torch.load(folder / "logits.pt", weights_only=True))
