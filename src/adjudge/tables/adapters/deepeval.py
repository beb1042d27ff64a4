"""DeepEval test runs (JSON of `deepeval test run`, 2.x and 3.x): one row for each test case and its metrics.

The policy is the `model` among the run's hyperparameters, else its identifier, else the file's stem. The prompt is the
input's text, so runs pair even if their order differs; repeats of an input are draws. Each metric is a column. A gold
label is taken from the case's metadata, if it has a usual name there.
Source: https://deepeval.com/docs/evaluation-introduction (`testCases[].metricsData[]`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import AdjudgeError
from ..series import from_records, record_names
from .values import gold_of, number


def recognises(content: object) -> bool:
    """Whether a JSON document is a DeepEval test run."""
    run = _run(content) if isinstance(content, Mapping) else {}
    cases = run.get("testCases")
    return isinstance(cases, list) and all(isinstance(case, Mapping) for case in cases)


def read(path: Path) -> pl.DataFrame:
    """A test run as a tidy table: policy, prompt_id, draw and one column for each metric, perhaps gold."""
    return tidy(json.loads(path.read_text("utf-8")), path.stem)


def tidy(content: Mapping[str, Any], stem: str) -> pl.DataFrame:
    """The same from the parsed document. Errors: no single-turn test case in it."""
    run = _run(content)
    if not run["testCases"]:
        raise AdjudgeError(
            f"{stem}: the DeepEval run holds no single-turn test cases.",
            "Scores are read from testCases[].metricsData[].",
            "Run the single-turn metrics, or write the scores as a table.",
        )
    parameters = run.get("hyperparameters")
    model = parameters.get("model") if isinstance(parameters, Mapping) else None
    policy = str(model or run.get("identifier") or stem)
    seen: Counter[str] = Counter()
    rows = []
    for case in run["testCases"]:
        item = str(case.get("input") or case.get("name"))
        row = {"policy": policy, "prompt_id": item, "draw": seen[item]}
        seen[item] += 1
        metrics = case.get("metricsData") or case.get("metricsMetadata") or []
        row |= {str(metric.get("name", metric.get("metric"))): number(metric.get("score")) for metric in metrics}
        rows.append(row | gold_of(case.get("metadata") or case.get("additionalMetadata")))
    return from_records(rows, record_names(rows))


def _run(content: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = content.get("testRunData")
    return inner if isinstance(inner, Mapping) else content
