"""Adjudge: which policy is better, how sure you can be, and when the feedback stops tracking the truth.

    adjudge.evaluate(table, judge="judge_score", gold="oracle_label")
    adjudge.rank(votes, cluster="prompt")
    adjudge.compare("runs.csv")
    adjudge.judge("responses.jsonl", protocol="pairwise", model="gpt-4o-mini", swap=True)
    adjudge.check("verdicts.parquet", gold="gold")
    adjudge.optimise("recipe.toml", out="run")

mirror the command line: `evaluate`, `rank`, `compare`, `plan`, `ope`, `judge`, `check` (the command `audit`), `suite`,
`pairs`, `optimise`, `watch`, `methods`, `cite`, `show`; the command `reward fit` is `adjudge.flows.reward.fit`. Each is
loaded when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .catalogue import cite as cite
    from .catalogue import methods as methods
    from .catalogue import show as show
    from .errors import AdjudgeError as AdjudgeError

__version__ = "0.1.0"

_HOMES = {
    "evaluate": "flows.evaluate",
    "rank": "flows.rank",
    "compare": "flows.compare",
    "plan": "flows.plan",
    "ope": "flows.ope",
    "judge": "flows.judge",
    "check": "flows.audit",
    "suite": "flows.suite",
    "pairs": "flows.pairs",
    "optimise": "flows.optimise",
    "watch": "flows.watch",
    "methods": "catalogue",
    "cite": "catalogue",
    "show": "catalogue",
    "AdjudgeError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'adjudge' has no attribute {name!r}; it offers {', '.join(_HOMES)}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
