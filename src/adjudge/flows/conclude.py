"""From an estimate to an answer: audits, findings worst first, and how it was made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import IntArray
from ..audit import agreement, labels, leakage, saturation, support, transport
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..tables.calibrator import Calibrator
from ..tables.ratings import Ratings
from .evaluation import Evaluation
from .made import Setting, worst_first
from .unverified import unverified

CHECKS = (labels, support, transport, agreement, saturation, leakage)
TOLD_ELSEWHERE = ("method-chosen", "not-verified")  # as the reason, and with the sensitivity value


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
        run=setting.run("adjudge.evaluate(…)", methods),
        level=setting.level,
        seed=setting.seed,
        source=setting.source,
        rows=rows,
        units=units,
    )
    return replace(answer, findings=worst_first((*found, *unverified(answer))))


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
