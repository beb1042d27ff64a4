"""A policy on letters, small and in single precision, whose log-probabilities can be checked by hand; and a descent."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch

from adjudge.errors import AdjudgeError
from adjudge.train.policy import Exchange, Prompt, Sampled, TokenChances

LETTERS = "abcdefg "


class Letters:
    """The chance of a letter, or of the end mark 0, given the letter before: a table of logits."""

    def __init__(self, seed: int = 0, *, dtype: torch.dtype = torch.float32, context: int = 29) -> None:
        size = len(LETTERS) + 1
        table = torch.randn(size, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.module = torch.nn.Module()
        self.module.register_parameter("table", torch.nn.Parameter(table.to(dtype)))
        self.context = context

    @property
    def table(self) -> Any:
        return self.module.table

    def chances(self, exchanges: Sequence[Exchange], *, temperature: float = 1.0) -> TokenChances:
        longest = max(1, *(len(one.response) for one in exchanges))
        before, at, mask = np.zeros((3, len(exchanges), longest), dtype=int)
        for row, one in enumerate(exchanges):
            n = len(one.response)
            before[row, :n] = (one.prompt[-1:] + one.response)[:n]
            at[row, :n], mask[row, :n] = one.response, 1
        logs = (self.table / temperature).log_softmax(1)[torch.tensor(before), torch.tensor(at)]
        kept = torch.tensor(mask, dtype=logs.dtype)
        return TokenChances(logs * kept, kept)

    @torch.no_grad()
    def sample(
        self, prompts: Sequence[tuple[int, ...]], generator: torch.Generator, *, n: int = 1, temperature: float = 1.0,
        max_tokens: int = 128, part: slice | None = None, toward: Any = None,
    ) -> Sampled:  # fmt: skip
        logits = self.table if toward is None else (1 - toward[1]) * self.table + toward[1] * toward[0].table
        chance = (logits / temperature).softmax(1)
        made, ended = [], []
        for prompt in prompts:
            for _ in range(n):
                said = [prompt[-1]]
                while len(said) <= max_tokens and (len(said) == 1 or said[-1] != 0):
                    said.append(int(torch.multinomial(chance[said[-1]], 1, generator=generator)))
                made.append(Exchange(prompt, tuple(said[1:])))
                ended.append(said[-1] == 0)
        kept = slice(None) if part is None else slice(n * part.start, n * part.stop)
        made, ended = made[kept], ended[kept]
        return Sampled(tuple(made), self.chances(made, temperature=temperature), tuple(ended))

    def reference(self) -> Letters:
        other = deepcopy(self)
        other.module.requires_grad_(False)
        return other

    def encode(self, prompt: Prompt, response: str) -> Exchange:
        text = prompt if isinstance(prompt, str) else "".join(said for _, said in prompt)
        if len(text) > self.context:
            raise AdjudgeError(f"Prompt of {len(text)} codes.", f"At most {self.context}.", "Shorten it.")
        return Exchange(tuple(LETTERS.index(c) + 1 for c in text), (*(LETTERS.index(c) + 1 for c in response), 0))

    def decode(self, response: tuple[int, ...]) -> str:
        return "".join(LETTERS[code - 1] for code in response if code)

    def save(self, folder: Path) -> None:
        torch.save(self.module.state_dict(), folder / "table.pt")

    def load(self, folder: Path) -> None:
        self.module.load_state_dict(torch.load(folder / "table.pt", weights_only=True))


def descend(
    policy: Any,
    recipe: Any,
    *,
    steps: int = 3,
    batch: int = 4,
    micro: int | None = None,
    lr: float = 0.1,
    seed: int = 0,
    warm: bool = True,
) -> list[dict[str, float]]:
    """Plain gradient descent, in parts of `micro` rows: the metrics of each step."""
    generator = torch.Generator().manual_seed(seed)
    if warm:
        recipe.warm_up(policy)
    made = []
    for number in range(steps):
        rows = (number * batch + np.arange(batch)) % recipe.n
        step = recipe.prepare(policy, rows, generator)
        for _ in range(recipe.updates):
            policy.module.zero_grad()
            loss = 0.0
            for start in range(0, step.n, micro or step.n):
                share = step.loss(policy, slice(start, min(start + (micro or step.n), step.n)))
                if share.requires_grad:  # a part may have nothing to learn from
                    share.backward()
                loss += share.item()
            with torch.no_grad():
                for parameter in policy.module.parameters():
                    parameter -= lr * parameter.grad
        made.append({"summed": loss, **step.metrics()})
    return made
