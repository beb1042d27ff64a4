"""Texts as codes of a language model: where a prompt ends, what ends a response. Policies and embeddings read alike.

    codes = (codes of the prompt, codes of the response, end mark)

A response's codes follow its prompt's as they are: codes of both texts together are taken where they begin with those
of the prompt, and those of the response alone where a code would span both. The end mark behind turns is the one that
the chat template writes, be it the tokenizer's or not. Limits: a text that spells a special code is read as that code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from .._typing import Prompt
from .huggingface import written

ANY = "7919"  # stands for a text; no template writes it


def ends_of(tokenizer: Any, more: Sequence[int | None] = (), *, first: int | None = None) -> tuple[int, ...]:
    """Codes that end a response: what was said, the tokenizer's, more of them, the chat template's own.

    Arguments:
        tokenizer: of Hugging Face.
        more: such as the model's.
        first: the one that is written after a text without a template; the tokenizer's where None.
    """
    after, own = _after(tokenizer), []
    if after:
        special = [code for code, token in tokenizer.added_tokens_decoder.items() if token.special]
        own = [code for code in special if after.startswith(tokenizer.decode([code]))]
    found = (first, tokenizer.eos_token_id, *more, *own)
    return tuple(dict.fromkeys(int(code) for code in found if code is not None))


def parted(
    tokenizer: Any, prompt: Prompt, response: str, ends: Sequence[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(codes of a prompt, codes of its response with an end mark).

    Arguments:
        tokenizer: of Hugging Face.
        prompt: text, or turns, which are written by the tokenizer's template where it has one.
        response: text.
        ends: end marks, first the one that is written where the template has no other; none is written where there
            are none.
    """
    bare = isinstance(prompt, str)
    text = prompt if isinstance(prompt, str) else written(tokenizer, prompt)
    special = bare or not tokenizer.chat_template  # a template writes the special codes itself
    head = read(tokenizer, text, ends, special=special) or tuple(ends[:1])
    whole = read(tokenizer, text + response, ends, special=special)
    joint = whole[: len(head)] == head
    said = whole[len(head) :] if joint else read(tokenizer, response, (), special=False)
    if not said or said[-1] not in ends:  # a text may bring its own
        said += tuple(ends[:1]) if bare else _closing(tokenizer, ends)
    return head, said


def read(tokenizer: Any, text: str, ends: Collection[int], *, special: bool = True) -> tuple[int, ...]:
    """Codes of a text; an end mark that the tokenizer adds of its own accord is left out."""
    codes = tuple(tokenizer(text, add_special_tokens=special, verbose=False)["input_ids"])
    if special and codes[-1:] and codes[-1] in ends:
        plain = tuple(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
        return codes[: len(codes) - max(_marks(codes, ends) - _marks(plain, ends), 0)]
    return codes


def _marks(codes: tuple[int, ...], ends: Collection[int]) -> int:
    """End marks behind the last other code."""
    return next((at for at, code in enumerate(reversed(codes)) if code not in ends), len(codes))


def _closing(tokenizer: Any, ends: Sequence[int]) -> tuple[int, ...]:
    """The end mark that the template writes after any response, or the first."""
    after = _after(tokenizer)
    own = [code for code in ends if after.startswith(tokenizer.decode([code]))] if after else []
    return tuple((own or ends)[:1])


def _after(tokenizer: Any) -> str:
    """What the template writes after a response; "" where it writes nothing."""
    if not tokenizer.chat_template:
        return ""
    turns = [{"role": "user", "content": ANY}, {"role": "assistant", "content": ANY}]
    try:
        whole = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except Exception:  # a template that refuses these turns tells no end mark
        return ""
    return whole.rpartition(ANY)[2].strip()
