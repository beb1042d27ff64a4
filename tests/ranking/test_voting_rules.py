"""Voting rules on published elections, their limits, and what they say of pairs that never met.

Sources: Schulze (2011), example 1 (45 voters; strengths of strongest paths as printed); "Kemeny method", Wikipedia
(Tennessee: score 393); Holliday and Pacuit (2023): split cycle, against its definition by brute force.
"""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import borda, copeland, kemeny, maximal_lottery, minimax, schulze, split_cycle
from adjudge.stats.voting import rules
from adjudge.tables.comparisons import from_arrays
from ranking.elections import CONDORCET, TENNESSEE, votes

BY_REPLICATES = (copeland, kemeny, maximal_lottery, minimax, schulze, split_cycle)


def order(estimate) -> str:
    return "".join(np.array(estimate.names)[np.argsort(-estimate.value, kind="stable")])


def antisymmetric(k: int, seed: int) -> np.ndarray:
    A = np.random.default_rng(seed).integers(-9, 10, (k, k)).astype(float)
    return np.triu(A, 1) - np.triu(A, 1).T


@pytest.mark.parametrize("method", [borda, copeland, kemeny, minimax, schulze, split_cycle])
def test_all_rules_agree_on_tennessee(method) -> None:
    assert order(method.rank(votes(TENNESSEE)))[0] == "N"


def test_a_condorcet_paradox() -> None:
    table = votes(CONDORCET)
    np.testing.assert_allclose(copeland.rank(table, draws=50).value, 0.5)
    weakest = np.array([23 / 59, 19 / 59, 17 / 59]) - 0.5  # A's worst is against C, B's against A, C's against B
    np.testing.assert_allclose(minimax.rank(table, draws=50).value, weakest)
    assert order(split_cycle.rank(table, draws=50)) == "ABC"  # C over A is the weakest of the circle
    np.testing.assert_allclose(split_cycle.rank(table, draws=50).value, [1, 0.5, 0.5])
    assert order(kemeny.rank(table, draws=50)) == "ABC"


def test_without_circles_the_order_rules_agree() -> None:
    strength = np.random.default_rng(3).permutation(7) / 20
    M = strength[:, None] - strength
    expected = np.argsort(np.argsort(strength)) / 6
    np.testing.assert_allclose(rules.copeland(M[None])[0], expected)
    np.testing.assert_allclose(rules.schulze(M[None])[0], expected)
    np.testing.assert_allclose(rules.split_cycle(M[None])[0], expected)
    assert rules.condorcet(M[None])[0].tolist() == (expected == 1).tolist()


def test_a_pair_that_never_met_is_unknown_and_not_a_tie() -> None:
    left, right = np.repeat([0, 1], 31), np.repeat([1, 2], 31)
    table = from_arrays(left, right, np.ones(62))
    for method, reach in ((borda, 0.25), (copeland, 0.25)):
        result = method.rank(table)
        np.testing.assert_allclose(result.slack, [[reach, reach], [0, 0], [reach, reach]])
        assert "pairs-never-met" in [finding.code for finding in result.findings]
    np.testing.assert_allclose(minimax.rank(table).value, [0.5, -0.5, -0.5])
    np.testing.assert_allclose(minimax.rank(table).slack[:, 0], [1.0, 0.0, 0.0])


@pytest.mark.parametrize("method", BY_REPLICATES)
def test_too_few_draws_are_refused(method) -> None:
    with pytest.raises(AdjudgeError, match="draws is 1"):
        method.rank(votes(TENNESSEE), draws=1)
