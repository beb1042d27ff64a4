"""Logged decisions in a world whose policies' values are known exactly: contexts, a soft logger, sharper policies.

    π(a|x) ∝ exp(sharpness · x·B_a),      P(reward = 1 | x, a) = 1/(1 + e^{−(x·C_a + bend·sin 2x₁)})

`bend` is what a linear reward model cannot see. The truth is the mean of Σ_a π(a|x) P(reward|x, a) over a hundred
thousand contexts, drawn once for each world.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import softmax

from .._typing import FloatArray
from ..stats.sampling import one_each
from ..tables.decisions import Decisions, Probabilities, from_arrays

CONTEXTS = 100_000
_OWN = 7919


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A log with the [P] values that its policies have in truth."""

    decisions: Decisions
    truth: FloatArray


@dataclass(frozen=True)
class Log:
    """A world of logged decisions.

    Arguments:
        n: decisions.
        k: actions.
        d: context features.
        soft: sharpness of the logger; 0 is uniform.
        sharp: sharpness of the last policy; the first is the logger itself, the second half-way.
        bend: what a linear model cannot see.
        seed: of the world.
    """

    n: int = 997
    k: int = 7
    d: int = 3
    soft: float = 0.6
    sharp: float = 2.0
    bend: float = 1.0
    seed: int = 0

    @cached_property
    def _shape(self) -> tuple[FloatArray, FloatArray]:
        rng = np.random.default_rng((self.seed, _OWN))
        return rng.normal(size=(self.d, self.k)), rng.normal(size=(self.d, self.k))

    def _policies(self, x: FloatArray) -> list[FloatArray]:
        B, C = self._shape
        logger = softmax(self.soft * (x @ B), axis=1)
        return [
            logger,
            softmax(x @ ((self.soft * B + self.sharp * C) / 2), axis=1),
            softmax(x @ (self.sharp * C), axis=1),
        ]

    def _chance(self, x: FloatArray) -> FloatArray:
        return 1 / (1 + np.exp(-(x @ self._shape[1] + self.bend * np.sin(2 * x[:, :1]))))

    @cached_property
    def truth(self) -> FloatArray:
        """[P] values of the policies."""
        x = np.random.default_rng((self.seed, _OWN, 1)).normal(size=(CONTEXTS, self.d))
        return np.array([float(np.einsum("ij,ij->i", p, self._chance(x)).mean()) for p in self._policies(x)])

    def draw(self, seed: int) -> Drawn:
        """A log. Arguments: seed: of contexts, actions and rewards."""
        rng = np.random.default_rng((seed, _OWN, 2))
        x = rng.normal(size=(self.n, self.d))
        logger, *_ = policies = self._policies(x)
        rows = np.arange(self.n)
        action = one_each(logger, rng)
        reward = (rng.random(self.n) < self._chance(x)[rows, action]).astype(float)
        table = from_arrays(
            action,
            reward,
            logger[rows, action],
            tuple(Probabilities.listed(policy, rows) for policy in policies),
            policies=("logger", "half-way", "sharp"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            context=x,
            bounds=(0.0, 1.0),
        )
        return Drawn(table, self.truth)
