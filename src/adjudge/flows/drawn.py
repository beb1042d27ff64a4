"""Draws samples from a policy of `train/`, as the table that `adjudge.pairs` and `adjudge.judge` read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._typing import Prompt
from ..errors import AdjudgeError

if TYPE_CHECKING:
    from ..train.policy import Policy


def drawn(
    policy: Policy,
    prompts: Sequence[Prompt],
    *,
    n: int = 8,
    temperature: float = 1.0,
    max_tokens: int = 128,
    batch: int = 16,
    seed: int = 0,
) -> dict[str, list[Any]]:
    """Samples with their log-probabilities: columns prompt, response, log_probability and ended.

    Arguments:
        policy: what is sampled.
        prompts: texts, or conversations as (role, text) turns.
        n: responses to each, >= 2 for pairs.
        temperature: of the draw, > 0; log-probabilities are at that temperature.
        max_tokens: of a response.
        batch: prompts that are drawn at once.
        seed: of the draw.

    Errors: no prompt; numbers below 1; torch that is not installed.
    """
    if not prompts or min(n, batch, max_tokens) < 1:
        raise AdjudgeError(
            f"drawn: {len(prompts)} prompts, n={n}, batch={batch}, max_tokens={max_tokens}.",
            "At least one of each.",
            "Give prompts, and numbers from 1 on.",
        )
    try:
        import torch
    except ImportError:
        raise AdjudgeError(
            "torch is not installed.", "It draws from policies.", "pip install 'adjudge[torch]'"
        ) from None
    generator = torch.Generator().manual_seed(seed)
    table: dict[str, list[Any]] = {name: [] for name in ("prompt", "response", "log_probability", "ended")}
    for start in range(0, len(prompts), batch):
        asked = prompts[start : start + batch]
        codes = [policy.encode(prompt, "").prompt for prompt in asked]
        got = policy.sample(codes, generator, n=n, temperature=temperature, max_tokens=max_tokens)
        table["prompt"] += [_plain(prompt) for prompt in asked for _ in range(n)]
        table["response"] += [policy.decode(each.response) for each in got.exchanges]
        table["log_probability"] += got.chances.total.tolist()
        table["ended"] += list(got.ended)
    return table


def _plain(prompt: Prompt) -> object:
    """A prompt as data sets have it: a text, or a list of messages."""
    return prompt if isinstance(prompt, str) else [{"role": role, "content": text} for role, text in prompt]
