"""Draws the responses by which a policy is watched, with their distance from the policy at the beginning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import Prompt
from ..backends.dropout import without_dropout
from .row_functions import worded

if TYPE_CHECKING:
    from ..train.policy import Policy


def drawn(
    policy: Policy,
    reference: Policy,
    prompts: Sequence[Prompt],
    codes: Sequence[tuple[int, ...]],
    *,
    n: int,
    max_tokens: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows of n responses to each prompt: item, prompt, response, kl. The policy is left as it was.

    Arguments:
        policy: that responds.
        reference: what its KL is from.
        prompts, codes: what it responds to.
        n: responses to each.
        max_tokens: of a response.
        seed: of the draw, which takes nothing from the generators of others.
    """
    import torch

    from ..train.exact import kl_by_context

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad(), without_dropout(policy.module):
        made = policy.sample(codes, generator, n=n, max_tokens=max_tokens)
        lead = policy.chances(made.exchanges).total - reference.chances(made.exchanges).total
    exact = kl_by_context(policy, reference, codes)
    kl = lead.double().tolist() if exact is None else np.repeat(exact, n).tolist()
    asked = [(str(item), worded(prompt)) for item, prompt in enumerate(prompts) for _ in range(n)]
    return [
        {
            "item": item,
            "prompt": prompt,
            "response": policy.decode(one.response),
            "kl": value if math.isfinite(value) else None,
        }
        for (item, prompt), one, value in zip(asked, made.exchanges, kl, strict=True)
    ]
