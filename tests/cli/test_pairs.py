"""`adjudge pairs` as a user types it: samples in, pairs.jsonl out, a judge run on the way, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adjudge.cli.main import main


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    rows = [
        {"prompt": f"p{at}", "response": "x" * (1 + each), "score": each + rng.normal(), "gold": float(each > 1)}
        | ({} if (at + each) % 2 else {"gold": None})
        for at in range(40)
        for each in range(4)
    ]
    Path("samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_samples_become_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["pairs", "samples.jsonl", "--judge", "score", "--gold", "gold", "--out", "made"]
    assert main(line) == 0
    assert "the chosen response is better in gold" in capsys.readouterr().out
    pairs = [json.loads(one) for one in Path("made/pairs.jsonl").read_text().splitlines()]
    assert len(pairs) >= 35
    assert set(pairs[0]) >= {"prompt", "chosen", "rejected", "preference", "weight", "flip", "margin"}
    assert json.loads(Path("made/run.json").read_text())["methods"][0] == "pairing.best_worst"
    assert main([*line, "--method", "rejection", "--set", "beta=2", "--labels", "hard"]) == 0
    assert {json.loads(one)["preference"] for one in Path("made/pairs.jsonl").read_text().splitlines()} == {1.0}


def test_a_judge_is_run_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("f.py").write_text("def longer(answer, other): return float(len(answer) > len(other))\n")
    line = ["pairs", "samples.jsonl", "--protocol", "function", "--option", "function=f.py:longer", "--compare"]
    assert main([*line, "--gold", "gold", "--format", "json"]) == 0
    assert "pairs" in json.loads(capsys.readouterr().out)["verdict"]
    assert Path("adjudge-report/pairs.jsonl").exists()


def test_neither_scores_nor_a_judge_is_an_error_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "samples.jsonl", "--no-report"]) == 1
    assert "--protocol" in capsys.readouterr().err
    assert main(["pairs", "samples.jsonl", "--judge", "score", "--method", "best_wurst", "--no-report"]) == 1
    assert "best_worst" in capsys.readouterr().err


def test_how_models_are_asked_is_said_as_for_judge(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pairs", "samples.jsonl", "--judge", "score", "--tries", "0", "--no-report"]) == 1
    assert "tries is 0" in capsys.readouterr().err
