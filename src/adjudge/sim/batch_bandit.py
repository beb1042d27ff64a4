"""A contextual bandit that is retrained, batch by batch, on what its own earlier versions logged; all values are known.

    q̂_g = ridge of r on (1, x) for each action,  on the rewards of generations g − memory … g − 1 that have arrived
    π_g(a|x, A) = 1/(|A| + γ·(max_A q̂_g − q̂_g(x, a)))  for all but the best, which has the rest        (`igw`)
    P(reward = 1 | x, a) = 1/(1 + e^{−(b_a + x·C_a + bend·sin(2x₁ + φ_a))})

The first generation is uniform. Each decision has its own set A of actions on offer. A reward arrives with its own
generation or, with chance `late`, one later, and so on; what has not arrived when the last generation ends is NaN.
The logger thus depends on rewards that stand in the same log: an evaluation world for estimators that were proved for
a logger that does not. With rewards 0 and 1 the value of a logger is also the class balance of the next window.

Vangara, Egg (2024), Contextual Bandits in Payment Processing: Non-uniform Exploration and Supervised Learning at Adyen;
Foster, Rakhlin (2020) (SquareCB). Limits: `bend` = 0 leaves the ridge the curve of the logistic alone to miss; γ → 0 is
uniform, γ → ∞ greedy; rewards do not drift, so that a wide memory is never stale. Measured here: fixed policies are
covered, by weights and by models; the balanced mixture of loggers leans low by up to 0.8 standard errors where batches
are small, since a reward raises its own row's later probabilities; `next` looks too good by 0.3 to 0.8.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import softmax

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.decisions import Decisions, Probabilities, from_arrays

CONTEXTS = 20_000
EXPLORE = ("igw", "epsilon", "uniform")
_OWN = 7883


@dataclass(frozen=True, eq=False)
class Generations:
    """The logs of all generations, and what is true of them.

    Arguments:
        world: that drew them.
        decisions: all generations in order; `logger` is the generation, `by_logger` knows all of them, `logging` the
            one that decided. The policies are `uniform`, `half-way`, `sharp` (fixed before any log) and `next`, which
            the last window made: it is valued on the log that it was fitted to.
        oracles: [G + 1, k, 1 + d] lines q̂_g of each generation, those of `next` last; 0 for the first.
        arrival: [n] generation at whose end the reward is known.
    """

    world: BatchBandit
    decisions: Decisions
    oracles: FloatArray
    arrival: IntArray

    @cached_property
    def loggers(self) -> FloatArray:
        """[G + 1] true value of each generation's logger, that of `next` last."""
        return np.array([self.world.value_of(g, oracle) for g, oracle in enumerate(self.oracles)])

    @cached_property
    def greedy(self) -> FloatArray:
        """[G] true value of always taking what the oracle of generations 1 … G likes best."""
        return np.array([self.world.value_of(1, oracle, greedy=True) for oracle in self.oracles[1:]])

    @cached_property
    def truth(self) -> FloatArray:
        """[4] true values of the policies of `decisions`."""
        return np.append(self.world.fixed, self.world.value_of(self.world.generations, self.oracles[-1]))

    def generation(self, g: int) -> Decisions:
        """What one generation logged. Arguments: g: 0 … generations − 1."""
        return self.decisions.take(self.decisions.logger == g)


