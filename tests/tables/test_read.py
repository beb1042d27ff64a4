"""The door as a whole: what a table becomes, what is guessed, and what each kind of bad input is told."""

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read import from_arrays, read

ROWS = {
    "policy": ["b", "a", "b", "a", "c"],
    "prompt_id": ["q2", "q2", "q1", "q1", "q1"],
    "judge_score": [0.5, 1.0, 0.25, 0.75, 0.0],
    "gold": [None, 1.0, 0.0, None, None],
}


def codes(ratings):
    return [finding.code for finding in ratings.findings]


def refused(match, source=None, **options):
    with pytest.raises(AdjudgeError, match=match) as caught:
        read(ROWS if source is None else source, **options)
    assert all((caught.value.found, caught.value.expected, caught.value.do))
    return caught.value


def test_hand_worked_codes():
    table = read(ROWS)
    assert table.policies == ("a", "b", "c")
    assert table.policy.tolist() == [1, 0, 1, 0, 2]
    assert table.item.tolist() == [1, 1, 0, 0, 0]
    assert table.cluster.tolist() == table.item.tolist()
    assert table.score[:, 0].tolist() == ROWS["judge_score"]
    assert np.flatnonzero(table.labelled).tolist() == [1, 2]
    assert table.weight.tolist() == [1.0] * 5
    assert np.isnan(table.propensity).all()
    assert table.gold_variance.tolist() == [0.0] * 5
    assert table.bounds == (0.0, 1.0)
    assert table.row.tolist() == [0, 1, 2, 3, 4]
    assert table.findings == ()


def test_every_part_by_name():
    source = {
        "m": ["x", "y", "x"],
        "q": [3, 3, 4],
        "j1": [1, 2, 3],
        "j2": [0.1, 0.2, 0.3],
        "r1": [1, 0, None],
        "r2": [0, 0, None],
        "doc": ["d", "d", "e"],
        "w": [1, 2, 3],
        "pi": [0.5, 0.25, None],
        "s": ["hard", "easy", None],
        "len": [10, 20, 60],
    }
    table = read(
        source,
        policy="m",
        item="q",
        judge=["j1", "j2"],
        gold=["r1", "r2"],
        cluster="doc",
        weight="w",
        propensity="pi",
        stratum="s",
        covariates=["len"],
    )
    assert table.judges == ("j1", "j2")
    assert table.score.shape == (3, 2)
    np.testing.assert_allclose(table.gold, [0.5, 0.0, np.nan])
    np.testing.assert_allclose(table.gold_variance, [0.25, 0.0, 0.0])  # s² = 1/2 over two raters, then / 2
    assert table.cluster.tolist() == [0, 0, 1]
    assert table.weight.tolist() == [1.0, 2.0, 3.0]
    np.testing.assert_allclose(table.propensity, [0.5, 0.25, np.nan])
    assert [table.strata[code] for code in table.stratum] == ["hard", "easy", "(none)"]
    assert table.covariates[:, 0].tolist() == [10.0, 20.0, 60.0]
    assert table.covariate_names == ("len",)


def test_usual_names_are_guessed_and_told():
    table = read({"Model": ["x"], "task_id": [1], "rating": [3.0], "human_label": [2.0]}, bounds=(1, 5))
    assert table.policies == ("x",)
    told = {finding.subject for finding in table.findings if finding.code == "column-guessed"}
    assert told == {("Model",), ("task_id",), ("rating",), ("human_label",)}
    assert table.bounds == (1.0, 5.0)


def test_two_usual_names_are_refused():
    error = refused("Several columns could be the policy", {"model": ["x"], "system": ["y"], "judge_score": [1]})
    assert "--policy model" in error.do


def test_named_column_must_exist_and_near_matches_are_listed():
    error = refused("no column 'judge_scor'", judge="judge_scor")
    assert "Did you mean 'judge_score'" in error.do


def test_no_judge_column():
    refused("No judge column", {"policy": ["a"], "prompt_id": [1]})


def test_a_label_may_not_be_its_own_judge():
    refused("named for two parts", judge="judge_score", gold="judge_score")


def test_gold_can_be_declined():
    table = read(ROWS, gold=())
    assert not table.labelled.any()
    assert "gold-absent" in codes(table)


def test_missing_policy_and_item_columns_are_told():
    table = read({"judge_score": [1.0, 0.5]})
    assert table.policies == ("policy",)
    assert table.item.tolist() == [0, 1]
    assert {"policy-absent", "item-absent"} <= set(codes(table))


def test_where_filters_and_keeps_row_numbers():
    table = read(ROWS, where="judge_score > 0.4 AND policy IN ('a', 'b')")
    assert table.row.tolist() == [0, 1, 3]
    assert table.policies == ("a", "b")


@pytest.mark.parametrize("where", ["judge_score >", "nope = 1", "judge_score + 1", "judge_score > 99", "DROP TABLE x"])
def test_bad_conditions(where):
    refused("--where|no column", where=where)


