"""Texts as codes of a language model, and back: where a prompt ends, what ends a response, what does not fit.

A response's codes follow its prompt's as they are: codes of both texts together are taken where they begin with those
of the prompt, and those of the response alone where a code would span both. Then comes the end mark, so that an
empty text is a response of the end mark alone. Limits: a text that spells a special code is read as that code.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .._typing import Prompt
from ..backends.huggingface import written
from ..errors import AdjudgeError
from .policy import Exchange

TRUNCATE = ("error", "left")
ANY = "7919"  # stands for a text; no template writes it


def ends_of(model: Any, tokenizer: Any, end: int | None) -> tuple[int, ...]:
    """Codes that end a response, first the one that is written: what was said, the tokenizer's, the model's own."""
    own = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    listed = list(own) if isinstance(own, list | tuple) else [own]
    found = [code for code in (end, tokenizer.eos_token_id, *listed) if code is not None]
    if not found:
        raise AdjudgeError(
            "causal_lm: neither the tokenizer nor the model has an end mark.",
            "A code that ends a response: without it no response has a probability.",
            "Give one: CausalLM(model, tokenizer, end=0).",
        )
    return tuple(dict.fromkeys(int(code) for code in found))


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
    bare = isinstance(prompt, str)
    text = prompt if isinstance(prompt, str) else written(tokenizer, prompt)
    special = bare or not tokenizer.chat_template  # a template writes the special codes itself
    head = _read(tokenizer, text, special, ends) or ends[:1]
    whole = _read(tokenizer, text + response, special, ends)
    joint = whole[: len(head)] == head
    said = whole[len(head) :] if joint else _read(tokenizer, response, False, ())
    if not said or said[-1] not in ends:  # a text may bring its own
        said += (ends[0] if bare else _closing(tokenizer, ends),)
    if len(head) >= context:
        if truncate != "left":
            raise AdjudgeError(
                f"causal_lm: a prompt of {len(head):,} codes, {text[:60]!r} …",
                f"At most {context - 1:,}: the context of the model is {context:,}, and a response needs room in it.",
                'Shorten it, or say truncate="left" to keep its end.',
            )
        head = head[-max(context // 2, 1) :]
    return Exchange(head, said[: context - len(head)])


def _read(tokenizer: Any, text: str, special: bool, ends: Collection[int]) -> tuple[int, ...]:
    """Codes of a text; an end mark that the tokenizer adds of its own accord is left out."""
    codes = tuple(tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"])
    if special and codes[-1:] and codes[-1] in ends:
        plain = tuple(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        return codes[: len(codes) - max(_marks(codes, ends) - _marks(plain, ends), 0)]
    return codes


def _marks(codes: tuple[int, ...], ends: Collection[int]) -> int:
    """End marks behind the last other code."""
    return next((at for at, code in enumerate(reversed(codes)) if code not in ends), len(codes))


def _closing(tokenizer: Any, ends: tuple[int, ...]) -> int:
    """The end mark that the template writes after any response, or the first."""
    if not tokenizer.chat_template:
        return ends[0]
    turns = [{"role": "user", "content": ANY}, {"role": "assistant", "content": ANY}]
    try:
        whole = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except Exception:  # a template that refuses these turns tells no end mark
        return ends[0]
    after = whole.rpartition(ANY)[2].strip()
    return next((code for code in ends if after.startswith(tokenizer.decode([code]))), ends[0])
