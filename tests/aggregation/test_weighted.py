"""Weighted votes: log-odds by hand, the majority as limit, adversaries counted against, planted raters in order."""

from __future__ import annotations

import numpy as np
import pytest

from adjudge.aggregation import _cells, _others, majority, weighted
from aggregation.crowds import coins, drawn, table


def test_log_odds_by_hand() -> None:
    """6 of 8 and 2 of 8 right, mean ½, two labels' worth of it: 7/10 and 3/10."""
    seen = _others.Agreement(np.zeros(0), np.zeros(0, dtype=bool), np.array([6.0, 2.0]), np.array([8.0, 8.0]))
    np.testing.assert_allclose(weighted._log_odds(seen, 2), np.log([7 / 3, 3 / 7]))
    np.testing.assert_allclose(weighted._log_odds(seen, 4), np.log([7, 9 / 7]))


def test_raters_of_equal_record_are_the_majority() -> None:
    """Every rater errs once, each on another item."""
    wrong = np.eye(5, dtype=int)
    labels = table(np.repeat(np.arange(5), 5), np.tile(np.arange(5), 5), wrong.ravel())
    assert weighted.aggregate(labels).label.tolist() == majority.aggregate(labels).label.tolist() == [0] * 5


def test_weights_and_probabilities_stand_still_at_the_answer() -> None:
    labels, _ = drawn(2, coins([0.95, 0.8, 0.6, 0.6, 0.3], 3), m=307, each=4)
    told = weighted.aggregate(labels)
    assert not {finding.code for finding in told.findings} & {"weights-unsettled"}
    found = _cells.cells(labels)
    a = told.raters.value
    seen = _others.against_others(found, np.ones(found.J))
    power = weighted._log_odds(_others.Agreement(seen.credit, seen.use, a * seen.total, seen.total), 3)
    score = _others.votes(found, power)
    np.testing.assert_allclose(np.log(told.probability / told.probability[:, :1]), score - score[:, :1], atol=1e-8)
    np.testing.assert_allclose(told.probability.sum(axis=1), 1)
    assert "weights-unsettled" in {finding.code for finding in weighted.aggregate(labels, rounds=1).findings}


def test_better_raters_count_more_and_adversaries_against() -> None:
    confusion = coins([0.95, 0.95, 0.55, 0.55, 0.55, 0.05, 0.05], 2)
    labels, truth = drawn(3, confusion, m=601, each=7)
    by_vote, by_weight = (np.mean(m.aggregate(labels).label == truth) for m in (majority, weighted))
    assert by_weight > 0.97
    assert by_weight > by_vote + 0.1
    value = weighted.aggregate(labels).raters.value
    np.testing.assert_allclose(value, np.diagonal(confusion, axis1=1, axis2=2)[:, 0], atol=0.08)


@pytest.mark.parametrize("C", [1, 2])
def test_one_rater_keeps_the_labels(C) -> None:
    said = np.array([0, 1, 1]) % C
    told = weighted.aggregate(table([0, 1, 2], [0, 0, 0], said, C=C))
    assert told.label.tolist() == said.tolist()
    assert np.isnan(told.raters.value).all()
