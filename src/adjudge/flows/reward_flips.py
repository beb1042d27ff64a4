"""How often the labels of preference pairs are turned round, by what the pairs themselves can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..audit import flip_rate
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..tables import comparisons
from ..tables.preferences import Preferences

MOST = 0.45  # a rate beyond which no loss can put labels right
FLOOR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Flips:
    """A rate and where it comes from.

    Arguments:
        rate: that goes into the fit, in [0, ½).
        source: `repeats`, `model` or, where nothing tells, empty.
        estimate: the rate with its error; None where nothing tells.
        findings: what to distrust.
    """

    rate: float
    source: str
    estimate: Estimate | None
    findings: tuple[Finding, ...]


def estimated(preferences: Preferences, chance: FloatArray) -> Flips:
    """The rate by pairs that were labelled more than once, else by a model on held-out predictions and length.

    Arguments:
        preferences: pairs with texts and labels.
        chance: [n] held-out probability that the left is better, by a fit that takes no flips for granted.
    """
    rows = np.flatnonzero(preferences.compared & np.isfinite(chance))
    used = preferences.take(rows)
    match, turned = _matches(used)
    outcome = np.where(turned, 1 - used.outcome, used.outcome)
    lead = special.logit(np.clip(chance[rows], FLOOR, 1 - FLOOR)) * np.where(turned, -1, 1)
    table = comparisons.from_arrays(
        np.zeros(used.n, np.int64),
        np.ones(used.n, np.int64),
        outcome,
        rater=used.source,
        raters=used.sources,
        match=match,
        item=used.cluster,
        cluster=used.cluster[:, None],
        weight=used.weight,
        covariates=lead[:, None],
        covariate_names=("held-out log-odds",),
    )
    audit = flip_rate.check(table)
    for source in ("repeats", "model"):
        figure = audit.figures.get(source)
        if figure is not None and np.isfinite(figure.value).any():
            share = np.bincount(used.source, used.weight, minlength=len(used.sources)).astype(float)
            by = share if len(figure.names) == len(used.sources) else np.ones(len(figure.names))
            known = np.isfinite(figure.value)
            rate = float(np.average(figure.value[known], weights=by[known])) if by[known].any() else 0.0
            return Flips(float(np.clip(rate, 0.0, MOST)), source, figure, audit.findings)
    return Flips(0.0, "", None, (*audit.findings, _unknown()))


def _matches(used: Preferences) -> tuple[np.ndarray, np.ndarray]:
    """([n] code of the two texts that were compared, [n] whether they stand the other way round than in the code)."""
    seen: dict[tuple[str, str, str], int] = {}
    codes, turned = [], []
    for prompt, left, right in zip(used.prompt, used.left_text, used.right_text, strict=True):
        first, second = sorted((left, right))
        codes.append(seen.setdefault((prompt, first, second), len(seen)))
        turned.append(left != first)
    return np.array(codes, dtype=np.int64), np.array(turned)


def _unknown() -> Finding:
    return Finding(
        "flip-rate-assumed-none",
        Severity.WARNING,
        "Nothing tells how often labels are turned round, so that the fit takes them as they are.",
        0.0,
        0.0,
        "Have some pairs labelled twice, or give a rate: --flip RATE, or flip under [feedback] of a recipe.",
    )


def by_source(figure: Estimate, level: float) -> Sequence[tuple[str, float, float, float]]:
    """(name, rate, low, high) of each entry."""
    return [
        (name, float(value), float(low), float(high))
        for name, value, (low, high) in zip(figure.names, figure.value, figure.interval(level), strict=True)
    ]
