"""Policies that answer with one of k numbered responses in each of p numbered contexts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self

import torch

from .._typing import Prompt
from ..errors import AdjudgeError
from ..tables.columns import listing
from ._draw import mixed
from .policy import Exchange, Sampled, Tensor, TokenChances


class Arms(ABC):
    """π(y|x) = softmax(logits of x)_y.

    Arguments:
        module: what is trained.
        contexts: p.
        names: [k] texts of the responses.
    """

    def __init__(self, module: torch.nn.Module, contexts: int, names: Sequence[str]) -> None:
        self.module = module
        self.contexts = contexts
        self.names = tuple(names)

    @abstractmethod
    def logits_of(self, contexts: Tensor) -> Tensor:
        """[b, k] logits in b contexts, with their gradient where torch records one."""

    @property
    def device(self) -> torch.device:
        """Where the module is."""
        return next(self.module.parameters()).device

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> TokenChances:
        """[b, 1] log-probability of each response; that of no response is 0."""
        context = torch.tensor([one.prompt[0] for one in exchanges], dtype=torch.long, device=self.device)
        arm = torch.tensor([[*one.response, 0][0] for one in exchanges], dtype=torch.long, device=self.device)
        found = (self.logits_of(context) / temperature).log_softmax(1).gather(1, arm[:, None])
        given = torch.tensor([[float(bool(one.response))] for one in exchanges], dtype=found.dtype, device=self.device)
        return TokenChances(torch.where(given > 0, found, 0.0), given)

    @torch.no_grad()
    def sample(
        self,
        prompts: Sequence[tuple[int, ...]],
        generator: torch.Generator,
        *,
        n: int = 1,
        temperature: float = 1.0,
        max_tokens: int = 1,  # noqa: ARG002 (responses have one code)
        part: slice | None = None,
        toward: tuple[Any, float] | None = None,
    ) -> Sampled:
        """n responses in each context; of `part` of them alone, and from a mixture, where that is asked."""
        context = torch.tensor([prompt[0] for prompt in prompts], dtype=torch.long, device=self.device)
        logits = self.logits_of(context)
        if toward is not None:
            logits = mixed(logits, toward[0].logits_of(context), toward[1])
        logs = (logits / temperature).log_softmax(1)
        arms = torch.multinomial(logs.exp().to(generator.device), n, replacement=True, generator=generator)
        kept = part or slice(None)
        own, said = arms[kept], logs[kept].gather(1, arms[kept].to(logs.device)).reshape(-1, 1)
        made = tuple(Exchange(p, (arm,)) for p, row in zip(prompts[kept], own.tolist(), strict=True) for arm in row)
        return Sampled(made, TokenChances(said, torch.ones_like(said)), (True,) * len(made))

    def reference(self) -> Self:
        """A frozen copy."""
        other = deepcopy(self)
        other.module.requires_grad_(False)
        other.module.eval()
        return other

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        """A context by its number, a response by its name; "" is no response, where a prompt alone is asked for."""
        context = int(prompt) if isinstance(prompt, str) and prompt.isdecimal() else -1
        if not response and "" not in self.names and 0 <= context < self.contexts:
            return Exchange((context,), ())
        if not 0 <= context < self.contexts:
            raise AdjudgeError(
                f"policy of {self.contexts:,} contexts: the prompt {_short(prompt)} is none of its rows.",
                f'Prompts that are numbers of its rows, written "0" to "{self.contexts - 1}".',
                "Write the row's number in the place of each prompt, or take a language model (train.causal_lm), which "
                "reads texts.",
            )
        if response not in self.names:
            raise AdjudgeError(
                f"policy of {len(self.names):,} responses: {_short(response)}, to prompt {prompt}, is none of them.",
                f"One of {listing(self.names)}.",
                "Give the texts of the responses as `names` when the policy is made.",
            )
        return Exchange((context,), (self.names.index(response),))

    def decode(self, response: tuple[int, ...]) -> str:
        """The name of a response; "" of none."""
        return self.names[response[0]] if response else ""


def _short(said: Prompt) -> str:
    """A text, or a conversation, in quotes and cut."""
    text = said if isinstance(said, str) else str(said)
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
