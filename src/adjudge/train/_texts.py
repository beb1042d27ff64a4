"""From texts to the codes of a policy, once, at the door: what cannot be read is told by row.

Limits: a prompt longer than the policy's context is an error, or left out and counted with `skip_long`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from .._typing import FloatArray, IntArray, Prompt
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.preferences import Preferences
from .policy import Exchange, Policy


def prompts_of(preferences: Preferences) -> tuple[Prompt, ...]:
    """[n] prompts as turns where they are known, else as texts. Errors: there are none."""
    if preferences.n and not preferences.prompt:
        raise AdjudgeError(
            "train: the preferences have features and no texts.",
            "A policy learns from prompts and responses in words.",
            "Read them with tables.read_preferences, from columns prompt, chosen and rejected.",
        )
    turns = preferences.turns or ((),) * preferences.n
    return tuple(turn or text for turn, text in zip(turns, preferences.prompt, strict=True))


def encoded(
    policy: Policy,
    prompts: Sequence[Prompt],
    responses: Sequence[Sequence[str]],
    *,
    skip_long: bool,
    rows: Sequence[int] | IntArray = (),
) -> tuple[list[tuple[Exchange, ...] | None], list[Finding]]:
    """The exchanges of each row, None where the policy cannot read it; and what was noticed.

    Arguments:
        policy: whose codes.
        prompts: [n].
        responses: [n] texts of the responses of each row.
        skip_long: whether rows that the policy cannot read are left out; else the first is an error.
        rows: [n] their numbers in the user's file, for messages; () where they are counted from 0.

    Errors: a row that cannot be read; with skip_long, all of them.
    """
    made: list[tuple[Exchange, ...] | None] = []
    refused: AdjudgeError | None = None
    for row, (prompt, texts) in enumerate(zip(prompts, responses, strict=True)):
        try:
            made.append(tuple(policy.encode(prompt, text) for text in texts))
        except AdjudgeError as error:
            if not skip_long:
                number = rows[row] if len(rows) else row
                do = f"{error.do} Or leave such rows out: skip_long = true under [feedback], skip_long=True in Python."
                raise AdjudgeError(f"Row {number}: {error.found}", error.expected, do) from error
            refused = refused or error
            made.append(None)
    found = []
    left_out = sum(exchanges is None for exchanges in made)
    if refused is not None:
        if left_out == len(made):
            raise AdjudgeError(f"None of {len(made):,} rows can be read: {refused.found}", refused.expected, refused.do)
        found.append(
            Finding(
                "rows-not-read", Severity.WARNING,
                f"{left_out:,} of {len(made):,} rows are left out: the policy cannot read them, such as one whose "
                f"{refused.found[:1].lower()}{refused.found[1:]}",
                left_out, 0.0, "Shorten those prompts, or take a policy with a longer context.",
            )
        )  # fmt: skip
    empty = sum(any(not text for text in texts) for texts in responses)
    if empty:
        found.append(
            Finding(
                "responses-empty", Severity.WARNING,
                f"{empty:,} of {len(made):,} rows have an empty response, learnt as an end mark alone.",
                empty, 0.0, "Drop them unless saying nothing was meant.",
            )
        )  # fmt: skip
    return made, found


def joined(of_file: Sequence[Finding], of_codes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings of a file and of its codes; what both have noticed is told once, as it is for a policy."""
    noticed = {each.code for each in of_codes}
    return (*(each for each in of_file if each.code not in noticed), *of_codes)


def check_codes(
    policy: Policy,
    reference: Policy,
    prompts: Sequence[Prompt],
    responses: Sequence[Sequence[str]],
    *,
    looked: int = 64,
) -> None:
    """Whether a reference reads texts as the policy does. Errors: it does not."""
    for row, (prompt, texts) in enumerate(zip(prompts[:looked], responses[:looked], strict=True)):
        if any(policy.encode(prompt, text) != reference.encode(prompt, text) for text in texts):
            raise AdjudgeError(
                f"train.reference: row {row} has other codes there than in the policy.",
                "Policy and reference share one vocabulary, so that their log-probabilities are of the same tokens.",
                "Take a reference of the same tokenizer, or leave it out: the policy itself is the usual one.",
            )


def codes(exchanges: Sequence[Exchange]) -> int:
    """Codes of exchanges, prompts and responses, each prompt as often as it stands there."""
    return sum(len(one.prompt) + len(one.response) for one in exchanges)


def fingerprint(exchanges: Sequence[Exchange], *columns: FloatArray | None) -> str:
    """Of the data of a recipe: a run goes on with the same alone.

    >>> fingerprint([Exchange((1,), (2,))]) == fingerprint([Exchange((1, 2), ())])
    False
    """
    sums = hashlib.blake2b(digest_size=16)
    for one in exchanges:
        sums.update(repr((one.prompt, one.response)).encode())
    for column in columns:
        sums.update(b"-" if column is None else np.ascontiguousarray(column, dtype=float).tobytes())
    return sums.hexdigest()


def worded(prompt: Prompt) -> object:
    """A prompt as JSON has it: a text, or messages."""
    return prompt if isinstance(prompt, str) else [{"role": role, "content": text} for role, text in prompt]
