"""Makes an `Estimate` of what a voting rule says: its value, the spread of its replicates, what is unknown.

A value that moves in steps is given the error of its bootstrap replicates and step²/(B + 1) more; policies that cannot
be compared are NaN. A pair that never met counts as even in the value, and `slack` tells how far it may lie off.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate, Part
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..stats.certain import never_certain
from ..stats.voting.margins import Margins, Rule
from ..stats.voting.rules import condorcet

LEAST_DRAWS = 2


def by_rule(
    found: Margins,
    rule: Rule,
    *,
    method: str,
    draws: int,
    seed: int,
    step: float = 0.0,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    slack: FloatArray | None = None,
) -> Estimate:
    """The estimate of a rule that scores each policy.

    Arguments:
        found: the margins.
        rule: [b, j, j] margins -> [b, j] scores, higher better.
        method: address.
        draws: bootstrap replicates, at least 2.
        seed: of the draws.
        step: least amount by which a score can change; 0 for continuous ones.
        bounds: of the scores.
        slack: [j, 2] how far unknown pairs may lower and raise each score.

    Errors: fewer than 2 draws.
    """
    enough(draws)
    if found.j < 2:
        return whole(found, np.full(found.j, np.nan), Part("sampling", np.zeros((found.j,) * 2), 0), method=method)
    drawn = found.replicates(lambda M: np.concatenate([rule(M), condorcet(M)], axis=1), draws=draws, seed=seed)
    first = Part("replicates", binomial(drawn[:, found.j :]), draws)
    figures = {"condorcet": whole(found, drawn[:, found.j :].mean(axis=0), first, method=method, bounds=(0.0, 1.0))}
    value = rule(found.table()[None])[0]
    part = found.part(drawn[:, : found.j], step=step, value=value)
    return whole(found, value, part, method=method, bounds=bounds, slack=slack, figures=figures)


def whole(
    found: Margins,
    value: FloatArray,
    part: Part,
    *,
    method: str,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    slack: FloatArray | None = None,
    findings: tuple[Finding, ...] = (),
    figures: Mapping[str, Estimate] | None = None,
) -> Estimate:
    """The estimate over all policies from values [j], covariance [j, j] and slack [j, 2] of those inside."""
    k, at = len(found.policies), np.flatnonzero(found.inside)
    full, covariance, wide = np.full(k, np.nan), np.full((k, k), np.nan), np.zeros((k, 2))
    full[at], covariance[np.ix_(at, at)] = value, part.covariance
    if slack is not None:
        wide[at] = slack
    return never_certain(
        Estimate(
            names=found.policies,
            value=full,
            parts=(Part(part.name, covariance, part.units),),
            df=np.full(k, max(found.units - 1.0, 1.0)),
            bounds=bounds,
            slack=wide,
            method=method,
            findings=(*found.findings, *findings),
            figures=figures or {},
        )
    )


def share_slack(found: Margins) -> FloatArray:
    """[j, 2] of a share of the others: each opponent never met counts ½ and may be 0 or 1."""
    half = 0.5 * found.unknown / max(found.j - 1, 1)
    return np.column_stack([half, half])


def enough(draws: int) -> None:
    """Refuses fewer than 2 replicates."""
    if draws < LEAST_DRAWS:
        raise AdjudgeError(f"draws is {draws}.", "A spread needs at least 2 replicates; 1,000 are usual.", "Raise it.")


def binomial(hit: FloatArray) -> FloatArray:
    """[j, j] covariance of the means of [B, j] zeros and ones, an imaginary one of each added."""
    p = (hit.sum(axis=0) + 1) / (hit.shape[0] + 2)
    return np.diag(p * (1 - p) / hit.shape[0])
