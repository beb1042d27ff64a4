"""`adjudge compare` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from adjudge.cli import compare as command
from adjudge.cli.main import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    for i in (1, 2):
        runs = {name: rng.normal(m, 1, 5) for name, m in (("ant", 9.0), ("bee", 0.0), ("cat", 0.0))}
        pl.DataFrame({"": range(5), **runs}).write_csv(f"runs{i}.csv")


def test_it_prints_verdicts_letters_and_what_to_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "runs1.csv", "--joint", "--state", "study.json", "--out", "report"]) == 0
    shown = capsys.readouterr().out
    assert "  ant  . > >  a" in shown
    assert "  bee  < . ?  b" in shown or "  bee  < ? .  b" in shown
    assert "Go on: run 5 more of bee and cat." in shown
    assert Path("report/report.html").exists()
    assert main(["compare", "runs2.csv", "--state", "study.json", "--no-report"]) == 0
    assert len(json.loads(Path("study.json").read_text(encoding="utf-8"))["batches"]) == 2


def test_json_holds_the_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["compare", "runs1.csv", "runs2.csv", "--joint", "--format", "json", "--no-report", "--interims", "5"])
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["policies"][0]["policy"] == "ant"
    assert told["policies"][0]["note"] == "letters a; 5 runs used"
    pair = next(pair for pair in told["differences"] if {pair["left"], pair["right"]} == {"ant", "bee"})
    assert pair["p_adjusted"] <= 0.05
    assert told["run"]["settings"]["interims"] == 5


def test_options_reach_the_study(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--reference", "bee", "--level", "0.9", "--seed", "3", "--joint", "--early", "0.1", "--no-report"]
    assert main(["compare", "runs1.csv", *words, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"]["seed"] == 3
    assert {"reference": "bee", "joint": True, "early": 0.1}.items() <= told["run"]["settings"].items()
    assert [(p["left"], p["right"]) for p in told["differences"] if p["p_adjusted"] is None] in (
        [("ant", "cat")],
        [("cat", "ant")],
    )


def test_a_severe_finding_is_exit_code_two_and_a_failure_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "runs1.csv", "--runs-per-interim", "1", "--interims", "1", "--no-report"]) == 2
    assert main(["compare", "absent.csv"]) == 1
    assert main(["compare", "runs1.csv", "--score", "return"]) == 1
    shown = capsys.readouterr()
    assert "Name it with --agent" in shown.err


def test_the_examples_of_the_help_page_are_commands() -> None:
    shown = CliRunner().invoke(command.command, ["--help"]).output
    for line in shown.partition("Examples:")[2].strip().splitlines():
        words = line.split()
        assert words[:2] == ["adjudge", "compare"]
        command.command.make_context("compare", words[2:])
