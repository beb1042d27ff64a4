"""`adjudge evaluate` as a user types it: every way to hand a table in, every form of answer, exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from adjudge.cli import evaluate as command
from adjudge.cli.main import main
from adjudge.sim.judging import Judging

ADAPTERS = Path(__file__).parents[1] / "data" / "adapters"
RATINGS = Judging(truth=(0.8, 0.5), items=101, labels=80).draw(1).ratings
FRAME = pl.DataFrame(
    {
        "policy": np.array(RATINGS.policies)[RATINGS.policy],
        "prompt_id": RATINGS.item,
        "judge_score": RATINGS.score[:, 0],
        "gold": pl.Series(RATINGS.gold).fill_nan(None),
        "split": np.where(RATINGS.item % 5 == 0, "dev", "test"),
    }
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _values(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, float]:
    code = main(["evaluate", *words, "--format", "json", "--no-report"])
    shown = capsys.readouterr()
    assert code in (0, 2), shown.err
    return {row["policy"]: row["value"] for row in json.loads(shown.out)["policies"]}


def test_every_format_of_file_gives_the_same_answer(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.write_csv("t.csv")
    FRAME.write_csv("t.tsv", separator="\t")
    FRAME.write_ndjson("t.jsonl")
    FRAME.write_json("t.json")
    FRAME.write_parquet("t.parquet")
    FRAME.write_ipc("t.arrow")
    answers = [_values(capsys, f"t.{suffix}") for suffix in ("csv", "tsv", "jsonl", "json", "parquet", "arrow")]
    for answer in answers[1:]:
        assert answer == pytest.approx(answers[0], rel=1e-9)


def test_one_file_a_policy_is_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.write_csv("all.csv")
    Path("runs").mkdir()
    for name in ("p00", "p01"):
        part = FRAME.filter(pl.col("policy") == name).drop("policy").rename({"judge_score": "score", "gold": "human"})
        part.write_ndjson(f"runs/{name}.jsonl")
    whole = _values(capsys, "all.csv")
    columns = ("--judge", "score", "--gold", "human")
    for source in (["runs/p00.jsonl", "runs/p01.jsonl"], ["runs"], ["runs/*.jsonl"]):
        assert _values(capsys, *source, *columns) == pytest.approx(whole, rel=1e-9)


def test_several_judges_and_raters_a_range_and_a_condition(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    noise = [pl.Series(rng.normal(0, 0.1, FRAME.height)) for _ in range(3)]
    five = FRAME["gold"] * 4 + 1
    FRAME.with_columns(
        j2=FRAME["judge_score"] + noise[0], a=(five + noise[1]).clip(1, 5), b=(five + noise[2]).clip(1, 5)
    ).drop("gold").write_csv("t.csv")
    words = ["t.csv", "--judge", "judge_score", "--judge", "j2", "--gold", "a", "--gold", "b", "--range", "1,5"]
    found = _values(capsys, *words, "--where", "split = 'test'", "--cluster", "prompt_id")
    assert found["p00"] == pytest.approx(1 + 4 * 0.8, abs=0.4)
    assert found["p01"] == pytest.approx(1 + 4 * 0.5, abs=0.4)


@pytest.mark.parametrize("log", ["inspect", "lm_eval", "promptfoo/out.json", "deepeval/run.json"])
def test_logs_of_other_tools_say_what_they_hold(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", str(ADAPTERS / log), "--no-report"])
    shown = capsys.readouterr()
    assert code in (0, 1, 2)
    assert "did not foresee" not in shown.err
    assert code != 1 or shown.err.startswith("Found:")


def test_forms_and_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.write_csv("t.csv")
    assert main(["evaluate", "t.csv", "--out", "report"]) == 0
    shown = capsys.readouterr()
    assert "p00 is best" in shown.out
    assert shown.out.rstrip().endswith("report/report.html")
    names = {path.name for path in Path("report").iterdir()}
    assert names == {"report.html", "results.json", "results.csv", "results.parquet", "run.json"}
    assert main(["evaluate", "t.csv", "--format", "csv", "--no-report"]) == 0
    assert pl.read_csv(capsys.readouterr().out.encode())["policy"].to_list() == ["p00", "p01"]
    assert main(["evaluate", "t.csv", "--format", "md", "--no-report"]) == 0
    assert "| p00" in capsys.readouterr().out
    assert main(["evaluate", "t.csv", "--format", "json", "--out", "other"]) == 0
    shown = capsys.readouterr()
    json.loads(shown.out)  # the path of the page goes to the error stream
    assert "other/report.html" in shown.err


def test_exit_code_2_when_a_finding_is_severe(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.with_columns(gold=pl.when(pl.col("policy") == "p00").then(pl.col("gold"))).write_csv("t.csv")
    assert main(["evaluate", "t.csv", "--no-report"]) == 2
    shown = capsys.readouterr().out
    assert re.search(r"severe +The value of p01 is not verified", shown)


def test_without_labels_no_winner_is_proclaimed(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.drop("gold").write_csv("t.csv")
    assert main(["evaluate", "t.csv", "--no-report"]) == 2
    shown = capsys.readouterr().out
    assert "By the judge alone, p00 is ahead" in shown
    assert "is best" not in shown
    assert shown.count("[not-verified]") == 1


def test_the_same_words_give_the_same_answer_and_the_run_remembers_them(capsys: pytest.CaptureFixture[str]) -> None:
    FRAME.write_csv("t.csv")
    for folder in ("one", "two"):
        assert main(["evaluate", "t.csv", "--seed", "7", "--level", "0.9", "--out", folder]) == 0
    one, two = (json.loads(Path(folder, "results.json").read_text()) for folder in ("one", "two"))
    assert one["policies"] == two["policies"]
    remembered = json.loads(Path("one/run.json").read_text())
    assert remembered["seed"] == 7
    assert remembered["settings"]["level"] == 0.9
    capsys.readouterr()


def test_the_examples_of_the_help_page_are_commands(capsys: pytest.CaptureFixture[str]) -> None:
    shown = CliRunner().invoke(command.command, ["--help"]).output
    examples = re.findall(r"^ +adjudge evaluate (.+)$", shown, flags=re.MULTILINE)
    assert len(examples) >= 4
    for words in examples:
        code = main(["evaluate", *words.split(), "--no-report"])
        error = capsys.readouterr().err
        assert code != 1 or "There is no file" in error or "No file" in error, (words, error)
