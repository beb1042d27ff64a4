"""Logged slates in a world whose policies' values are known exactly: every slate of every kind of context is counted.

    π(a_1 … a_L|x) = Π_l softmax(sharpness · u(x, ·))[a_l],      or without repeats (Plackett-Luce)
    P(r_l = 1) = examined_l · q(x, a_l) · (1 + pull · mean over influences j of T(a_l, a_j)),   kept in [0.02, 0.98]

A slot is influenced by none (`independent`), by the earlier ones (`cascade`) or by all others (`standard`), as readers
behave.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..stats.sampling import one_each
from ..tables.decisions import Probabilities
from ..tables.slates import Slates, ranked

BEHAVIOURS = ("independent", "cascade", "standard")
KINDS = 7  # of contexts
_OWN = 7793


@dataclass(frozen=True, slots=True, eq=False)
class DrawnSlates:
    """Slates with the [P] values that their policies have in truth."""

    slates: Slates
    truth: FloatArray


@dataclass(frozen=True)
class SlateWorld:
    """A world of logged slates.

    Arguments:
        m: slates.
        L: slots.
        k: actions.
        behaviour: what a slot's reward depends on: `independent`, `cascade` or `standard`.
        pull: strength of the influence of other slots, in [0, 1].
        soft: sharpness of the logger; 0 is uniform.
        sharp: sharpness of the second policy; the first is the logger.
        repeats: whether an action may stand in several slots.
        shortest: slots of the shortest slates; lengths go by context.
        seed: of the world.
    """

    m: int = 499
    L: int = 3
    k: int = 5
    behaviour: str = "cascade"
    pull: float = 0.9
    soft: float = 0.3
    sharp: float = 1.2
    repeats: bool = True
    shortest: int = 3
    seed: int = 0

    @cached_property
    def _shape(self) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
        """[KINDS, k] attraction, [k, k] pull of one action on another, [KINDS, 2] contexts, [KINDS] lengths."""
        rng = np.random.default_rng((self.seed, _OWN))
        x = rng.normal(size=(KINDS, 2))
        liking = x @ rng.normal(size=(2, self.k)) + rng.normal(size=self.k)
        length = self.shortest + np.arange(KINDS) % (self.L - self.shortest + 1)
        pulls = rng.uniform(-0.3, 0.3, (self.k, self.k))
        np.fill_diagonal(pulls, -1.0)  # nobody wants the same thing twice
        return liking / liking.std(), pulls, x, length

    def _next(self, sharpness: float, earlier: IntArray, kind: IntArray) -> FloatArray:
        """[n, k] probabilities of the next slot's action, given [n, l] earlier ones."""
        scores = sharpness * self._shape[0][kind]
        if not self.repeats and earlier.shape[1]:
            scores = scores.copy()
            np.put_along_axis(scores, earlier, -np.inf, axis=1)
        return np.asarray(special.softmax(scores, axis=1))

    def _chance(self, slates: IntArray, kind: IntArray) -> FloatArray:
        """[n, L] chance of a reward in each slot."""
        liking, pulls, _, length = self._shape
        found, own = np.zeros(slates.shape), special.expit(liking[kind] - 0.5)
        for slot in range(self.L):
            others = {"independent": [], "cascade": range(slot), "standard": [j for j in range(self.L) if j != slot]}
            there = [pulls[slates[:, slot], slates[:, j]] * (j < length[kind]) for j in others[self.behaviour]]
            factor = 1 + self.pull * np.mean(there, axis=0) if there else np.ones(slates.shape[0])
            at = own[np.arange(slates.shape[0]), slates[:, slot]] * factor / (1 + 0.2 * slot)
            found[:, slot] = np.clip(at, 0.02, 0.98)
        return np.where(np.arange(self.L) < length[kind][:, None], found, 0.0)

    def value(self, slot_weight: FloatArray | None = None) -> FloatArray:
        """[2] values of the logger and of the sharp policy."""
        every = np.array(list(itertools.product(range(self.k), repeat=self.L)), dtype=np.int64)
        counts = np.ones(self.L) if slot_weight is None else slot_weight
        values = np.zeros(2)
        for kind in range(KINDS):
            code = np.full(every.shape[0], kind)
            paid = self._chance(every, code) @ counts
            for p, sharpness in enumerate((self.soft, self.sharp)):
                likely = np.ones(every.shape[0])
                for slot in range(self.L):
                    likely *= self._next(sharpness, every[:, :slot], code)[np.arange(every.shape[0]), every[:, slot]]
                values[p] += float(likely @ paid) / KINDS
        return values

    def draw(self, seed: int) -> DrawnSlates:
        """A log. Arguments: seed: of contexts, actions and rewards."""
        rng = np.random.default_rng((seed, _OWN, 1))
        kind, rows = rng.integers(0, KINDS, self.m), np.arange(self.m)
        action = np.zeros((self.m, self.L), dtype=np.int64)
        chances = np.zeros((2, self.m, self.L, self.k))
        for slot in range(self.L):
            for p, sharpness in enumerate((self.soft, self.sharp)):
                chances[p, :, slot] = self._next(sharpness, action[:, :slot], kind)
            action[:, slot] = one_each(chances[0, :, slot], rng)
        reward = (rng.random((self.m, self.L)) < self._chance(action, kind)).astype(float)
        target = np.stack([one[rows[:, None], np.arange(self.L), action] for one in chances], axis=2)
        flat, own = chances.reshape(2, -1, self.k), np.arange(self.m * self.L)
        table = Slates(
            policies=("logger", "sharp"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            action=action,
            reward=reward,
            propensity=target[:, :, 0],
            target=target,
            filled=np.arange(self.L) < self._shape[3][kind][:, None],
            cluster=rows,
            weight=np.ones(self.m),
            probabilities=tuple(Probabilities.listed(one, own) for one in flat)
            if self.repeats
            else tuple(ranked(sharpness * self._shape[0][kind], action) for sharpness in (self.soft, self.sharp)),
            context=self._shape[2][kind],
            bounds=(0.0, 1.0),
        )
        return DrawnSlates(table, self.value())
