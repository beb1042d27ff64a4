"""The two things that Adjudge works on but does not own: who rates, and what is rated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from .._typing import FloatArray


@runtime_checkable
class Judge(Protocol):
    """Anything that rates: an LLM, a rule, a unit test, a person, a reward model."""

    name: str

    def rate(self, items: Sequence[Any]) -> FloatArray:
        """[n] scores of n items; NaN where the judge abstains."""
        ...


@runtime_checkable
class Policy(Protocol):
    """Anything that acts: gives samples, and the probability of what it might have sampled."""

    name: str

    def sample(self, contexts: Sequence[Any], *, rng: np.random.Generator) -> Sequence[Any]:
        """One action for each context."""
        ...

    def log_probability(self, contexts: Sequence[Any], actions: Sequence[Any]) -> FloatArray:
        """[n] log-probability of each action in its context."""
        ...
