"""The table of listwise objectives: one row is a prompt with several responses, and what each of them is worth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._typing import FloatArray
from ..core.finding import Finding
from ..errors import AdjudgeError


@dataclass(frozen=True, eq=False)
class RankedLists:
    """n lists of responses, each of its own length.

    Arguments:
        prompts: [n] texts, or (role, text) turns of a conversation.
        responses: [n] texts of the responses of each list.
        gain: [n] what each response is worth, in one unit for all lists; NaN where nobody said.
        weight: [n] how many equal lists the row stands for, >= 0; empty is 1 everywhere.
        flip: [n] probability, below ½, with which the list was turned upside down; empty is 0 everywhere.
        findings: what the door noticed.

    Errors: columns of other lengths; another number of gains than responses; weights below 0 or infinite; flip rates
    outside [0, ½).

    >>> RankedLists(("1+1?",), (("2", "3"),), (np.array([1.0, 0.0]),)).n
    1
    """

    prompts: tuple[str | tuple[tuple[str, str], ...], ...]
    responses: tuple[tuple[str, ...], ...]
    gain: tuple[FloatArray, ...]
    weight: FloatArray = field(default_factory=lambda: np.zeros(0))
    flip: FloatArray = field(default_factory=lambda: np.zeros(0))
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        for name, usual in (("weight", 1.0), ("flip", 0.0)):
            given = np.asarray(getattr(self, name), dtype=float)
            object.__setattr__(self, name, given if given.size else np.full(self.n, usual))
        sizes = {len(column) for column in (self.prompts, self.responses, self.gain, self.weight, self.flip)}
        counts = [len(texts) == len(gains) for texts, gains in zip(self.responses, self.gain, strict=False)]
        if len(sizes) > 1 or not all(counts):
            raise AdjudgeError(
                f"ranked lists: {self.n:,} prompts, {len(self.responses):,} lists of responses, {len(self.gain):,} of "
                f"gains, {counts.count(False):,} of another length than their responses.",
                "One list of responses and one of gains for each prompt, of one length.",
                "Correct those rows.",
            )
        if not ((self.weight >= 0) & np.isfinite(self.weight) & (self.flip >= 0) & (self.flip < 0.5)).all():
            raise AdjudgeError(
                "ranked lists: a weight below 0 or infinite, or a flip rate outside [0, 1/2).",
                "Weights count repetitions; lists are turned round less than half of the time.",
                "Correct those rows, or drop them.",
            )

    @property
    def n(self) -> int:
        """Lists."""
        return len(self.prompts)
