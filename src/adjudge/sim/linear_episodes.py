"""Logged episodes whose states are points, not codes: linear dynamics with Gaussian noise, rewards in a known form.

    x' = A x + b_a + σ ε,      r = c·x + u_a + x·d_a + bend·(x₁² − 1) + σ ε'
    π(a|x) ∝ exp(sharp·(g_a + lean·x·h_a))

Values are means over many long runs of each policy, of expected rewards, drawn once for a world; `error` is their own
standard error. With lean = 0 and bend = 0 a Q-function is linear in x; with bend it is not. Limits: rewards have no
range; ending = 0 never ends by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import softmax

from .._typing import FloatArray, IntArray
from ..stats.sampling import one_each
from ..tables.decisions import Probabilities
from ..tables.trajectories import Trajectories
from .episodes import DrawnEpisodes

_OWN = 7919
RUNS = 50_000  # of each policy behind its truth
LEAST = 1e-3  # share of the value beyond which an endless run is not followed
POLICIES = ("logger", "half-way", "sharp")


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """The world's own numbers: A [d, d], b [k, d], c [d], u [k], d_a [k, d], g [k], h [k, d]."""

    turn: FloatArray
    push: FloatArray
    slope: FloatArray
    paid: FloatArray
    own: FloatArray
    drawn: FloatArray
    leaning: FloatArray


@dataclass(frozen=True)
class LinearEpisodes:
    """A world of logged episodes with states in d dimensions.

    Arguments:
        m: episodes.
        steps: at which the log cuts an episode; the horizon too, unless `endless`.
        d, k: dimensions of the state, and actions.
        soft: sharpness of the logger; 0 is uniform.
        sharp: sharpness of the last policy; the first is the logger itself, the second half-way.
        lean: how much policies look at the state.
        bend: how far the reward is from linear.
        noise: standard deviation of the moves' noise and of the reward's.
        discount: γ.
        ending: chance that a step ends its episode.
        endless: whether the value goes on after the cut; wants discount < 1 or an `ending`.
        seed: of the world.
    """

    m: int = 211
    steps: int = 5
    d: int = 2
    k: int = 3
    soft: float = 0.3
    sharp: float = 1.0
    lean: float = 1.0
    bend: float = 0.0
    noise: float = 0.5
    discount: float = 1.0
    ending: float = 0.0
    endless: bool = False
    seed: int = 0

    @cached_property
    def _shape(self) -> _Shape:
        rng, d, k = np.random.default_rng((self.seed, _OWN)), self.d, self.k
        turn = rng.normal(size=(d, d))
        turn *= 0.7 / max(float(np.abs(np.linalg.eigvals(turn)).max()), 1e-12)
        push, own, leaning = (scale * rng.normal(size=(k, d)) for scale in (0.5, 0.3, 1.0))
        return _Shape(turn, push, rng.normal(size=d), rng.normal(size=k), own, rng.normal(size=k), leaning)

    def chances(self, policy: int) -> Callable[[FloatArray], FloatArray]:
        """[r, d] states -> [r, k] probabilities of a policy. Arguments: policy: 0 the logger, 1 half-way, 2 sharp."""
        sharp, shape = (self.soft, (self.soft + self.sharp) / 2, self.sharp)[policy], self._shape

        def at(x: FloatArray) -> FloatArray:
            scores = sharp * (shape.drawn + self.lean * x @ shape.leaning.T)
            return np.asarray(softmax(scores, axis=1))

        return at

    def _mean(self, x: FloatArray, action: IntArray) -> FloatArray:
        """[r] expected rewards."""
        shape = self._shape
        linear = x @ shape.slope + shape.paid[action] + (x * shape.own[action]).sum(axis=1)
        return np.asarray(linear + self.bend * (x[:, 0] ** 2 - 1))

    def _move(self, x: FloatArray, action: IntArray, rng: np.random.Generator) -> FloatArray:
        shape = self._shape
        return np.asarray(x @ shape.turn.T + shape.push[action] + self.noise * rng.normal(size=x.shape))

    @cached_property
    def _runs(self) -> FloatArray:
        """[P, RUNS] discounted expected rewards of long runs."""
        keep = self.discount * (1 - self.ending)
        steps = int(np.ceil(np.log(LEAST) / np.log(keep))) if self.endless else self.steps
        found = np.zeros((len(POLICIES), RUNS))
        for p in range(len(POLICIES)):
            rng, chances = np.random.default_rng((self.seed, _OWN, 3)), self.chances(p)
            x = rng.normal(size=(RUNS // 2, self.d))
            x = np.concatenate([x, -x])
            for t in range(steps):
                action = one_each(chances(x), rng)
                found[p] += keep**t * self._mean(x, action)
                x = self._move(x, action, rng)
        return found

    @cached_property
    def truth(self) -> FloatArray:
        """[P] values of the policies."""
        return np.asarray(self._runs.mean(axis=1))

    @cached_property
    def error(self) -> FloatArray:
        """[P] standard errors of `truth`, as if runs were not paired by opposite starts."""
        return np.asarray(self._runs.std(axis=1) / np.sqrt(RUNS))

    def draw(self, seed: int) -> DrawnEpisodes:
        """Episodes of the logger. Arguments: seed: of starts, actions, rewards and moves."""
        rng, logger = np.random.default_rng((seed, _OWN, 2)), self.chances(0)
        x, alive, rows = rng.normal(size=(self.m, self.d)), np.arange(self.m), []
        for t in range(self.steps):
            action = one_each(logger(x), rng)
            reward = self._mean(x, action) + self.noise * rng.normal(size=alive.size)
            after = self._move(x, action, rng)
            ended = rng.random(alive.size) < self.ending
            rows.append(np.column_stack([alive, np.full(alive.size, t), action, ended, reward, x, after]))
            alive, x = alive[~ended], after[~ended]
        table = np.concatenate(rows)
        return DrawnEpisodes(self._table(table[np.lexsort((table[:, 1], table[:, 0]))]), self.truth)

    def _table(self, rows: FloatArray) -> Trajectories:
        (episode, _, action, ended), x, after = rows[:, :4].T.astype(int), rows[:, 5 : 5 + self.d], rows[:, -self.d :]
        before, next_ = ([self.chances(p)(at) for p in range(len(POLICIES))] for at in (x, after))
        own, each = np.arange(rows.shape[0]), np.stack(before)
        return Trajectories(
            policies=POLICIES,
            actions=tuple(f"a{number}" for number in range(self.k)),
            action=action,
            reward=rows[:, 4],
            propensity=each[0, own, action],
            target=each[:, own, action].T,
            episode=episode,
            cluster=np.arange(self.m),
            state=np.zeros(own.size, dtype=np.int64),
            next_state=np.zeros(own.size, dtype=np.int64),
            terminal=ended > 0,
            features=x,
            next_features=after,
            probabilities=tuple(Probabilities.listed(one, own) for one in before),
            next_probabilities=tuple(Probabilities.listed(one, own) for one in next_),
            discount=self.discount,
            horizon=None if self.endless else self.steps,
        )
