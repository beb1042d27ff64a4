"""`adjudge plan` as a user types it: plan, fill in, give back; and what it says on the way."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.cli.main import main
from adjudge.sim.judging import Judging

WORLD = Judging(truth=(0.62, 0.58), items=211, labels=80).draw(4)
RATINGS = WORLD.ratings


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pl.DataFrame(
        {
            "policy": np.array(RATINGS.policies)[RATINGS.policy],
            "prompt_id": RATINGS.item,
            "judge_score": RATINGS.score[:, 0],
            "human": pl.Series(RATINGS.gold).fill_nan(None),
            "answer": [f"answer {row}" for row in range(RATINGS.n)],
        }
    ).write_csv("ratings.csv")


def test_plan_fill_in_give_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "ratings.csv", "--gold", "human", "--labels", "40"]) == 0
    shown = capsys.readouterr().out
    assert "p00: 40 rows, as asked" in shown
    assert "to_label.csv (80 empty in column `gold`)" in shown
    sheet = pl.read_csv("to_label.csv")
    assert sheet["gold"].null_count() == 80
    assert "judge_score" not in sheet.columns  # raters are not led by the judge
    assert sheet["answer"].to_list() == [f"answer {row}" for row in sheet["row"]]
    sheet.with_columns(gold=pl.Series(WORLD.gold[sheet["row"].to_numpy()])).write_csv("to_label.csv")
    before = Path("ratings.csv").read_bytes()
    code = main(["evaluate", "ratings.csv", "--gold", "human", "--gold-file", "to_label.csv", "--no-report"])
    assert code == 0, capsys.readouterr().err
    table = capsys.readouterr().out
    labels = sum(int(line.split()[-1]) for line in table.splitlines() if line.startswith("p0"))
    assert labels == 160
    assert Path("ratings.csv").read_bytes() == before


def test_prices_and_a_budget(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "ratings.csv", "--gold", "human", "--gold-cost", "1.5", "--budget", "60"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    cost = float(shown.partition("cost: ")[2].split()[0])
    assert 57 <= cost <= 60.0 + 1.5
    assert pl.read_csv("to_label.csv")["gold"].null_count() * 1.5 == cost


def test_a_target_and_a_pair(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "plan",
        "ratings.csv",
        "--gold",
        "human",
        "--between",
        "p01",
        "p00",
        "--target",
        "0.05",
        "--out",
        "mine.csv",
    ]
    assert main(words) == 0
    assert "p00 and p01 differ by" in capsys.readouterr().out
    assert Path("mine.csv").exists()


def test_the_same_seed_draws_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    sheets = []
    for seed in ("1", "1", "2"):
        assert main(["plan", "ratings.csv", "--gold", "human", "--labels", "9", "--seed", seed, "--out", "s.csv"]) == 0
        sheets.append(Path("s.csv").read_text())
    capsys.readouterr()
    assert sheets[0] == sheets[1] != sheets[2]


@pytest.mark.parametrize("gold", ["none", "one"])
def test_without_labels_a_pilot_is_drawn(gold: str, capsys: pytest.CaptureFixture[str]) -> None:
    keep = 0 if gold == "none" else 1
    frame = pl.read_csv("ratings.csv")
    human = frame["human"].to_numpy().copy()
    human[np.flatnonzero(np.isfinite(human))[keep:]] = np.nan
    frame.with_columns(human=pl.Series(human).fill_nan(None)).write_csv("bare.csv")
    assert main(["plan", "bare.csv", "--gold", "human"]) == 0
    assert "No label stands behind p00, p01" in capsys.readouterr().out
    drawn = pl.read_csv("to_label.csv").filter(pl.col("gold").is_null())
    assert drawn.group_by("policy").len()["len"].min() >= 29


def test_a_single_policy_can_be_sampled(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "ratings.csv", "--gold", "human", "--where", "policy = 'p00'"]) == 0
    assert "a single policy has no rival" in capsys.readouterr().out
    assert not Path("to_label.csv").exists()
    assert main(["plan", "ratings.csv", "--gold", "human", "--where", "policy = 'p00'", "--labels", "7"]) == 0
    assert "7 empty in column `gold`" in capsys.readouterr().out


def test_the_line_that_a_report_offers_is_one_that_plan_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every option of `evaluate` that `plan` does not have is left out of the line to copy."""
    words = [
        "evaluate",
        "arena",
        "--judge",
        "judge_score",
        "--gold",
        "oracle_label",
        "--by",
        "split",
        "--format",
        "json",
    ]
    words += ["--calibration=linear", "--method", "calibrated", "--set", "few=20", "--no-stream", "--out", "here"]
    monkeypatch.setattr("sys.argv", ["adjudge", *words])
    assert main(words) == 0
    capsys.readouterr()
    page = (tmp_path / "here" / "report.html").read_text()
    (line,) = set(re.findall(r"adjudge plan arena[^<\"]*?to_label\.csv", html.unescape(page)))
    assert main(shlex.split(line)[1:]) == 0
    assert "Found" not in capsys.readouterr().err
