"""`adjudge watch`: exit codes, files, labels from a function, following a live run, leaving it with Ctrl-C."""

from __future__ import annotations

import json
import threading
import time

import numpy as np
import polars as pl
import pytest

from adjudge.cli.main import main
from adjudge.flows import watch_follow

GOLD = {"falls": [0.2, 0.6, 0.9, 0.5, 0.1, 0.05], "rises": [0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}


def lines(kind, steps=6, of=None):
    rng = np.random.default_rng(7)
    rows = [
        {"step": step, "item": f"p{who}", "prompt": f"Q {who}", "kl": float(step**2), "judge": step + rng.random(),
         "response": f"{np.clip(GOLD[kind][step] + rng.normal(0, 0.05), 0, 1):.4f}", **({"of": of} if of else {})}
        for step in range(steps) for who in range(101)
    ]  # fmt: skip
    return [json.dumps(row) + "\n" for row in rows]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "truth.py").write_text("def score(prompt, response):\n    return float(response)\n")
    return tmp_path / "run" / "samples.jsonl"


def test_stop_is_exit_code_2_and_tables_are_written(run, capsys):
    run.write_text("".join(lines("falls")))
    assert main(["watch", "run", "--proxy", "judge", "--gold", "python:truth.py:score", "--final"]) == 2
    out = capsys.readouterr().out
    assert "Stop: gold has fallen at step" in out
    assert "Keep the checkpoint of step 2." in out
    made = json.loads((run.parent.parent / "adjudge-report" / "results.json").read_text())
    kept = [row["policy"] for row in made["policies"] if "keep" in (row["note"] or "")]
    assert kept == ["step 2"]
    assert "step 2" in pl.read_csv("adjudge-report/results.csv")["policy"].to_list()
    assert main(["watch", "run", "--proxy", "judge", "--no-report"]) == 2  # remembered


def test_going_on_is_exit_code_0_and_asks_people_where_gold_is_missing(run, capsys):
    run.write_text("".join(lines("rises")))
    assert main(["watch", "run", "--gold", "python:truth.py:score", "--no-report", "--state", "other.json"]) == 0
    assert "Go on:" in capsys.readouterr().out
    assert main(["watch", "run", "--no-report"]) == 0
    assert "run/ask.jsonl" in capsys.readouterr().out
    asked = [json.loads(line) for line in (run.parent / "ask.jsonl").read_text().splitlines()]
    assert set(asked[0]) == {"item", "step", "prompt", "response", "gold"}


def test_a_live_run_is_followed_to_its_end(run, capsys):
    everything = lines("falls", of=5)
    run.write_text("".join(everything[:101]))

    def grow():
        for step in range(1, 6):
            time.sleep(0.05)
            with run.open("a") as file:
                file.writelines(everything[101 * step : 101 * step + 101])

    writer = threading.Thread(target=grow)
    writer.start()
    code = main(["watch", "run", "--gold", "python:truth.py:score", "--follow", "--every", "0.05", "--no-report"])
    writer.join()
    assert code == 2
    assert "Stop: gold has fallen" in capsys.readouterr().out


def test_patience_ends_what_no_longer_grows(run):
    run.write_text("".join(lines("rises", steps=3)))
    words = ["watch", "run", "--gold", "python:truth.py:score", "--follow", "--every", "0.01", "--patience", "0.05"]
    assert main([*words, "--no-report"]) == 0


def test_leaving_shows_what_was_seen(run, capsys, monkeypatch):
    run.write_text("".join(lines("rises", of=99)))

    def leave(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(watch_follow.time, "sleep", leave)
    assert main(["watch", "run", "--gold", "python:truth.py:score", "--follow", "--no-report"]) == 130
    assert "Go on:" in capsys.readouterr().out


def test_a_table_of_another_trainer_needs_no_folder(run, capsys):
    pl.DataFrame([json.loads(line) for line in lines("falls")]).rename({"judge": "my_reward"}).write_parquet(
        "log.parquet"
    )
    words = ["watch", "log.parquet", "--proxy", "my_reward", "--gold", "python:truth.py:score", "--format", "json"]
    assert main([*words, "--no-report"]) == 2
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "gold-has-fallen"


def test_what_is_not_there_is_said(run, capsys):
    assert main(["watch", "run"]) == 1
    assert "there is no samples.jsonl" in capsys.readouterr().err
    run.write_text("".join(lines("rises")))
    assert main(["watch", "run", "--proxy", "jugde"]) == 1
    assert "Did you mean 'judge'?" in capsys.readouterr().err
    assert main(["watch", "run", "--gold", "nowhere.jsonl"]) == 1
    assert "There is no file nowhere.jsonl" in capsys.readouterr().err
    assert main(["watch", "run", "--follow", "--every", "0"]) == 1
