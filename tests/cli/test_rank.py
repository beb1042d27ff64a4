"""`adjudge rank` as a user types it: bundled tables, every option, exit codes and errors in three parts."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.cli.main import main
from contracts import leagues


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = leagues.votes()
    names = np.array(leagues.NAMES)
    pl.DataFrame(
        {
            "model_a": names[table.left],
            "model_b": names[table.right],
            "winner": pl.Series(table.outcome).replace_strict({1.0: "model_a", 0.5: "tie", 0.0: "model_b"}),
            "prompt": table.item,
            "user": table.rater,
            "chars_a": table.item * 7 % 13,
            "chars_b": table.match * 5 % 11,
        }
    ).write_csv("votes.csv")


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:
    found = main(["rank", *words, "--format", "json", "--no-report"])
    shown = capsys.readouterr()
    assert found == code, shown.err
    return json.loads(shown.out)


def test_every_option_reaches_the_flow(capsys) -> None:
    answer = told(
        capsys,
        *("votes.csv", "--left", "model_a", "--right", "model_b", "--outcome", "winner"),
        *("--cluster", "prompt", "--cluster", "user", "--covariate", "length=chars_a,chars_b"),
        *("--set", "order=True", "--where", "prompt < 30", "--level", "0.9", "--seed", "4"),
    )
    assert {row["policy"] for row in answer["policies"]} == set(leagues.NAMES)
    assert answer["run"]["settings"]["cluster"] == ["prompt", "user"]
    effects = answer["figures"]["What moves the votes beside quality"]
    assert [row["policy"] for row in effects] == ["length, one standard deviation", "first"]


def test_scores_by_model_and_task(capsys) -> None:
    table = leagues.scores()
    frame = pl.DataFrame({"m": np.array(leagues.NAMES)[table.policy], "t": table.item, "s": table.score[:, 0]})
    frame.write_parquet("scores.parquet")
    answer = told(capsys, "scores.parquet", "--by", "m", "--task", "t", "--score", "s")
    assert [row["policy"] for row in answer["policies"]] == list(leagues.NAMES)
    by_borda = told(capsys, "scores.parquet", "--by", "m", "--task", "t", "--score", "s", "--method", "task_borda")
    assert {row["policy"] for row in by_borda["policies"]} == set(leagues.NAMES)


def test_a_page_and_tables_are_written_and_said(capsys) -> None:
    assert main(["rank", "votes.csv", "--cluster", "prompt", "--out", "out"]) == 0
    assert "Report: out/report.html" in capsys.readouterr().out
    assert {path.name for path in Path("out").iterdir()} >= {"report.html", "results.json", "results.csv", "run.json"}


def test_the_bundled_votes_by_people_and_judges(capsys) -> None:
    answer = told(capsys, "votes", "--rater", "rater_kind", "--gold", "crowd", "--task", "prompt")
    assert len(answer["policies"]) == 59
    assert answer["policies"][0]["policy"] == "GPT 4"


def test_an_undefeated_policy_is_severe_and_exits_with_two(capsys) -> None:
    frame = pl.read_csv("votes.csv")
    ant = pl.when(pl.col("model_a") == "ant").then(pl.lit("model_a"))
    ant = ant.when(pl.col("model_b") == "ant").then(pl.lit("model_b")).otherwise(pl.col("winner"))
    frame.with_columns(ant.alias("winner")).write_csv("unbeaten.csv")
    answer = told(capsys, "unbeaten.csv", "--cluster", "prompt", code=2)
    row = next(row for row in answer["policies"] if row["policy"] == "ant")
    assert row["value"] is None or row["high"] is None
    assert any(finding["severity"] == "severe" for finding in answer["findings"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["votes.csv", "--outcome", "winer"], "no column 'winer'"),
        (["votes.csv", "--gold", "nobody", "--rater", "user"], "No rater is called 'nobody'"),
        (["votes.csv", "--method", "kemny"], "nothing lives at 'ranking.kemny'"),
        (["votes.csv", "--set", "tie=half"], "has no argument 'tie'"),
        (["nowhere.csv"], "nowhere.csv"),
        (["votes.csv", "--level", "5"], "level is 5"),
        (["votes.csv", "--gold", "nobody"], "no column says who voted"),
        (["votes.csv", "--covariate", "length"], "NAME=LEFT_COLUMN,RIGHT_COLUMN"),
        (["votes.csv", "--stratum", "prompt"], "--stratum is for scores"),
        (["votes.csv", "--by", "model_a", "--score", "chars_a", "--rater", "user"], "--rater is for votes"),
        (["votes.csv", "--by", "modl", "--score", "chars_a"], "--by"),
        (["empty.csv"], "empty.csv is empty"),
        (["head.csv"], "head.csv has no rows"),
        (["words.csv"], "neither votes on pairs nor scores"),
    ],
)
def test_what_cannot_be_is_said_in_three_parts(capsys, words, said) -> None:
    for name, text in (("empty", ""), ("head", "left,right,outcome\n"), ("words", "question,reply\na,b\n")):
        Path(f"{name}.csv").write_text(text)
    before = Path("votes.csv").read_bytes()
    assert main(["rank", *words, "--no-report"]) == 1
    shown = capsys.readouterr().err
    assert said in shown
    assert all(part in shown for part in ("Found:", "Expected:", "Do:"))
    assert Path("votes.csv").read_bytes() == before


def test_the_condition_of_a_remedy_works_when_it_is_typed(capsys) -> None:
    frame = pl.read_csv("votes.csv").rename({"model_a": "model a", "model_b": "order"})
    holes = pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise(pl.col("order")).alias("order")
    frame.with_columns(holes).write_csv("holes.csv")
    sides = ("--left", "model a", "--right", "order")
    assert main(["rank", "holes.csv", *sides, "--no-report"]) == 1
    remedy = capsys.readouterr().err.partition("--where ")[2].partition(", or name")[0]
    answer = told(capsys, "holes.csv", *sides, *shlex.split(f"--where {remedy}"))
    assert len(answer["policies"]) == len(leagues.NAMES)


def test_names_with_control_characters_stay_data(capsys) -> None:
    frame = pl.read_csv("votes.csv")
    evil = "ant\x1b[31m<script>alert(1)</script>"
    swap = [pl.col(side).replace({"ant": evil, "model_a": "model_a"}) for side in ("model_a", "model_b")]
    frame.with_columns(swap).write_parquet("evil.parquet")
    assert main(["rank", "evil.parquet", "--cluster", "prompt", "--out", "evil"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert "<script>alert" not in Path("evil/report.html").read_text()


def test_help_shows_worked_examples(capsys) -> None:
    assert main(["rank", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "adjudge rank battles" in shown
    assert shown.count("adjudge rank") >= 6
