"""Kemeny orders: the capital of Tennessee (Wikipedia, "Kemeny method": score 393), ties, and certainty."""

from __future__ import annotations

import numpy as np

from adjudge.ranking import kemeny
from ranking.elections import TENNESSEE, margin_graph, votes
from ranking.test_voting_rules import order


def test_kemeny_of_tennessee() -> None:
    result = kemeny.rank(votes(TENNESSEE), draws=50)
    assert order(result) == "NCKM"
    agreement = result.figures["agreement"]
    np.testing.assert_allclose(agreement.value * 6 * 100, [393, 393])
    assert result.findings == ()


def test_a_place_that_never_changes_is_not_certain() -> None:
    result = kemeny.rank(margin_graph({"ab": 100, "bc": 100, "ac": 100}), draws=99)
    np.testing.assert_allclose(result.stderr, 0.1, rtol=0.01)  # √(1/(B + 1))


def test_orders_that_tie_are_averaged() -> None:
    result = kemeny.rank(margin_graph({"ab": 10, "bc": 10, "ca": 10}), draws=20)
    np.testing.assert_allclose(result.value, -2)
    assert "order-not-unique" in [finding.code for finding in result.findings]
