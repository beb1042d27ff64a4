"""Draws responses from a language model, token by token, with the cache of a prompt shared by all its responses.

    u_it ~ U(0, 1) of response i at code t,      y_it = min{v : Σ_{w <= v} π(w | x_i, y_i,<t) > u_it}

π is the softmax of logits/temperature over the whole vocabulary: nothing is cut off, so that the log-probabilities told
are those of the draw. A row that has ended leaves the batch; as each has numbers of its own, what it says does not hang
on who else is asked. Limits: a GPU adds in another order than a CPU, and a large batch in another than a small one: a
draw that falls within that rounding error falls differently.
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


def chosen(logits: Tensor, numbers: Tensor, temperature: float) -> Tensor:
    """[a] codes drawn from [a, v] logits, by [a] numbers in [0, 1)."""
    exact = _exact(logits.device)
    reach = (logits.to(exact) / temperature).softmax(1).cumsum(1)
    aim = numbers[:, None].to(reach.device, exact) * reach[:, -1:]
    return torch.searchsorted(reach, aim, right=True)[:, 0].clamp_(max=logits.shape[1] - 1)


def _exact(device: torch.device) -> torch.dtype:
    """The most exact numbers that a device has."""
    return torch.float32 if device.type == "mps" else torch.float64


def draw(
    forward: Forward,
    prompts: Sequence[tuple[int, ...]],
    limits: Sequence[int],
    numbers: Tensor,
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
        numbers: [p·n, max(limits) or more] in [0, 1): of each response at each code.
        n: responses a prompt, >= 1.
        temperature: > 0.
        ends: [e] codes that end a response.
    """
    device = ends.device
    numbers = numbers.to(device, _exact(device))
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
        last = chosen(logits, numbers[alive, step], temperature)
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


def mixed(own: Tensor, other: Tensor, share: float) -> Tensor:
    """[a, v] logits of π^{1−share}·other^share, normalised; the ends of the scale are the two themselves.

    >>> mixed(torch.tensor([[0.0, 2.0]]), torch.tensor([[4.0, 0.0]]), 0.25).tolist()
    [[1.0, 1.5]]
    """
    if own.shape[-1] != other.shape[-1]:
        raise AdjudgeError(
            f"A mixture of policies with {own.shape[-1]:,} and {other.shape[-1]:,} codes.",
            "The same codes in both.",
            "Mix a policy with its own reference.",
        )
    if share in (0.0, 1.0):
        return other if share else own
    return (1 - share) * own + share * other


def mixture(own: Forward, other: Forward, share: float) -> Forward:
    """Two models as one, whose logits are mixed at every code; each keeps a cache of its own."""

    def forward(row: Tensor, column: Tensor, inputs: Mapping[str, Any]) -> tuple[Tensor, Any]:
        kept = inputs.get("past_key_values")
        asked = (inputs, inputs) if kept is None else [{**inputs, "past_key_values": each} for each in kept.caches]
        (ours, given), (theirs, beside) = own(row, column, asked[0]), other(row, column, asked[1])
        caches = [getattr(each, "past_key_values", None) for each in (given, beside)]
        whole = all(hasattr(each, "batch_select_indices") for each in caches)
        return mixed(ours, theirs.to(ours.dtype), share), _Given(_Caches(caches) if whole else None)

    return forward


@dataclass(frozen=True, slots=True, eq=False)
class _Caches:
    """Of several models, cut and repeated as one."""

    caches: Sequence[Any]

    def batch_repeat_interleave(self, n: int) -> None:
        """Each row n times."""
        for each in self.caches:
            each.batch_repeat_interleave(n)

    def batch_select_indices(self, rows: Tensor) -> None:
        """Some rows alone."""
        for each in self.caches:
            each.batch_select_indices(rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    past_key_values: _Caches | None


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
