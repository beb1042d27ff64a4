"""What to distrust about chances of pairs: whether they come true where both golds are known, and what is missing."""

from __future__ import annotations

import numpy as np

from ..core.finding import Finding, Severity
from .pairs_labels import Labels, Margins

FAR = 2.0  # standard errors between what was said and what came true, beyond which it is a finding


def honest(labels: Labels | Margins) -> tuple[float, float, float]:
    """(mean chance said, mean that came true, standard error of the difference by prompt), held out; NaN for none."""
    units, code = np.unique(labels.unit, return_inverse=True)
    if units.size < 2:
        return np.nan, np.nan, np.nan
    miss = labels.true - labels.said
    loose = np.bincount(code, miss - miss.mean()) / miss.size
    error = np.sqrt((loose**2).sum() * units.size / (units.size - 1))
    return float(labels.said.mean()), float(labels.true.mean()), float(error)


def checked(labels: Labels | Margins) -> tuple[Finding, ...]:
    """What the labelled pairs say of the chances."""
    said, true, error = honest(labels)
    if np.isnan(error):
        text = (
            "Too few prompts have two labelled responses that are told apart: how often chances come true is unknown."
        )
        remedy = "Label two responses of some prompts."
        return (Finding("chances-untested", Severity.INFO, text, 0.0, 2.0, remedy),)
    found = []
    if true < 0.5 - FAR * error:
        text = f"Of two labelled responses the one that the judge prefers is better in {100 * true:.0f} % of cases."
        remedy = "Turn the score round, or take another judge."
        found.append(Finding("judge-against-gold", Severity.SEVERE, text, true, 0.5, remedy))
    if abs(said - true) > max(FAR * error, 0.03):
        text = (
            f"Of two labelled responses the preferred one is better in {100 * true:.0f} % of cases; the chances say "
            f"{100 * said:.0f} %."
        )
        remedy = "Label more pairs, or name another --calibration."
        found.append(Finding("chances-off", Severity.WARNING, text, said - true, 0.03, remedy))
    return tuple(found)


def uncalibrated() -> Finding:
    """Nothing stands behind the preferences."""
    return Finding(
        "labels-not-calibrated",
        Severity.WARNING,
        "No gold stands behind the preferences: they say what the judge thinks, not what is better.",
        0,
        1,
        "Label some responses, two of a prompt where it can be, and name the column with --gold.",
    )


def doubtful(lost: int, of: int) -> Finding:
    """Pairs of which nobody can say which is better; lost: so many, of all."""
    return Finding(
        "pairs-without-direction",
        Severity.INFO if lost < of else Severity.SEVERE,
        f"{lost:,} of {of:,} pairs are left out: the one chosen is better in gold in half of the cases at most.",
        lost,
        0,
        "Keep them with soft labels, or score the samples with a better judge.",
    )
