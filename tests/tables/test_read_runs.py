"""The door for few runs: wide and long, episodes, environments, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.tables.read_runs import read


def runs(table: object) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = {}
    for row in np.argsort(table.row, kind="stable"):
        key = (table.policies[table.policy[row]], table.strata[table.stratum[row]])
        found.setdefault(key, []).append(float(table.score[row, 0]))
    return found


def test_wide_and_long_are_the_same_runs() -> None:
    wide = read({"seed": [7, 8, 9], "b": [1.0, 2.0, 3.0], "a": [4.0, None, 6.0]})
    rows = [("b", 1.0), ("a", 4.0), ("b", 2.0), ("b", 3.0), ("a", 6.0)]
    long = read([{"model": name, "score": score} for name, score in rows])
    assert runs(wide) == runs(long) == {("a", "all"): [4.0, 6.0], ("b", "all"): [1.0, 2.0, 3.0]}
    assert wide.policies == ("a", "b")


def test_files_are_rounds_in_the_order_named_or_environments(tmp_path: Path) -> None:
    for name, shift in (("zoo", 0.0), ("ape", 10.0)):
        pl.DataFrame({"": [0, 1], "x": [shift, shift + 1], "y": [shift + 2, shift + 3]}).write_csv(
            tmp_path / f"{name}.csv"
        )
    files = [tmp_path / "zoo.csv", tmp_path / "ape.csv"]
    assert runs(read(files))["x", "all"] == [0.0, 1.0, 10.0, 11.0]
    apart = read(files, each_file="environment")
    assert apart.strata == ("ape", "zoo")
    assert runs(apart)["y", "ape"] == [12.0, 13.0]
    with pytest.raises(AdjudgeError, match="each file is 'rounds'"):
        read(files, each_file="rounds")


def test_rows_of_one_run_are_its_episodes() -> None:
    rows = {"agent": ["a"] * 4 + ["b"] * 2, "seed": [0, 0, 1, 1, 0, 1], "return": [1.0, 3.0, 5.0, 7.0, 2.0, 4.0]}
    table = read(rows)
    assert [finding.code for finding in table.findings] == ["episodes-averaged"]
    assert np.unique(table.cluster).size == 4
    assert read({**rows, "seed": range(6)}).findings == ()


def test_the_same_seed_in_two_files_is_two_runs(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pl.DataFrame({"agent": ["a", "b"], "seed": [0, 0], "score": [1.0, 2.0]}).write_csv(tmp_path / f"{name}.csv")
    table = read([tmp_path / "one.csv", tmp_path / "two.csv"])
    assert np.unique(table.cluster).size == 4


def test_environments_come_from_a_column_in_either_form() -> None:
    wide = read({"env": ["e", "f"], "a": [1.0, 2.0], "b": [3.0, 4.0]})
    long = read({"env": ["e", "e", "f", "f"], "agent": ["a", "b"] * 2, "score": [1.0, 3.0, 2.0, 4.0]})
    assert runs(wide) == runs(long)
    assert wide.strata == ("e", "f")


def test_words_and_conditions_are_understood() -> None:
    table = read(
        {"agent": ["a", "a", "b"], "success": ["yes", "no", "yes"], "split": ["x", "x", "y"]}, where="split = 'x'"
    )
    assert table.score[:, 0].tolist() == [1.0, 0.0]
    assert table.policies == ("a",)


def test_what_cannot_be_read_is_refused_with_the_line_to_type() -> None:
    with pytest.raises(AdjudgeError, match="no column says which agent"):
        read({"x": [1.0], "y": [2.0]}, score="x")
    with pytest.raises(AdjudgeError, match="No score column was named"):
        read({"agent": ["a"], "points": [1.0]})
    with pytest.raises(AdjudgeError, match="no column 'bot'"):
        read({"agent": ["a"], "score": [1.0]}, agent="bot")
    with pytest.raises(AdjudgeError, match="no column of scores"):
        read({"seed": [1, 2]})
    with pytest.raises(AdjudgeError, match="agent"):
        read({"agent": ["a", None], "score": [1.0, 2.0]})
    with pytest.raises(AdjudgeError, match="b"):
        read({"a": [1.0], "b": ["high"]})
