"""The door for labels: hand-worked codes, order of classes, gold, repeats, and what it refuses."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read_annotations import read

PLAIN = {
    "worker": ["b", "a", "a", "c", "b"],
    "item": [12, 12, 7, 7, 7],
    "label": ["G", "X", "P", None, "P"],
    "gold": ["G", None, None, None, None],
}


def test_hand_worked_codes() -> None:
    table = read(PLAIN)
    assert table.items == ("7", "12")
    assert table.raters == ("a", "b", "c")
    assert table.classes == ("G", "P", "X")
    assert table.item.tolist() == [1, 1, 0, 0]
    assert table.rater.tolist() == [1, 0, 0, 1]
    assert table.label.tolist() == [0, 2, 1, 1]
    assert table.gold.tolist() == [-1, 0]
    assert table.row.tolist() == [0, 1, 2, 4]
    assert table.counts.tolist() == [[0, 2, 0], [1, 0, 1]]
    assert not table.ordinal
    assert np.isnan(table.value).all()
    assert {finding.code for finding in table.findings} == {"labels-missing"}


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "polars", "records"])
def test_every_form_gives_the_same_table(form, tmp_path) -> None:
    frame = pl.DataFrame(PLAIN)
    source: object = frame if form == "polars" else frame.to_dicts()
    if form not in ("polars", "records"):
        source = tmp_path / f"labels.{form}"
        {"csv": frame.write_csv, "parquet": frame.write_parquet, "jsonl": frame.write_ndjson}[form](source)
    table = read(source)
    assert table.label.tolist() == [0, 2, 1, 1]
    assert table.gold.tolist() == [-1, 0]


def test_classes_in_order_may_hold_some_that_nobody_named() -> None:
    table = read(PLAIN, classes=("X", "R", "P", "G"))
    assert table.ordinal
    assert table.classes == ("X", "R", "P", "G")
    assert table.label.tolist() == [3, 0, 2, 2]


def test_numbers_are_in_order_and_worth_what_they_say() -> None:
    table = read({"rater": list("abc"), "item": [1, 1, 1], "grade": [10.0, 2.0, None]})
    assert table.classes == ("2", "10")
    assert table.value.tolist() == [2, 10]
    assert table.ordinal


def test_repeated_labels_are_counted_and_told() -> None:
    table = read({"rater": ["a", "a", "b"], "item": [1, 1, 1], "label": ["x", "y", "x"]})
    assert table.n == 3
    told = {finding.code: finding.number for finding in table.findings}
    assert told == {"labels-repeated": 1.0}


def test_weights_and_conditions() -> None:
    table = read({**PLAIN, "times": [1, 2, 0, 1, 3]}, weight="times", where="item = 12")
    assert table.items == ("12",)
    assert table.weight.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "arguments", "found"),
    [
        ({"label": [None] * 5}, {}, "all 5 labels are missing"),
        ({"worker": ["b", None, "a", "c", "b"]}, {}, "1 of 5 rows have no rater"),
        ({}, {"label": "lable"}, "no column 'lable'"),
        ({}, {"rater": "item"}, "both the item and the rater"),
        ({}, {"classes": ("G", "P")}, "1 of 5 values are none of the classes"),
        ({}, {"classes": ("G", "P", "X", "G")}, "classes: "),
        ({"gold": ["G", "P", None, None, None]}, {}, "1 items have two true classes"),
        ({"w": [1, -1, 1, 1, 1]}, {"weight": "w"}, "weights are negative"),
    ],
)
def test_the_impossible_is_an_error_in_three_parts(change, arguments, found) -> None:
    with pytest.raises(AdjudgeError, match=found) as caught:
        read({**PLAIN, **change}, **arguments)
    assert caught.value.expected
    assert caught.value.do


def test_no_rater_column_is_an_error() -> None:
    with pytest.raises(AdjudgeError, match="No column names the rater"):
        read({"item": [1], "label": ["x"]})
