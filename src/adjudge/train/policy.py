"""What the loop trains: anything that gives responses to a prompt their log-probability, token by token, and samples.

    log π(y|x) = Σ_t log π(y_t | x, y_<t),      softmax of logits/temperature at each t

A prompt is a tuple of codes: tokens of a text, or the one number of a context in a table. A response is one too: its
tokens up to and with the end mark, or the one number of an arm. Objectives and credit rules see log-probabilities only,
so that they need not know which. Limits: the last token of a response that ran into its limit is no end mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from .._typing import Prompt

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True)
class Exchange:
    """A prompt and one response to it, as codes.

    Arguments:
        prompt: of the prompt, at least one.
        response: of the response; () is the empty response, whose probability is 1.
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class TokenChances:
    """Log-probabilities of b responses, token by token.

    Arguments:
        logp: [b, T] log π(y_t | x, y_<t); 0 after the end of a response.
        mask: [b, T] 1 at the tokens of the response, 0 after its end; of the type of logp.
    """

    logp: Tensor
    mask: Tensor

    @property
    def total(self) -> Tensor:
        """[b] log π(y|x)."""
        return self.logp.sum(1)

    @property
    def length(self) -> Tensor:
        """[b] tokens of each response."""
        return self.mask.sum(1)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Responses drawn from a policy, and how likely each was.

    Arguments:
        exchanges: b of them, those to one prompt side by side, in the order of the prompts.
        chances: of each, under the policy that drew them, at the temperature of the draw; no gradient.
        ended: [b] whether the response came to its end mark before the limit.
    """

    exchanges: tuple[Exchange, ...]
    chances: TokenChances
    ended: tuple[bool, ...]


class Policy(Protocol):
    """A policy that the loop can train."""

    module: torch.nn.Module
    """Holds what is trained: its parameters with `requires_grad`."""

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> TokenChances:
        """Log-probabilities of responses under the policy as it is now, with their gradient where torch records one."""
        ...

    def sample(
        self,
        prompts: Sequence[tuple[int, ...]],
        generator: torch.Generator,
        *,
        n: int = 1,
        temperature: float = 1.0,
        max_tokens: int = 128,
        part: slice | None = None,
        toward: tuple[Any, float] | None = None,
    ) -> Sampled:
        """n responses to each prompt, drawn by the generator alone; no gradient is recorded.

        Arguments:
            prompts: codes of each.
            generator: of all draws.
            n, temperature, max_tokens: >= 1, > 0, >= 1.
            part: of the prompts, the only ones that are answered, as they would be were all; None is all. It is asked
                for in a run of several processes alone.
            toward: a policy of the same codes and a share s: at each code the draw is from π^{1−s}·other^s, and so are
                the chances told. It is asked for by recipes of contests alone.
        """
        ...

    def reference(self) -> Policy:
        """An exact copy of the policy as it stands in memory now, frozen."""
        ...

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        """Codes of texts. AdjudgeError for what the policy cannot read, such as a prompt longer than its context."""
        ...

    def decode(self, response: tuple[int, ...]) -> str:
        """The text of a response, without its end mark."""
        ...

    def save(self, folder: Path) -> None:
        """Writes what is trained to an existing folder, in the form in which such policies are published."""
        ...

    def load(self, folder: Path) -> None:
        """Takes over what `save` wrote, bit by bit."""
        ...
