"""A reward model as a judge: written and read back it says the same, and the other commands read its verdicts."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adjudge.cli.main import main
from adjudge.errors import AdjudgeError
from adjudge.judges import reward_model
from adjudge.rewards import bradley_terry, disentangled, ensemble, general, margin, regression, scaled, sources
from adjudge.stats import reward_file
from adjudge.stats.reward_file import Stored
from adjudge.stats.text_features import TextFeatures, featurised
from adjudge.tables import read_preferences
from adjudge.tables.cases import Answer, Case
from adjudge.tables.preferences import Preferences, from_arrays

MAKER = TextFeatures(size=16)
CASE = Case("1", "2+2?", (Answer("a", "it is four"), Answer("b", "who knows")))


def table(n: int = 211) -> Preferences:
    rng = np.random.default_rng(5)
    left, right = rng.normal(size=(2, n, 5))
    lead = (left - right) @ [1.0, -0.5, 0.3, 0.0, 0.4]
    length = np.column_stack([left[:, 3] + 9, right[:, 3] + 9])
    rating = np.column_stack([left[:, 0], right[:, 0]])
    won = rng.random(n) < 1 / (1 + np.exp(-lead))
    margins = rng.uniform(1, 3, n)
    return from_arrays(left, right, won, length=length, rating=rating, margin=margins, source=np.arange(n) % 2)


FITS = {
    "bradley_terry": bradley_terry.fit,
    "margin": margin.fit,
    "scaled": scaled.fit,
    "sources": sources.fit,
    "ensemble": ensemble.fit,
    "disentangled": disentangled.fit,
    "general": general.fit,
    "regression": regression.fit,
}


@pytest.mark.parametrize("name", FITS)
def test_every_model_comes_back_from_its_folder_bit_by_bit(name: str, tmp_path: Path) -> None:
    pairs = table()
    model = FITS[name](pairs, folds=2)  # type: ignore[operator]
    back = reward_file.load(reward_file.save(Stored(model), tmp_path / "reward")).model
    for one, other in zip(
        model.difference(pairs.left, pairs.right), back.difference(pairs.left, pairs.right), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert back.feature_names == model.feature_names
    assert back.report == model.report
    if model.reward is not None:
        np.testing.assert_array_equal(model.score(pairs.left), back.score(pairs.left))
        np.testing.assert_array_equal(model.score_stderr(pairs.left), back.score_stderr(pairs.left))


def fitted() -> Stored:
    rows = [{"prompt": f"{at}?", "chosen": f"it is {at}", "rejected": "who knows"} for at in range(23)]
    return Stored(bradley_terry.fit(featurised(read_preferences.read(rows), MAKER), folds=2), MAKER)


def test_one_answer_gets_its_reward_and_two_their_chance(tmp_path: Path) -> None:
    stored = fitted()
    folder = str(reward_file.save(stored, tmp_path / "reward"))
    pair = asyncio.run(reward_model.judge(CASE, None, model=folder))  # type: ignore[arg-type]
    each = [asyncio.run(reward_model.judge(CASE.only(at), None, model=stored)) for at in (0, 1)]  # type: ignore[arg-type]
    assert pair.value == pytest.approx(1 / (1 + np.exp(each[1].value - each[0].value)))
    assert pair.value > 0.6
    assert 0 < dict(pair.parts)["stderr"] < dict(pair.parts)["log_odds_stderr"]
    turned = asyncio.run(reward_model.judge(CASE.reversed(), None, model=folder))  # type: ignore[arg-type]
    assert turned.value == pytest.approx(1 - pair.value)


def test_the_command_writes_verdicts_that_rank_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reward_file.save(fitted(), "reward")
    texts = {"a": "it is {}", "b": "who knows {}"}
    rows = [
        {"prompt": f"{at}?", "model": who, "response": text.format(at)}
        for at in range(9)
        for who, text in texts.items()
    ]
    Path("responses.jsonl").write_text("\n".join(map(json.dumps, rows)))
    asked = ["judge", "responses.jsonl", "--protocol", "reward_model", "--set", "model=reward"]
    assert main([*asked, "--as", "pairs", "--out", "pairs"]) == 0
    assert main(["rank", "pairs/verdicts.parquet", "--no-report"]) in (0, 2)
    assert main([*asked, "--out", "alone"]) == 0
    assert Path("alone/verdicts.parquet").exists()


def test_what_is_impossible_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdjudgeError, match="reward model"):
        asyncio.run(reward_model.judge(CASE, None, model=str(tmp_path)))  # type: ignore[arg-type]
    three = replace(CASE, answers=(*CASE.answers, Answer("c", "x")))
    with pytest.raises(AdjudgeError, match="3 answers"):
        asyncio.run(reward_model.judge(three, None, model=fitted()))  # type: ignore[arg-type]
    model = bradley_terry.fit(table(), folds=0)
    with pytest.raises(AdjudgeError, match="features of one's own"):
        Stored(model).features(["x"], ["y"])
    with pytest.raises(AdjudgeError, match="code"):
        reward_file.save(Stored(replace(model, form=None)), tmp_path)
    folder = reward_file.save(Stored(model), tmp_path / "old")
    told = json.loads((folder / "reward.json").read_text())
    for wrong in ({**told, "format": 99}, {**told, "form": {"kind": "odd", "how": "", "numbers": {}}}, {"method": "x"}):
        (folder / "reward.json").write_text(json.dumps(wrong))
        with pytest.raises(AdjudgeError):
            reward_file.load(folder)


def test_a_folder_that_holds_no_reward_model_is_told_in_words(tmp_path: Path) -> None:
    folder = reward_file.save(Stored(bradley_terry.fit(table(), folds=0)), tmp_path / "mine")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "other").mkdir()
    for name, said in (
        ("nothing", "nothing: there is no such folder"),
        ("file", "file: this is a file"),
        ("other", "other: the folder has no reward.json and no arrays.npz"),
    ):
        with pytest.raises(AdjudgeError, match=said) as told:
            reward_file.load(tmp_path / name)
        assert "Errno" not in str(told.value)
        assert ("Beside it: mine." in told.value.expected) == (name == "nothing")
    arrays, whole = folder / "arrays.npz", (folder / "arrays.npz").read_bytes()
    for content, said in ((whole[: len(whole) // 2], "arrays.npz is cut short"), (b"", "arrays.npz is cut short")):
        arrays.write_bytes(content)
        with pytest.raises(AdjudgeError, match=said):
            reward_file.load(folder)
    arrays.write_bytes(whole)
    for text, said in (("{", "reward.json is no JSON"), ("[]", "another kind"), ("{}", "'form' is missing")):
        (folder / "reward.json").write_text(text, encoding="utf-8")
        with pytest.raises(AdjudgeError, match=said):
            reward_file.load(folder)
