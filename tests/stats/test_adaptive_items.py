"""Adaptive tests: information by finite difference, the next task, and how many tasks are saved."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.errors import AdjudgeError
from adjudge.stats.adaptive_items import Items, adaptive, information, next_item


def bank(t: int, rng: np.random.Generator, guess: float = 0.0) -> Items:
    difficulty, slope = 1.5 * rng.standard_normal(t), np.exp(0.4 * rng.standard_normal(t))
    return Items(np.arange(t), difficulty, slope, guess, np.zeros((t, 2)), np.ones(t))


@pytest.mark.parametrize("guess", [0.0, 0.25])
def test_information_is_the_squared_slope_over_the_variance(guess: float) -> None:
    theta, b, a, step = 0.4, -0.3, 1.7, 1e-6

    def chance_at(at: float) -> float:
        return guess + (1 - guess) * special.expit(a * (at - b))

    slope = (chance_at(theta + step) - chance_at(theta - step)) / (2 * step)
    assert information(theta, b, a, guess=guess) == pytest.approx(
        slope**2 / (chance_at(theta) * (1 - chance_at(theta))), rel=1e-6
    )


def test_the_next_task_is_the_nearest_of_equal_discrimination() -> None:
    items = Items(np.arange(5), np.array([-2.0, -1, 0, 1, 2]), np.ones(5), 0.0, np.zeros((5, 2)), np.ones(5))
    assert next_item(0.9, items, np.zeros(5, dtype=bool)) == 3
    assert next_item(0.9, items, np.array([False, False, False, True, False])) == 2
    assert next_item(0.0, items, np.ones(5, dtype=bool)) == -1


def test_adaptive_choice_needs_less_than_half_of_the_tasks_that_chance_needs() -> None:
    """40 policies, 307 tasks, to a standard error of 0.35: the abilities are as good with far fewer tasks."""
    rng = np.random.default_rng(3)
    items = bank(307, rng)
    chance = rng.permutation(307)
    used, plain, off = [], [], []
    for theta in rng.standard_normal(40):
        solved = rng.random(307) < special.expit(items.discrimination * (theta - items.difficulty))
        went = adaptive(items, lambda i, s=solved: float(s[i]), precision=0.35)
        used.append(len(went.asked))
        off.append((went.ability - theta) / went.stderr)
        told = np.cumsum(information(theta, items.difficulty[chance], items.discrimination[chance])) + 1 / 1.5**2
        plain.append(int(np.argmax(told > 1 / 0.35**2)) + 1)
    assert np.mean(used) < 0.5 * np.mean(plain)
    assert np.std(off) < 1.4
    assert abs(np.mean(off)) < 4 / np.sqrt(40)


def test_it_stops_when_told_and_asks_all_when_never_sure() -> None:
    items = bank(13, np.random.default_rng(5))
    assert len(adaptive(items, lambda i: 1.0, most=3).asked) == 3
    assert sorted(adaptive(items, lambda i: i % 2, precision=0.0).asked) == list(range(13))
    assert adaptive(items, lambda i: 1.0, precision=9.0).asked == ()
    with pytest.raises(AdjudgeError, match="answer"):
        adaptive(items, lambda i: 3.0)
