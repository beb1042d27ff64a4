"""What several processes do together before a step: each draws and asks its share, and all are told of all.

Limits: a process that fails on its share leaves the others waiting until their connection gives up; what one process
alone is asked to do (`devices.once`) fails in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from . import devices
from .policy import Exchange, Policy, Sampled, Tensor, TokenChances


def sampled(
    policy: Policy,
    prompts: Sequence[tuple[int, ...]],
    generator: torch.Generator,
    *,
    n: int,
    temperature: float = 1.0,
    max_tokens: int,
    toward: tuple[Policy, float] | None = None,
) -> Sampled:
    """n responses to each prompt, the same in all processes; arguments as of `Policy.sample`.

    The generator is spent on this draw: where there are fewer prompts than processes, some do not use theirs.
    """
    options: dict[str, Any] = {"n": n, "temperature": temperature, "max_tokens": max_tokens}
    if toward is not None and toward[1] > 0:
        options["toward"] = toward
    rank, of = devices.place()
    if of == 1:
        return policy.sample(prompts, generator, **options)
    part = devices.share(len(prompts), rank, of)
    own = policy.sample(prompts, generator, part=part, **options) if part.start < part.stop else None
    parts = [each for each in devices.gathered(_bare(own)) if each is not None]
    device = own.chances.logp.device if own is not None else next(policy.module.parameters()).device
    width = max(each.chances.logp.shape[1] for each in parts)
    logp, mask = (
        torch.cat([_widened(values, width) for values in column]).to(device)
        for column in ([each.chances.logp for each in parts], [each.chances.mask for each in parts])
    )
    exchanges: tuple[Exchange, ...] = sum((each.exchanges for each in parts), ())
    return Sampled(exchanges, TokenChances(logp, mask), sum((each.ended for each in parts), ()))


def _bare(made: Sampled | None) -> Sampled | None:
    """The same in the memory of the processor, to be sent."""
    if made is None:
        return None
    return replace(made, chances=TokenChances(made.chances.logp.cpu(), made.chances.mask.cpu()))


def _widened(values: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(values, (0, width - values.shape[1]))
