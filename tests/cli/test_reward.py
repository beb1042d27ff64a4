"""`adjudge reward` as a user types it: fit, flips, length, a small transformer, score, exit codes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from adjudge.cli.main import main
from adjudge.flows import reward
from adjudge.flows.reward_features import Training

HH = Path(os.environ.get("ADJUDGE_HH", "shared-data-is-elsewhere"))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pairs.jsonl").write_text("\n".join(map(json.dumps, rows(151))))


def rows(n: int) -> list[dict[str, str]]:
    rng = np.random.default_rng(1)
    made = []
    for at in range(n):
        good, bad = f"it is {at} " + "indeed " * int(rng.integers(1, 9)), "who knows " * int(rng.integers(1, 4))
        chosen, rejected = (good, bad) if rng.random() < 0.8 else (bad, good)
        made.append({"prompt": f"what is {at}?", "chosen": chosen, "rejected": rejected})
    return made


def test_a_model_is_fitted_told_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reward", "fit", "pairs.jsonl", "--features", "text:64", "--out", "out", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0.7 < told["policies"][0]["value"] < 0.9
    assert {path.name for path in Path("out").iterdir()} >= {"report.html", "reward.json", "arrays.npz", "run.json"}
    page = Path("out/report.html").read_text()
    for part in ("Right on pairs held out", "Do its chances hold?", "What length does", "Said, and what came of it"):
        assert part in page


def test_length_is_taken_out_and_told_before_and_after() -> None:
    found = reward.fit("pairs.jsonl", model="disentangled", features="text:16")
    before, after = np.abs(found.follows_length.value)
    assert after < before
    assert found.longer.names == ("labels", "bradley_terry", "disentangled")
    assert main(["reward", "fit", "pairs.jsonl", "--disentangle", "length", "--model", "margin", "--no-report"]) == 1


def test_flips_are_estimated_from_pairs_labelled_twice() -> None:
    rng = np.random.default_rng(2)
    twice = []
    for row in rows(400):
        good, bad = sorted((row["chosen"], row["rejected"]), key=lambda text: not text.startswith("it is"))
        for _ in range(2):
            one, other = (good, bad) if rng.random() > 0.2 else (bad, good)
            twice.append({"prompt": row["prompt"], "chosen": one, "rejected": other})
    found = reward.fit(twice, features="text:16", flip="auto")
    assert found.flips is not None
    assert found.flips.source == "repeats"
    assert found.flips.rate == pytest.approx(0.2, abs=0.06)  # 400 pairs: an error of 0.016
    assert found.model.report["all"].accuracy > 0.97  # freed of flips, good ones always win
    assert "How often labels are turned round" in {getattr(block, "title", "") for block in found.story.blocks}


def test_answers_are_scored_with_what_was_written() -> None:
    assert main(["reward", "fit", "pairs.jsonl", "--features", "text:64", "--out", "out"]) == 0
    texts = {"a": "it is 3 indeed", "b": "who knows"}
    answers = [{"prompt": "what is 3?", "model": who, "response": text} for who, text in texts.items()]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    assert main(["reward", "score", "answers.jsonl", "--model", "out", "--out", "scores"]) == 0
    scores = pl.read_parquet("scores/scores.parquet")
    by = dict(zip(scores["policy"], scores["score"], strict=True))
    assert by["a"] > by["b"]
    assert (scores["score_stderr"] > 0).all()


def test_a_transformer_from_scratch_learns_and_is_read_back() -> None:
    asked = ["reward", "fit", "pairs.jsonl", "--transformer", "tiny", "--epochs", "6", "--width", "16", "--layers", "1"]
    assert main([*asked, "--context", "32", "--vocabulary", "320", "--out", "out"]) == 0
    told = json.loads(Path("out/reward.json").read_text())
    assert told["report"]["all"]["accuracy"] > 0.65
    assert told["features"]["inside"]
    Path("out").rename("moved")
    Path("answers.jsonl").write_text(json.dumps({"prompt": "what is 3?", "model": "a", "response": "it is 3"}))
    assert main(["reward", "score", "answers.jsonl", "--model", "moved", "--no-report"]) == 0


def test_what_is_impossible_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ["--model", "bounded-process"],
        ["--model", "nobody"],
        ["--features", "smoke"],
        ["--set", "ridge=0"],
        ["--transformer", "./nowhere"],
    ):
        assert main(["reward", "fit", "pairs.jsonl", "--no-report", *words]) == 1
        assert "Do:" in capsys.readouterr().err


@pytest.mark.skipif(not HH.is_file(), reason="set ADJUDGE_HH to a file of HH-RLHF pairs")
def test_human_preferences_are_predicted_better_than_by_a_coin() -> None:
    pairs = pl.read_ndjson(HH)[:400]
    found = reward.fit(pairs, features="text:64")
    held = found.model.report["all"]
    assert held.accuracy - 1.645 * held.accuracy_stderr > 0.5
    small = reward.fit(pairs[:60], training=Training("tiny", epochs=1, width=16, layers=1, context=32, vocabulary=320))
    assert np.isfinite(small.model.report["all"].accuracy)
