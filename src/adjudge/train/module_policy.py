"""Any torch module from features to logits as a policy: what the loop trains where responses are k known actions.

    π(y|x) = softmax(f_θ(features_x))_y

A prompt is the number of a row of a table of features, a response the number of a logit. Rows that stand several times
in a batch go through the module once. Limits: modules whose output for a row hangs on the rest of the batch, such as
batch normalisation in training mode, give other numbers when the batch is cut in parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from .._typing import ArrayLike
from ..backends.dropout import without_dropout
from ..errors import AdjudgeError
from ._arms import Arms
from .policy import Tensor


class ModulePolicy(Arms):
    """A softmax over the outputs of a module.

    Arguments:
        module: [b, …] features -> [b, k] logits; it is trained in place.
        features: [p, …] one row for each context, finite.
        names: [k] texts of the responses; their numbers where ().

    Errors: a module without parameters; features that are not finite; an output that is not [b, k].

    >>> module = torch.nn.Linear(2, 3).double()
    >>> _ = torch.nn.init.zeros_(module.weight), torch.nn.init.zeros_(module.bias)
    >>> policy = ModulePolicy(module, [[1.0, 0.0], [0.5, 2.0]])
    >>> from adjudge.train.policy import Exchange
    >>> round(policy.chances([Exchange((1,), (2,))]).total.exp().item(), 6)
    0.333333
    """

    def __init__(self, module: torch.nn.Module, features: ArrayLike, *, names: Sequence[str] = ()) -> None:
        first = next(module.parameters(), None)
        table = np.array(features, dtype=float)
        if first is None:
            raise AdjudgeError("module: no parameters.", "A module that can be trained.", "Give its layers weights.")
        if not table.ndim or not len(table) or not np.isfinite(table).all():
            raise AdjudgeError(
                f"module.features: shape {table.shape}, {np.count_nonzero(~np.isfinite(table)):,} not finite.",
                "[p, …] finite numbers, a row for each context.",
                "Drop or fill these rows.",
            )
        self.features = torch.as_tensor(table, dtype=first.dtype, device=first.device)
        with torch.no_grad(), without_dropout(module):
            shape = tuple(module(self.features[:1]).shape)
        if len(shape) != 2 or shape[0] != 1 or len(names) not in (0, shape[1]):
            raise AdjudgeError(
                f"module: the output for one row has shape {shape}; {len(names)} names.",
                "[1, k] logits, and k names or none.",
                "Let the module end in a layer of k outputs.",
            )
        super().__init__(module, len(table), tuple(names) or tuple(map(str, range(shape[1]))))

    def logits_of(self, contexts: Tensor) -> Tensor:
        """[b, k] outputs of the module."""
        if self.features.device != contexts.device:  # the module was moved
            self.features = self.features.to(contexts.device)
        seen, place = torch.unique(contexts, return_inverse=True)
        found: Tensor = self.module(self.features[seen])
        return found[place].to(torch.promote_types(found.dtype, torch.float32))

    def save(self, folder: Path) -> None:
        """Writes `module.pt`, the module's state."""
        torch.save(self.module.state_dict(), folder / "module.pt")

    def load(self, folder: Path) -> None:
        """Takes over `module.pt`."""
        self.module.load_state_dict(torch.load(folder / "module.pt", weights_only=True, map_location=self.device))
