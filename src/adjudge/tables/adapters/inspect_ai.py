"""Inspect AI evaluation logs (`EvalLog` version 2, `.json` or `.eval`): one row for each sample, epoch and its scorers.

The policy is the model, the prompt `task/id`, the draw `run/epoch` (so two runs of a model are two draws). Letters
become numbers as Inspect's own `value_to_float` does: C 1, P 0.5, I and N 0. A scorer that gives several values gets
one column for each, `scorer/key`. A gold label is taken from the sample's metadata, if it has a usual name there.
Source: https://inspect.aisi.org.uk/eval-logs.html (format as of Inspect 0.3, log version 2).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import AdjudgeError
from ..series import from_records, record_names
from .values import gold_of, number

GRADES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}


def recognises(content: object) -> bool:
    """Whether a JSON document is an Inspect log."""
    if not isinstance(content, Mapping) or not isinstance(content.get("eval"), Mapping):
        return False
    return "task" in content["eval"] and "model" in content["eval"]


def read(path: Path) -> pl.DataFrame:
    """A log file as a tidy table: policy, task, prompt_id, draw, one column for each scorer, perhaps gold."""
    return tidy(_unzip(path) if path.suffix == ".eval" else json.loads(path.read_text("utf-8")), path.name)


def tidy(content: Mapping[str, Any], name: str) -> pl.DataFrame:
    """The same from the parsed document. Errors: a log without samples (only the summary was kept)."""
    header = content["eval"]
    samples = content.get("samples") or []
    if not samples:
        raise AdjudgeError(
            f"{name}: the Inspect log holds no samples (status {content.get('status', 'unknown')!r}).",
            "Scores are read from the samples.",
            "Run Inspect without --no-log-samples, or wait until it has finished.",
        )
    rows = [_row(header, sample) for sample in samples]
    return from_records(rows, record_names(rows))


def _row(header: Mapping[str, Any], sample: Mapping[str, Any]) -> dict[str, Any]:
    task = str(header.get("task", ""))
    row: dict[str, Any] = {
        "policy": header.get("model"),
        "task": task,
        "prompt_id": f"{task}/{sample.get('id')}",
        "draw": f"{header.get('run_id', '')}/{sample.get('epoch', 1)}",
    }
    for scorer, score in (sample.get("scores") or {}).items():
        value = score.get("value") if isinstance(score, Mapping) else score
        if isinstance(value, Mapping):
            row.update({f"{scorer}/{key}": grade(part) for key, part in value.items()})
        else:
            row[str(scorer)] = grade(value)
    return row | gold_of(sample.get("metadata"))


def grade(value: Any) -> float | None:
    """A score as a number; None where it is none.

    >>> grade("C"), grade("P"), grade("N"), grade(0.5), grade("yes"), grade([1])
    (1.0, 0.5, 0.0, 0.5, 1.0, None)
    """
    return GRADES[value] if isinstance(value, str) and value in GRADES else number(value)


def _unzip(path: Path) -> dict[str, Any]:
    """The parts of an `.eval` archive put together as the JSON log has them."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            header = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if header is None:
                raise zipfile.BadZipFile("it holds no header.json")
            content: dict[str, Any] = json.loads(archive.read(header))
            inside = sorted(name for name in names if name.startswith("samples/") and name.endswith(".json"))
            content["samples"] = [json.loads(archive.read(name)) for name in inside]
            return content
    except NotImplementedError:
        raise AdjudgeError(
            f"{path.name} is compressed in a way that Python's zipfile cannot open.",
            "Archives are deflated, or logs are plain JSON.",
            f"Convert it: inspect log convert --to json {path.name} --output-dir json",
        ) from None
