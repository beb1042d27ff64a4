"""The least bad worst match: by hand, and with an opponent never met."""

from __future__ import annotations

import numpy as np

from adjudge.ranking import minimax
from ranking.elections import margin_graph


def test_the_worst_margin_by_hand() -> None:
    result = minimax.rank(margin_graph({"ab": 20, "bc": 60, "ca": 10}), draws=50)
    np.testing.assert_allclose(result.value, [-0.05, -0.1, -0.3])


def test_a_pair_that_never_met_may_be_worse_than_any_seen() -> None:
    result = minimax.rank(margin_graph({"ab": 20, "bc": 60}), draws=50)
    np.testing.assert_allclose(result.value, [0.1, -0.1, -0.3])
    np.testing.assert_allclose(result.slack, [[0.6, 0], [0, 0], [0.2, 0]])


def test_a_policy_that_beats_all_has_a_value_above_nought() -> None:
    result = minimax.rank(margin_graph({"ab": 20, "bc": 60, "ac": 10}), draws=50)
    assert (result.value > 0).tolist() == [True, False, False]
