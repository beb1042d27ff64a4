"""Draws responses from a language model, token by token, with the cache of a prompt shared by all its responses.

    u ~ U(0, 1) from the generator,      y_t = min{v : Σ_{w <= v} π(w | x, y_<t) > u}

π is the softmax of logits/temperature over the whole vocabulary: nothing is cut off, so that the log-probabilities told
are those of the draw. A row that has ended leaves the batch. Limits: a GPU adds in another order than a CPU, and a draw
that falls within that rounding error falls differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..errors import AdjudgeError
from ._reading import token_logp
from .policy import Tensor

Forward = Callable[[Tensor, Tensor, Mapping[str, Any]], tuple[Tensor, Any]]
"""(row, column, inputs of the model) -> logits there, and all that the model gave."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """b responses.

    Arguments:
        codes: [b, T] 0 behind the end.
        logp: [b, T] at the temperature of the draw; 0 behind the end.
        length: [b] codes of each.
        ended: [b] whether its last code is an end mark.
    """

    codes: Tensor
    logp: Tensor
    length: Tensor
    ended: Tensor


def chosen(logits: Tensor, generator: torch.Generator, temperature: float) -> Tensor:
    """[a] codes drawn from [a, v] logits, by one number of the generator each."""
    exact = torch.float32 if logits.device.type == "mps" else torch.float64
    reach = (logits.to(exact) / temperature).softmax(1).cumsum(1)
    numbers = torch.rand(len(logits), 1, generator=generator, dtype=torch.float64, device=generator.device)
    aim = numbers.to(reach.device, exact) * reach[:, -1:]
    return torch.searchsorted(reach, aim, right=True)[:, 0].clamp_(max=logits.shape[1] - 1)


def draw(
    forward: Forward,
    prompts: Sequence[tuple[int, ...]],
    limits: Sequence[int],
    generator: torch.Generator,
    *,
    n: int,
    temperature: float,
    ends: Tensor,
) -> Drawn:
    """n responses to each of p prompts, side by side.

    Arguments:
        forward: the model, on the device of `ends`.
        prompts: codes of each, at least one.
        limits: [p] codes that a response to each may have, >= 1.
        generator: of all draws.
        n: responses a prompt, >= 1.
        temperature: > 0.
        ends: [e] codes that end a response.
    """
    device = ends.device
    logits, cache, mask = _read(forward, prompts, device)
    logits, mask = logits.repeat_interleave(n, 0), mask.repeat_interleave(n, 0)
    cache.batch_repeat_interleave(n)
    limit = torch.tensor(limits, device=device).repeat_interleave(n)
    shape = (len(prompts) * n, max(limits))
    codes = torch.zeros(shape, dtype=torch.long, device=device)
    logp = torch.zeros(shape, dtype=torch.promote_types(logits.dtype, torch.float32), device=device)
    length, ended = torch.zeros_like(limit), torch.zeros_like(limit, dtype=torch.bool)
    alive, last = torch.arange(shape[0], device=device), torch.zeros(0)
    for step in range(shape[1]):
        if step:
            logits, cache, mask = _next(forward, last, cache, mask)
        last = chosen(logits, generator, temperature)
        codes[alive, step], logp[alive, step] = last, token_logp(logits, last, temperature)
        length[alive], ended[alive] = step + 1, torch.isin(last, ends)
        going = (~ended[alive] & (step + 1 < limit[alive])).nonzero()[:, 0]
        if not len(going):
            break
        if len(going) < len(alive):
            cache.batch_select_indices(going)
            alive, last, mask = alive[going], last[going], mask[going]
    longest = int(length.max())
    return Drawn(codes[:, :longest], logp[:, :longest], length, ended)


def _read(forward: Forward, prompts: Sequence[tuple[int, ...]], device: torch.device) -> tuple[Tensor, Any, Tensor]:
    """([p, v] logits after each prompt, cache, [p, L] mask); prompts end in one column."""
    width = max(len(prompt) for prompt in prompts)
    codes = torch.tensor([(0,) * (width - len(prompt)) + prompt for prompt in prompts], device=device)
    empty = torch.tensor([width - len(prompt) for prompt in prompts], device=device)
    place = torch.arange(width, device=device)[None] - empty[:, None]
    return _asked(forward, codes, None, (place >= 0).long(), place.clamp(min=0))


def _next(forward: Forward, last: Tensor, cache: Any, mask: Tensor) -> tuple[Tensor, Any, Tensor]:
    """The same after one more code each."""
    mask = torch.cat([mask, torch.ones_like(mask[:, :1])], 1)
    return _asked(forward, last[:, None], cache, mask, mask.sum(1, keepdim=True) - 1)


def _asked(forward: Forward, codes: Tensor, cache: Any, mask: Tensor, place: Tensor) -> tuple[Tensor, Any, Tensor]:
    row = torch.arange(len(codes), device=codes.device)
    column = torch.full_like(row, codes.shape[1] - 1)
    inputs = {"input_ids": codes, "attention_mask": mask, "position_ids": place, "use_cache": True}
    logits, given = forward(row, column, inputs if cache is None else inputs | {"past_key_values": cache})
    kept = getattr(given, "past_key_values", None)
    if not hasattr(kept, "batch_select_indices"):
        raise AdjudgeError(
            "causal_lm: the model keeps no cache of keys and values.",
            "One that rows can be taken out of, as Hugging Face's `DynamicCache`.",
            "Sample with another model; log-probabilities of given responses need no cache.",
        )
    return logits, kept, mask