def test_text_numbers_work_in_conditions(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("policy,prompt_id,judge_score,ok\na,007,0.5,true\na,008,0.9,false\n")
    assert read(path, where="judge_score > 0.6").row.tolist() == [1]
    assert read(path, where="ok").row.tolist() == [0]


# -- values ----------------------------------------------------------------------------------------------------


def test_missing_scores_are_kept_and_counted():
    table = read(ROWS | {"judge_score": [0.5, None, float("nan"), 0.75, 0.0]})
    assert np.isnan(table.score[:, 0]).sum() == 2
    (finding,) = (finding for finding in table.findings if finding.code == "score-missing")
    assert "2 of 5 rows (first: row 1)" in finding.message
    assert finding.number == pytest.approx(0.4)


def test_a_judge_that_never_scored():
    refused("all 5 scores are missing", ROWS | {"judge_score": [None] * 5})


def test_constant_scores_and_labels_are_told():
    table = read(ROWS | {"judge_score": [0.5] * 5, "gold": [1, 1, None, None, 1]})
    assert {"score-constant", "gold-constant"} <= set(codes(table))


def test_one_label_is_severe():
    table = read(ROWS | {"gold": [None, 1.0, None, None, None]})
    (finding,) = (finding for finding in table.findings if finding.code == "gold-single")
    assert str(finding.severity) == "severe"


def test_mixed_types_name_the_first_bad_value():
    error = refused("judge_score", ROWS | {"judge_score": ["0.7", "0.1", "n/a", "0.2", "?"]})
    assert error.found == "judge_score: 2 of 5 values are not numbers (first: row 2, 'n/a')."


@pytest.mark.parametrize(
    "words", [["pass", "FAIL", None], ["true", "False", ""], ["yes", "no", None], [True, False, None]]
)
def test_words_become_numbers(words):
    table = read({"policy": ["a"] * 3, "prompt_id": [1, 2, 3], "judge_score": [0.1, 0.2, 0.3], "gold": words})
    np.testing.assert_allclose(table.gold, [1, 0, np.nan])
    assert "words-as-numbers" in codes(table)


@pytest.mark.parametrize("bad", [float("inf"), "inf", "-Infinity"])
def test_infinity_is_refused(bad):
    refused("infinite|not numbers", ROWS | {"judge_score": [bad, *([0.5] * 4)]})


def test_nested_values_are_refused():
    refused("holds", ROWS | {"judge_score": [[1], [2], [3], [4], [5]]})


def test_labels_outside_the_range():
    error = refused(r"2 labels lie outside 0 to 0.5 \(first: row 1, 1\)|1 of 2 labels", bounds=(0, 0.5))
    assert "row 1" in error.found
    refused("The range is 1 to 0", bounds=(1, 0))


def test_unknown_range_is_told():
    table = read(ROWS | {"gold": [None, 4.0, 1.5, None, None]})
    assert table.bounds == (-np.inf, np.inf)
    (finding,) = (finding for finding in table.findings if finding.code == "range-unknown")
    assert "--range 1,4" in finding.remedy


@pytest.mark.parametrize(
    ("weight", "match"),
    [([1, -1, 1, 1, 1], "negative"), ([1, None, 1, 1, 1], "missing"), ([0] * 5, "all weights are 0")],
)
def test_bad_weights(weight, match):
    refused(match, ROWS | {"w": weight}, weight="w")


@pytest.mark.parametrize("propensity", [0.0, -0.1, 1.5])
def test_bad_propensities(propensity):
    error = refused("outside", ROWS | {"pi": [None, propensity, 0.5, None, None]}, propensity="pi")
    assert "row 1" in error.found


def test_labelled_rows_without_propensity_are_told():
    table = read(ROWS | {"pi": [None, None, 0.5, None, None]}, propensity="pi")
    assert "propensity-missing" in codes(table)


def test_missing_covariates_become_the_mean():
    table = read(ROWS | {"x": [1.0, 3.0, None, 4.0, None]}, covariates=["x"])
    np.testing.assert_allclose(table.covariates[:, 0], [1, 3, 8 / 3, 4, 8 / 3])
    assert "covariate-missing" in codes(table)
    refused("all values are missing", ROWS | {"x": [None] * 5}, covariates=["x"])


@pytest.mark.parametrize("column", ["policy", "prompt_id"])
def test_missing_ids(column):
    refused(r"\(first: row 3\)", ROWS | {column: ["a", "b", "c", None, None]})
    refused("5 of 5 rows", ROWS | {column: [None] * 5})


def test_too_many_policies():
    n = 100_003
    error = refused(
        "100,003 distinct values", {"policy": np.arange(n), "prompt_id": np.arange(n), "judge_score": np.ones(n)}
    )
    assert "right column" in error.do


def test_empty_tables():
    refused("no rows|No judge", {"policy": [], "prompt_id": [], "judge_score": []})
    refused("No judge|no rows", [])
    refused("no rows|No judge", pl.DataFrame(schema={"policy": pl.String, "judge_score": pl.Float64}))


def test_columns_of_different_length():
    refused("differ in length", ROWS | {"judge_score": [1.0]})


@pytest.mark.parametrize("source", [5, None, [1, 2], [{"policy": "a"}, 3], {"policy": "abc", "judge_score": 1}])
def test_things_that_are_no_table(source):
    refused(".", source if source is not None else object())


# -- arrays ----------------------------------------------------------------------------------------------------


def test_from_arrays_equals_read():
    table = read(ROWS)
    same = from_arrays(
        policy=ROWS["policy"], item=ROWS["prompt_id"], score=ROWS["judge_score"], gold=[np.nan, 1, 0, np.nan, np.nan]
    )
    for name in ("policy", "item", "cluster", "score", "gold", "weight"):
        np.testing.assert_array_equal(getattr(table, name), getattr(same, name))


def test_from_arrays_takes_matrices():
    table = from_arrays(
        policy=["a", "b"],
        score=np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]),
        gold=np.array([[1.0, 0.0], [np.nan, np.nan]]),
        covariates=np.array([[1.0, 2.0], [3.0, 4.0]]),
        cluster=[7, 7],
        weight=[1, 2],
        propensity=[0.5, np.nan],
        stratum=["u", "v"],
        draw=[0, 1],
        bounds=(0, 2),
    )
    assert table.score.shape == (2, 3)
    assert table.gold[0] == 0.5
    assert table.cluster.tolist() == [0, 0]
    assert table.strata == ("u", "v")
    assert table.bounds == (0.0, 2.0)
