"""Labels from a second table find their rows, or say which did not."""

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read import read

ROWS = pl.DataFrame(
    {
        "policy": ["a", "a", "b", "b", "b"],
        "prompt_id": [1, 2, 1, 2, 2],
        "draw": [0, 0, 0, 0, 1],
        "judge_score": [0.1, 0.2, 0.3, 0.4, 0.5],
    }
)


def codes(ratings):
    return {finding.code: finding for finding in ratings.findings}


def test_labels_join_on_policy_prompt_and_draw():
    labels = {"policy": ["b", "a"], "prompt_id": ["2", "1"], "draw": ["1", "0"], "gold": ["0.75", "pass"]}
    with pytest.raises(AdjudgeError, match="'pass'"):
        read(ROWS, labels=labels)
    table = read(ROWS, labels=labels | {"gold": ["0.75", "1"]})
    np.testing.assert_array_equal(table.gold, [1, np.nan, np.nan, np.nan, 0.75])


def test_a_plan_comes_back(tmp_path):
    source = tmp_path / "ratings.parquet"
    ROWS.drop("draw").write_parquet(source)
    plan = tmp_path / "to_label.csv"
    plan.write_text(
        "row,policy,prompt_id,judge_score,gold,propensity\n4,b,2,0.5,1,0.25\n3,b,2,0.4,,0.5\n0,a,1,0.1,0,0.125\n"
    )
    table = read(source, labels=plan)
    np.testing.assert_array_equal(table.gold, [0, np.nan, np.nan, np.nan, 1])
    np.testing.assert_array_equal(table.propensity, [0.125, np.nan, np.nan, np.nan, 0.25])


def test_an_unfilled_plan_is_told(tmp_path):
    plan = tmp_path / "to_label.csv"
    plan.write_text("row,policy,prompt_id,gold\n4,b,2,\n0,a,1,\n")
    assert "labels-empty" in codes(read(ROWS, labels=plan))


def test_rows_are_found_by_number_after_a_filter():
    labels = {"row": [4, 2], "policy": ["b", "b"], "prompt_id": [2, 1], "gold": [1.0, 0.0]}
    table = read(ROWS, labels=labels, where="policy = 'b'", draw="draw")
    np.testing.assert_array_equal(table.gold, [0.0, np.nan, 1.0])


def test_row_numbers_of_another_file_are_not_trusted():
    labels = {"row": [0], "policy": ["b"], "prompt_id": [1], "gold": [0.5]}
    np.testing.assert_array_equal(read(ROWS, labels=labels).gold, [np.nan, np.nan, 0.5, np.nan, np.nan])
    with pytest.raises(AdjudgeError, match="row numbers of the labels do not fit"):
        read(ROWS, labels={"row": [99], "gold": [0.5]})


def test_labels_for_draws_that_cannot_be_told_apart():
    with pytest.raises(AdjudgeError, match="fit several rows with differing scores"):
        read(ROWS, labels={"policy": ["b"], "prompt_id": [2], "gold": [0.5]})


def test_unmatched_labels_are_told():
    labels = {"policy": ["a", "z"], "prompt_id": [1, 1], "draw": [0, 0], "gold": [0.5, 0.5]}
    finding = codes(read(ROWS, labels=labels))["labels-unmatched"]
    assert finding.number == 1
    assert "policy 'z'" in finding.message
    with pytest.raises(AdjudgeError, match="none of its 1 labels fits"):
        read(ROWS, labels={"policy": ["z"], "prompt_id": [1], "draw": [0], "gold": [0.5]})


def test_new_labels_stand_beside_old_ones():
    rows = ROWS.with_columns(pl.Series("human", [0.0, None, 1.0, None, None]))
    labels = {"policy": ["a", "a", "a"], "prompt_id": [1, 2, 2], "draw": [0, 0, 0], "gold": [1.0, 0.5, 0.25]}
    table = read(rows, gold="human", labels=labels)
    np.testing.assert_array_equal(table.gold, [0.5, 0.375, 1.0, np.nan, np.nan])
    pooled = (0.5 + 0.03125) / 2
    np.testing.assert_allclose(table.gold_variance, [0.25, 0.03125 / 2, pooled, 0, 0])


def test_old_labels_that_a_plan_returns_are_no_second_rater():
    rows = ROWS.with_columns(
        pl.Series("human", [0.0, None, 1.0, None, None]), pl.Series("other", [1.0, None, None, None, None])
    )
    labels = {"policy": ["a", "a"], "prompt_id": [1, 2], "draw": [0, 0], "gold": [0.0, 0.5]}
    table = read(rows, gold=["human", "other"], labels=labels)
    np.testing.assert_array_equal(table.gold, [0.5, 0.5, 1.0, np.nan, np.nan])
    np.testing.assert_allclose(table.gold_variance, [0.25, 0.5, 0.5, 0, 0])


def test_labels_may_be_booleans():
    labels = {"policy": ["a", "a"], "prompt_id": [1, 2], "draw": [0, 0], "gold": [True, False]}
    np.testing.assert_array_equal(read(ROWS, labels=labels).gold, [1, 0, np.nan, np.nan, np.nan])


def test_recorded_propensities_are_kept_where_the_labels_have_none():
    rows = ROWS.with_columns(
        pl.Series("human", [0.0, None, 1.0, None, None]), pl.Series("pi", [0.5, None, 0.5, None, None])
    )
    labels = {"policy": ["a"], "prompt_id": [2], "draw": [0], "gold": [1.0], "propensity": [0.125]}
    table = read(rows, gold="human", propensity="pi", labels=labels)
    np.testing.assert_array_equal(table.propensity, [0.5, 0.125, 0.5, np.nan, np.nan])


def test_labels_need_columns_to_join_on():
    with pytest.raises(AdjudgeError, match="no column 'prompt_id'"):
        read(ROWS, labels={"policy": ["a"], "gold": [1.0]})
    with pytest.raises(AdjudgeError, match="no column of gold labels"):
        read(ROWS, labels={"policy": ["a"], "prompt_id": [1], "verdict": [1.0]})
    table = read(ROWS, gold="verdict", labels={"policy": ["a"], "prompt_id": [1], "verdict": [1.0]})
    assert table.gold[0] == 1.0


def test_policies_from_files_join_by_name(tmp_path):
    for name in "ab":
        ROWS.filter(pl.col("policy") == name).drop("policy").write_csv(tmp_path / f"{name}.csv")
    table = read(tmp_path, labels={"policy": ["b"], "prompt_id": [1], "draw": [0], "gold": [0.5]})
    np.testing.assert_array_equal(table.gold, [np.nan, np.nan, 0.5, np.nan, np.nan])
