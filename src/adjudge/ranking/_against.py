"""The comparisons with one baseline, told from the other policy's side: what a win rate against it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.comparisons import Comparisons

_LENGTH = ("length", "len", "chars", "characters", "tokens", "words")


@dataclass(frozen=True, slots=True, eq=False)
class Wins:
    """Rows against the baseline; m rows.

    Arguments:
        policy: [m] who met the baseline.
        baseline: its position among the policies.
        won: [m] in [0, 1].
        length: [m] policy's − baseline's.
        others: [m, d] further covariates, from the policy's side.
        weight: [m] > 0.
        cluster: [m, 1 or 2] codes without gaps.
        findings: what was left out.
    """

    policy: IntArray
    baseline: int
    won: FloatArray
    length: FloatArray
    others: FloatArray
    weight: FloatArray
    cluster: IntArray
    findings: tuple[Finding, ...]


def rows(comparisons: Comparisons, baseline: str | None, length: str | None, others: Sequence[str]) -> Wins:
    """The rows that count. Errors as in `ranking.length_controlled`."""
    base = _baseline(comparisons, baseline)
    names = comparisons.covariate_names
    columns = [_length(names, length), *(_column(names, name) for name in others)]
    meets = (comparisons.left == base) | (comparisons.right == base)
    sound = np.isfinite(comparisons.covariates[:, columns]).all(axis=1)
    keep = np.flatnonzero(comparisons.known & meets & sound)
    part = comparisons.take(keep)
    sign = np.where(part.right == base, 1.0, -1.0)
    covariates = part.covariates[:, columns] * sign[:, None]
    units = part.cluster if part.cluster.shape[1] else part.item[:, None]
    coded = [np.unique(units[:, way], return_inverse=True)[1] for way in range(units.shape[1])]
    return Wins(
        policy=np.where(sign > 0, part.left, part.right),
        baseline=base,
        won=np.where(sign > 0, part.outcome, 1 - part.outcome),
        length=covariates[:, 0],
        others=covariates[:, 1:],
        weight=part.weight * part.count,
        cluster=np.column_stack(coded),
        findings=(
            *_left_out(int((comparisons.known & ~meets).sum()), "do not meet the baseline", "Name another baseline."),
            *_left_out(
                int((comparisons.known & meets & ~sound).sum()), "lack a covariate", "Fill the covariates of all rows."
            ),
        ),
    )


def _baseline(comparisons: Comparisons, named: str | None) -> int:
    """Position of the baseline."""
    if named is not None:
        if named not in comparisons.policies:
            raise AdjudgeError(
                f"comparisons: no policy is named {named!r}.",
                f"Policies here: {', '.join(comparisons.policies[:20])}.",
                "Name one of them as the baseline.",
            )
        return comparisons.policies.index(named)
    met = [set(pair) for pair in set(zip(comparisons.left.tolist(), comparisons.right.tolist(), strict=True))]
    shared = set.intersection(*met) if met else set()
    if len(shared) == 1:
        return int(shared.pop())
    raise AdjudgeError(
        f"comparisons: {len(shared)} policies are in every comparison.",
        "A win rate against a baseline needs one that all the others met.",
        f"Name it with baseline=, such as {comparisons.policies[0]!r}.",
    )


def _length(names: Sequence[str], named: str | None) -> int:
    """Position of the covariate that holds lengths."""
    if named is not None:
        return _column(names, named)
    found = [index for index, name in enumerate(names) if any(word in name.lower() for word in _LENGTH)]
    if len(found) == 1:
        return found[0]
    if not found and len(names) == 1:
        return 0
    raise AdjudgeError(
        f"comparisons: {len(found)} covariates look like a length.",
        f"One holds the difference in length; covariates here: {', '.join(names) or 'none'}.",
        "Read the table with covariates=['length=left_column,right_column'], or name the one with length=.",
    )


def _column(names: Sequence[str], name: str) -> int:
    if name not in names:
        raise AdjudgeError(
            f"comparisons: no covariate is named {name!r}.",
            f"Covariates here: {', '.join(names) or 'none'}.",
            "Name one of them.",
        )
    return list(names).index(name)


def _left_out(count: int, why: str, remedy: str) -> tuple[Finding, ...]:
    if not count:
        return ()
    return (
        Finding(
            "comparisons-left-out",
            Severity.WARNING,
            f"{count:,} comparisons {why} and were left out.",
            count,
            0,
            remedy,
        ),
    )
