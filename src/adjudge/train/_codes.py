"""Texts as codes of a policy: what ends a response, what does not fit into the context.

How texts are read stands in `backends.codes`. An empty text is a response of the end mark alone.
"""

from __future__ import annotations

from typing import Any

from .._typing import Prompt
from ..backends import codes
from ..backends.huggingface import written
from ..errors import AdjudgeError
from .policy import Exchange

TRUNCATE = ("error", "left")


def ends_of(model: Any, tokenizer: Any, end: int | None) -> tuple[int, ...]:
    """Codes that end a response, first the one that is written: what was said, the tokenizer's, the model's own, the
    chat template's."""
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    found = codes.ends_of(tokenizer, list(own) if isinstance(own, list | tuple) else [own], first=end)
    if not found:
        raise AdjudgeError(
            "causal_lm: neither the tokenizer nor the model has an end mark.",
            "A code that ends a response: without it no response has a probability.",
            "Give one: CausalLM(model, tokenizer, end=0).",
        )
    return found


def encoded(
    tokenizer: Any, prompt: Prompt, response: str, *, ends: tuple[int, ...], context: int, truncate: str
) -> Exchange:
    """Codes of a prompt and its response.

    Arguments:
        tokenizer: of Hugging Face.
        prompt: text, or turns, which are written by the tokenizer's template where it has one.
        response: text.
        ends: end marks, first the one that is written where the template has no other.
        context: codes that an exchange may have, >= 2. A response is cut there and keeps no end mark.
        truncate: "error", or "left" to keep the last half context of a prompt that leaves no room.
    """
    head, said = codes.parted(tokenizer, prompt, response, ends)
    if len(head) >= context:
        if truncate != "left":
            text = prompt if isinstance(prompt, str) else written(tokenizer, prompt)
            raise AdjudgeError(
                f"causal_lm: a prompt of {len(head):,} codes, {text[:60]!r} …",
                f"At most {context - 1:,}: the context of the model is {context:,}, and a response needs room in it.",
                'Shorten it, or say truncate="left" to keep its end.',
            )
        head = head[-max(context // 2, 1) :]
    return Exchange(head, said[: context - len(head)])
