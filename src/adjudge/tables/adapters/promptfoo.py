"""promptfoo results (`promptfoo eval -o out.json`, version 2 and 3): one row for each test, provider and prompt.

The policy is the provider, with the prompt's label where the file compares several prompts. The prompt id is the test's
variables (or its number when it has none), so repeats of a test are draws of one prompt. `score` is promptfoo's own
combined score, missing where the provider failed; every named metric and every assertion is a column too. A person's
thumb up or down (assertion type `human`) is the gold label; it has overwritten the combined score, which is therefore
taken again over the other assertions by weight. Source: https://www.promptfoo.dev/docs/configuration/outputs/
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ...errors import AdjudgeError
from ..series import from_records, record_names
from .values import gold_of, number

#: `failureReason` of a test that never got an answer; its score of 0 says nothing of the policy.
PROVIDER_ERROR = 2


def recognises(content: object) -> bool:
    """Whether a JSON document is a promptfoo result."""
    inner = content.get("results") if isinstance(content, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("results"), list):
        return False
    return all(isinstance(result, Mapping) and "provider" in result for result in inner["results"][:1])


def read(path: Path) -> pl.DataFrame:
    """A result file as a tidy table: policy, prompt_id, draw, score, one column for each assertion, perhaps gold."""
    return tidy(json.loads(path.read_text("utf-8")), path.name)


def tidy(content: Mapping[str, Any], name: str) -> pl.DataFrame:
    """The same from the parsed document. Errors: no results in it."""
    results = content["results"]["results"]
    if not results:
        raise AdjudgeError(f"{name}: the promptfoo file holds no results.", "At least one test ran.", "Run it again.")
    several = len({_prompt(result) for result in results}) > 1
    seen: Counter[tuple[str, str]] = Counter()
    rows = []
    for result in results:
        policy = " | ".join([_provider(result), _prompt(result)] if several else [_provider(result)])
        item = _item(result)
        rows.append({"policy": policy, "prompt_id": item, "draw": seen[policy, item], **_scores(result)})
        seen[policy, item] += 1
    return from_records(rows, record_names(rows))


def _provider(result: Mapping[str, Any]) -> str:
    provider = result["provider"]
    return str(provider.get("label") or provider.get("id")) if isinstance(provider, Mapping) else str(provider)


def _prompt(result: Mapping[str, Any]) -> str:
    prompt = result.get("prompt")
    return str(prompt.get("label") or prompt.get("raw")) if isinstance(prompt, Mapping) else str(prompt)


def _item(result: Mapping[str, Any]) -> str:
    variables = result.get("vars") or (result.get("testCase") or {}).get("vars")
    if variables:
        return json.dumps(variables, sort_keys=True, ensure_ascii=False)
    return str(result.get("testIdx", result.get("description", "")))


def _scores(result: Mapping[str, Any]) -> dict[str, Any]:
    grading = result.get("gradingResult") or {}
    parts = [part for part in grading.get("componentResults") or [] if isinstance(part, Mapping)]
    people = [part for part in parts if _kind(part) == "human"]
    machines = [part for part in parts if _kind(part) != "human"]
    score = _combined(machines) if people else number(result.get("score", result.get("success")))
    failed = result.get("failureReason") == PROVIDER_ERROR or (result.get("error") and not grading)
    columns: dict[str, Any] = {"score": None if failed else score}
    columns |= {str(key): number(value) for key, value in (result.get("namedScores") or {}).items()}
    for label, part in _labelled(machines):
        columns.setdefault(label, number(part.get("score")))
    if people:
        columns["gold"] = number(people[-1].get("score", people[-1].get("pass")))
    return columns | (gold_of((result.get("testCase") or {}).get("metadata")) if not people else {})


def _kind(part: Mapping[str, Any]) -> str:
    return str((part.get("assertion") or {}).get("type", "assertion"))


def _combined(parts: Iterable[Mapping[str, Any]]) -> float | None:
    """Mean of the assertions' scores by weight, as promptfoo combines them."""
    weighed = [(float((part.get("assertion") or {}).get("weight", 1)), number(part.get("score"))) for part in parts]
    known = [(weight, score) for weight, score in weighed if score is not None]
    total = sum(weight for weight, _ in known)
    return sum(weight * score for weight, score in known) / total if total else None


def _labelled(parts: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Each assertion with its metric, or its type numbered where it repeats."""
    seen: Counter[str] = Counter()
    for part in parts:
        label = str((part.get("assertion") or {}).get("metric") or _kind(part))
        seen[label] += 1
        yield (label if seen[label] == 1 else f"{label} {seen[label]}"), part
