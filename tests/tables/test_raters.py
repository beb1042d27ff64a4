"""Judges as rows become judges as columns."""

import numpy as np
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read import read

LONG = [
    {"policy": "a", "prompt_id": 1, "rater": "gpt", "score": 0.5, "tokens": 10},
    {"policy": "a", "prompt_id": 1, "rater": "claude", "score": 0.75, "tokens": 10},
    {"policy": "b", "prompt_id": 1, "rater": "claude", "score": 0.25, "tokens": 30},
    {"policy": "b", "prompt_id": 1, "rater": "human", "score": 1.0, "tokens": 30},
    {"policy": "b", "prompt_id": 1, "rater": "gpt", "score": 0.0, "tokens": None},
]


def test_hand_worked_pivot():
    table = read(LONG, rater="rater", judge="score", gold="human", covariates=["tokens"])
    assert table.judges == ("claude", "gpt")
    np.testing.assert_array_equal(table.score, [[0.75, 0.5], [0.25, 0.0]])
    np.testing.assert_array_equal(table.gold, [np.nan, 1.0])
    assert table.covariates[:, 0].tolist() == [10.0, 30.0]
    assert table.row.tolist() == [0, 2]


def test_several_human_raters_are_gold():
    more = [*LONG, LONG[3] | {"rater": "second human", "score": 0.5}]
    table = read(more, rater="rater", judge="score", gold=["human", "second human"])
    np.testing.assert_allclose(table.gold, [np.nan, 0.75])
    np.testing.assert_allclose(table.gold_variance, [0.0, 0.125 / 2])


def test_gold_may_also_be_a_column():
    rows = [row | {"gold": 0.5 if row["policy"] == "a" and row["rater"] == "gpt" else None} for row in LONG[:3]]
    np.testing.assert_array_equal(read(rows, rater="rater", judge="score").gold, [0.5, np.nan])


def test_repeats_are_draws_in_order():
    rows = [row | {"score": row["score"] + shift} for shift in (0.0, 0.125) for row in LONG[:2]]
    table = read(rows, rater="rater", judge="score")
    np.testing.assert_array_equal(table.score, [[0.75, 0.5], [0.875, 0.625]])
    assert table.item.tolist() == [0, 0]


def test_repeats_of_one_draw_are_averaged_and_told():
    rows = [row | {"draw": 0, "score": row["score"] + shift} for shift in (0.0, 0.125) for row in LONG[:2]]
    table = read(rows, rater="rater", judge="score")
    np.testing.assert_array_equal(table.score, [[0.8125, 0.5625]])
    assert "rater-repeated" in [finding.code for finding in table.findings]


@pytest.mark.parametrize(
    ("change", "options", "match"),
    [
        ({}, {"judge": ["score", "tokens"]}, "2 judge columns"),
        ({"rater": None}, {}, "have no rater"),
        ({}, {"gold": "nobody"}, "no column 'nobody'"),
        ({}, {"gold": ["gpt", "claude", "human"]}, "Every rater is named as gold"),
        ({"score": "great"}, {}, "'great'"),
    ],
)
def test_bad_long_tables(change, options, match):
    with pytest.raises(AdjudgeError, match=match):
        read([*LONG[:4], LONG[4] | change], **{"rater": "rater", "judge": "score"} | options)


def test_too_many_raters():
    rows = {"policy": ["a"] * 101, "prompt_id": [1] * 101, "w": list(range(101)), "score": [0.5] * 101}
    with pytest.raises(AdjudgeError, match="101 raters"):
        read(rows, rater="w", judge="score")
