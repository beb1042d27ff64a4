"""Recipes: every key is known, what is needed is there, and paths are seen from the recipe's folder."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from adjudge.errors import AdjudgeError
from adjudge.flows import optimise_recipe
from adjudge.flows.method_options import ELSEWHERE
from adjudge.flows.optimise_build import settings_of
from adjudge.train.settings import Settings

WHOLE: dict[str, Any] = {
    "data": {"path": "pairs.jsonl"},
    "policy": {"model": "tiny"},
    "objective": {"method": "objectives.rdpo", "beta": 0.2},
}


def test_a_file_and_a_dictionary_say_the_same(tmp_path: Path) -> None:
    text = 'seed = 7\n[data]\npath = "pairs.jsonl"\n[policy]\nmodel = "tiny"\n'
    (tmp_path / "r.toml").write_text(text + '[objective]\nmethod = "objectives.rdpo"\nbeta = 0.2\n', encoding="utf-8")
    found, told = optimise_recipe.read(tmp_path / "r.toml"), optimise_recipe.read({**WHOLE, "seed": 7})
    assert found.settings == told.settings
    assert (found.seed, found.method, found.options) == (7, "objectives.rdpo", {"beta": 0.2})


def test_paths_are_seen_from_the_folder_of_the_recipe(tmp_path: Path) -> None:
    for name in ("pairs.jsonl", "gold.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
    lines = ['[data]\npath = ["pairs.jsonl", "elsewhere.jsonl"]', '[policy]\nmodel = "org/name"']
    lines += ['[objective]\nmethod = "objectives.dpo"', '[stop]\ngold = "python:gold.py:score"']
    (tmp_path / "r.toml").write_text("\n".join(lines), encoding="utf-8")
    found = optimise_recipe.read(tmp_path / "r.toml")
    assert found.data["path"] == [str(tmp_path / "pairs.jsonl"), "elsewhere.jsonl"]
    assert found.policy["model"] == "org/name"
    assert found.stop["gold"] == f"python:{tmp_path / 'gold.py'}:score"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dta": {}}, "Did you mean 'data'"),
        ({"policy": {"model": "m", "lroa": {}}}, "Did you mean 'lora'"),
        ({"policy": {"model": "m", "max_length": 9}}, "Here it is called 'context'"),
        ({"feedback": {"num_generations": 4}}, "Here it is called 'samples'"),
        ({"feedback": {"beta": 0.1}}, "Write `beta` under [objective]"),
        ({"policy": {}}, "policy] has no model"),
        ({"objective": {"beta": 1}}, "objective] has no method"),
        ({"data": "pairs.jsonl"}, "A section"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
        ({"train": {"lr": "fast"}}, "[train] lr = 'fast'. A number"),
        ({"train": {"batch": 2.5}}, "[train] batch = 2.5. A whole number"),
        ({"feedback": {"samples": "two"}}, "[feedback] samples = 'two'. A whole number"),
        ({"stop": {"labels": float("inf")}}, "[stop] labels = inf. A whole number"),
        ({"data": {"path": "p.jsonl", "held_out": 20}}, "[data] held_out = 20. The share"),
    ],
)
def test_what_is_misspelt_or_missing_is_told(change: dict[str, Any], said: str) -> None:
    with pytest.raises(AdjudgeError) as told:
        optimise_recipe.read({**WHOLE, **change})
    assert said in f"{told.value.found} {told.value.expected} {told.value.do}"


def test_what_is_no_recipe_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[data\n", encoding="utf-8")
    with pytest.raises(AdjudgeError, match="no TOML"):
        optimise_recipe.read(tmp_path / "r.toml")
    with pytest.raises(AdjudgeError, match="No such file"):
        optimise_recipe.read(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("learning_rate", "Here it is called 'lr'."),
        ("max_grad_norm", "Here it is called 'clip'."),
        ("per_device_train_batch_size", "Say it by 'batch' and 'micro'."),
        ("beta", "Write `beta` under [objective]."),
        ("max_completion_length", "Write `max_tokens` under [feedback]."),
        ("wramup", "Did you mean 'warmup'?"),
        ("colour", "Leave it out."),
    ],
)
def test_the_names_of_other_trainers_are_answered_with_ours(written: str, said: str) -> None:
    with pytest.raises(AdjudgeError) as told:
        settings_of(optimise_recipe.read({**WHOLE, "train": {written: 1}}))
    assert told.value.do == said


def test_every_name_of_another_trainer_leads_to_a_place_that_there_is() -> None:
    settings = [one.name for one in fields(Settings)]
    for name, (section, *ours) in ELSEWHERE.items():
        places = {**optimise_recipe.KEYS, "train": settings, "objective": ["method", "beta"]}[section]
        assert set(ours) <= set(places), name
        assert section == "objective" or name not in places, name
