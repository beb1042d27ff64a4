"""Voting rules on published elections, their limits, and what they say of pairs that never met.

Sources: Schulze (2011), example 1 (45 voters; strengths of strongest paths as printed); "Kemeny method", Wikipedia
(Tennessee: score 393); Holliday and Pacuit (2023): split cycle, against its definition by brute force.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import borda, copeland, kemeny, maximal_lottery, minimax, schulze, split_cycle
from adjudge.stats.voting import rules
from adjudge.stats.voting.margins import margins
from adjudge.tables.comparisons import from_arrays
from ranking.elections import CONDORCET, SCHULZE, TENNESSEE, margin_graph, votes

BY_REPLICATES = (copeland, kemeny, maximal_lottery, minimax, schulze, split_cycle)


def order(estimate) -> str:
    return "".join(np.array(estimate.names)[np.argsort(-estimate.value, kind="stable")])


def antisymmetric(k: int, seed: int) -> np.ndarray:
    A = np.random.default_rng(seed).integers(-9, 10, (k, k)).astype(float)
    return np.triu(A, 1) - np.triu(A, 1).T


def test_schulze_of_the_paper() -> None:
    result = schulze.rank(votes(SCHULZE), draws=50)
    assert order(result) == "EACBD"
    np.testing.assert_allclose(np.sort(result.value), np.arange(5) / 4)
    strongest = rules.widest(margins(votes(SCHULZE)).table()) * 45 + 22.5  # as printed, in winning votes
    printed = [[28, 28, 30, 24], [25, 28, 33, 24], [25, 29, 29, 24], [25, 28, 28, 24], [25, 28, 28, 31]]
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(strongest[off].reshape(5, 4), printed)


def test_kemeny_of_tennessee() -> None:
    result = kemeny.rank(votes(TENNESSEE), draws=50)
    assert order(result) == "NCKM"
    agreement = result.figures["agreement"]
    np.testing.assert_allclose(agreement.value * 6 * 100, [393, 393])
    assert result.findings == ()


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


def test_rock_paper_scissors_have_a_third_each() -> None:
    table = margin_graph({"rs": 20, "sp": 20, "pr": 20})
    result = maximal_lottery.rank(table, draws=50)
    np.testing.assert_allclose(result.value, 1 / 3, atol=1e-9)
    np.testing.assert_allclose(result.figures["value"].value, 0, atol=1e-9)
    assert (result.stderr > 0.05).all()


def test_a_lottery_on_a_circle_is_in_proportion_to_the_margins_across() -> None:
    table = margin_graph({"ab": 10, "bc": 20, "ca": 40})
    value = maximal_lottery.rank(table, draws=50).value
    np.testing.assert_allclose(value, np.array([20, 40, 10]) / 70, atol=1e-9)


def test_nobody_beats_a_lottery_and_least_norm_is_among_the_optimal() -> None:
    for seed in range(11):
        M = antisymmetric(7, seed)
        p = maximal_lottery.lottery(M[None])[0]
        assert p.sum() == pytest.approx(1)
        assert (p @ M).min() > -1e-7 * np.abs(M).max()


def test_ties_all_over_make_the_lottery_even_and_not_unique() -> None:
    result = maximal_lottery.rank(margin_graph({"ab": 0, "bc": 0, "ac": 0}), draws=50)
    np.testing.assert_allclose(result.value, 1 / 3)
    assert "lottery-not-unique" in [finding.code for finding in result.findings]


def test_split_cycle_is_the_set_that_no_uncontested_majority_defeats() -> None:
    """i defeats j unless its margin is the least of some cycle through it: by trying all cycles."""
    for seed in range(17):
        M = antisymmetric(5, seed)
        defeat = M > 0
        for size in (3, 4, 5):
            for cycle in itertools.permutations(range(5), size):
                around = [M[a, b] for a, b in zip(cycle, (*cycle[1:], cycle[0]), strict=True)]
                if min(around) > 0:
                    for a, b, m in zip(cycle, (*cycle[1:], cycle[0]), around, strict=True):
                        defeat[a, b] &= m > min(around)
        np.testing.assert_array_equal(rules.defeats(M[None])[0], defeat)


def test_without_circles_the_order_rules_agree() -> None:
    strength = np.random.default_rng(3).permutation(7) / 20
    M = strength[:, None] - strength
    expected = np.argsort(np.argsort(strength)) / 6
    np.testing.assert_allclose(rules.copeland(M[None])[0], expected)
    np.testing.assert_allclose(rules.schulze(M[None])[0], expected)
    np.testing.assert_allclose(rules.split_cycle(M[None])[0], expected)
    assert rules.condorcet(M[None])[0].tolist() == (expected == 1).tolist()


def test_borda_is_the_mean_win_share() -> None:
    result = borda.rank(votes(TENNESSEE))
    beats = np.zeros((4, 4))
    for ballot, count in TENNESSEE.items():
        for one, other in itertools.combinations(("CKMN".index(city) for city in ballot), 2):
            beats[one, other] += count
    np.testing.assert_allclose(result.value, beats.sum(axis=1) / 300)
    assert result.value[3] == pytest.approx((68 + 68 + 58) / 300)


def test_a_pair_that_never_met_is_unknown_and_not_a_tie() -> None:
    left, right = np.repeat([0, 1], 31), np.repeat([1, 2], 31)
    table = from_arrays(left, right, np.ones(62))
    for method, reach in ((borda, 0.25), (copeland, 0.25)):
        result = method.rank(table)
        np.testing.assert_allclose(result.slack, [[reach, reach], [0, 0], [reach, reach]])
        assert "pairs-never-met" in [finding.code for finding in result.findings]
    np.testing.assert_allclose(minimax.rank(table).value, [0.5, -0.5, -0.5])
    np.testing.assert_allclose(minimax.rank(table).slack[:, 0], [1.0, 0.0, 0.0])


def test_the_chance_to_beat_all_others() -> None:
    sure = copeland.rank(margin_graph({"ab": 60, "bc": 60, "ac": 80}), draws=200).figures["condorcet"]
    assert sure.value[0] > 0.99
    even = copeland.rank(margin_graph({"ab": 0, "bc": 60, "ac": 60}), draws=500).figures["condorcet"]
    np.testing.assert_allclose(even.value, [0.5, 0.5, 0], atol=4 * np.sqrt(0.25 / 500))


def test_a_place_that_never_changes_is_not_certain() -> None:
    result = kemeny.rank(margin_graph({"ab": 100, "bc": 100, "ac": 100}), draws=99)
    np.testing.assert_allclose(result.stderr, 0.1, rtol=0.01)  # √(1/(B + 1))


def test_orders_that_tie_are_averaged() -> None:
    result = kemeny.rank(margin_graph({"ab": 10, "bc": 10, "ca": 10}), draws=20)
    np.testing.assert_allclose(result.value, -2)
    assert "order-not-unique" in [finding.code for finding in result.findings]


@pytest.mark.parametrize("method", BY_REPLICATES)
def test_too_few_draws_are_refused(method) -> None:
    with pytest.raises(AdjudgeError, match="draws is 1"):
        method.rank(votes(TENNESSEE), draws=1)
