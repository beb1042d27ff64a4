"""Kemeny over tasks is Kemeny on the pairs where there is one task."""

from __future__ import annotations

import numpy as np

from adjudge.ranking import _ballots, kemeny, task_kemeny
from adjudge.stats.voting.margins import margins
from adjudge.tables.comparisons import from_arrays
from ranking.test_task_borda import drawn, table


def test_one_task_is_kemeny_on_the_pairs() -> None:
    score = drawn(4, J=1, k=6)
    left, right = np.triu_indices(6, 1)
    outcome = (score[:, left, 0] > score[:, right, 0]).astype(float).ravel()
    pairs = from_arrays(np.tile(left, 31), np.tile(right, 31), outcome, policies=tuple("abcdef"))
    expected = kemeny.rank(pairs, draws=20).value
    for levels in (1, 2):
        np.testing.assert_allclose(task_kemeny.rank(table(score), levels=levels, draws=20).value, expected)
    ballots = _ballots.read(table(score))
    np.testing.assert_allclose(ballots.margins(np.ones((1, 31)))[0][0, 0], margins(pairs).table())
