"""Recognises the logs of other tools by their content, so that `adjudge evaluate log.json` just works."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from ..core.finding import Finding, Severity
from .adapters import deepeval, helm, inspect_ai, lm_eval, promptfoo

#: The file of a HELM run that holds every instance; what lies beside it are sums and inputs.
RUN = helm.INSTANCES

#: Columns that an adapter writes beside the scores.
NOT_SCORES = ("policy", "task", "prompt_id", "draw", "gold")


def document(content: Any, path: Path) -> tuple[pl.DataFrame, str] | None:
    """The tidy table of a JSON document and the tool that wrote it; None when it is no known log."""
    if inspect_ai.recognises(content):
        return inspect_ai.tidy(content, path.name), "Inspect AI"
    if promptfoo.recognises(content):
        return promptfoo.tidy(content, path.name), "promptfoo"
    if deepeval.recognises(content):
        return deepeval.tidy(content, path.stem), "DeepEval"
    if helm.recognises(content):
        return helm.tidy(content, path), "HELM"
    return None


def lines(content: bytes, path: Path) -> tuple[pl.DataFrame, str] | None:
    """The same for JSON lines, judged by the first."""
    first, _, _ = content.lstrip().partition(b"\n")
    if b'"doc_id"' not in first or b'"filtered_resps"' not in first:
        return None
    if not lm_eval.recognises(json.loads(first)):
        return None
    samples = [json.loads(line) for line in content.decode("utf-8").split("\n") if line.strip()]
    return lm_eval.tidy(samples, path), "lm-evaluation-harness"


def archive(path: Path) -> tuple[pl.DataFrame, str]:
    """The table in an Inspect `.eval` archive."""
    return inspect_ai.read(path), "Inspect AI"


def told(frame: pl.DataFrame, tool: str, path: Path) -> tuple[tuple[str, ...], Finding]:
    """The score columns of a recognised log, and the finding that says so."""
    scores = tuple(name for name in frame.columns if name not in NOT_SCORES)
    return scores, Finding(
        "log-recognised",
        Severity.INFO,
        f"{path.name} was read as a log of {tool}; its scores are: {', '.join(scores) or 'none'}.",
        remedy="Name the judge's score with --judge." if len(scores) > 1 else "",
        subject=scores,
    )
