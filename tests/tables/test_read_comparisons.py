"""The door for votes: hand-worked tables in every form, and bad input as findings or three-part errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables import bundled
from adjudge.tables.read_comparisons import read

PLAIN = {"left": ["b", "a", "c"], "right": ["a", "c", "b"], "outcome": ["left", "tie", "right"]}


def codes(table) -> set[str]:
    return {finding.code for finding in table.findings}


def test_hand_worked_codes() -> None:
    table = read(PLAIN)
    assert table.policies == ("a", "b", "c")
    assert table.left.tolist() == [1, 0, 2]
    assert table.right.tolist() == [0, 2, 1]
    assert table.outcome.tolist() == [1.0, 0.5, 0.0]
    assert table.cluster.shape == (3, 0)
    assert table.match.tolist() == [0, 1, 2]
    assert table.first.tolist() == [1, 1, 1]
    assert not table.findings


@pytest.mark.parametrize("form", ["polars", "pandas", "pandas objects", "records", "csv", "parquet", "jsonl"])
def test_every_form_gives_the_same_table(form, tmp_path) -> None:
    frame = pl.DataFrame(PLAIN)
    if form == "polars":
        source = frame
    elif form.startswith("pandas"):
        source = pd.DataFrame(PLAIN, dtype=object if "objects" in form else None)
    elif form == "records":
        source = frame.to_dicts()
    else:
        source = tmp_path / f"votes.{form}"
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[form](source)
    table = read(source)
    assert table.left.tolist() == [1, 0, 2]
    assert table.outcome.tolist() == [1.0, 0.5, 0.0]


def test_ids_that_are_numbers_and_sides_of_different_types() -> None:
    table = read({"a": [7, 12], "b": ["12", "x"], "winner": ["a", "b"]})
    assert set(table.policies) == {"7", "12", "x"}
    assert table.policies[table.left[1]] == table.policies[table.right[0]] == "12"


def test_counted_outcomes_become_rows_with_counts() -> None:
    table = read({"left": ["x", "y"], "right": ["y", "z"], "left_wins": [3, 0], "right_wins": [1, 2], "tie": [0, 5]})
    told = dict(zip(zip(table.left.tolist(), table.outcome.tolist(), strict=True), table.count.tolist(), strict=True))
    assert told == {(0, 1.0): 3, (0, 0.0): 1, (1, 0.0): 2, (1, 0.5): 5}
    assert table.battles == 11
    assert "counts-taken" in codes(table)


def test_several_raters_as_columns_and_some_of_them_trusted() -> None:
    wide = PLAIN | {"human": ["left", None, "tie"]}
    table = read(wide, outcome="outcome", gold="human")
    assert table.raters == ("outcome", "human")
    assert table.n == 5
    assert table.outcome[table.trusted].tolist() == [1.0, 0.5]
    assert table.row[table.trusted].tolist() == [0, 2]


def test_trusted_raters_named_in_the_rater_column() -> None:
    table = read(PLAIN | {"who": ["crowd", "gpt", "crowd"]}, rater="who", gold="crowd")
    assert table.trusted.tolist() == [True, False, True]
    with pytest.raises(AdjudgeError, match="No rater is called 'nobody'"):
        read(PLAIN | {"who": ["crowd", "gpt", "crowd"]}, rater="who", gold="nobody")


def test_votes_on_the_same_answers_share_a_match_whichever_side_they_stand_on() -> None:
    table = read({"left": ["a", "b", "a"], "right": ["b", "a", "b"], "outcome": [1, 0, 1], "p": [5, 5, 6]}, item="p")
    assert table.match[0] == table.match[1] != table.match[2]
    assert table.cluster[:, 0].tolist() == [0, 0, 1]


def test_two_way_clusters_and_units_of_their_own_where_the_second_is_unknown() -> None:
    table = read(PLAIN | {"p": [1, 1, 2], "user": ["u", None, None]}, cluster=["p", "user"])
    assert table.cluster[:, 0].tolist() == [0, 0, 1]
    assert np.unique(table.cluster[:, 1]).size == 3


def test_covariates_are_differences_of_the_two_sides() -> None:
    sides = PLAIN | {"chars_left": [5, 1, 2], "chars_right": [1, 1, 4]}
    for given in ("chars", "length=chars_left,chars_right"):
        table = read(sides, covariates=[given])
        assert table.covariates[:, 0].tolist() == [4, 0, -2]
    np.testing.assert_array_equal(table.swapped().covariates, -table.covariates)


def test_self_preference_is_a_covariate() -> None:
    table = read(
        {"left": ["gpt", "claude"], "right": ["claude", "gpt"], "outcome": [1, 0], "judge": ["gpt-judge"] * 2},
        rater="judge",
        families={"gpt": "openai", "gpt-judge": "openai", "claude": "anthropic"},
    )
    assert table.covariate_names == ("self_family",)
    assert table.covariates[:, 0].tolist() == [1, -1]


def test_who_was_shown_first_in_words_numbers_or_by_name() -> None:
    for shown in (["left", "right", "left"], [1, 2, 1], ["b", "c", "c"]):
        assert read(PLAIN | {"shown": shown}, first="shown").first.tolist() == [1, -1, 1]


def test_time_in_dates_or_numbers() -> None:
    dates = read(PLAIN | {"at": ["2024-05-01", "2024-04-30", "2024-05-02"]}, time="at").time
    assert np.argsort(dates).tolist() == [1, 0, 2]
    assert read(PLAIN | {"at": [3, 1, 2]}, time="at").time.tolist() == [3, 1, 2]


def test_self_comparisons_and_missing_verdicts_are_left_out_and_told() -> None:
    table = read({"left": ["a", "a", "b"], "right": ["a", "b", "a"], "outcome": ["left", None, "left"]})
    assert table.n == 1
    assert table.row.tolist() == [2]
    assert {"self-comparison", "verdict-missing"} <= codes(table)


def test_repeated_votes_of_one_rater_are_told() -> None:
    rows = {"left": ["a", "b"], "right": ["b", "a"], "outcome": [1, 0], "p": [1, 1], "who": ["u", "u"]}
    assert "votes-repeated" in codes(read(rows | {"shown": [1, 2]}, item="p", rater="who", first="shown"))
    assert "votes-repeated" not in codes(read(rows, item="p", rater="who")), "the second vote is on the swapped pair"


@pytest.mark.parametrize(
    ("table", "options", "said"),
    [
        ({"x": [1]}, {}, "No two columns hold the policies"),
        ({"left": ["a"], "right": ["b"]}, {}, "No column says who won"),
        (PLAIN, {"left": "right"}, "named for both sides"),
        (PLAIN, {"outcome": "winer"}, "no column 'winer'"),
        ({**PLAIN, "outcome": ["left", "huh", "tie"]}, {}, "1 of 3 verdicts cannot be read: 'huh'"),
        ({**PLAIN, "left": ["a", None, "c"]}, {}, "1 of 3 votes have no policy"),
        ({**PLAIN, "outcome": [None, None, None]}, {}, "None of 3 rows holds a verdict"),
        ({"left": ["a"], "right": ["a"], "outcome": ["left"]}, {}, "None of 1 rows holds a verdict"),
        ({**PLAIN, "w": [1, -1, 1]}, {"weight": "w"}, "1 of 3 weights are negative"),
        ({**PLAIN, "n": [1, 1.5, 1]}, {"count": "n"}, "1 of 3 counts are missing, negative or no whole number"),
        ({**PLAIN, "x": [2, 2, 2]}, {"covariates": ["x"]}, "the same in every row"),
        ({**PLAIN, "at": ["2024-01-01", "soon", "2024-01-02"]}, {"time": "at"}, "1 of 3 times are missing or no date"),
        ({**PLAIN, "who": ["u", None, "v"]}, {"rater": "who"}, "1 of 3 votes have no rater"),
        (PLAIN, {"cluster": ["left", "right", "outcome"]}, "3 columns of clusters"),
        (PLAIN, {"families": {"a": "f"}}, "no rater has a family"),
        (PLAIN, {"where": "outcome = 'nobody'"}, "No row of 3 passes"),
    ],
)
def test_bad_input_is_a_three_part_error(table, options, said) -> None:
    with pytest.raises(AdjudgeError) as error:
        read(table, **options)
    assert said in error.value.found
    assert error.value.expected
    assert error.value.do


def test_the_bundled_votes_are_what_their_readme_says() -> None:
    votes = read(bundled.path("votes"), rater="rater_kind", gold="crowd", item="prompt")
    assert (votes.k, votes.n, int(votes.trusted.sum())) == (59, 13_209, 8_931)
    battles = read(bundled.path("battles"))
    assert (battles.k, battles.battles) == (129, 1_670_250)
