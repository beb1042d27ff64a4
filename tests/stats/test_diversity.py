"""stats.diversity: by hand, what adjusting for expectation does to length, texts alike and no text at all."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.stats.diversity import distinct


def test_by_hand() -> None:
    assert distinct(["aab", "ab"], most=1) == 2 / 5
    assert distinct(["aab", "ab"], most=2) == pytest.approx((2 / 5 + 2 / 3) / 2)  # aa, ab, ab
    assert distinct([[1, 2], [1, 2]], vocabulary=3, most=1) == pytest.approx(2 / (3 * (1 - (2 / 3) ** 4)))
    assert distinct(["ab"], most=1, vocabulary=1) == 2.0  # more kinds than there can be: the vocabulary was wrong


def test_length_alone_does_not_make_texts_alike() -> None:
    rng = np.random.default_rng(0)
    short, long = (
        np.mean([distinct(rng.integers(0, 13, (5, size)).tolist(), vocabulary=13, most=3) for _ in range(50)])
        for size in (7, 101)
    )
    plain = [distinct(rng.integers(0, 13, (5, size)).tolist(), most=1) for size in (7, 101)]
    assert abs(short - long) < 0.02
    assert plain[0] > 3 * plain[1]


def test_nothing_is_not_a_number_and_nonsense_is_refused() -> None:
    assert np.isnan(distinct([]))
    assert np.isnan(distinct(["", ""]))
    with pytest.raises(AdjudgeError, match="most=0"):
        distinct(["a"], most=0)
