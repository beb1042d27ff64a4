"""Logged episodes of a finite Markov decision process whose policies' values are known exactly.

    V^π = μ·Σ_{t<H} γᵗ P_πᵗ r_π      with a horizon,      μ·(I − γP_π)⁻¹ r_π      without one

Transitions are drawn once for each world, Dirichlet by state and action; policies are softmaxes of the world's own
optimal Q-values, the logger's flatter than the targets'. Rewards are 0 or 1. Limits: `ending` = 0 never ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import FloatArray
from ..stats.sampling import one_each
from ..tables.decisions import Probabilities
from ..tables.trajectories import Trajectories

_OWN = 7907
SWEEPS = 400  # of value iteration


@dataclass(frozen=True, slots=True, eq=False)
class DrawnEpisodes:
    """Episodes with the [P] values that their policies have in truth."""

    trajectories: Trajectories
    truth: FloatArray


@dataclass(frozen=True)
class Episodes:
    """A world of logged episodes.

    Arguments:
        m: episodes.
        steps: at which the log cuts an episode; the horizon too, unless `endless`.
        S, k: states and actions.
        soft: sharpness of the logger; 0 is uniform.
        sharp: sharpness of the last policy; the first is the logger itself, the second half-way.
        discount: γ.
        ending: chance that a step ends its episode.
        endless: whether the value goes on after the cut; wants discount < 1 or an `ending`.
        seed: of the world.
    """

    m: int = 211
    steps: int = 7
    S: int = 5
    k: int = 3
    soft: float = 0.5
    sharp: float = 3.0
    discount: float = 1.0
    ending: float = 0.0
    endless: bool = False
    seed: int = 0

    @cached_property
    def _shape(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """[S, k, S] transitions, [S, k] chances of a reward, [S] start."""
        rng = np.random.default_rng((self.seed, _OWN))
        return (
            rng.dirichlet(np.full(self.S, 0.5), (self.S, self.k)),
            rng.beta(0.7, 0.7, (self.S, self.k)),
            rng.dirichlet(np.ones(self.S)),
        )

    @cached_property
    def policies(self) -> FloatArray:
        """[3, S, k] the logger, half-way, sharp."""
        moves, paid, _ = self._shape
        q, keep = paid.copy(), min(self.discount * (1 - self.ending), 0.9)
        for _ in range(SWEEPS):
            q = paid + keep * moves @ q.max(axis=1)
        scores = (q - q.mean(axis=1, keepdims=True)) / max(float(q.std()), 1e-12)
        sharpness = np.array([self.soft, (self.soft + self.sharp) / 2, self.sharp])
        odds = np.exp(sharpness[:, None, None] * (scores - scores.max(axis=1, keepdims=True)))
        return np.asarray(odds / odds.sum(axis=2, keepdims=True))

    @cached_property
    def truth(self) -> FloatArray:
        """[P] values of the policies."""
        return np.array([self.value_of(policy) for policy in self.policies])

    def value_of(self, policy: FloatArray) -> float:
        """The value of any policy. Arguments: policy: [S, k] probabilities, each row summing to 1."""
        moves, paid, start = self._shape
        keep = self.discount * (1 - self.ending)
        step, mean = np.einsum("sk,skt->st", policy, moves), (policy * paid).sum(axis=1)
        if self.endless:
            return float(start @ np.linalg.solve(np.eye(self.S) - keep * step, mean))
        value = np.zeros(self.S)
        for _ in range(self.steps):
            value = mean + keep * step @ value
        return float(start @ value)

    def draw(self, seed: int) -> DrawnEpisodes:
        """Episodes of the logger. Arguments: seed: of starts, actions, rewards and moves."""
        rng = np.random.default_rng((seed, _OWN, 2))
        moves, paid, start = self._shape
        state = rng.choice(self.S, self.m, p=start)
        alive, rows = np.arange(self.m), []
        for t in range(self.steps):
            action = one_each(self.policies[0][state], rng)
            reward = (rng.random(state.size) < paid[state, action]).astype(float)
            after = one_each(moves[state, action], rng)
            ended = rng.random(state.size) < self.ending
            rows.append(np.column_stack([alive, np.full(state.size, t), state, action, reward, after, ended]))
            alive, state = alive[~ended], after[~ended]
        table = np.concatenate(rows)
        table = table[np.lexsort((table[:, 1], table[:, 0]))]
        return DrawnEpisodes(self._table(table), self.truth)

    def _table(self, rows: FloatArray) -> Trajectories:
        episode, _, state, action, _, after, _ = rows.T.astype(np.int64)
        return Trajectories(
            policies=("logger", "half-way", "sharp"),
            actions=tuple(f"a{number}" for number in range(self.k)),
            action=action,
            reward=rows[:, 4],
            propensity=self.policies[0][state, action],
            target=self.policies[:, state, action].T,
            episode=episode,
            cluster=np.arange(self.m),
            state=state,
            next_state=after,
            terminal=rows[:, 6] > 0,
            states=tuple(f"s{number}" for number in range(self.S)),
            features=np.eye(self.S)[state],
            next_features=np.eye(self.S)[after],
            probabilities=tuple(Probabilities.listed(policy, state) for policy in self.policies),
            next_probabilities=tuple(Probabilities.listed(policy, after) for policy in self.policies),
            discount=self.discount,
            horizon=None if self.endless else self.steps,
            bounds=(0.0, 1.0),
        )
