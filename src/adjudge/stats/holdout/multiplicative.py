"""Answers very many questions about a holdout over a small domain, by a public guess that learns from its mistakes.

    a = E_h[φ] + Lap(σ)                                         h: [N] histogram of the holdout
    told  E_g[φ]   if |a − E_g[φ]| <= T,       g: [N] the public guess, uniform at first
          a        otherwise, and   g_x ∝ g_x·e^{±2T·φ(x)},   towards a

A guess that errs by |Δ| >= T/2 is moved, and each move brings it nearer to h in relative entropy by 2T|Δ| − T²/2 at
least (Hoeffding's lemma). That entropy is at most log N: so there are at most `updates(N, T)` moves while the noise
stays below T/2, however many questions are asked. The guess itself is public.

Dwork, Feldman, Hardt, et al. (2015), Preserving statistical validity in adaptive data analysis, STOC (Theorem 3);
Hardt and Rothblum (2010), A multiplicative weights mechanism for privacy-preserving data analysis, FOCS.
Limits: N = 1 is never updated; T = 0 is noisy answers to everything.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from ..._typing import ArrayLike, FloatArray
from ...errors import AdjudgeError
from .guard import Answer

PRIME = 32_452_843


@dataclass(frozen=True, slots=True)
class Weights:
    """What the mechanism remembers.

    Arguments:
        histogram: [N] shares of the holdout, secret.
        guess: [N] log-weights of the public guess.
        budget: updates that are left to make in all.
        scale: σ.
        threshold: T.
        seed: of the noise; secret.
        asked, spent: questions and updates so far.
    """

    histogram: tuple[float, ...]
    guess: tuple[float, ...]
    budget: int
    scale: float
    threshold: float
    seed: int
    asked: int = 0
    spent: int = 0

    @property
    def public(self) -> FloatArray:
        """[N] the guess, which answers any question for nothing."""
        weight = np.exp(np.array(self.guess) - max(self.guess))
        return np.asarray(weight / weight.sum())

    def to_json(self) -> str:
        """The state as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Weights:
        """The state that `to_json` wrote."""
        found = json.loads(text)
        return cls(**{**found, "histogram": tuple(found["histogram"]), "guess": tuple(found["guess"])})


def updates(domain: int, threshold: float) -> int:
    """The most updates there can be while no noise exceeds T/2: ⌈2·log N/T²⌉.

    >>> updates(1024, 0.1)
    1387
    """
    return math.ceil(2 * math.log(domain) / threshold**2)


def init(counts: ArrayLike, *, threshold: float, scale: float | None = None, budget: int | None = None, seed: int = 0
) -> Weights:  # fmt: skip
    """A mechanism that has not been asked anything.

    Arguments:
        counts: [N] rows of the holdout at each point of the domain.
        threshold: T, the error that is tolerated, in (0, 1).
        scale: σ of the noise; by default 1/√n.
        budget: updates; by default as many as there can be, see `updates`.
        seed: of the noise.
    """
    rows = np.asarray(counts, dtype=float)
    if rows.ndim != 1 or rows.sum() < 1 or np.any(rows < 0) or not 0 < threshold < 1:
        raise AdjudgeError(
            f"holdout: {rows.size} counts that sum to {rows.sum():g}, threshold {threshold:g}.",
            "One count for each point of the domain, a row at least, and a threshold in (0, 1).",
            "Count the holdout's rows by point.",
        )
    share = tuple((rows / rows.sum()).tolist())
    sigma = 1 / math.sqrt(rows.sum()) if scale is None else scale
    most = updates(max(rows.size, 2), threshold) if budget is None else budget
    return Weights(share, (0.0,) * rows.size, most, sigma, threshold, seed)


def ask(state: Weights, query: ArrayLike) -> tuple[Answer, Weights]:
    """The answer to one question, and the state after it.

    Arguments:
        state: the state.
        query: [N] φ at each point of the domain, in [0, 1].

    >>> state = init([90, 10], threshold=0.1, scale=0.0)
    >>> answer, state = ask(state, [1.0, 0.0])
    >>> answer.value, state.public.round(2).tolist()
    (0.9, [0.55, 0.45])
    """
    phi = np.asarray(query, dtype=float)
    if phi.shape != (len(state.histogram),) or np.any((phi < 0) | (phi > 1)):
        raise AdjudgeError(
            f"holdout: a question of shape {phi.shape}.",
            f"A number in [0, 1] for each of {len(state.histogram)} points.",
            "Rescale it.",
        )
    guessed = float(state.public @ phi)
    if state.spent >= state.budget:
        return Answer(math.nan, math.nan), state
    rng = np.random.default_rng((state.seed, state.asked, PRIME))
    seen = float(np.array(state.histogram) @ phi) + float(rng.laplace(0, state.scale)) * (state.scale > 0)
    after = replace(state, asked=state.asked + 1)
    if abs(seen - guessed) <= state.threshold:
        return Answer(guessed, 0.0), after
    guess = np.array(state.guess) + math.copysign(2 * state.threshold, seen - guessed) * phi
    return Answer(seen, 2 * state.scale**2, surprised=True), replace(
        after, spent=state.spent + 1, guess=tuple((guess - guess.max()).tolist())
    )
