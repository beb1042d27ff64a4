"""Answers questions about a holdout so that the answers do not give the holdout away.

    empirical      E_H[φ]                                               what everybody does, and what goes wrong
    split          E_F[φ] on a fold F of its own for every question     n/k rows each, no reuse
    laplace        E_H[φ] + Lap(σ)                                      gaussian: N(0, σ²)
    thresholdout   E_T[φ]             if |E_H[φ] − E_T[φ]| <= T + γ + Lap(4σ),         γ ~ Lap(2σ)
                   E_H[φ] + Lap(σ)    otherwise: one of `budget` surprises is spent, and γ drawn anew

A `Guard` is a state: `ask` returns an answer and the next state, and nothing else changes. It is a few numbers, so a
leaderboard can write it to disk between two submissions and go on as if it had never stopped. The noise of question j
comes from (seed, j): who knows the seed can subtract it, so keep it as secret as the holdout.

Dwork, Feldman, Hardt, et al. (2015), Preserving statistical validity in adaptive data analysis, STOC (noisy answers);
Dwork, Feldman, Hardt, et al. (2015), The reusable holdout, Science 349 (Thresholdout). Limits: σ = 0 is `empirical`;
a threshold of 1 never looks at the holdout; budget 0 refuses.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace

import numpy as np

from ...errors import AdjudgeError

KINDS = ("empirical", "split", "laplace", "gaussian", "thresholdout")
PRIME = 15_485_863


@dataclass(frozen=True, slots=True)
class Guard:
    """What a guarded holdout remembers.

    Arguments:
        kind: one of `KINDS`.
        rows: n, independent units of the holdout.
        budget: questions that may be answered; with Thresholdout, surprises.
        scale: σ, of the noise, in the unit of the answers.
        threshold: T of Thresholdout.
        seed: of the noise; secret.
        asked: questions so far.
        spent: of the budget.
        gate: T + γ, the noisy threshold now in force.
    """

    kind: str
    rows: int
    budget: int
    scale: float
    threshold: float
    seed: int
    asked: int = 0
    spent: int = 0
    gate: float = math.inf

    @property
    def open(self) -> bool:
        """Whether another question will be answered."""
        return self.spent < self.budget

    def to_json(self) -> str:
        """The state as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Guard:
        """The state that `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is told.

    Arguments:
        value: the answer; NaN when the budget is spent.
        variance: of the noise that was added.
        surprised: whether Thresholdout found the training value untrue and spent budget.
    """

    value: float
    variance: float
    surprised: bool = False


def init(
    kind: str, rows: int, *, budget: int, scale: float | None = None, threshold: float | None = None, seed: int = 0
) -> Guard:
    """A holdout that has not been asked anything.

    Arguments:
        kind: one of `KINDS`.
        rows: n, independent units of the holdout, >= 1; answers are means of values in [0, 1] over them.
        budget: questions (Thresholdout: surprises) that may be answered.
        scale: σ; by default 1/√n for laplace and gaussian, ¼/√n for Thresholdout.
        threshold: T; by default √2/√n, two standard deviations of holdout − training mean of a fair coin.
        seed: of the noise.

    >>> guard = init("gaussian", 10_000, budget=2, scale=0.01, seed=5)
    >>> answer, guard = ask(guard, 0.7)
    >>> round(answer.value, 2), round(answer.variance, 6), guard.open
    (0.67, 0.0001, True)
    """
    if kind not in KINDS:
        raise AdjudgeError(f"holdout: kind is {kind!r}.", f"One of {', '.join(KINDS)}.", "Name one of them.")
    sigma = (0.25 if kind == "thresholdout" else 1.0) / math.sqrt(max(rows, 1)) if scale is None else scale
    at = math.sqrt(2.0 / max(rows, 1)) if threshold is None else threshold
    if rows < 1 or budget < 0 or not (sigma >= 0 and at >= 0):
        raise AdjudgeError(
            f"holdout: rows {rows}, budget {budget}, scale {sigma:g}, threshold {at:g}.",
            "At least one row, and nothing negative.",
            "Change them.",
        )
    guard = Guard(kind, rows, budget, 0.0 if kind in ("empirical", "split") else sigma, at, seed)
    return _new_gate(guard, _draws(guard)) if kind == "thresholdout" else guard


def fold(guard: Guard, position: np.ndarray) -> np.ndarray:
    """[n] whether each row, at a position 0 … n−1 in a secret order, belongs to the fold of the next question.

    All rows, unless the kind is `split`.
    """
    if guard.kind != "split":
        return np.ones(position.shape, dtype=bool)
    return np.asarray(position * max(guard.budget, 1) // guard.rows == guard.spent)


def ask(guard: Guard, holdout: float, train: float = math.nan) -> tuple[Answer, Guard]:
    """The answer to one question, and the state after it; the old state is untouched.

    Arguments:
        guard: the state.
        holdout: mean of φ over the holdout (`split`: over `fold`), φ in [0, 1].
        train: mean of φ over the public training rows; Thresholdout needs it.

    Raises `AdjudgeError` when Thresholdout is asked without a training value.
    """
    if not guard.open:
        return Answer(math.nan, math.nan), guard
    if guard.kind == "thresholdout":
        return _thresholdout(guard, holdout, train)
    rng, after = _draws(guard), replace(guard, asked=guard.asked + 1, spent=guard.spent + 1)
    if guard.kind == "laplace":
        return Answer(holdout + rng.laplace(0, guard.scale), 2 * guard.scale**2), after
    return Answer(holdout + guard.scale * rng.standard_normal(), guard.scale**2), after


def _thresholdout(guard: Guard, holdout: float, train: float) -> tuple[Answer, Guard]:
    if not math.isfinite(train):
        raise AdjudgeError(
            "holdout: Thresholdout was asked without a training value.",
            "It compares the holdout with what the analyst can see.",
            "Pass train=, or use kind='gaussian'.",
        )
    rng, after = _draws(guard), replace(guard, asked=guard.asked + 1)
    if not abs(holdout - train) > guard.gate + rng.laplace(0, 4 * guard.scale):
        return Answer(train, 0.0), after
    told = Answer(holdout + rng.laplace(0, guard.scale), 2 * guard.scale**2, surprised=True)
    return told, _new_gate(replace(after, spent=guard.spent + 1), rng)


def _draws(guard: Guard) -> np.random.Generator:
    return np.random.default_rng((guard.seed, guard.asked, PRIME))


def _new_gate(guard: Guard, rng: np.random.Generator) -> Guard:
    return replace(guard, gate=guard.threshold + float(rng.laplace(0, 2 * guard.scale)))
