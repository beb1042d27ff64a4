"""Copeland scores and the chance to beat all others."""

from __future__ import annotations

import numpy as np

from adjudge.ranking import copeland
from ranking.elections import margin_graph


def test_the_chance_to_beat_all_others() -> None:
    sure = copeland.rank(margin_graph({"ab": 60, "bc": 60, "ac": 80}), draws=200).figures["condorcet"]
    assert sure.value[0] > 0.99
    even = copeland.rank(margin_graph({"ab": 0, "bc": 60, "ac": 60}), draws=500).figures["condorcet"]
    np.testing.assert_allclose(even.value, [0.5, 0.5, 0], atol=4 * np.sqrt(0.25 / 500))
