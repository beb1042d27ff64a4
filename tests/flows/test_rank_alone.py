"""Trusted votes alone, beside a prediction-powered ranking: five people on one match are one match."""

from __future__ import annotations

import numpy as np

from adjudge.flows.rank import rank_table
from adjudge.tables.comparisons import from_arrays


def test_several_votes_on_one_match_are_one_unit() -> None:
    rng = np.random.default_rng(1)
    left = rng.integers(0, 3, 211)
    right = (left + rng.integers(1, 3, 211)) % 3
    won = (rng.random(211) < 0.5 + 0.1 * (right - left)).astype(float)
    match = np.concatenate([np.arange(211), np.tile(np.arange(83), 5)])  # five people who agree, on 83 matches
    rater = np.concatenate([np.zeros(211, dtype=int), np.repeat(np.arange(1, 6), 83)])
    table = from_arrays(left[match], right[match], won[match], match=match, rater=rater, trusted=rater > 0)
    found = rank_table(table)
    assert found.alone is not None
    np.testing.assert_allclose(found.alone.stderr, found.estimate.figures["labels_only"].stderr, rtol=0.1)
