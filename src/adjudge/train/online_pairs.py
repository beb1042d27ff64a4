"""Learns from pairs while it is told what it says now: m fresh responses to the prompt of each pair, in every step.

    L = Σ_i ℓ(pair_i; log π(y_i1), …, log π(y_im), log π_ref(…))_i / Σ_i ω_i,      y_ij ~ π(·|x_i)

For objectives that tie a policy to its reference where no pair looks (HyPO). Limits: sampled at temperature 1, so that
estimates of KL are of the policy itself, and cut off at `max_tokens`; a frozen copy of the policy is kept.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import torch

from .._typing import IntArray
from ..backends.dropout import without_dropout
from ..tables.online_pairs import OnlinePairs as Batch
from ..tables.pair_batch import PairBatch
from ..tables.preferences import Preferences
from ._reference import token_chances
from ._texts import codes
from ._together import sampled
from .pairs import PairLoss, Pairs, PairStep
from .policy import Policy, Sampled


class OnlinePairs(Pairs):
    """Preferences, fresh responses and an objective, as a recipe.

    Arguments:
        preferences, policy, skip_long, batch: as of `train.pairs.Pairs`.
        loss: of a `tables.online_pairs.OnlinePairs`.
        reference: None for a frozen copy of the policy, or a policy of one's own with the same codes.
        m: fresh responses to the prompt of each pair, >= 1.
        max_tokens: of a response, >= 1.
    """

    def __init__(
        self,
        preferences: Preferences,
        loss: PairLoss,
        policy: Policy,
        *,
        reference: Policy | None = None,
        m: int = 1,
        max_tokens: int = 128,
        skip_long: bool = False,
        batch: int = 16,
    ) -> None:
        super().__init__(
            preferences, loss, policy, reference=reference or "precomputed", skip_long=skip_long, batch=batch
        )
        self.m, self.max_tokens, self.batch = m, max_tokens, batch
        self._given = reference
        self.copy: Policy | None = None

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Asks the reference about the pairs, and keeps it for what is sampled."""
        super().warm_up(policy, progress)
        self.copy = self._given or policy.reference()

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> OnlineStep:
        """Samples responses to the prompts of some pairs."""
        at = np.asarray(rows)
        with torch.no_grad(), without_dropout(policy.module):
            drawn = sampled(
                policy, [self.rows.exchanges[2 * row].prompt for row in at], generator, n=self.m,
                max_tokens=self.max_tokens,
            )  # fmt: skip
        return OnlineStep(self, at, drawn)


class OnlineStep(PairStep):
    """One update on some pairs and what the policy said to their prompts."""

    def __init__(self, recipe: OnlinePairs, at: IntArray, drawn: Sampled) -> None:
        super().__init__(recipe, at)
        self.drawn = drawn
        self.tokens += codes(drawn.exchanges)
        assert recipe.copy is not None
        self.known = token_chances(recipe.copy, drawn.exchanges, recipe.batch, 1.0)[0].sum(1).reshape(-1, recipe.m)
        self._kl = float((drawn.chances.total.double().cpu().numpy() - self.known.ravel()).mean())

    def batch(self, policy: Policy, part: slice) -> Batch:
        """Some pairs, and the fresh responses, as the objective reads them."""
        pairs = super().batch(policy, part)
        m = self.known.shape[1]
        start, stop, _ = part.indices(self.n)
        fresh = policy.chances(self.drawn.exchanges[m * start : m * stop]).total.view(-1, m)
        known = torch.as_tensor(self.known[part], dtype=fresh.dtype, device=fresh.device)
        columns = {each.name: getattr(pairs, each.name) for each in fields(PairBatch)}
        return Batch(**columns, online=fresh, ref_online=known)

    def metrics(self) -> dict[str, float]:
        """Those of pairs, and `kl`: the mean of log π/π_ref of the fresh responses."""
        return {**super().metrics(), "kl": self._kl}
