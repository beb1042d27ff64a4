"""Kemeny orders against all k! orders, and proof for larger circles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adjudge.stats.voting import kemeny


def antisymmetric(k: int, seed: int, *, whole: bool = False) -> np.ndarray:
    rng = np.random.default_rng(seed)
    A = rng.integers(-3, 4, (k, k)).astype(float) if whole else rng.normal(size=(k, k))
    return np.triu(A, 1) - np.triu(A, 1).T


def enumerated(M: np.ndarray) -> tuple[float, np.ndarray, int]:
    """Best score, mean positions and number of the optimal orders, by trying all."""
    k = M.shape[0]
    orders = np.array(list(itertools.permutations(range(k))))
    ahead = np.triu(np.ones((k, k)), 1)
    scores = np.array([(M[np.ix_(order, order)] * ahead).sum() for order in orders])
    best = orders[scores > scores.max() - 1e-9]
    return scores.max(), (np.argsort(best, axis=1) + 1).mean(axis=0), len(best)


@pytest.mark.parametrize("k", [2, 3, 5, 6])
@pytest.mark.parametrize("whole", [True, False])
def test_it_is_the_best_of_all_orders(k: int, whole: bool) -> None:
    for seed in range(7):
        M = antisymmetric(k, seed, whole=whole)
        found = kemeny.solve(M)
        score, position, count = enumerated(M)
        assert found.score == pytest.approx(score)
        assert found.orders == count
        assert found.proven
        np.testing.assert_allclose(found.position, position)
        np.testing.assert_allclose(kemeny.positions(M[None], start=np.arange(k))[0], position)


def test_integer_programming_agrees_with_dynamic_programming() -> None:
    for seed in range(3):
        M = antisymmetric(13, seed)
        found = kemeny.solve(M)
        assert found.proven
        assert found.score == pytest.approx(kemeny._subsets(M[None])[1][0])


def test_a_programme_too_large_gives_a_bound_and_says_so() -> None:
    M = antisymmetric(17, 3)
    proven, searched = kemeny.solve(M), kemeny.solve(M, exact=13)
    assert proven.proven
    assert not searched.proven
    assert searched.score <= proven.score + 1e-9 < searched.bound


def test_groups_without_wins_between_them_are_solved_one_by_one() -> None:
    M = np.zeros((17, 17))
    M[:7, :7], M[7:, 7:] = antisymmetric(7, 1), antisymmetric(10, 2)
    found = kemeny.solve(M)
    assert found.proven
    assert found.score == pytest.approx(kemeny.solve(M[:7, :7]).score + kemeny.solve(M[7:, 7:]).score)


def test_moves_reach_the_optimum_of_a_transitive_table() -> None:
    strength = np.random.default_rng(5).normal(size=19)
    M = strength[:, None] - strength
    position = kemeny.positions(np.stack([M, -M]), start=np.arange(19.0))
    np.testing.assert_array_equal(position[0], np.argsort(np.argsort(-strength)) + 1)
    np.testing.assert_array_equal(position[1], np.argsort(np.argsort(strength)) + 1)


def test_improving_never_lowers_the_score() -> None:
    M = np.stack([antisymmetric(11, seed) for seed in range(13)])
    start = np.tile(np.arange(11), (13, 1))
    better = kemeny.improve(M, start)
    assert (kemeny._scores(M, better) >= kemeny._scores(M, start)).all()
    np.testing.assert_array_equal(np.sort(better, axis=1), start)
