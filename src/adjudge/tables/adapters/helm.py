"""HELM runs (`per_instance_stats.json`, or `stats.json`, beside `run_spec.json`): one row for each instance and copy.

The policy is the model of the run's specification, the task its scenario with all its arguments, the prompt
`task/instance`, the draw the training trial and the perturbation (`original` without one), so perturbed copies are rows
of one prompt. Each metric is a column. From `stats.json`, which holds sums only, a row is the mean over a scenario.
Statistics of the training split, and HELM's own worst case over copies (`computed_on` worst), are left out: the copies
themselves stand in the table. Source: https://crfm-helm.readthedocs.io (format as of HELM 0.5).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import AdjudgeError
from ..series import from_records, record_names

SPECIFICATION = "run_spec.json"
INSTANCES = "per_instance_stats.json"


def recognises(content: object) -> bool:
    """Whether a JSON document is a list of HELM's statistics, by instance or in sum."""
    if not isinstance(content, list) or not content or not isinstance(content[0], Mapping):
        return False
    first = content[0]
    if "instance_id" in first and isinstance(first.get("stats"), list):
        return True
    return isinstance(first.get("name"), Mapping) and {"count", "sum"} <= first.keys()


def read(path: Path) -> pl.DataFrame:
    """A run's statistics as a tidy table: policy, task, prompt_id, draw and one column for each metric."""
    return tidy(json.loads(path.read_text("utf-8")), path)


def tidy(content: Sequence[Mapping[str, Any]], path: Path) -> pl.DataFrame:
    """The same from the parsed document; `run_spec.json` beside it, or the folder's name, tells model and scenario.

    Errors: no statistic with a value.
    """
    policy, task = _run(path)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in content:
        whole = "stats" not in entry
        prompt = task if whole else f"{task}/{entry['instance_id']}"
        for stat in [entry] if whole else entry["stats"]:
            name, value = stat["name"], _mean(stat)
            copy = _copy(name.get("perturbation") or entry.get("perturbation"))
            if value is None or copy is None or name.get("split") == "train":
                continue
            draw = copy if whole else f"{entry.get('train_trial_index', 0)}/{copy}"
            start = {"policy": policy, "task": task, "prompt_id": prompt, "draw": draw}
            rows.setdefault((prompt, draw), start)[_metric(name, whole)] = value
    if not rows:
        raise AdjudgeError(
            f"{path.name}: the HELM run holds no statistic with a value.",
            "At least one instance was scored.",
            "Run it again.",
        )
    records = list(rows.values())
    return from_records(records, record_names(records))


def _mean(stat: Mapping[str, Any]) -> float | None:
    """The mean of a statistic: as written, or its sum by its count."""
    if not stat.get("count"):
        return None
    mean = stat.get("mean", None)
    return float(stat["sum"]) / float(stat["count"]) if mean is None else float(mean)


def _copy(perturbation: object) -> str | None:
    """Name of the copy: `original` without a perturbation, None for HELM's worst over the copies."""
    if not isinstance(perturbation, Mapping):
        return "original"
    if perturbation.get("computed_on") == "worst":
        return None
    name = str(perturbation.get("name", "perturbed"))
    return f"{name} (original)" if perturbation.get("computed_on") == "original" else name


def _metric(name: Mapping[str, Any], whole: bool) -> str:
    """Name of the column; sums of several splits are told apart."""
    split = name.get("split")
    return f"{name['name']},{split}" if whole and split not in (None, "test") else str(name["name"])


def _run(path: Path) -> tuple[str, str]:
    """The run's model and scenario."""
    beside = path.parent / SPECIFICATION
    name, model = path.resolve().parent.name, ""
    if beside.exists():
        try:
            content = json.loads(beside.read_text("utf-8"))
        except (OSError, ValueError):
            content = {}
        if isinstance(content, Mapping):
            name = str(content.get("name") or name)
            adapter = content.get("adapter_spec")
            model = str(adapter.get("model") or "") if isinstance(adapter, Mapping) else ""
    parts = name.replace(":", ",", 1).split(",")
    named = [part for part in parts if part.startswith("model=")]
    rest = [part for part in parts if not part.startswith(("model=", "model_deployment="))]
    scenario = ",".join(rest).replace(",", ":", 1)
    return model or (named[0].removeprefix("model=").replace("_", "/", 1) if named else name), scenario
