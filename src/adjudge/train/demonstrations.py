"""Learns to say what others said: maximum likelihood of responses, where a policy begins.

    L = −Σ_i Σ_t log π(y_it | x_i, y_i,<t) / Σ_i |y_i|      over the step

Every token counts once, so that long responses weigh more than short ones, as the text itself does. It is REINFORCE
with the advantage 1 on demonstrations. Limits: an empty response teaches its end mark alone; what people say wrong is
learnt like the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from .._typing import IntArray, Prompt
from ..core.finding import Finding
from ..errors import AdjudgeError
from ._texts import codes, encoded, fingerprint, worded
from .policy import Policy, Tensor


class Demonstrations:
    """Prompts with a response each, as a recipe.

    Arguments:
        prompts, responses: [n] texts; a prompt may stand there several times.
        policy: that will be trained; its codes are made here.
        skip_long: whether rows that the policy cannot read are left out and counted; else the first is an error.

    Errors: no rows; another number of responses; a row that the policy cannot read.
    """

    updates = 1

    def __init__(
        self, prompts: Sequence[Prompt], responses: Sequence[str], policy: Policy, *, skip_long: bool = False
    ) -> None:
        if not prompts or len(prompts) != len(responses):
            raise AdjudgeError(
                f"demonstrations: {len(prompts):,} prompts and {len(responses):,} responses.",
                "A response to each of at least one prompt.",
                "Give columns of one length.",
            )
        made, found = encoded(policy, prompts, [(text,) for text in responses], skip_long=skip_long)
        at = [row for row, one in enumerate(made) if one is not None]
        self.exchanges = tuple(one[0] for one in made if one is not None)
        self.texts = tuple((prompts[row], responses[row]) for row in at)
        self.findings: tuple[Finding, ...] = tuple(found)
        self.n = len(at)
        self.fingerprint = fingerprint(self.exchanges)

    def prepare(self, policy: Policy, rows: IntArray, generator: torch.Generator) -> DemonstrationStep:  # noqa: ARG002
        """The step of some rows; nothing is drawn."""
        return DemonstrationStep(self, np.asarray(rows))

    def warm_up(self, policy: Policy, progress: object = None) -> None:
        """Nothing is asked before the first update."""

    def state(self) -> Mapping[str, object]:
        """Nothing is remembered."""
        return {}

    def restore(self, state: Mapping[str, object]) -> None:
        """Nothing is taken over."""


class DemonstrationStep:
    """One update on some rows."""

    def __init__(self, recipe: Demonstrations, at: IntArray) -> None:
        self.recipe, self.at, self.n = recipe, at, int(at.size)
        chosen = [recipe.exchanges[row] for row in at]
        self.tokens = codes(chosen)
        self._said = max(sum(len(one.response) for one in chosen), 1)
        self._shares: dict[int, Tensor] = {}

    def loss(self, policy: Policy, part: slice) -> Tensor:
        """[] share of some of the rows."""
        share: Tensor = -policy.chances([self.recipe.exchanges[row] for row in self.at[part]]).total.sum() / self._said
        self._shares[part.start or 0] = share.detach()
        return share

    def metrics(self) -> Mapping[str, float]:
        """Nats a token, and tokens a response."""
        nats = float(sum(share.item() for share in self._shares.values()))
        return {"surprise": nats, "length": self._said / self.n}

    def rows(self, part: slice) -> list[dict[str, object]]:
        """Prompt and response of some rows."""
        texts = [self.recipe.texts[row] for row in self.at[part]]
        return [{"prompt": worded(prompt), "response": response} for prompt, response in texts]
