"""The ladder: rungs by hand, climbing saves what it says, gaps are said, data sets are ordered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.ranking import prompt_ladder
from value import small_tables

RUNGS = ("role", "zero_shot", "three_shot", "least_to_most", "knowledge")


def table(score, *, policy=None, cluster=None, stratum=None):
    score = np.asarray(score, dtype=float)
    made = small_tables.table(np.full(len(score), np.nan), score, policy=policy, cluster=cluster, stratum=stratum)
    return replace(made, judges=RUNGS[: score.shape[1]])


def test_by_hand_with_and_without_penalty():
    score = [[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 1]]
    found = prompt_ladder.rank(table(score), penalty=2.0, costs=(1, 2, 4))
    assert found.value[0] == pytest.approx(-(1 + 2 + 5 + 3) / 4)
    assert found.figures["unsolved"].value[0] == 0.25
    assert found.figures["cost"].value[0] == pytest.approx((1 + 3 + 7 + 7) / 4)
    assert found.figures["saved"].value[0] == pytest.approx(1 - 18 / 28)
    free = prompt_ladder.rank(table(score), penalty=0.0)
    assert free.value[0] == pytest.approx(-(1 + 2 + 3 + 3) / 4)
    assert free.figures["unsolved"].value[0] == 0.25


def test_rungs_above_the_first_success_need_not_be_run():
    full = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]])
    stopped = np.array([[1, np.nan, np.nan], [0, 1, np.nan], [0, 0, 0]])
    one, other = prompt_ladder.rank(table(full)), prompt_ladder.rank(table(stopped))
    np.testing.assert_array_equal(one.value, other.value)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert other.findings == ()


def test_the_climber_agrees_with_the_table():
    rng = np.random.default_rng(3)
    score = rng.random((101, 5)) < 0.3
    costs = (1.0, 2.0, 3.0, 5.0, 8.0)
    climbs = [prompt_ladder.climb(lambda rung, row=row: bool(row[rung - 1]), costs=costs) for row in score]
    found = prompt_ladder.rank(table(score), costs=costs)
    assert found.figures["hp_score"].value[0] == pytest.approx(np.mean([c.rung for c in climbs]))
    assert found.figures["cost"].value[0] == pytest.approx(np.mean([c.cost for c in climbs]))


def test_a_gap_below_the_first_success_is_left_out_and_said():
    found = prompt_ladder.rank(table([[np.nan, 1, 1], [0, np.nan, 0], [0, 1, 0]]))
    assert found.value[0] == -2
    assert "ladder-gaps" in [finding.code for finding in found.findings]


def test_data_sets_count_every_policy_alike():
    score = np.array([[1, 1], [0, 1], [0, 1], [0, 0], [1, 1], [0, 1]])
    found = prompt_ladder.rank(
        table(score, policy=[0, 0, 0, 1, 1, 1], cluster=[0, 1, 2, 2, 0, 1], stratum=[0, 0, 1, 1, 0, 0])
    )
    np.testing.assert_allclose(found.figures["by_data_set"].value, [1.5, 2, 1.5, 3])
    np.testing.assert_allclose(found.figures["data_sets"].value, [1.5, 2.5])


def test_coverage_with_clusters():
    """300 worlds of 61 clusters of 3 equal tasks: 95 % intervals of a difference cover within three standard errors."""
    rng, inside = np.random.default_rng(5), 0
    for _ in range(300):
        ease = np.repeat(rng.random(61), 3)
        rung = np.concatenate([1 + (rng.random(61) < p).repeat(3) + (ease < 0.5) for p in (0.3, 0.6)])
        score = np.arange(1, 4) >= rung[:, None]
        made = table(score, policy=np.repeat([0, 1], 183), cluster=np.tile(np.arange(183) // 3, 2))
        low, high = prompt_ladder.rank(made).difference("p0", "p1").interval()[0]
        inside += low <= 0.3 <= high
    assert inside / 300 >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300)


def test_too_little_and_impossible():
    nothing = prompt_ladder.rank(table([[1.0, 0.0]]))
    assert np.isnan(nothing.stderr).all()
    assert prompt_ladder.rank(table(np.zeros((7, 2)))).findings[0].code == "penalty-decides"
    with pytest.raises(AdjudgeError, match="penalty"):
        prompt_ladder.rank(table([[1.0]]), penalty=-1)
    with pytest.raises(AdjudgeError, match="rungs"):
        prompt_ladder.rank(table([[1.0, 0.0]]), rungs=("role", "role"))
