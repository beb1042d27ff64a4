"""Who won, in every way that people write it; what cannot be read is an error that names it, never a tie."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.outcomes import outcomes

NAN = np.nan


def read(values, left=None, right=None, **options):
    series = pl.Series("winner", values, strict=False)
    sides = [pl.Series(side or ["x"] * series.len()) for side in (left, right or ["y"] * series.len())]
    found = []
    door = type("Door", (), {"place": staticmethod(lambda i: f"row {i}"), "findings": found, "note": None})()
    door.note = lambda code, severity, message, **rest: found.append((code, severity))
    return outcomes(series, *sides, door, **options), [code for code, _ in found]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["left", "RIGHT", " tie "], [1, 0, 0.5]),
        (["model_a", "model_b", "tie (bothbad)"], [1, 0, 0.5]),
        (["A>>B", "B>A", "A=B"], [1, 0, 0.5]),
        (["[[A]]", "[[B]]", "[[C]]"], [1, 0, 0.5]),
        (["1", "2", None], [1, 0, NAN]),
        (["1-0", "0-1", "1/2-1/2"], [1, 0, 0.5]),
        (["left", "", "n/a"], [1, NAN, NAN]),
        ([True, False, None], [1, 0, NAN]),
        ([1, 0, 0.5], [1, 0, 0.5]),
        ([1, 0, -1], [1, 0.5, 0]),
        ([1, 2, 0], [1, 0, 0.5]),
        ([1, 2, 3], [1, 0, 0.5]),
        ([0.25, 0.9, None], [0.25, 0.9, NAN]),
        (["0.25", "0.9", "1"], [0.25, 0.9, 1]),
    ],
)
def test_every_way_to_write_it(values, expected) -> None:
    np.testing.assert_array_equal(read(values)[0], np.array(expected, dtype=float))


def test_winners_by_name_with_ties_and_abstentions_as_words() -> None:
    found, _ = read(["gpt", "claude", "tie", None, "error"], ["gpt"] * 5, ["claude"] * 5)
    np.testing.assert_array_equal(found, [1, 0, 0.5, NAN, NAN])


def test_names_go_before_words_when_a_policy_is_called_a() -> None:
    found, _ = read(["a", "b"], ["b", "b"], ["a", "a"])
    np.testing.assert_array_equal(found, [0, 1])


def test_a_numeric_coding_and_a_strength_that_is_not_used_are_told() -> None:
    assert read([1, 2, 0])[1] == ["outcome-read"]
    assert read(["A>>B", "B>A"])[1] == ["strength-not-used"]
    assert read([1, 0, 0.5])[1] == []


def test_further_words_may_mean_that_there_is_no_verdict() -> None:
    np.testing.assert_array_equal(read(["left", "garbage"], missing=["garbage"])[0], [1, NAN])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["left", "bogus", "bogus"], "2 of 3 verdicts cannot be read: 'bogus' (first: row 1)"),
        ([1, 5, 7], "run from 1 to 7"),
        (["x", "z"], "1 of 2 winners did not take part (first: row 1, 'z' between 'x' and 'y')"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_names_it(values, said) -> None:
    with pytest.raises(AdjudgeError) as error:
        read(values, ["x"] * len(values), ["y"] * len(values))
    assert said in str(error.value)
    assert "--" in error.value.do


@pytest.mark.parametrize("coding", [[1, 0], [1, 2], [1, 0, -1], [0, 2], [1, 0.5, 0]])
def test_numbers_mean_the_same_as_numbers_and_as_text(coding) -> None:
    np.testing.assert_array_equal(read(coding)[0], read([str(value) for value in coding])[0])


def test_numbers_beside_a_word_for_a_tie() -> None:
    np.testing.assert_array_equal(read(["1", "0", "tie", "n/a"])[0], [1, 0, 0.5, NAN])
    np.testing.assert_array_equal(read(["1", "2", "draw"])[0], [1, 0, 0.5])
    with pytest.raises(AdjudgeError, match="'0'"):
        read(["A", "B", "0"])


def test_winners_by_number() -> None:
    found, told = read([7, 12, 7, None], [7, 7, 12, 7], [12, 12, 7, 12])
    np.testing.assert_array_equal(found, [1, 0, 0, NAN])
    assert told == []


def test_policies_called_0_and_1_beside_codes_0_and_1_are_an_error_unless_both_say_the_same() -> None:
    with pytest.raises(AdjudgeError, match="the two readings differ"):
        read([1, 1], [0, 1], [1, 0])
    np.testing.assert_array_equal(read([1, 0], [1, 1], [0, 0])[0], [1, 0])


def test_names_that_are_words_for_the_other_side_are_told() -> None:
    found, told = read(["A", "B"], ["A", "A"], ["B", "B"])
    np.testing.assert_array_equal(found, [1, 0])
    assert told == []
    found, told = read(["A", "B"], ["B", "B"], ["A", "A"])
    np.testing.assert_array_equal(found, [0, 1])
    assert told == ["outcome-ambiguous"]


def test_blanks_around_a_winner_s_name_do_not_matter() -> None:
    found, _ = read(["gpt", " claude ", "gpt"], [" gpt", "gpt", "gpt "], ["claude", "claude", "gpt"])
    np.testing.assert_array_equal(found, [1, 0, 0])


def test_a_word_among_numbers_is_the_one_that_is_named() -> None:
    with pytest.raises(AdjudgeError, match="1 of 4 verdicts cannot be read: 'garbage'") as error:
        read(["1", "2", "garbage", "0"])
    assert "--missing garbage" in error.value.do
    np.testing.assert_array_equal(read(["1", "2", "garbage", "0"], missing=["garbage"])[0], [1, 0, NAN, 0.5])
