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
from adjudge.flows.reward_story import _figure

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


def test_responses_labelled_one_by_one_teach_a_regression(capsys: pytest.CaptureFixture[str]) -> None:
    texts = (("it is 3 indeed", True), ("who knows", False))
    rows = [{"prompt": f"{at}?", "completion": text, "label": good} for at in range(31) for text, good in texts]
    Path("labelled.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert main(["reward", "fit", "labelled.jsonl", "--no-report"]) == 1
    assert "rewards.regression" in capsys.readouterr().err
    assert main(["reward", "fit", "labelled.jsonl", "--model", "regression", "--out", "out"]) == 0
    assert "rated one by one" in capsys.readouterr().out
    answers = [{"prompt": "7?", "model": who, "response": text} for who, (text, _) in zip("ab", texts, strict=True)]
    Path("answers.jsonl").write_text("\n".join(map(json.dumps, answers)))
    assert main(["reward", "score", "answers.jsonl", "--model", "out", "--out", "scores"]) == 0
    first, second = pl.read_parquet("scores/scores.parquet").sort("policy")["score"]
    assert first > second


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


def test_figures_of_a_fit_are_counts_and_three_digits(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["reward", "fit", "pairs.jsonl", "--features", "text:16", "--disentangle", "length", "--out", "out"]) == 0
    )
    assert not [line for line in capsys.readouterr().err.splitlines() if "it/s" in line]
    found = reward.fit("pairs.jsonl", features="text:16", model="disentangled")
    table = next(block for block in found.story.blocks if getattr(block, "title", "") == "Of the fit")
    assert dict(table.rows)["correlation with length"] in ("0", "0.0001", "−0.0001")
    assert _figure(393_601.0) == "393,601"
    assert _figure(0.68721) == "0.687"
    assert _figure(float("nan")) == "–"


def test_flips_are_told_by_the_model_where_some_pairs_are_clear_and_none_is_labelled_twice() -> None:
    rng = np.random.default_rng(0)
    made = []
    for at in range(1500):
        words = rng.integers(0, 25, 2)
        texts = ["good " * good + "plain " * (25 - good) for good in words.tolist()]
        chance = 0.15 + 0.7 / (1 + np.exp(-0.5 * (words[0] - words[1])))
        one, other = texts if rng.random() < chance else texts[::-1]
        made.append(json.dumps({"prompt": f"{at}?", "chosen": one, "rejected": other}))
    Path("once.jsonl").write_text("\n".join(made))
    asked = ["reward", "fit", "once.jsonl", "--features", "text:16", "--flip", "auto", "--out", "out"]
    assert main(asked) == 0
    page = Path("out/report.html").read_text()
    assert "How often labels are turned round" in page
    assert "By model." in page
    found = reward.fit("once.jsonl", features="text:16", flip="auto")
    assert found.flips is not None
    assert found.flips.source == "model"
    assert found.flips.rate == pytest.approx(0.15, abs=0.06)  # an error of 0.02
    np.testing.assert_array_equal(found.table.flip, found.flips.rate)


def test_flips_that_nothing_tells_are_told_as_unknown() -> None:
    rng = np.random.default_rng(4)
    made = [dict(zip(("chosen", "rejected"), rng.permutation(["yes", "no"]).tolist(), strict=True)) for _ in range(151)]
    asked = [{"prompt": f"{at}?", **row} for at, row in enumerate(made)]
    found = reward.fit(asked, features="text:32", flip="auto")
    assert found.flips is not None
    assert (found.flips.source, found.flips.rate) == ("", 0.0)
    assert {"flip-rate-unknown", "flip-rate-assumed-none"} <= {finding.code for finding in found.findings}


def test_flips_of_a_column_are_those_of_the_fit() -> None:
    made = [{**row, "wrong": 0.2 if at % 2 else 0.0} for at, row in enumerate(rows(211))]
    Path("told.jsonl").write_text("\n".join(map(json.dumps, made)))
    assert main(["reward", "fit", "told.jsonl", "--features", "text:16", "--flip", "wrong", "--out", "out"]) == 0
    found = reward.fit("told.jsonl", features="text:16", flip="wrong")
    np.testing.assert_array_equal(found.table.flip, [0.2 * (at % 2) for at in range(211)])
    with np.load("out/arrays.npz") as kept:
        assert any(np.array_equal(kept[name], found.model.parameters) for name in kept)
    assert main(["reward", "fit", "told.jsonl", "--features", "text:16", "--flip", "prompt", "--no-report"]) == 1
