"""What can be known exactly of a policy that is a table, where of others there are draws alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from .._typing import FloatArray
from .policy import Policy


def kl_by_context(
    policy: Policy, reference: Policy, codes: Sequence[tuple[int, ...]], temperature: float = 1.0
) -> FloatArray | None:
    """[p] KL(π ‖ π_ref) = Σ_y π·log π/π_ref in each of p contexts, in nats; None of policies that are no tables.

    >>> from adjudge.train.tabular import Tabular
    >>> kl_by_context(Tabular([[0.0, np.log(3)]]), Tabular([[0.0, 0.0]]), [(0,)]).round(4).tolist()
    [0.1308]
    """
    if not (hasattr(policy, "logits_of") and hasattr(reference, "logits_of")):
        return None
    contexts = torch.tensor([code[0] for code in codes], device=next(policy.module.parameters()).device)
    with torch.no_grad():
        one, two = (
            (each.logits_of(contexts).double() / temperature).log_softmax(1).cpu().numpy()
            for each in (policy, reference)
        )
    chance = np.exp(one)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(chance > 0, chance * (one - two), 0.0).sum(axis=1))
