"""Files: the same rows in every format, strict JSON, nulls for what is not estimable."""

import csv
import io
import json
import math
from pathlib import Path

import polars as pl
import pytest

from adjudge.errors import AdjudgeError
from adjudge.reports import export
from adjudge.reports.story import Block, Forest, ForestRow, Story, Table
from adjudge.reports.terminal import table
from reports import stories

NEEDED = ("policy", "value", "stderr", "low", "high", "rank_low", "rank_high", "p_best")


def strict(text: str):
    return json.loads(text, parse_constant=pytest.fail)


def test_json_has_the_promised_shape() -> None:
    found = strict(export.to_json(stories.ordinary()))
    assert [policy["policy"] for policy in found["policies"]] == [
        "clone",
        "base",
        "parallel_universe_prompt",
        "premium",
        "unhelpful",
    ]
    for policy in found["policies"]:
        assert set(NEEDED) <= set(policy)
        assert isinstance(policy["rank_low"], int)
    assert found["policies"][0]["value"] == 0.7702
    assert len(found["differences"]) == 5 * 4 // 2
    assert set(found["differences"][0]) == {"left", "right", "difference", "low", "high", "p_adjusted"}
    first = found["differences"][0]
    assert first["difference"] == pytest.approx(0.7702 - 0.7621)
    assert [finding["severity"] for finding in found["findings"]] == ["severe", "warning", "warning", "info"]
    assert found["findings"][3]["threshold"] is None
    assert found["run"]["command"] == stories.RUN.command
    assert found["verdict"] == stories.ordinary().verdict


def test_what_is_not_estimable_is_null_everywhere() -> None:
    story = stories.empty_handed()
    found = strict(export.to_json(story))
    assert [policy["value"] for policy in found["policies"]] == [0.5, None, None]
    assert found["differences"] == []
    assert found["run"] is None
    rows = list(csv.DictReader(io.StringIO(export.to_csv(story))))
    assert [row["value"] for row in rows] == ["0.5", "", ""]
    frame = pl.read_parquet(io.BytesIO(export.to_parquet(story)))
    assert frame["value"].to_list() == [0.5, None, None]
    assert not frame["value"].is_nan().any()


def test_every_format_holds_the_same_rows() -> None:
    story = stories.ordinary()
    records = export.records(story)
    assert pl.read_parquet(io.BytesIO(export.to_parquet(story))).to_dicts() == records
    rows = list(csv.DictReader(io.StringIO(export.to_csv(story))))
    assert [row["policy"] for row in rows] == [record["policy"] for record in records]
    assert [float(row["p_best"]) for row in rows] == [record["p_best"] for record in records]


def test_names_survive_csv_and_json_unchanged() -> None:
    story = stories.hostile()
    names = [row.policy for row in story.rows]
    assert [row["policy"] for row in csv.DictReader(io.StringIO(export.to_csv(story)))] == names
    assert [row["policy"] for row in strict(export.to_json(story))["policies"]] == names


def test_markdown_is_a_table_that_names_cannot_break() -> None:
    text = export.to_markdown(stories.hostile())
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert all(line.replace("\\|", "").count("|") == 7 for line in rows)
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "| clone | 0.770 | 0.741 to 0.797 | 1–3 | 52\xa0% | 50 |" in export.to_markdown(stories.ordinary())


@pytest.mark.parametrize("ending", [".json", ".csv", ".md", ".parquet"])
def test_files_are_written_whole_and_never_over_an_input(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"result{ending}"
    assert export.save(stories.ordinary(), path) == path
    before = path.read_bytes()
    with pytest.raises(AdjudgeError, match="input file"):
        export.save(stories.lonely(), path, inputs=[path])
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_unknown_ending_is_an_error_that_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError, match=r"\.xlsx names no format.*\.json, \.csv, \.md, \.parquet"):
        export.save(stories.ordinary(), tmp_path / "result.xlsx")


def beside(*blocks: Block) -> Story:
    return Story("What came of it?", "After 3 updates.", blocks)


LOSSES = Table("Figures", ("figure", "first", "last"), (("loss", 0.693147, 0.5), ("gold", "–", 0.25)))
HELD = Forest((ForestRow("policy", 0.75, 0.0123, 0.72, 0.78),), "Held out", ranked=False, subject="")


def test_where_no_policy_is_the_answer_the_figures_beside_it_are_written() -> None:
    text = export.to_markdown(beside(HELD, LOSSES))
    assert "Policy" not in text
    assert "Held out\n\n|  | Value | Interval |\n|:--|--:|--:|\n| policy | 0.750 | 0.720 to 0.780 |" in text
    assert "| figure | first | last |\n|:--|--:|--:|\n| loss | 0.693 | 0.5 |\n| gold | – | 0.25 |" in text
    held = export.frame(beside(HELD, LOSSES))
    assert held.select("policy", "value", "low", "note").rows() == [("policy", 0.75, 0.72, "Held out")]
    assert held.schema == export.frame(stories.ordinary()).schema
    alone = export.frame(beside(LOSSES))
    assert alone.rows() == [("loss", 0.693147, 0.5), ("gold", None, 0.25)]
    assert export.to_csv(beside(LOSSES)).startswith("figure,first,last\nloss,0.693147,0.5\n")
    words = Table("Words", ("who", "what"), (("a", 1), ("b", "two")))
    assert export.frame(beside(words)).rows() == [("a", "1"), ("b", "two")]
    assert export.frame(beside()).height == 0


def test_checkpoints_of_which_nothing_is_known_are_one_sentence() -> None:
    nothing = [ForestRow(f"step {at}", math.nan, math.nan, math.nan, math.nan, verified=False) for at in range(4)]
    told = beside(Forest(tuple(nothing), "Gold by checkpoint", subject="Checkpoint", in_order=True))
    for text in (export.to_markdown(told), table(told)):
        assert "Gold by checkpoint: none of 4 can be estimated." in text
        assert "step 1" not in text
    assert [row["value"] for row in export.records(told)] == [None] * 4
    known = beside(Forest((*nothing, HELD.rows[0]), "Gold by checkpoint", in_order=True))
    assert all("step 1" in text for text in (export.to_markdown(known), table(known)))
