"""Prompts with k possible responses each, rewarded by a known table: exact policy gradients, and sampled ones.

    J(θ) = Σ_x ρ(x) Σ_y π_θ(y|x)·r(x, y),      ∂J/∂θ_xy = ρ(x)·π_θ(y|x)·(r(x, y) − Σ_y' π_θ(y'|x)·r(x, y'))

The policy is a table of logits [p, k]. `enumerated` gives every response once, weighted by the chance of being sampled:
a mean over it is an expectation. Limits: a response is one number; prompts share no parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from .._typing import FloatArray, IntArray
from ..tables.rollouts import Rollouts


@dataclass(frozen=True, slots=True, eq=False)
class TabularPrompts:
    """The world.

    Arguments:
        reward: [p, k] true reward of each response to each prompt.
        share: [p] how often each prompt is asked, >= 0, sums to 1.
    """

    reward: FloatArray
    share: FloatArray

    def value(self, logits: FloatArray) -> float:
        """J(θ), the mean reward of a policy."""
        return float(self.share @ (chances(logits) * self.reward).sum(axis=1))

    def gradient(self, logits: FloatArray) -> FloatArray:
        """[p, k] ∂J/∂θ."""
        chance = chances(logits)
        lead = self.reward - (chance * self.reward).sum(axis=1, keepdims=True)
        return self.share[:, None] * chance * lead

    def enumerated(self, logits: FloatArray) -> tuple[Rollouts, IntArray]:
        """Every response to every prompt, prompt by prompt, weighted by its chance; and which response it is.

        Arguments:
            logits: [p, k] of the policy that samples.
        """
        p, k = self.reward.shape
        prompt, response = np.repeat(np.arange(p), k), np.tile(np.arange(k), p)
        weight = (self.share[:, None] * chances(logits)).ravel()
        return Rollouts(self.reward.ravel(), prompt, weight=weight), response

    def draw(self, logits: FloatArray, k: int, rng: np.random.Generator) -> tuple[Rollouts, IntArray]:
        """k responses to every prompt, prompt by prompt; and which they are.

        Arguments:
            logits: [p, k'] of the policy that samples.
            k: responses to a prompt, >= 1.
            rng: of the draws.
        """
        p = self.reward.shape[0]
        below = rng.random((p, k))[:, :, None] > chances(logits).cumsum(axis=1)[:, None, :]
        response = np.minimum(below.sum(axis=2), self.reward.shape[1] - 1).ravel()
        prompt = np.repeat(np.arange(p), k)
        return Rollouts(self.reward[prompt, response], prompt), response


def step(logits: FloatArray, prompt: IntArray, response: IntArray, weighted: FloatArray) -> FloatArray:
    """[p, k] Σ_i a_i ∂log π(y_i|x_i)/∂θ of weighted advantages a: the policy-gradient estimate of sampled responses."""
    lead = np.zeros_like(logits)
    np.add.at(lead, (prompt, response), weighted)
    return lead - chances(logits) * lead.sum(axis=1, keepdims=True)


def chances(logits: FloatArray) -> FloatArray:
    """[p, k] softmax along the responses.

    >>> chances(np.zeros((1, 4))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    return np.asarray(softmax(logits, axis=1))
