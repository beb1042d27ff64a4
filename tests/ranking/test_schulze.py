"""Schulze's method on the example of his paper (2011, example 1: 45 voters, strongest paths as printed)."""

from __future__ import annotations

import numpy as np

from adjudge.ranking import schulze
from adjudge.stats.voting import rules
from adjudge.stats.voting.margins import margins
from ranking.elections import SCHULZE, votes
from ranking.test_voting_rules import order


def test_schulze_of_the_paper() -> None:
    result = schulze.rank(votes(SCHULZE), draws=50)
    assert order(result) == "EACBD"
    np.testing.assert_allclose(np.sort(result.value), np.arange(5) / 4)
    strongest = rules.widest(margins(votes(SCHULZE)).table()) * 45 + 22.5  # as printed, in winning votes
    printed = [[28, 28, 30, 24], [25, 28, 33, 24], [25, 29, 29, 24], [25, 28, 28, 24], [25, 28, 28, 31]]
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(strongest[off].reshape(5, 4), printed)
