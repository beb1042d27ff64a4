"""Reads log-probabilities of single tokens out of a language model, without the rest of its vocabulary.

    log π(y) = ℓ_y/T − log Σ_v exp(ℓ_v/T),      ∂/∂ℓ_v = (1[v = y] − π(v)) / T

The head of the model is given the few hidden states that are asked about, and the gradient is made from the logits when
it is needed: nothing as large as positions times vocabulary stays beside them. Half precision is widened a few rows at
a time. Limits: a second derivative is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .policy import Tensor

_ROWS = 256  # logits widened at once


def logits_at(
    module: torch.nn.Module, model: Any, row: Tensor, column: Tensor, inputs: Mapping[str, Any]
) -> tuple[Tensor, Any]:
    """([N, v] logits that stand at (row, column), all that the model gave).

    Arguments:
        module: what is called: the model, or what a launcher wrapped around it.
        model: the causal model itself, whose head is told what to read.
        row: [N] of the batch.
        column: [N] of the codes in it.
        inputs: of the model, by name.
    """
    told = False

    def asked(_: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        nonlocal told
        told = True
        return (given[0][row, column][None], *given[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(asked)
    try:
        given = module(**inputs)
    finally:
        hook.remove()
    read = given.logits.squeeze(0) if told else given.logits[row, column]  # not every model calls its head by name
    return read, given


class _TokenLogp(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor, temperature: float) -> Tensor:
        """[N] log-probabilities; [N, v] logits are kept, their softmax is not."""
        wide = torch.promote_types(logits.dtype, torch.float32)
        whole = [_cooled(part.to(wide), temperature).logsumexp(1) for part in torch.split(logits, _ROWS)]
        total = torch.cat(whole)
        ctx.save_for_backward(logits, target, total)
        ctx.temperature = temperature
        return logits.gather(1, target[:, None])[:, 0].to(wide) / temperature - total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """[N, v] for the logits."""
        logits, target, total = ctx.saved_tensors
        share = (gradient / ctx.temperature)[:, None]
        out = torch.empty_like(logits)
        parts = (each.split(_ROWS) for each in (out, logits, target, total, share))
        for into, part, code, whole, by in zip(*parts, strict=True):
            chance = into if into.dtype == whole.dtype else torch.empty_like(part, dtype=whole.dtype)
            torch.sub(_cooled(part.to(whole.dtype), ctx.temperature), whole[:, None], out=chance)
            chance.exp_().mul_(-by).scatter_add_(1, code[:, None], by)
            if chance is not into:
                into.copy_(chance)
        return out, None, None


def _cooled(logits: Tensor, temperature: float) -> Tensor:
    return logits if temperature == 1 else logits / temperature


def token_logp(logits: Tensor, target: Tensor, temperature: float = 1.0) -> Tensor:
    """[N] log-probability of one code each.

    Arguments:
        logits: [N, v] of any floating type.
        target: [N] codes.
        temperature: > 0.

    >>> token_logp(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).exp()
    tensor([0.5000])
    """
    found: Tensor = _TokenLogp.apply(logits, target, temperature)  # type: ignore[no-untyped-call]
    return found
