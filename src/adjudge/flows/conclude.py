"""From an estimate to an answer: audits, findings worst first, and how it was made."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .._typing import IntArray
from ..audit import agreement, labels, leakage, saturation, support, transport
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..core.run import Run
from ..errors import AdjudgeError
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from .evaluation import Evaluation
from .unverified import unverified

CHECKS = (labels, support, transport, agreement, saturation, leakage)
TOLD_ELSEWHERE = ("method-chosen", "not-verified")  # as the reason, and with the sensitivity value


@dataclass(frozen=True, slots=True)
class Setting:
    """What was asked. Arguments: level of the intervals, seed, data: name -> fingerprint, options: as recorded."""

    level: float = 0.95
    seed: int = 0
    data: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    source: object = None

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise AdjudgeError(
                f"level is {self.level:g}.", "A coverage between 0 and 1, such as 0.95.", "Give such a level."
            )
        if self.seed < 0:
            raise AdjudgeError(f"seed is {self.seed}.", "A whole number from 0 on.", "Give such a seed.")


def conclude(
    ratings: Ratings,
    estimate: Estimate,
    alone: Estimate,
    calibrator: Calibrator | None,
    setting: Setting,
    *,
    rows: IntArray | None = None,
    units: int | None = None,
) -> Evaluation:
    """The finished evaluation.

    Arguments:
        ratings: the table that is audited and drawn: all of it, or a sample with weights.
        estimate: values of the policies.
        alone: values from labels alone.
        calibrator: None when none was needed.
        setting: what was asked.
        rows, units: [k] rows and number of clusters of the whole table, when `ratings` is a sample of it.
    """
    estimate, outside = _inside(estimate)
    audits = [check.check(ratings) for check in CHECKS]
    told = TOLD_ELSEWHERE if ratings.labelled.any() else (*TOLD_ELSEWHERE, "judge-not-verified")
    found = (
        *ratings.findings,
        *(finding for finding in estimate.findings if finding.code not in told),
        *outside,
        *(calibrator.findings if calibrator else ()),
        *(finding for audit in audits for finding in audit.findings),
    )
    methods = [estimate.method, *([calibrator.method] if calibrator else [])]
    answer = Evaluation(
        ratings=ratings,
        estimate=estimate,
        labels_only=alone,
        calibrator=calibrator,
        findings=(),
        reason=_reason(estimate),
        run=Run.now(_command(), seed=setting.seed, data=setting.data, settings=setting.options, methods=methods),
        level=setting.level,
        seed=setting.seed,
        source=setting.source,
        rows=rows,
        units=units,
    )
    return replace(answer, findings=_sorted((*found, *unverified(answer))))


def _inside(estimate: Estimate) -> tuple[Estimate, tuple[Finding, ...]]:
    """The estimate with values in the range that every truth lies in: a correction by few labels can overshoot it."""
    low, high = estimate.bounds
    out = np.flatnonzero((estimate.value < low - 1e-9) | (estimate.value > high + 1e-9))
    findings = tuple(
        Finding(
            "value-outside-range",
            Severity.WARNING,
            f"The labels of {estimate.names[p]} correct its value to {estimate.value[p]:.3g}, beyond the range "
            f"{low:g} to {high:g} of gold; the end of the range is shown.",
            float(estimate.value[p]),
            low if estimate.value[p] < low else high,
            "Label more of its rows: so large a correction rests on few of them.",
            (estimate.names[p],),
        )
        for p in out
    )
    return replace(estimate, value=np.clip(estimate.value, low, high)), findings


def _reason(estimate: Estimate) -> str:
    told = [finding.message for finding in estimate.findings if finding.code == "method-chosen"]
    return told[0] if told else f"You asked for {estimate.method}."


def _command() -> str:
    program = Path(sys.argv[0]).name if sys.argv else ""
    return shlex.join(["adjudge", *sys.argv[1:]]) if program == "adjudge" else "adjudge.evaluate(…)"


def _sorted(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Each finding once, the worst first."""
    once = {(finding.code, finding.subject, finding.message): finding for finding in findings}
    return tuple(sorted(once.values(), key=lambda finding: -finding.severity))
