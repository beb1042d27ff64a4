"""Margins: their limit is Bradley-Terry, the optimum by hand, and more room asked for is more room given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq

from adjudge.errors import AdjudgeError
from adjudge.rewards import bradley_terry, margin
from adjudge.tables.preferences import from_arrays
from rewards.pairs_worlds import pairs


def test_no_margin_is_bradley_terry() -> None:
    table = pairs(307, 0)
    plain = bradley_terry.fit(table)
    for same in (margin.fit(table), margin.fit(replace(table, margin=np.full(307, 2.0)), unit=0.0)):
        np.testing.assert_allclose(same.parameters, plain.parameters, rtol=1e-12)
        np.testing.assert_allclose(same.covariance, plain.covariance, rtol=1e-12)


@pytest.mark.parametrize("room", [0.0, 0.7, 2.0])
def test_the_optimum_by_hand(room: float) -> None:
    # Three wins and a loss of one response against another, each with the same margin m:
    # the slope 3·σ(m − Δ) = σ(m + Δ) at the optimum.
    table = from_arrays(np.ones((4, 1)), np.zeros((4, 1)), [1, 1, 1, 0], margin=np.full(4, room))
    found = margin.fit(table, ridge=1e-9, folds=0).parameters[0]
    logistic = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    by_hand = brentq(lambda lead: 3 * logistic(room - lead) - logistic(room + lead), -10, 10)
    assert found == pytest.approx(by_hand, abs=1e-6)


def test_room_that_is_asked_for_makes_probabilities_too_sure() -> None:
    table = pairs(2003, 1)
    asked = margin.fit(replace(table, margin=np.full(2003, 1.5)))
    assert np.linalg.norm(asked.parameters) > 1.2 * np.linalg.norm(margin.fit(table).parameters)
    assert asked.report["all"].balance < -0.03


def test_margins_are_kept_under_flips() -> None:
    table = replace(pairs(2003, 2, flip=0.2, told=True), margin=np.full(2003, 0.5))
    clean = replace(pairs(2003, 2), margin=np.full(2003, 0.5))
    freed, true = (margin.fit(each, folds=0).parameters for each in (table, clean))
    np.testing.assert_allclose(freed, true, atol=0.35)
    assert np.linalg.norm(margin.fit(replace(table, flip=np.zeros(2003)), folds=0).parameters) < 0.8 * np.linalg.norm(
        true
    )


@pytest.mark.parametrize(("unit", "told"), [(-1.0, 1.0), (np.nan, 1.0), (1.0, np.inf)])
def test_a_unit_below_zero_or_a_margin_without_end_is_refused(unit: float, told: float) -> None:
    with pytest.raises(AdjudgeError, match="finite unit"):
        margin.fit(replace(pairs(31, 0), margin=np.full(31, told)), unit=unit)