@dataclass(frozen=True)
class BatchBandit:
    """A world of generations.

    Arguments:
        generations: G >= 2 batches.
        n: decisions of each.
        k: actions.
        d: context features, >= 1.
        offered: chance that an action is on offer at a decision, in (0, 1]; one always is.
        memory: generations in the window, >= 1.
        late: chance that a reward is a generation later still, in [0, 1).
        explore: `igw` (inverse-gap weighting), `epsilon` (greedy but for a share), `uniform`.
        gamma: γ of inverse-gap weighting, >= 0, per unit of reward.
        epsilon: share of uniform decisions, in [0, 1].
        penalty: of the ridge, > 0, in rows.
        bend: what lines cannot see.
        sharp: sharpness of the policy `sharp`; `half-way` has half of it.
        seed: of the world.

    Errors: another way to explore; fewer than two generations; a memory below 1; a chance outside its range.
    """

    generations: int = 5
    n: int = 307
    k: int = 7
    d: int = 2
    offered: float = 0.7
    memory: int = 1
    late: float = 0.1
    explore: str = "igw"
    gamma: float = 53.0
    epsilon: float = 0.1
    penalty: float = 1.0
    bend: float = 1.0
    sharp: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        sound = 0 < self.offered <= 1 and 0 <= self.late < 1 and 0 <= self.epsilon <= 1
        if self.explore not in EXPLORE or self.generations < 2 or self.memory < 1 or not sound:
            raise AdjudgeError(
                f"sim.batch_bandit: explore {self.explore!r}, {self.generations} generations, memory {self.memory}, "
                f"offered {self.offered}, late {self.late}, epsilon {self.epsilon}.",
                f"explore one of {', '.join(EXPLORE)}; two generations or more; memory >= 1; 0 < offered <= 1, "
                "0 <= late < 1, 0 <= epsilon <= 1.",
                "Change what is outside.",
            )

    @cached_property
    def _shape(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """[k] b, [d, k] C, [k] φ."""
        rng = np.random.default_rng((self.seed, _OWN))
        return rng.normal(0, 0.5, self.k), rng.normal(size=(self.d, self.k)), rng.uniform(0, 2 * np.pi, self.k)

    def _odds(self, x: FloatArray) -> FloatArray:
        base, slope, phase = self._shape
        return np.asarray(base + x @ slope + self.bend * np.sin(2 * x[:, :1] + phase))

    def _contexts(self, n: int, rng: np.random.Generator) -> tuple[FloatArray, BoolArray]:
        """[n, d] contexts and [n, k] actions on offer."""
        lot = rng.random((n, self.k))
        return rng.normal(size=(n, self.d)), (lot < self.offered) | (lot == lot.min(axis=1, keepdims=True))

    @cached_property
    def _sample(self) -> tuple[FloatArray, BoolArray, FloatArray]:
        """The contexts over which true values are means, the actions on offer, and every chance of a reward."""
        x, on = self._contexts(CONTEXTS, np.random.default_rng((self.seed, _OWN, 1)))
        return x, on, 1 / (1 + np.exp(-self._odds(x)))

    @cached_property
    def fixed(self) -> FloatArray:
        """[3] true values of `uniform`, `half-way` and `sharp`."""
        x, on, chance = self._sample
        return np.array([float((policy * chance).sum(axis=1).mean()) for policy in self._targets(x, on)])

    def value_of(self, g: int, oracle: FloatArray, *, greedy: bool = False) -> float:
        """True value of a logger.

        Arguments:
            g: generation, from 0.
            oracle: [k, 1 + d] its lines.
            greedy: whether it takes what it likes best, without exploring.
        """
        x, on, chance = self._sample
        if not greedy:
            return float((self._logger(g, oracle, x, on) * chance).sum(axis=1).mean())
        best = np.where(on, _lines(x) @ oracle.T, -np.inf).argmax(axis=1)
        return float(chance[np.arange(best.size), best].mean())

    def _targets(self, x: FloatArray, on: BoolArray) -> list[FloatArray]:
        odds = self._odds(x)
        return [_softmax(sharpness * odds, on) for sharpness in (0.0, self.sharp / 2, self.sharp)]

    def _logger(self, g: int, oracle: FloatArray, x: FloatArray, on: BoolArray) -> FloatArray:
        """[n, k] probabilities of generation g."""
        size, rows = on.sum(axis=1, keepdims=True), np.arange(on.shape[0])
        if g == 0 or self.explore == "uniform":
            return np.asarray(on / size)
        score = np.where(on, _lines(x) @ oracle.T, -np.inf)
        best = score.argmax(axis=1)
        gap = np.where(on, score[rows, best][:, None] - score, 0.0)
        chance = on / (size + self.gamma * gap) if self.explore == "igw" else on * self.epsilon / size
        chance[rows, best] = 0.0
        chance[rows, best] = 1 - chance.sum(axis=1)
        return np.asarray(chance)

    def fit(self, x: FloatArray, action: IntArray, reward: FloatArray) -> FloatArray:
        """[k, 1 + d] lines q̂ of each action, drawn to the mean reward; 0 without any row.

        Arguments:
            x: [n, d] contexts of the window's rows whose reward is known.
            action: [n] what was done.
            reward: [n].
        """
        if not reward.size:
            return np.zeros((self.k, 1 + self.d))
        z, mean = _lines(x), float(reward.mean())
        own = np.eye(self.k)[action]
        gram = np.einsum("na,ni,nj->aij", own, z, z, optimize=True) + self.penalty * np.eye(1 + self.d)
        lines = np.linalg.solve(gram, (own.T[:, :, None] * z).transpose(0, 2, 1) @ (reward - mean)[:, None])[..., 0]
        lines[:, 0] += mean
        return np.asarray(lines)

    def draw(self, seed: int) -> Generations:
        """The logs of all generations. Arguments: seed: of contexts, offers, actions, rewards and delays.

        >>> drawn = BatchBandit().draw(0)
        >>> drawn.decisions.n, drawn.loggers[-1] > drawn.loggers[0]
        (1535, np.True_)
        """
        rng, total = np.random.default_rng((seed, _OWN, 2)), self.generations * self.n
        x, on = self._contexts(total, rng)
        rows, born = np.arange(total), np.arange(total) // self.n
        lot, paid = rng.random((total, 1)), rng.random(total)
        late = rng.geometric(1 - self.late, total) - 1
        chance = 1 / (1 + np.exp(-self._odds(x)))
        deciding, action, reward = np.zeros((total, self.k)), np.zeros(total, dtype=np.int64), np.zeros(total)
        oracles = [np.zeros((self.k, 1 + self.d))]
        for g in range(self.generations):
            at = slice(g * self.n, (g + 1) * self.n)
            deciding[at] = self._logger(g, oracles[g], x[at], on[at])
            ladder = deciding[at].cumsum(axis=1)
            action[at] = (ladder > lot[at] * ladder[:, -1:]).argmax(axis=1)
            reward[at] = paid[at] < chance[rows[at], action[at]]
            window = (born > g - self.memory) & (born + late <= g) & (born <= g)
            oracles.append(self.fit(x[window], action[window], reward[window]))
        reward[born + late >= self.generations] = np.nan
        table = self._table(x, on, deciding, action, reward, born, np.array(oracles))
        return Generations(self, table, np.array(oracles), born + late)

    def _table(
        self,
        x: FloatArray,
        on: BoolArray,
        deciding: FloatArray,
        action: IntArray,
        reward: FloatArray,
        born: IntArray,
        oracles: FloatArray,
    ) -> Decisions:
        rows = np.arange(reward.size)
        every = [self._logger(g, oracle, x, on) for g, oracle in enumerate(oracles)]
        targets = (*self._targets(x, on), every[-1])
        made = from_arrays(
            action,
            reward,
            deciding[rows, action],
            tuple(Probabilities.listed(policy, rows) for policy in targets),
            policies=("uniform", "half-way", "sharp", "next"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            context=x,
            logger=born,
            loggers=tuple(f"generation {g}" for g in range(self.generations)),
            bounds=(0.0, 1.0),
        )
        by_logger = np.column_stack([each[rows, action] for each in every[:-1]])
        return replace(made, by_logger=by_logger, logging=(Probabilities.listed(deciding, rows),))


def oscillation(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[…] mean |V_{g+1} − V_g|, and […] share of the inner generations at which the direction turns.

    Values that vary about one level without any memory turn at 2/3 of them; those that swing to and fro at all, and
    those that rise or fall at none. Limits: fewer than three generations have no turn: NaN.

    Arguments:
        values: [..., G] of successive generations.

    >>> [round(float(each), 3) for each in oscillation(np.array([0.4, 0.6, 0.5, 0.7]))]
    [0.167, 1.0]
    """
    step = np.diff(values, axis=-1)
    turns = step[..., 1:] * step[..., :-1] < 0
    share = turns.mean(axis=-1) if turns.shape[-1] else np.full(values.shape[:-1], np.nan)
    return np.abs(step).mean(axis=-1), share


def _lines(x: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(x.shape[0]), x])


def _softmax(odds: FloatArray, on: BoolArray) -> FloatArray:
    """Row-wise, over what is on offer."""
    return np.asarray(softmax(np.where(on, odds, -np.inf), axis=1))
