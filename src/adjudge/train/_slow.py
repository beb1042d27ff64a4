"""A slow copy of a policy: where it was, a little while ago, in the weights that are trained and nothing else.

    a ← k·a + (1 − k)·θ      at each set of samples,      a = θ at the beginning

The copy has no model of its own: it is worn by the policy while it is asked. Limits: what is no trained parameter, such
as a running mean, is that of the policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .policy import Policy, Tensor


class SlowCopy:
    """Weights that follow those of a policy.

    Arguments:
        keep: k, in [0, 1); with 0 nothing is kept.
    """

    def __init__(self, keep: float) -> None:
        self.keep = keep
        self.weights: list[Tensor] = []

    @torch.no_grad()
    def follow(self, policy: Policy) -> None:
        """Moves towards the policy as it is now; the first time it is that policy."""
        if not self.keep:
            return
        trained = _trained(policy)
        if not self.weights:
            self.weights = [each.clone() for each in trained]
            return
        slow = [each.to(now.device) for each, now in zip(self.weights, trained, strict=True)]
        self.weights = [
            torch.where(each == now, each, each.lerp(now, 1 - self.keep))
            for each, now in zip(slow, trained, strict=True)
        ]

    @contextmanager
    def worn(self, policy: Policy) -> Iterator[None]:
        """The policy with the weights of the copy, for a while."""
        trained = _trained(policy)
        own = [each.data for each in trained]
        try:
            for each, slow in zip(trained, self.weights, strict=True):
                each.data = slow
            yield
        finally:
            for each, kept in zip(trained, own, strict=True):
                each.data = kept


def _trained(policy: Policy) -> list[Tensor]:
    return [each for each in policy.module.parameters() if each.requires_grad]
