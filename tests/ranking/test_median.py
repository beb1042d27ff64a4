"""The median over tasks: by hand with even and odd numbers of tasks, blind to the ends, clusters of tasks."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.ranking import median
from ranking.run_tables import table


@pytest.mark.parametrize("tasks", [1, 2, 7, 8])
def test_is_the_median_of_the_task_means(tasks: int) -> None:
    score = np.random.default_rng(tasks).normal(size=(3, tasks, 5))
    np.testing.assert_allclose(median.rank(table(score), draws=3).value, np.median(score.mean(axis=2), axis=1))


def test_is_blind_to_what_happens_at_the_ends() -> None:
    score = np.random.default_rng(3).normal(size=(1, 11, 5))
    order = np.argsort(score[0].mean(axis=1))
    wild = score.copy()
    wild[0, order[:3]] -= 100
    np.testing.assert_array_equal(median.rank(table(score), draws=3).value, median.rank(table(wild), draws=3).value)


def test_weights_of_tasks_move_the_middle() -> None:
    found = median.task_median(np.array([1.0, 2.0, 3.0]), np.array([[1.0, 1, 1], [5, 1, 1], [1, 1, 2]]), np.arange(3))
    np.testing.assert_allclose(found[:, 0], [2.0, 1.0, 2.5])


def test_spread_over_tasks_is_that_of_a_sample_median() -> None:
    """1,001 tasks of normal scores: standard error √(π/2)/√n."""
    score = np.random.default_rng(5).normal(size=(1, 1001, 1))
    assert median.rank(table(score), draws=999).stderr[0] == pytest.approx(np.sqrt(np.pi / 2 / 1001), rel=0.25)
