"""What the monitors see of a watched run as it stands: their alarms are warnings until STOP is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..monitor import likelihood, overoptimisation, ranking_accuracy
from ..tables.pair_batch import PairBatch
from ..tables.read_run_log import lines
from ..tables.run_log import RunLog

PAIRS = "pairs.jsonl"
COLUMNS = ("logp_chosen", "logp_rejected", "ref_logp_chosen", "ref_logp_rejected")


def monitors(
    table: RunLog, gold: FloatArray, folder: Path | None, *, level: float, stopped: bool
) -> tuple[dict[str, Audit], tuple[Finding, ...]]:
    """What each monitor saw that the run has columns for, and their findings together.

    Arguments:
        table: the run.
        gold: [r] labels by row; NaN where there is none.
        folder: of the run, where log-probabilities of pairs may lie in `pairs.jsonl`.
        level: of each monitor.
        stopped: whether STOP is said; before, a severe finding of a single look is a warning.
    """
    seen, noted = {"monitor.overoptimisation": overoptimisation.watch(table.curve(gold), level=level)}, list[Finding]()
    if not np.isfinite(gold).any():
        seen["monitor.overoptimisation"] = replace(seen["monitor.overoptimisation"], findings=())
    try:
        if table.likelihood is not None:
            seen["monitor.likelihood"] = likelihood.watch(table.likelihood, level=level)
        if folder is not None and (folder / PAIRS).is_file():
            seen["monitor.ranking_accuracy"] = ranking_accuracy.watch(_pairs(folder / PAIRS, noted), level=level)
    except AdjudgeError as problem:
        noted.append(Finding("monitor-left-out", Severity.WARNING, problem.found, remedy=problem.do))
    seen = {name: replace(audit, findings=_called(audit.findings, table)) for name, audit in seen.items()}
    noted += [one if stopped else _one_look(one) for audit in seen.values() for one in audit.findings]
    return seen, tuple(noted)


def _called(findings: Sequence[Finding], table: RunLog) -> tuple[Finding, ...]:
    """The findings of monitors, which count steps from 0, with the steps by the numbers that the run gave them."""

    def own(said: re.Match[str]) -> str:
        code = int(said[1])
        return table.name(code) if code < len(table.steps) else said[0]

    def named(text: str) -> str:
        return re.sub(r"\bstep (\d+)\b", own, text)

    return tuple(replace(one, message=named(one.message), remedy=named(one.remedy)) for one in findings)


def _one_look(finding: Finding) -> Finding:
    """A severe finding as a warning: who looks after each checkpoint sees one by chance sooner or later."""
    if finding.severity is not Severity.SEVERE:
        return finding
    text = f"{finding.message} (By one look, which is no STOP: many looks find something by chance.)"
    return replace(finding, severity=Severity.WARNING, message=text)


def _pairs(path: Path, told: list[Finding]) -> PairBatch:
    """Log-probabilities of pairs at the latest step."""
    rows = lines(path, told)
    latest = max(float(str(row.get("step", 0))) for row in rows)
    rows = [row for row in rows if float(str(row.get("step", 0))) == latest]
    missing = [name for name in COLUMNS if any(not isinstance(row.get(name), (int, float)) for row in rows)]
    if missing:
        raise AdjudgeError(
            f"{path.name}: {', '.join(missing)} is missing or no number in some rows.",
            f"Numbers {', '.join(COLUMNS)} in each.",
            "Write them, or move the file away.",
        )
    columns = [np.array([float(str(row[name])) for row in rows]) for name in COLUMNS]
    lengths = [
        np.array([float(str(row.get(name, 1))) for row in rows]) for name in ("chosen_length", "rejected_length")
    ]
    return PairBatch(*columns, *lengths)
