"""Decisions logged by two loggers, of which the second likes what the first avoids, in a world that knows the truth.

    π_1(a|x) ∝ exp(soft · x·B_a),      π_2(a|x) ∝ exp(other · x·B_a);      rewards and policies as in `sim.logs`

The number of rows of each logger is fixed. Limits: `other` = `soft` is one logger under two names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..stats.sampling import one_each
from ..tables.decisions import Probabilities, from_arrays
from .logs import Drawn, Log

_OWN = 7901


@dataclass(frozen=True)
class TwoLoggers(Log):
    """A world of decisions by two loggers; the target policies are those of `Log`, the first logger among them.

    Arguments:
        other: sharpness of the second logger; negative likes what the first avoids.
        share: of the rows that the first logger decides, in (0, 1).
    """

    other: float = -0.6
    share: float = 0.5

    def draw(self, seed: int) -> Drawn:
        """A log. Arguments: seed: of contexts, actions and rewards."""
        rng = np.random.default_rng((seed, _OWN))
        x, rows = rng.normal(size=(self.n, self.d)), np.arange(self.n)
        policies = self._policies(x)
        second = replace(self, soft=self.other)._policies(x)[0]
        logger = (rows >= round(self.share * self.n)).astype(np.int64)
        deciding = np.where(logger[:, None] == 0, policies[0], second)
        action = one_each(deciding, rng)
        table = from_arrays(
            action,
            (rng.random(self.n) < self._chance(x)[rows, action]).astype(float),
            deciding[rows, action],
            tuple(Probabilities.listed(policy, rows) for policy in policies),
            policies=("first", "half-way", "sharp"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            context=x,
            logger=logger,
            loggers=("first", "second"),
            bounds=(0.0, 1.0),
        )
        by_logger = np.column_stack([policies[0][rows, action], second[rows, action]])
        known = replace(table, by_logger=by_logger, logging=(Probabilities.listed(deciding, rows),))
        return Drawn(known, self.truth)
