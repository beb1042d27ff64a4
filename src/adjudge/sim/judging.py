"""Worlds of judged responses whose true policy values are known in closed form.

    z = q_p + σ_item·u_item + σ_response·e          latent quality of a response,  u, e ~ N(0, 1)
    gold = Φ(z)            (continuous)   or   Bernoulli(Φ(z))   (graded, binary, rare)
    score = Φ(z + shift_p + σ_judge·e')             or a binary verdict of given sensitivity and specificity
    value_p = E[gold] = Φ(q_p / √(1 + σ_item² + σ_response²))

so q_p is solved from the wanted value. The judge can be noisy, shifted for some policies (its error does not
transport), fooled by an adversarial policy (it sees the quality of the best one) and clustered; gold labels can be
rare, noisy, on a few policies only or drawn with unequal recorded propensities. Limit: σ_judge = 0 and no shift is a
judge that orders responses perfectly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Ratings

OUTCOMES = ("continuous", "graded", "binary")


@dataclass(frozen=True, slots=True)
class World:
    """A table and the truth behind it.

    Arguments:
        ratings: what a user would have.
        truth: [k] values of the policies over the whole population.
        gold: [n] the label that each row would get from a noiseless trusted rater.
    """

    ratings: Ratings
    truth: FloatArray
    gold: FloatArray


@dataclass(frozen=True, slots=True)
class Judging:
    """A population of judged responses; `draw(seed)` gives a sample of it.

    Arguments:
        truth: value of each policy, in (0, 1).
        items: prompts, answered by every policy.
        labels: gold labels in all, spread over `labelled` policies at random.
        outcome: `continuous` gold, `graded` (binary gold, graded judge) or `binary` (both binary).
        judge_noise: σ_judge.
        shift: shift of the judge by policy on the latent scale; empty for none.
        adversarial: policies whose judge score looks as if they had the best policy's quality.
        labelled: policies that may carry gold labels; empty for all.
        item_sd, response_sd: σ_item and σ_response.
        draws: responses of a policy to one prompt.
        cluster_size: prompts in one independent cluster (they share u).
        sensitivity, specificity: of the binary judge.
        raters: gold raters per labelled row; each adds N(0, rater_sd²) noise to a continuous gold or flips a binary
            one with probability rater_sd.
        rater_sd: see `raters`.
        unequal: 0 gives every row the same chance of a label; above it, chances grow with |score − ½| by that factor,
            and are recorded.
    """

    truth: tuple[float, ...] = (0.7, 0.65, 0.6, 0.5, 0.4)
    items: int = 1000
    labels: int = 250
    outcome: str = "continuous"
    judge_noise: float = 0.5
    shift: tuple[float, ...] = ()
    adversarial: tuple[int, ...] = ()
    labelled: tuple[int, ...] = ()
    item_sd: float = 0.6
    response_sd: float = 0.6
    draws: int = 1
    cluster_size: int = 1
    sensitivity: float = 0.95
    specificity: float = 0.60
    raters: int = 1
    rater_sd: float = 0.0
    unequal: float = 0.0

    def __post_init__(self) -> None:
        if self.outcome not in OUTCOMES:
            raise AdjudgeError(
                f"sim.judging: outcome is {self.outcome!r}.", f"One of {', '.join(OUTCOMES)}.", "Name one of them."
            )
        if not all(0 < value < 1 for value in self.truth):
            raise AdjudgeError(f"sim.judging: truth is {self.truth}.", "Values inside (0, 1).", "Move them inside.")

    def draw(self, seed: int) -> World:
        """A sample of the population with its labels; the same seed gives the same world."""
        rng = np.random.default_rng(seed)
        k, per_policy = len(self.truth), self.items * self.draws
        policy = np.repeat(np.arange(k), per_policy)
        item = np.tile(np.repeat(np.arange(self.items), self.draws), k)
        cluster = item // self.cluster_size
        quality = special.ndtri(self.truth) * np.sqrt(1 + self.item_sd**2 + self.response_sd**2)
        taste = rng.standard_normal(int(cluster.max()) + 1)
        noise = self.item_sd * taste[cluster] + self.response_sd * rng.standard_normal(policy.size)
        chance = special.ndtr(quality[policy] + noise)
        gold = chance if self.outcome == "continuous" else (rng.random(policy.size) < chance).astype(float)
        score = self._score(rng, quality, policy, noise, gold)
        propensity = self._propensity(score, policy)
        chosen = self._choose(rng, propensity)
        seen, variance = self._rate(rng, gold)
        ratings = Ratings(
            policies=tuple(f"p{index:02d}" for index in range(k)),
            judges=("judge",),
            policy=policy,
            item=item,
            cluster=cluster,
            score=score[:, None],
            gold=np.where(chosen, seen, np.nan),
            weight=np.ones(policy.size),
            propensity=propensity if self.unequal else np.full(policy.size, np.nan),
            gold_variance=np.where(chosen, variance, 0.0),
            covariates=np.empty((policy.size, 0)),
            bounds=(-np.inf, np.inf) if self.rater_sd and self.outcome == "continuous" else (0.0, 1.0),
        )
        return World(ratings, np.array(self.truth), gold)

    def _score(
        self, rng: np.random.Generator, quality: FloatArray, policy: IntArray, noise: FloatArray, gold: FloatArray
    ) -> FloatArray:
        if self.outcome == "binary":
            u = rng.random(gold.size)
            return np.where(gold == 1, u < self.sensitivity, u < 1 - self.specificity).astype(float)
        seen = quality.copy()
        seen[list(self.adversarial)] = quality.max()
        seen += np.array(self.shift or np.zeros(quality.size))
        return special.ndtr(seen[policy] + noise + self.judge_noise * rng.standard_normal(gold.size))

    def _propensity(self, score: FloatArray, policy: IntArray) -> FloatArray:
        size = 1 + self.unequal * np.abs(score - 0.5) * 2
        if self.labelled:
            size = size * np.isin(policy, self.labelled)
        return np.minimum(size * (self.labels / size.sum()), 1.0)

    def _choose(self, rng: np.random.Generator, propensity: FloatArray) -> BoolArray:
        if self.unequal:  # Poisson sampling: each row by its own recorded chance
            return rng.random(propensity.size) < propensity
        chosen = np.zeros(propensity.size, dtype=bool)
        chosen[rng.choice(np.flatnonzero(propensity > 0), size=self.labels, replace=False)] = True
        return chosen

    def _rate(self, rng: np.random.Generator, gold: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[n] mean over the raters and [n] its estimated variance around the row's truth."""
        if not self.rater_sd:
            return gold, np.zeros(gold.size)
        shape = (gold.size, self.raters)
        if self.outcome == "continuous":
            votes = gold[:, None] + self.rater_sd * rng.standard_normal(shape)
        else:
            votes = np.where(rng.random(shape) < self.rater_sd, 1 - gold[:, None], gold[:, None])
        variance = votes.var(axis=1, ddof=1) / self.raters if self.raters > 1 else np.zeros(gold.size)
        return votes.mean(axis=1), variance
