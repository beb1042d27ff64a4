"""A policy as a table: logits of k responses in each of p contexts, for worlds small enough to be solved exactly.

    π(y|x) = softmax(θ_x)_y

Limits: a context that was never seen has its first logits for ever; nothing is shared between contexts.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from .._typing import ArrayLike
from ..errors import AdjudgeError
from .policy import Exchange, Prompt, Sampled, Tensor, TokenChances


class Tabular:
    """A softmax over k responses in each of p contexts.

    Arguments:
        logits: [p, k] at the beginning; -inf for responses that cannot be given.
        names: [k] texts of the responses; their numbers where ().

    >>> policy = Tabular([[0.0, 0.0], [0.0, np.log(3)]])
    >>> round(policy.chances([Exchange((1,), (1,))]).total.exp().item(), 6)
    0.75
    """

    def __init__(self, logits: ArrayLike, *, names: Sequence[str] = ()) -> None:
        table = torch.nn.Parameter(torch.as_tensor(np.array(logits, dtype=float)))
        if table.ndim != 2 or not table.numel() or torch.isnan(table).any():
            raise AdjudgeError(f"tabular: logits of shape {tuple(table.shape)}.", "[p, k] numbers.", "Give a table.")
        self.module = torch.nn.Module()
        self.module.register_parameter("logits", table)
        self.names = tuple(names) or tuple(str(number) for number in range(table.shape[1]))

    @property
    def logits(self) -> Tensor:
        """[p, k] as they are now."""
        table: Tensor = self.module.logits  # type: ignore[assignment]
        return table

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> TokenChances:
        """[b, 1] log-probability of each response."""
        context = torch.tensor([one.prompt[0] for one in exchanges], dtype=torch.long)
        arm = torch.tensor([one.response[0] for one in exchanges], dtype=torch.long)
        rows = (self.logits[context] / temperature).log_softmax(1)
        found = rows.gather(1, arm[:, None])
        return TokenChances(found, torch.ones_like(found))

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[tuple[int, ...]],
        generator: torch.Generator,
        *,
        n: int = 1,
        temperature: float = 1.0,
        max_tokens: int = 1,  # noqa: ARG002 (responses have one code)
    ) -> Sampled:
        """n responses in each context."""
        context = torch.tensor([prompt[0] for prompt in prompts], dtype=torch.long)
        chance = (self.logits[context] / temperature).softmax(1)
        arms = torch.multinomial(chance, n, replacement=True, generator=generator).tolist()
        made = tuple(Exchange(prompt, (arm,)) for prompt, row in zip(prompts, arms, strict=True) for arm in row)
        return Sampled(made, self.chances(made, temperature=temperature), (True,) * len(made))

    def reference(self) -> Tabular:
        """A frozen copy."""
        other = deepcopy(self)
        other.module.requires_grad_(False)
        return other

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        """A context by its number, a response by its name."""
        context = int(prompt) if isinstance(prompt, str) and prompt.isdigit() else -1
        if response not in self.names or not 0 <= context < self.logits.shape[0]:
            raise AdjudgeError(
                f"tabular: response {response!r} to prompt {prompt!r}.",
                f"A context from 0 to {self.logits.shape[0] - 1} and one of {len(self.names)} named responses.",
                "Name the responses when the table is made.",
            )
        return Exchange((context,), (self.names.index(response),))

    def decode(self, response: tuple[int, ...]) -> str:
        """The name of a response."""
        return self.names[response[0]]

    def save(self, folder: Path) -> None:
        """Writes `logits.pt`."""
        torch.save(self.logits.detach(), folder / "logits.pt")

    def load(self, folder: Path) -> None:
        """Takes over `logits.pt`."""
        with torch.no_grad():
            self.logits.copy_(torch.load(folder / "logits.pt", weights_only=True))
