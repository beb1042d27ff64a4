"""How far rewards follow length: by hand, whichever side is left, and with an error that a simulation shows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from adjudge.stats import reward_length
from adjudge.tables.preferences import Preferences, from_arrays


def table(n: int, seed: int) -> tuple[Preferences, np.ndarray]:
    rng = np.random.default_rng(seed)
    length = rng.integers(1, 60, (n, 2)).astype(float)
    delta = np.diff(np.log1p(length[:, ::-1]), axis=1)[:, 0]
    lead = 0.5 * delta + rng.normal(size=n) * 0.8
    won = rng.random(n) < special.expit(lead)
    return from_arrays(np.zeros((n, 1)), np.zeros((n, 1)), won, length=length), special.expit(lead)


def test_sides_may_be_exchanged() -> None:
    pairs, chance = table(307, 0)
    for figure in (reward_length.longer, reward_length.correlation):
        one, other = figure(pairs, {"m": chance}), figure(pairs.swapped, {"m": 1 - chance})
        np.testing.assert_allclose(one.value, other.value)
        np.testing.assert_allclose(one.stderr, other.stderr)


def test_the_error_is_that_of_repeated_draws() -> None:
    found = [
        (reward_length.longer(p, {"m": c}), reward_length.correlation(p, {"m": c}))
        for p, c in (table(307, s) for s in range(200))
    ]
    for at, entry in ((0, 0), (0, 1), (1, 0)):
        values = [both[at].value[entry] for both in found]
        told = np.mean([both[at].stderr[entry] for both in found])
        assert np.std(values) == pytest.approx(told, rel=0.2)  # 200 draws know a spread to 5 %


def test_equal_lengths_say_nothing() -> None:
    pairs, chance = table(11, 1)
    pairs.length[:] = 5
    assert np.isnan(reward_length.longer(pairs, {"m": chance}).value).all()
    assert np.isnan(reward_length.correlation(pairs, {"m": chance}).value).all()
