"""All pairs: by hand, with two samples the pair of best and worst, draws, and what pairs of a prompt weigh together."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.pairing import all_pairs, best_worst
from adjudge.tables.samples import from_arrays


def test_by_hand() -> None:
    rows = from_arrays([7, 3, 7, 3, 7, 5], [1.0, 2.0, 1.0, 0.5, 4.0, 9.0], weight=[2, 1, 2, 1, 2, 1])
    made = all_pairs.pairs(rows)
    assert made.chosen.tolist() == [1, 4, 4]  # prompt 3; prompt 7, whose rows 0 and 2 are equal
    assert made.rejected.tolist() == [3, 0, 2]
    assert made.margin.tolist() == [1.5, 3.0, 3.0]
    assert made.weight.tolist() == [1.0, 1.0, 1.0]  # prompt 7 counts twice, over two pairs
    assert [(each.code, each.number) for each in made.findings] == [("prompts-without-pair", 1)]


def test_two_samples_are_the_pair_of_best_and_worst() -> None:
    rng = np.random.default_rng(5)
    rows = from_arrays(np.repeat(np.arange(31), 2), rng.normal(size=62), error=rng.uniform(0, 2, 62))
    one, two = all_pairs.pairs(rows), best_worst.pairs(rows)
    for name in ("chosen", "rejected", "preference", "margin", "weight"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_every_pair_is_there_once_and_a_draw_is_of_them() -> None:
    rng = np.random.default_rng(6)
    rows = from_arrays(rng.permutation(np.repeat(np.arange(7), 5)), rng.normal(size=35))
    made = all_pairs.pairs(rows)
    both = {frozenset(pair) for pair in zip(made.chosen.tolist(), made.rejected.tolist(), strict=True)}
    assert len(both) == made.chosen.size == 7 * 10
    assert (rows.score[made.chosen] > rows.score[made.rejected]).all()
    few = all_pairs.pairs(rows, most=3, seed=1)
    assert np.bincount(rows.prompt[few.chosen]).tolist() == [3] * 7
    assert {frozenset(pair) for pair in zip(few.chosen.tolist(), few.rejected.tolist(), strict=True)} < both
    assert all_pairs.pairs(rows, most=3, seed=2).chosen.tolist() != few.chosen.tolist()
    with pytest.raises(AdjudgeError, match="most=0"):
        all_pairs.pairs(rows, most=0)
