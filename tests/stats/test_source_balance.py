"""The balance of several losses: shortest means by hand, its derivative by every row, and what cannot be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.stats.pair_logit import Pairs
from adjudge.stats.source_balance import balanced, lightest

TASTES = ([1.0, 1.0, 0.0], [1.0, -1.0, 0.5], [-1.0, 0.2, 1.0])


def source(number: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng((number, 94))
    x = rng.normal(size=(n, 3))
    won = rng.random(n) < 1 / (1 + np.exp(-x @ np.array(TASTES[number])))
    return x, won.astype(float), rng.integers(1, 4, n).astype(float)


def weighted(x: np.ndarray, won: np.ndarray, weight: np.ndarray) -> Pairs:
    mass = weight / weight.sum()
    return Pairs(x, mass * won, mass * (1 - won))


def test_the_shortest_mean_by_hand() -> None:
    np.testing.assert_allclose(lightest(np.array([[3.0, 0.0], [-1.0, 0.0]])), [0.25, 0.75])
    np.testing.assert_allclose(lightest(np.array([[1.0, 1.0], [2.0, 2.0]])), [1.0, 0.0], atol=1e-9)


@pytest.mark.parametrize("sizes", [(41, 31), (41, 31, 23)])
def test_the_weights_move_with_a_row_as_their_derivative_says(sizes: tuple[int, ...]) -> None:
    drawn, step = [source(number, n) for number, n in enumerate(sizes)], 1e-4

    def share(number: int, row: int, factor: float) -> np.ndarray:
        made = [(x, won, weight.copy()) for x, won, weight in drawn]
        made[number][2][row] *= factor
        return balanced(tuple(weighted(*each) for each in made), 0.01).share

    said = balanced(tuple(weighted(*each) for each in drawn), 0.01).by_weight()
    for number in range(len(sizes)):
        for row in (0, 7):
            moved = (share(number, row, 1 + step) - share(number, row, 1 - step)) / (2 * step)
            np.testing.assert_allclose(said[number][row], moved, atol=1e-6)
        np.testing.assert_allclose(said[number].sum(axis=0), 0, atol=1e-12)  # a source of another size is the same one


def test_sources_that_are_one_have_weights_that_mean_nothing() -> None:
    one = weighted(*source(0, 41))
    found = balanced((one, one), 0.01)
    assert found.settled
    assert np.abs(found.by_weight()[0]).max() < 1e-3


def test_features_that_are_one_leave_a_balance() -> None:
    parts = [weighted(np.column_stack([x, x[:, :2].sum(axis=1)]), won, weight)
             for x, won, weight in (source(0, 41), source(1, 31))]  # fmt: skip
    plain = balanced((weighted(*source(0, 41)), weighted(*source(1, 31))), 1e-12).share
    np.testing.assert_allclose(balanced(tuple(parts), 1e-20).share, plain, atol=0.02)
