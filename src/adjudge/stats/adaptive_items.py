"""Asks the next task where it tells most, and stops when the ability is known well enough.

    I(θ) = a²·(1 − P)/P·((P − c)/(1 − c))²     of one task,  P = c + (1 − c)/(1 + e^{−a(θ − b)})
    next = argmax over tasks not yet asked of I(E[θ | answers]);     stop when sd(θ | answers) <= precision

The ability is the mean of its posterior under a normal prior, on an even grid.

Lord, F. (1980), Applications of Item Response Theory to Practical Testing Problems. Birnbaum (1968) (information).
Limits: c = 0 gives a²P(1 − P); a precision of 0 asks every task. Asking the likeliest tasks again and again wears them
out: rotate among the best few where answers can leak.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import ArrayLike, BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError

GRID = np.linspace(-6.0, 6.0, 241)


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """What is known of some tasks.

    Arguments:
        item: [t] codes of the tasks.
        difficulty: [t] b, the ability that solves it half of the time (without guessing).
        discrimination: [t] a > 0.
        guess: c, chance of solving it without ability.
        stderr: [t, 2] standard errors of difficulty and of log discrimination.
        infit: [t] Σ(y − P)²/Σ P(1 − P): 1 where the model fits, higher where answers are more erratic than it allows.
    """

    item: IntArray
    difficulty: FloatArray
    discrimination: FloatArray
    guess: float
    stderr: FloatArray
    infit: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """How an adaptive test went.

    Arguments:
        ability, stderr: mean and standard deviation of the ability given the answers.
        asked: positions of the tasks in the order they were asked.
        answers: what was answered to each.
    """

    ability: float
    stderr: float
    asked: tuple[int, ...]
    answers: tuple[float, ...]


def information(
    theta: ArrayLike, difficulty: ArrayLike, discrimination: ArrayLike, *, guess: float = 0.0
) -> FloatArray:
    """Fisher information about θ in one answer, elementwise.

    >>> information(0.0, 0.0, [1.0, 2.0]).tolist()
    [0.25, 1.0]
    """
    a = np.asarray(discrimination, dtype=float)
    p = special.expit(a * (np.asarray(theta, dtype=float) - np.asarray(difficulty, dtype=float)))
    P = guess + (1 - guess) * p
    return np.asarray(a**2 * (1 - p) * (1 - guess) * np.divide(p, P, out=np.ones_like(P), where=p < P) * p)


def next_item(theta: float, items: Items, asked: BoolArray) -> int:
    """Position of the task not yet asked that tells most about θ; the first of equals, −1 when none is left."""
    told = np.where(asked, -1.0, information(theta, items.difficulty, items.discrimination, guess=items.guess))
    return int(np.argmax(told)) if not asked.all() else -1


def adaptive(
    items: Items,
    answer: Callable[[int], float],
    *,
    precision: float = 0.3,
    most: int | None = None,
    prior: tuple[float, float] = (0.0, 1.5),
) -> Asked:
    """Asks tasks one by one until the ability is known to `precision`.

    Arguments:
        items: the tasks with their parameters, such as of `ranking.item_response.items`.
        answer: position of a task -> 1 solved, 0 not, or a part of it.
        precision: standard deviation of the posterior at which to stop, in logits.
        most: tasks asked at most; all by default.
        prior: mean and standard deviation of abilities before any answer.

    Errors: an answer outside [0, 1].

    >>> bank = Items(np.arange(9), np.linspace(-2, 2, 9), np.full(9, 1.5), 0.0, np.zeros((9, 2)), np.ones(9))
    >>> adaptive(bank, lambda i: float(bank.difficulty[i] < 0.7), most=4).asked
    (4, 6, 5, 7)
    """
    log_posterior = -(((GRID - prior[0]) / prior[1]) ** 2) / 2
    done, given = np.zeros(items.item.size, dtype=bool), []
    order: list[int] = []
    mean, spread = _moments(log_posterior)
    while spread > precision and len(order) < (items.item.size if most is None else most):
        i = next_item(mean, items, done)
        if i < 0:
            break
        y = float(answer(i))
        if not 0 <= y <= 1:
            raise AdjudgeError(f"answer to task {i}: {y}.", "1 is solved, 0 is not.", "Give a number in [0, 1].")
        p = special.expit(items.discrimination[i] * (GRID - items.difficulty[i]))
        P = np.clip(items.guess + (1 - items.guess) * p, 1e-300, 1 - 1e-16)
        log_posterior = log_posterior + y * np.log(P) + (1 - y) * np.log1p(-P)
        done[i] = True
        order.append(i)
        given.append(y)
        mean, spread = _moments(log_posterior)
    return Asked(mean, spread, tuple(order), tuple(given))


def _moments(log_posterior: FloatArray) -> tuple[float, float]:
    weight = np.exp(log_posterior - log_posterior.max())
    weight /= weight.sum()
    mean = float(weight @ GRID)
    return mean, float(np.sqrt(weight @ (GRID - mean) ** 2))
