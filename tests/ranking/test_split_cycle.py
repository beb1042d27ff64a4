"""Split cycle (Holliday and Pacuit 2023) against its definition by brute force."""

from __future__ import annotations

import itertools

import numpy as np

from adjudge.stats.voting import rules
from ranking.test_voting_rules import antisymmetric


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
