"""Bundled tables are found by name, unless the user has a file of that name."""

from pathlib import Path

import polars as pl
import pytest

from adjudge.flows.evaluate import evaluate
from adjudge.tables import bundled


def test_arena_is_a_table_of_numbers_and_names():
    frame = pl.read_parquet(bundled.path("arena"))
    assert {"policy", "prompt_id", "judge_score", "oracle_label"} <= set(frame.columns)
    assert frame["policy"].n_unique() == 4
    longest = max(frame[name].cast(pl.String).str.len_chars().max() for name in frame.columns)
    assert longest < 100  # no texts of prompts or answers


def test_a_file_of_that_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arena").mkdir()
    assert bundled.path("arena") == "arena"


@pytest.mark.parametrize(
    "source", ["nothing_of_ours", "../data_files/arena", "arena.parquet", "", Path("arena"), None, 7]
)
def test_anything_else_is_left_as_it_is(source: object):
    assert bundled.path(source) is source


def test_the_name_works_from_python():
    answer = evaluate("arena", judge="judge_score", gold="oracle_label", where="policy IN ('base', 'clone')")
    assert answer.estimate.names == ("base", "clone")
    assert next(iter(answer.run.data)).endswith("arena.parquet")
