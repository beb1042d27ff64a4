"""Reads a recipe: data, policy, objective, feedback and stop rule of an optimisation, in one TOML file.

    seed = 0
    [data]                                   # pairs, ranked lists or labelled responses; prompts alone for credit rules
    path = "pairs.jsonl"
    [policy]
    model = "models/tiny"                    # a folder, or a name on the hub
    lora = { rank = 8 }                      # left out: every weight is trained
    [objective]
    method = "objectives.rdpo"               # of `adjudge methods objectives`, or credit
    beta = 0.1                               # and any other option of the method
    [feedback]
    flip = "auto"                            # rate of wrong labels: measured, or a number
    [train]
    lr = 1e-6                                # and any other option of train.settings.Settings
    [stop]
    gold = "python:gold.py:score"            # who knows the truth, when asked
    labels = 200

Paths are taken from the folder of the recipe. A key that no section knows is an error, not a silence: a recipe whose
spelling was wrong would train for a night with a default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

from ..errors import AdjudgeError
from .method_options import meant

SECTIONS = ("data", "policy", "objective", "feedback", "train", "stop")
KEYS: dict[str, tuple[str, ...]] = {
    "data": ("path", "prompt", "left", "right", "outcome", "strength", "annotator", "cluster", "weight", "where",
             "held_out"),
    "policy": ("model", "lora", "device", "dtype", "revision", "context", "layout", "truncate"),
    "feedback": ("flip", "reward", "samples", "temperature", "max_tokens", "updates", "denominator", "ratio", "clip",
                 "kl", "over", "reference", "skip_long", "prefer", "mix", "slow", "kl_baseline"),
    "stop": ("gold", "labels", "every", "prompts", "samples", "max_tokens", "bounds", "level"),
}  # fmt: skip
PATHS = (
    ("data", "path"),
    ("policy", "model"),
    ("feedback", "reward"),
    ("feedback", "prefer"),
    ("stop", "gold"),
    ("stop", "prompts"),
)
NUMBERS = {
    "data": ("held_out",),
    "feedback": ("temperature", "kl", "mix", "slow"),
    "train": ("epochs", "lr", "warmup", "weight_decay", "clip"),
    "stop": ("level",),
}
WHOLE = {
    "feedback": ("samples", "max_tokens", "updates"),
    "train": ("steps", "batch", "micro", "log_every", "checkpoint_every", "keep"),
    "stop": ("labels", "every", "samples", "max_tokens"),
}
NEEDED = (("data", "path"), ("policy", "model"), ("objective", "method"))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was asked, section by section; options that were left out are not in it.

    Arguments:
        data, policy, objective, feedback, train, stop: options of each section by name.
        seed: of every random draw.
        source: the file; None for a recipe made in Python.
    """

    data: Mapping[str, Any]
    policy: Mapping[str, Any]
    objective: Mapping[str, Any]
    feedback: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, Any] = field(default_factory=dict)
    stop: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    source: Path | None = None

    @property
    def method(self) -> str:
        """Address of the objective or credit rule."""
        return str(self.objective["method"])

    @property
    def options(self) -> dict[str, Any]:
        """What the objective is told beside its batch."""
        return {name: value for name, value in self.objective.items() if name != "method"}

    @property
    def settings(self) -> dict[str, object]:
        """JSON-ready: what `run.json` keeps."""
        return {name: dict(getattr(self, name)) for name in SECTIONS if getattr(self, name)}


def read(source: str | Path | Mapping[str, Any]) -> Recipe:
    """A recipe, from a TOML file or from a dictionary of the same shape.

    Errors: a file that is not there or no TOML; sections or keys that do not exist; a recipe without data, policy or
    objective.

    >>> data, policy = {"path": "pairs.jsonl"}, {"model": "models/tiny"}
    >>> made = read({"data": data, "policy": policy, "objective": {"method": "objectives.dpo"}})
    >>> made.method, made.options
    ('objectives.dpo', {})
    """
    given, file = (dict(source), None) if isinstance(source, Mapping) else (_toml(Path(source)), Path(source))
    name = "recipe" if file is None else str(file)
    seed = given.pop("seed", 0)
    _known(name, "", given, SECTIONS)
    for section, value in given.items():
        if not isinstance(value, Mapping):
            raise AdjudgeError(f"{name}: {section} is {value!r}.", f"A section [{section}].", "Write it as a table.")
        if section in KEYS:
            _known(name, section, value, KEYS[section])
        _numbers(name, section, value)
    for section, key in NEEDED:
        if not given.get(section, {}).get(key):
            raise AdjudgeError(
                f"{name}: [{section}] has no {key}.",
                "A recipe with data.path, policy.model and objective.method.",
                f"Add `{key} = …` under [{section}].",
            )
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise AdjudgeError(f"{name}: seed is {seed!r}.", "A whole number from 0 on.", "Change it.")
    sections = {section: dict(given.get(section, {})) for section in SECTIONS}
    for section, key in PATHS:
        if file is not None and key in sections[section]:
            sections[section][key] = _beside(file, sections[section][key])
    return Recipe(**sections, seed=seed, source=file)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise AdjudgeError(
            f"{path}: {problem.strerror or problem}.", "A recipe in TOML.", "Check the path; --help shows a recipe."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise AdjudgeError(f"{path}: no TOML: {problem}.", "A recipe in TOML.", "Correct that line.") from None


def _known(name: str, section: str, given: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in given:
        if key not in keys:
            where = f"[{section}]" if section else "the recipe"
            raise AdjudgeError(
                f"{name}: {where} has no {key!r}.", f"One of {', '.join(keys)}.", meant(key, keys, "Take it out.")
            )


def _numbers(name: str, section: str, given: Mapping[str, Any]) -> None:
    """Errors: words, or parts of one, where there is to be a number; a share of nothing."""
    for key, value in given.items():
        whole = key in WHOLE.get(section, ())
        if value is None or not (whole or key in NUMBERS.get(section, ())):
            continue
        if isinstance(value, bool) or not isinstance(value, Real) or (whole and value % 1 != 0):
            what = "A whole number" if whole else "A number"
            raise AdjudgeError(f"{name}: [{section}] {key} = {value!r}.", f"{what}, without quotes.", "Correct it.")
    if section == "data" and not 0 <= given.get("held_out", 0) < 1:
        raise AdjudgeError(
            f"{name}: [data] held_out = {given['held_out']!r}.",
            "The share of the prompts that is kept back, in [0, 1).",
            "Write a tenth as 0.1; 0 keeps nothing back.",
        )


def _beside(file: Path, value: Any) -> Any:
    """A path as seen from the recipe's folder, where there is such a file; anything else as it is."""
    if isinstance(value, list):
        return [_beside(file, one) for one in value]
    if not isinstance(value, str):
        return value
    kind, colon, rest = value.partition(":") if value.startswith("python:") else ("", "", value)
    path, colon_too, name = rest.partition(":") if colon else (rest, "", "")
    there = file.parent / path
    return f"{kind}{colon}{there if there.exists() else path}{colon_too}{name}"
