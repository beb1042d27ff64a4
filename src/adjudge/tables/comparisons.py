"""The table of `rank`: one row is one vote on the answers of two policies to the same prompt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .._typing import BoolArray, FloatArray, IntArray
from ..core.finding import Finding

Scalar = TypeVar("Scalar", bound=np.generic)

_BY_ROW = (
    *("left", "right", "outcome", "rater", "trusted", "match", "item", "cluster", "weight", "count", "first"),
    *("covariates", "time", "row"),
)


def same(n: int, value: Scalar) -> NDArray[Scalar]:
    """[n] one value for every row, in the memory of one; not to be written to.

    >>> same(3, np.float64(1)).tolist()
    [1.0, 1.0, 1.0]
    """
    return np.broadcast_to(np.asarray(value), (n,))


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Plain arrays under one schema, checked once at the door (`tables.read_comparisons`); n rows, k policies.

    Arguments:
        policies: [k] names, sorted; `left` and `right` hold positions in it, and differ in every row.
        left, right: [n] which policies were compared.
        outcome: [n] 1 left wins, 0.5 tie, 0 right wins; between them a probability that left wins; NaN: no verdict.
        raters: names; `rater` holds positions in it.
        rater: [n] who voted.
        trusted: [n] whether the vote is gold: of a person or judge whose verdict is taken as the truth.
        match: [n] code of the two answers that were compared: votes on one match differ by rater or order only.
        item: [n] code of the prompt.
        cluster: [n, c] codes of the independent units, 0 … units−1 in each column; c = 2 clusters two ways, and c = 0
            says that each comparison is a unit of its own.
        weight: [n] importance of the row, >= 0; it multiplies the row's contribution.
        count: [n] how many equal, independent comparisons the row stands for, >= 0.
        first: [n] +1 where left was shown first, −1 where right was, 0 where unknown.
        covariates: [n, d] differences left − right, such as of length; they change sign when the sides are swapped.
        covariate_names: [d].
        time: [n] when the vote was cast, or its place in the file; ascending order is the order of events.
        row: [n] number of the row in the user's file, from 0.
        findings: what the door noticed.
    """

    policies: tuple[str, ...]
    left: IntArray
    right: IntArray
    outcome: FloatArray
    rater: IntArray
    trusted: BoolArray
    match: IntArray
    item: IntArray
    cluster: IntArray
    weight: FloatArray
    count: FloatArray
    first: FloatArray
    covariates: FloatArray
    time: FloatArray
    row: IntArray
    raters: tuple[str, ...] = ("rater",)
    covariate_names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=())

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.left.size)

    @property
    def k(self) -> int:
        """Policies."""
        return len(self.policies)

    @cached_property
    def known(self) -> BoolArray:
        """[n] whether the row has a verdict that counts."""
        return np.isfinite(self.outcome) & (self.weight * self.count > 0)

    @cached_property
    def battles(self) -> float:
        """Verdicts in all: rows times what each stands for."""
        return float(self.count[self.known].sum())

    def take(self, rows: IntArray | BoolArray) -> Comparisons:
        """Some of the rows, with the same codes for policies, raters, matches, items and clusters."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _BY_ROW})

    def swapped(self, rows: BoolArray | None = None) -> Comparisons:
        """The same votes told from the other side, in all rows or in some."""
        turn = np.ones(self.n, dtype=bool) if rows is None else rows
        sign = np.where(turn, -1.0, 1.0)
        return replace(
            self,
            left=np.where(turn, self.right, self.left),
            right=np.where(turn, self.left, self.right),
            outcome=np.where(turn, 1.0 - self.outcome, self.outcome),
            first=self.first * sign,
            covariates=self.covariates * sign[:, None],
        )


def from_arrays(
    left: IntArray,
    right: IntArray,
    outcome: FloatArray,
    *,
    policies: tuple[str, ...] | None = None,
    rater: IntArray | None = None,
    raters: tuple[str, ...] | None = None,
    trusted: BoolArray | None = None,
    match: IntArray | None = None,
    item: IntArray | None = None,
    cluster: IntArray | None = None,
    weight: FloatArray | None = None,
    count: FloatArray | None = None,
    first: FloatArray | None = None,
    covariates: FloatArray | None = None,
    covariate_names: tuple[str, ...] = (),
    time: FloatArray | None = None,
) -> Comparisons:
    """A table from codes that are known to be sound, such as a simulation's; the door for anything else is
    `tables.read_comparisons.read`.

    Arguments:
        as of `Comparisons`; what is None takes its neutral value: one rater, every row a match and an item of its
        own, no clusters, weight and count 1, left shown first, time in row order.

    >>> table = from_arrays(np.array([0, 1]), np.array([1, 2]), np.array([1.0, 0.5]))
    >>> table.policies, table.k, table.n, table.battles
    (('p0', 'p1', 'p2'), 3, 2, 2.0)
    """
    n = left.size
    k = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    own = np.arange(n)
    who = same(n, np.int64(0)) if rater is None else rater
    units = np.zeros((n, 0), dtype=np.int64) if cluster is None else cluster.reshape(n, -1)
    return Comparisons(
        policies=policies or tuple(f"p{p:0{len(str(max(k - 1, 0)))}d}" for p in range(k)),
        left=left,
        right=right,
        outcome=np.asarray(outcome, dtype=float),
        rater=who,
        raters=raters or tuple(f"rater {r}" for r in range(int(who.max(initial=0)) + 1)),
        trusted=same(n, np.bool_(False)) if trusted is None else trusted,
        match=own if match is None else match,
        item=own if item is None else item,
        cluster=units,
        weight=same(n, np.float64(1)) if weight is None else weight,
        count=same(n, np.float64(1)) if count is None else count,
        first=same(n, np.float64(1)) if first is None else first,
        covariates=np.zeros((n, 0)) if covariates is None else covariates.reshape(n, -1),
        covariate_names=covariate_names,
        time=own.astype(float) if time is None else time,
        row=own,
    )
