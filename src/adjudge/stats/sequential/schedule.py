"""Who runs when, under which initial condition, and under what name: the plan of a blind trial.

Each round runs every policy once under the same condition, in random order, so that trial k of one policy has its match
in trial k of every other and drift over the day falls on all alike. Conditions take turns in random order: after any
number of rounds no condition is more than one round ahead. The person who runs the trials sees codes, not names.

Barreiros, Beaulieu, Bhat, et al. (2025), A Careful Examination of Large Behavior Models (blind, randomised A/B trials).
Limits: one condition is a randomised block design; one policy is a list of trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import AdjudgeError

_OWN = 49979687  # tells this draw from the default_rng(seed) that simulated trials may themselves come from


@dataclass(frozen=True, slots=True)
class Slot:
    """One trial to run. Arguments: round, from 1; condition; code shown to the person who runs it; policy behind it."""

    round: int
    condition: str
    code: str
    policy: str


def schedule(
    policies: Sequence[str], *, trials: int, conditions: Sequence[str] = ("all",), seed: int = 0
) -> tuple[Slot, ...]:
    """The trials in the order to run them.

    Arguments:
        policies: [k] names.
        trials: of each policy, >= 1.
        conditions: initial conditions, spread evenly over the rounds.
        seed: of the order and the codes.

    Errors: no trial, no policy or condition, or a name that is there twice.

    >>> slots = schedule(["new", "old"], trials=2, conditions=["cup left", "cup right"])
    >>> [slot.round for slot in slots], sorted({slot.condition for slot in slots})
    ([1, 1, 2, 2], ['cup left', 'cup right'])
    """
    if trials < 1 or not policies or not conditions or len(set(policies)) < len(policies):
        raise AdjudgeError(
            f"schedule: {trials} trials of {len(policies)} policies under {len(conditions)} conditions.",
            "At least one of each, and every policy named once.",
            "Correct the plan.",
        )
    rng = np.random.default_rng((seed, _OWN))
    codes = [f"policy {chr(65 + place) if place < 26 else place + 1}" for place in rng.permutation(len(policies))]
    turns = -(-trials // len(conditions))
    condition = np.concatenate([rng.permutation(len(conditions)) for _ in range(turns)])[:trials]
    return tuple(
        Slot(number + 1, conditions[where], codes[p], policies[p])
        for number, where in enumerate(condition)
        for p in rng.permutation(len(policies))
    )
