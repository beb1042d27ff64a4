"""Logs of many actions that share features, in a world whose policies' values are known exactly.

    π(a|x) ∝ exp(s·u(x, a) + own_a),      P(reward = 1|x, a) = 1/(1 + e^{1.5 − 1.5·q(x, e_a) − direct·h_a})

Contexts are of a few kinds, so the truth is a finite sum. `direct` breaks what marginal weights assume: actions of the
same features are then paid differently. Features after the first `useful` say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..stats.sampling import one_each
from ..tables.decisions import Decisions, Probabilities
from .logs import Drawn

KINDS = 16  # of contexts
_OWN = 7829


@dataclass(frozen=True)
class ManyActions:
    """A world of decisions among many actions.

    Arguments:
        n: decisions.
        k: actions.
        words: values of each feature.
        useful: features that matter.
        idle: features that do not.
        sharp: how much better the second policy knows the rewards than the logger.
        taste: spread of what policies like about actions that has nothing to do with their features.
        direct: effect of the action beyond its features; 0 is what marginal weights assume.
        logging: whether the logger's probabilities of all actions are kept.
        seed: of the world.
    """

    n: int = 997
    k: int = 1000
    words: int = 5
    useful: int = 2
    idle: int = 0
    sharp: float = 1.5
    taste: float = 1.0
    direct: float = 0.0
    logging: bool = True
    seed: int = 0

    @cached_property
    def _shape(self) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """[k, c] features, [KINDS, k] chance of a reward, [P, KINDS, k] policies, [KINDS, 2] contexts."""
        rng = np.random.default_rng((self.seed, _OWN))
        features = rng.integers(0, self.words, (self.k, self.useful + self.idle))
        x = rng.normal(size=(KINDS, 2))
        worth = np.zeros((KINDS, self.k))
        for column in range(self.useful):
            slopes, level = rng.normal(size=(2, self.words)), rng.normal(size=self.words)
            worth += (x @ slopes + level)[:, features[:, column]]
        worth = worth / worth.std()
        own = rng.normal(size=(2, self.k))
        chance = special.expit(1.5 * worth - 1.5 + self.direct * own[1])
        logger = special.softmax(0.3 * worth + self.taste * own[0], axis=1)
        seeker = special.softmax(self.sharp * worth + self.taste * own[1], axis=1)
        return features.astype(np.int64), chance, np.stack([logger, seeker]), x

    @cached_property
    def truth(self) -> FloatArray:
        """[2] values of the logger and of the seeker."""
        _, chance, policies, _ = self._shape
        return np.asarray((policies * chance).sum(axis=2).mean(axis=1))

    def draw(self, seed: int) -> Drawn:
        """A log. Arguments: seed: of contexts, actions and rewards."""
        features, chance, policies, x = self._shape
        rng = np.random.default_rng((seed, _OWN, 1))
        kind = rng.integers(0, KINDS, self.n)
        action = one_each(policies[0][kind], rng)
        known = tuple(Probabilities.listed(each, kind) for each in policies)
        table = Decisions(
            policies=("logger", "seeker"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            action=action,
            reward=(rng.random(self.n) < chance[kind, action]).astype(float),
            propensity=policies[0][kind, action],
            target=np.column_stack([each[kind, action] for each in policies]),
            cluster=np.arange(self.n),
            weight=np.ones(self.n),
            probabilities=known,
            context=x[kind],
            context_names=("x0", "x1"),
            logging=known[:1] if self.logging else (),
            embedding=features,
            bounds=(0.0, 1.0),
        )
        return Drawn(table, self.truth)
