"""lm-evaluation-harness sample logs (`samples_<task>_<time>.jsonl`, version 0.4): one row for each document and filter.

The policy is the model: `model_name` of the `results_*.json` beside the file, else the folder's name (in which the
harness writes `org__model` for `org/model`). The prompt is `task/doc_id`, the draw the time of the run. Each metric is
a column; with several filters the rows of a document are put side by side as `metric,filter`, as the harness does.
Source: `--log_samples` in https://github.com/EleutherAI/lm-evaluation-harness (docs/interface.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ..series import from_records, record_names

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_(?P<time>\d{4}-\d\d-\d\dT[\d.\-]+))?$")
_NOT_METRICS = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
_NOT_METRICS |= {"doc_hash", "prompt_hash", "target_hash"}


def recognises(content: object) -> bool:
    """Whether the first line of a file is a logged sample."""
    return isinstance(content, Mapping) and {"doc_id", "filtered_resps"} <= content.keys()


def read(path: Path) -> pl.DataFrame:
    """A sample log as a tidy table: policy, task, prompt_id, draw and one column for each metric."""
    lines = path.read_text("utf-8").split("\n")
    return tidy([json.loads(line) for line in lines if line.strip()], path)


def tidy(samples: Sequence[Mapping[str, Any]], path: Path) -> pl.DataFrame:
    """The same from the parsed lines; the path tells task, time and model."""
    named = _NAME.match(path.stem)
    task, time = (named["task"], named["time"] or "") if named else (path.stem, "")
    model = _model(path, time)
    filters = dict.fromkeys(sample.get("filter", "none") for sample in samples)
    rows: dict[Any, dict[str, Any]] = {}
    for sample in samples:
        document = sample["doc_id"]
        start = {"policy": model, "task": task, "prompt_id": f"{task}/{document}", "draw": time}
        row = rows.setdefault(document, start)
        after = f",{sample.get('filter', 'none')}" if len(filters) > 1 else ""
        row.update({f"{name}{after}": float(sample[name]) for name in _metrics(sample)})
    return from_records(list(rows.values()), record_names(list(rows.values())))


def _metrics(sample: Mapping[str, Any]) -> list[str]:
    """Names of the metrics that are one number; older versions do not list them."""
    names = sample.get("metrics") or [name for name in sample if name not in _NOT_METRICS]
    return [name for name in names if isinstance(sample.get(name), (bool, int, float))]


def _model(path: Path, time: str) -> str:
    beside = sorted(path.parent.glob("results*.json"))
    same_run = [results for results in beside if time and time in results.name] or beside[:1]
    for results in same_run:
        try:
            content = json.loads(results.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, Mapping):
            name = content.get("model_name") or (content.get("config") or {}).get("model")
            if name:
                return str(name)
    return path.resolve().parent.name.replace("__", "/")
