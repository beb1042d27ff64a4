"""What to distrust of values that rest on a few gold labels and a judge's scores."""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...core.finding import Finding, Severity
from ...tables.decisions import Decisions
from .weights import by_cluster

FEW = 20  # labelled clusters that calibration should have
BEYOND = 0.05  # share of a policy's weight on scores that no label has, from which levels are doubtful


def missing() -> Finding:
    """No gold at all."""
    return Finding(
        "gold-missing",
        Severity.WARNING,
        "No row has gold: values are in rewards as logged, and say nothing of how a judge errs.",
        0.0,
        float(FEW),
        f"Label {FEW} or more random rows.",
    )


def few(count: int) -> list[Finding]:
    """Too few labelled clusters."""
    if count >= FEW:
        return []
    return [
        Finding(
            "labels-few",
            Severity.SEVERE if count < FEW / 4 else Severity.WARNING,
            f"{count} independent rows have gold: the calibration of the judge rests on them.",
            count,
            FEW,
            f"Label {FEW - count} more random rows.",
        )
    ]


def alike(gold: FloatArray) -> list[Finding]:
    """Labels that never differ."""
    if gold.min() < gold.max():
        return []
    told = Finding(
        "gold-constant",
        Severity.WARNING,
        f"All {gold.size:,} gold labels are alike: they cannot tell how the judge errs.",
        1.0,
        2.0,
        "Label more rows, those with extreme scores among them.",
    )
    return [told]


def beyond(table: Decisions, score: FloatArray, span: tuple[float, float]) -> list[Finding]:
    """Policies with much of their weight on [n] scores beyond the span of those that have a label."""
    low, high = span
    score = np.where(np.isfinite(score), score, low)
    mass = np.where(table.known, table.weight, 0.0)[:, None] * table.ratio
    share = mass.T @ ((score < low) | (score > high)) / np.maximum(mass.sum(axis=0), 1e-300)
    return [
        Finding(
            "scores-beyond-labels",
            Severity.WARNING,
            f"{100 * part:.0f} % of the weight of {policy} is on scores outside {low:.3g} to {high:.3g}, all without "
            "gold.",
            part,
            BEYOND,
            "Label rows with such scores.",
            (policy,),
        )
        for policy, part in zip(table.policies, share.tolist(), strict=True)
        if part >= BEYOND
    ]


def transport(table: Decisions, labels: Decisions, forecast: FloatArray) -> list[Finding]:
    """How far gold is from the [n] calibrated score where the weights of each policy are: what was not corrected."""
    left = np.where(labels.known, labels.reward - forecast, 0.0)
    sums, mass = by_cluster(labels, table.ratio * left[:, None]), by_cluster(labels, table.ratio)
    total = np.maximum(mass.sum(axis=0), 1e-300)
    drift = sums.sum(axis=0) / total
    error = np.sqrt(((sums - drift * mass) ** 2).sum(axis=0)) / total
    return [
        Finding(
            "calibration-transport",
            Severity.WARNING if abs(away) > 2 * noise else Severity.INFO,
            f"The judge was calibrated on the logger's responses; where {policy} is, gold is {away:+.3f} (standard "
            f"error {noise:.3f}) from the calibrated score, and that was not corrected.",
            away,
            2 * noise,
            "Let the residual be weighed out (corrected), or label responses of the policy itself.",
            (policy,),
        )
        for policy, away, noise in zip(table.policies, drift.tolist(), error.tolist(), strict=True)
    ]
