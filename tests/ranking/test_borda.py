"""Borda scores are mean win shares."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from adjudge.ranking import borda
from ranking.elections import TENNESSEE, votes


def test_borda_is_the_mean_win_share() -> None:
    result = borda.rank(votes(TENNESSEE))
    beats = np.zeros((4, 4))
    for ballot, count in TENNESSEE.items():
        for one, other in itertools.combinations(("CKMN".index(city) for city in ballot), 2):
            beats[one, other] += count
    np.testing.assert_allclose(result.value, beats.sum(axis=1) / 300)
    assert result.value[3] == pytest.approx((68 + 68 + 58) / 300)
