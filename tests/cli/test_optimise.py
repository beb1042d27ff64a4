"""`adjudge optimise`: a model on disk, a recipe, exit codes, a second start, and what is told of misspelt recipes."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from adjudge.cli.main import main
from adjudge.train import causal_lm, metrics
from backends import tiny_model

pytest.importorskip("torch")

RECIPE = """
[data]
path = "pairs.jsonl"
[policy]
model = "tiny"
lora = { rank = 2 }
[objective]
method = "objectives.dpo"
[train]
lr = 1e-2
batch = 8
steps = 6
checkpoint_every = 3
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    tiny_model.save(tmp_path / "tiny", context=127)
    rows = [{"prompt": f"Say {at}", "chosen": "yes", "rejected": "no"} for at in range(241)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def test_a_recipe_is_carried_out_and_a_second_start_adds_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 0
    said = capsys.readouterr().out
    assert "the policy prefers what people chose in 100 %" in said
    assert "Report: run/report.html" in said
    lines = metrics.read(here / "run")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["loss"] == pytest.approx(0.6931, abs=1e-4)
    assert (here / "run/policy/adapter_model.safetensors").is_file()
    told = json.loads((here / "run/run.json").read_text(encoding="utf-8"))
    assert set(told["data"]) == {"pairs.jsonl", "recipe.toml"}
    assert main(["optimise", "recipe.toml", "--out", "run", "--format", "json"]) == 0
    assert metrics.read(here / "run") == lines
    assert "accuracy" in json.dumps(json.loads(capsys.readouterr().out))


def test_other_settings_in_the_same_folder_are_refused_and_fresh_begins_anew(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 0
    (here / "recipe.toml").write_text(RECIPE.replace("lr = 1e-2", "lr = 1e-3"), encoding="utf-8")
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 1
    assert "lr" in capsys.readouterr().err
    for name in ("samples.jsonl", "watch.json", "ask.jsonl", "notes.txt"):
        (here / "run" / name).write_text("{}\n", encoding="utf-8")
    (here / "wrong.toml").write_text(RECIPE.replace("objectives.dpo", "objectives.lipo"), encoding="utf-8")
    assert main(["optimise", "wrong.toml", "--out", "run", "--fresh"]) == 1
    assert metrics.read(here / "run")[0]["lr"] > 2e-3, "what cannot be carried out removes nothing"
    assert main(["optimise", "recipe.toml", "--out", "run", "--fresh"]) == 0
    assert metrics.read(here / "run")[0]["lr"] < 2e-3
    left = {each.name for each in (here / "run").iterdir()}
    assert "notes.txt" in left
    assert not {"samples.jsonl", "watch.json", "ask.jsonl"} & left


def test_what_a_policy_says_is_compared_by_a_function_beside_the_recipe(here: Path) -> None:
    text = RECIPE.replace("objectives.dpo", "objectives.nash_md").replace("pairs.jsonl", "prompts.jsonl")
    feedback = '[feedback]\nprefer = "python:who.py:shorter"\nsamples = 3\nmax_tokens = 5\nmix = 0.2\n'
    (here / "recipe.toml").write_text(text + feedback, encoding="utf-8")
    (here / "prompts.jsonl").write_text('{"prompt": "Say 1"}\n{"prompt": "Say 2"}\n', encoding="utf-8")
    (here / "who.py").write_text(
        "def shorter(prompt, left, right):\n    return 0.9 if len(left) < len(right) else 0.1\n", encoding="utf-8"
    )
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 0
    lines = metrics.read(here / "run")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["sure"] == pytest.approx(0.9)
    pairs = [json.loads(line) for line in (here / "run/duels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["step"] for line in pairs} == set(range(6))
    assert all(line["preference"] == 0.9 and line["chosen"] != line["rejected"] for line in pairs)
    (here / "who.py").rename(here / "them.py")
    (here / "recipe.toml").write_text(text + feedback.replace("who.py", "them.py"), encoding="utf-8")
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 1, "a run goes on with the one who compared"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lora", "lroa", "Did you mean 'lora'?"),
        ("rank", "rnak", "Did you mean 'rank'?"),
        ("objectives.dpo", "objectives.dop", "objectives.dpo"),
        ('"tiny"', '"nowhere/at-all"', "nowhere/at-all"),
        ("pairs.jsonl", "none.jsonl", "none.jsonl"),
    ],
)
def test_what_is_misspelt_is_told(
    old: str, new: str, said: str, here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (here / "recipe.toml").write_text(RECIPE.replace(old, new), encoding="utf-8")
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Do:" in told


def test_a_prompt_longer_than_the_context_is_told_by_row_or_left_out(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (here / "pairs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"prompt": "long " * 200, "chosen": "yes", "rejected": "no"}) + "\n")
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 1
    assert "Row 241" in capsys.readouterr().err
    (here / "recipe.toml").write_text(RECIPE + "[feedback]\nskip_long = true\n", encoding="utf-8")
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 0


def test_no_room_for_the_policy_at_the_end_is_told_and_the_same_command_finishes(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    save = causal_lm.CausalLM.save

    def full(policy: causal_lm.CausalLM, folder: Path) -> None:
        if folder.parent.name == "run":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(policy, folder)

    monkeypatch.setattr(causal_lm.CausalLM, "save", full)
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 1
    told = capsys.readouterr().err
    assert "No space left" in told
    assert "Do:" in told
    lines = metrics.read(here / "run")
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert main(["optimise", "recipe.toml", "--out", "run"]) == 0
    assert (here / "run/policy/adapter_model.safetensors").is_file()
    assert metrics.read(here / "run") == lines


def test_the_help_shows_a_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optimise", "--help"]) == 0
    said = capsys.readouterr().out
    for word in ("[data]", "[policy]", "[objective]", "[feedback]", "[train]", "[stop]", "adjudge watch run"):
        assert word in said
