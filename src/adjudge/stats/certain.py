"""Data without variation say nothing of their own error: an error of exactly 0 becomes "unknown", with a finding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.estimate import Estimate
from ..core.finding import Finding, Severity

SHARE = 1e-12  # of the largest value: a standard error below it is rounding


def never_certain(estimate: Estimate) -> Estimate:
    """The same estimate, with the error NaN instead of 0 where no datum differs from the others.

    >>> from adjudge.core.estimate import Part
    >>> sure = Estimate(("a",), np.array([1.0]), (Part("sampling", np.zeros((1, 1)), 9),), df=8)
    >>> told = never_certain(sure)
    >>> told.stderr, [finding.code for finding in told.findings]
    (array([nan]), ['no-variation'])
    """
    scale = max(float(np.abs(estimate.value[np.isfinite(estimate.value)]).max(initial=0.0)), 1e-300)
    stuck = np.isfinite(estimate.value) & (estimate.stderr <= SHARE * scale)
    if not stuck.any():
        return estimate
    unknown = stuck[:, None] | stuck[None, :]
    names = tuple(name for name, on in zip(estimate.names, stuck, strict=True) if on)
    finding = Finding(
        "no-variation",
        Severity.WARNING,
        f"All that is known of {', '.join(names[:5])}{' …' if len(names) > 5 else ''} is alike, which tells nothing of "
        "its error: no interval can be given.",
        number=float(stuck.sum()),
        remedy="Collect votes or scores that can differ, or more independent ones.",
        subject=names,
    )
    parts = tuple(replace(part, covariance=np.where(unknown, np.nan, part.covariance)) for part in estimate.parts)
    return replace(estimate, parts=parts, findings=(*estimate.findings, finding))
