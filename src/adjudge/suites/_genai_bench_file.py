"""Reads the files of GenAI-Bench: ratings by prompt and model, scores of metrics, prompts by skill."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import AdjudgeError
from ..tables.json_lines import keyed

Row = tuple[str, str, int, list[float], dict[str, float]]
"""Prompt, model, candidate, ratings, and score by metric."""


def read(path: Path | str, scores: Path | str, skills: Path | str | None) -> tuple[list[Row], dict[str, list[str]]]:
    """Rows of rated pictures, and prompts by skill. Errors: as of `genai_bench.load`."""
    path, rated = Path(path), keyed(path, "prompt")
    measured = {metric: _by_picture(Path(scores), metric, told) for metric, told in keyed(scores, "metric").items()}
    rows: list[Row] = []
    for key, one in rated.items():
        models = one.get("models") if isinstance(one, dict) else None
        if not isinstance(models, dict) or not models:
            raise AdjudgeError(
                f"{path.name}: {key} has no `models`.",
                "`prompt`, and `models` with the ratings of each model's picture.",
                "Is it genai_image.json, or human_rating.json of the ranking set?",
            )
        for model, told in models.items():
            for candidate, ratings in _candidates(told):
                where = (str(model), str(key), candidate)
                own = {metric: found[where] for metric, found in measured.items() if where in found}
                rows.append((str(key), str(model), candidate, _ratings(ratings, f"{path.name}: {key}, {model}"), own))
    return rows, {} if skills is None else _skills(Path(skills), {row[0] for row in rows})


def _candidates(told: Any) -> Iterator[tuple[int, Any]]:
    """The pictures of a model for a prompt: one, or several by number."""
    if isinstance(told, dict):
        for name, one in told.items():
            yield int(name) if str(name).isdigit() else -1, one
    else:
        yield 0, told


def _by_picture(path: Path, metric: str, told: Any) -> dict[tuple[str, str, int], float]:
    """Score by model, prompt and candidate."""
    found: dict[tuple[str, str, int], float] = {}
    try:
        for model, prompts in told.items():
            for key, value in prompts.items():
                for candidate, one in _candidates(value):
                    found[str(model), str(key), candidate] = float("nan") if one is None else float(one)
    except (AttributeError, TypeError, ValueError):
        raise AdjudgeError(
            f"{path.name}: {metric} holds no scores by model and prompt.",
            'Such as {"metric": {"DALLE_3": {"00000": 0.83}}}.',
            "Write the scores in this form.",
        ) from None
    return found


def _ratings(told: Any, where: str) -> list[float]:
    ratings = told if isinstance(told, list) else [told]
    try:
        found = [float("nan") if one is None else float(one) for one in ratings]
    except (TypeError, ValueError):
        found = []
    if not found or any(one < 1 or one > 5 for one in found):
        raise AdjudgeError(
            f"{where} has ratings {str(told)[:60]}.", "A list of numbers from 1 to 5, one a rater.", "Correct it."
        )
    return found


def _skills(path: Path, prompts: set[str]) -> dict[str, list[str]]:
    """Prompts by skill; numbers are filled up with zeros as the ids of the prompts are."""
    wide = {int(key): key for key in prompts if key.isdigit()}
    tags: dict[str, list[str]] = {}
    for skill, ids in keyed(path, "skill").items():
        if not isinstance(ids, list):
            raise AdjudgeError(
                f"{path.name}: {skill} holds no list.", "A list of ids of prompts for each skill.", "Correct it."
            )
        named = [wide.get(int(one), str(one)) if str(one).isdigit() else str(one) for one in ids]
        tags[str(skill)] = [one for one in named if one in prompts]
    return tags
