"""Balance score: hand-worked correction, limits, and honest refusal of what is not a probability."""

import numpy as np
import pytest

from adjudge.calibration.balance_score import fit
from adjudge.errors import AdjudgeError
from adjudge.tables.ratings import Ratings


def _table(score, gold):
    n = len(score)
    return Ratings(
        ("a",), ("judge",), np.zeros(n, int), np.arange(n), np.arange(n), np.asarray(score, float)[:, None],
        np.asarray(gold, float), np.ones(n), np.full(n, np.nan), np.zeros(n), np.empty((n, 0)), bounds=(0.0, 1.0),
    )  # fmt: skip


def test_two_wins_in_three_at_ninety_percent_by_hand():
    # gains +0.1, −0.9, +0.1, +0.1, −0.9, +0.1: b = −1.4/6
    ratings = _table([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.6], [1, 0, 1, 0, 1, 0, np.nan])
    value = fit(ratings)(ratings).forecast.value
    b = -1.4 / 6
    np.testing.assert_allclose(value, [0.9 + b] * 3 + [0.1 - b] * 3 + [0.5])  # 0.6 is not carried across ½


def test_a_calibrated_score_is_left_alone():
    ratings = _table([0.75] * 4 + [0.25] * 4 + [0.9], [1, 1, 1, 0, 0, 0, 0, 1, np.nan])
    np.testing.assert_allclose(fit(ratings)(ratings).forecast.value, ratings.score[:, 0])


def test_error_of_the_correction_is_that_of_a_mean():
    rng = np.random.default_rng(3)
    score = rng.uniform(0.6, 0.9, 101)
    ratings = _table(score, (rng.random(101) < score).astype(float))
    made = fit(ratings)(ratings).forecast
    gain = ratings.gold - score
    np.testing.assert_allclose(np.sqrt(made.influence[:, 0] @ made.influence[:, 0]), gain.std() / np.sqrt(101))
    assert set(made.gradient[:, 0]) <= {0.0, 1.0}


def test_scores_that_are_no_probabilities_are_an_error():
    with pytest.raises(AdjudgeError, match=r"\[0, 1\]"):
        fit(_table([1.0, 7.0, 3.0], [0, 1, np.nan]))
