"""Sums votes into the few distinct outcomes that a likelihood can tell apart, without copying the table.

    edge  votes with one linear predictor η: one pair of policies (and one order of showing, one rater …)
    cell  votes of one edge with one outcome: everything a score ∂ℓ/∂β depends on
    code  [n] the cell of each row

Two million votes on 100 policies are at most 4,950 edges and 14,850 cells, and a fit costs what those cost. With
covariates that differ from row to row, or many distinct soft outcomes, each row is an edge and a cell of its own.
Limits: a row with weight or count 0, or without a verdict, adds nothing; count c equals the row repeated c times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...errors import AdjudgeError
from ...tables.comparisons import Comparisons
from ..cluster import group_sums
from .levels import outcome_levels

BLOCK = 1 << 18  # rows coded at once
SLOTS = 1 << 22  # a table of keys may have this many entries, or four for each row
MOST_LANES = 3_000  # raters with an order effect of their own


@dataclass(frozen=True, eq=False)
class Votes:
    """Votes as a likelihood reads them; k policies, E edges, U cells, n rows.

    Arguments:
        k: policies.
        left, right: [E] policies of each edge; η = θ_left − θ_right + z·γ + sign·δ_lane.
        z: [E, d] covariates.
        lane, sign: [E] code and value (+1, 0, −1) of an effect that each rater has one of; empty for none.
        lanes: how many such effects.
        hard: [E] whether the votes are wins, ties or losses; soft votes (probabilities) are read without a tie law.
        edge: [U] edge of each cell.
        y: [U] outcome for left.
        mass: [U] Σ weight · count.
        square: [U] Σ weight² · count: what independent comparisons add to the meat of a sandwich.
        battles: [U] Σ count.
        code: [n] cell of each row of the table, −1 for rows that add nothing; None when row i is cell i.
        weight: [n] weight · count of each row; None when all are 1.
        count: [n] how many equal votes each row stands for; None when all are 1.
    """

    k: int
    left: IntArray
    right: IntArray
    z: FloatArray
    lane: IntArray
    sign: FloatArray
    lanes: int
    hard: BoolArray
    edge: IntArray
    y: FloatArray
    mass: FloatArray
    square: FloatArray
    battles: FloatArray
    code: IntArray | None
    weight: FloatArray | None
    count: FloatArray | None

    @property
    def d(self) -> int:
        """Effects beside the ratings: covariates, and the lanes."""
        return self.z.shape[1] + self.lanes

    @property
    def width(self) -> int:
        """Parameters without the tie: policies and effects."""
        return self.k + self.d

    @cached_property
    def tied(self) -> BoolArray:
        """[U] whether the cell holds ties."""
        return (self.y == 0.5) & self.hard[self.edge]

    @cached_property
    def n(self) -> FloatArray:
        """[E] mass of each edge."""
        return self._by_edge(self.mass)

    @cached_property
    def lean(self) -> FloatArray:
        """[E] Σ w(y − ½)."""
        return self._by_edge(self.mass * (self.y - 0.5))

    @cached_property
    def ties(self) -> FloatArray:
        """[E] mass of the ties."""
        return self._by_edge(self.mass * self.tied)

    @cached_property
    def reach(self) -> FloatArray:
        """[d] largest size of each covariate."""
        return np.array([max(column.max(), -column.min()) if column.size else 0.0 for column in self.z.T])

    def _by_edge(self, values: FloatArray) -> FloatArray:
        if self.edge.size == self.left.size:  # cells are edges
            return values
        return group_sums(self.edge, values, self.left.size)

    def within(self, keep: BoolArray) -> Votes:
        """The same votes with nothing left of those that meet a policy outside `keep` [k]."""
        return self.only(keep[self.left] & keep[self.right])

    def only(self, edges: BoolArray) -> Votes:
        """The same votes with nothing left of those on other edges than `edges` [E]."""
        if edges.all():
            return self
        on = edges[self.edge]
        mass, square, battles = (np.where(on, each, 0.0) for each in (self.mass, self.square, self.battles))
        return replace(self, mass=mass, square=square, battles=battles)

    def under(self, mass: FloatArray) -> Votes:
        """The same cells with other masses [U], such as those of a bootstrap replicate."""
        return replace(self, mass=mass)

    def predictor(self, beta: FloatArray) -> FloatArray:
        """[E] η of parameters β = (θ, γ, δ) [width or more]."""
        eta = beta[self.left] - beta[self.right]
        d = self.z.shape[1]
        if d:
            eta += self.z @ beta[self.k : self.k + d]
        if self.lanes:
            eta += self.sign * beta[self.k + d + self.lane]
        return eta


def collect(
    table: Comparisons,
    *,
    order: bool | str = False,
    covariates: bool = False,
    half: bool = False,
) -> Votes:
    """The votes of a table, summed as far as the model allows.

    Arguments:
        table: comparisons; rows without a verdict or with weight 0 add nothing.
        order: True adds one covariate, +1 where left was shown first and −1 where right was; `rater` adds one such
            effect for each rater.
        covariates: whether the table's covariates enter, before the order.
        half: a tie is half a win and half a loss, so that every outcome is soft; it is so in any case where
            probabilities other than ½ outnumber the wins and losses.

    Raises AdjudgeError for more than 3,000 raters with an order effect of their own.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> votes = collect(from_arrays(np.array([0, 1, 0]), np.array([1, 0, 1]), np.array([1.0, 0.0, 0.5])))
    >>> votes.left.tolist(), votes.y.tolist(), votes.mass.tolist(), votes.code.tolist()
    ([0], [0.5, 1.0], [1.0, 2.0], [1, 1, 0])
    """
    lanes = len(table.raters) if order == "rater" else 0
    if lanes > MOST_LANES:
        raise AdjudgeError(
            f"order='rater' with {lanes:,} raters.",
            f"At most {MOST_LANES:,} raters with an order effect each.",
            "Use order=True for one effect of being shown first.",
        )
    levels, mostly_soft = outcome_levels(table)
    half, own = half or mostly_soft, covariates and table.covariates.shape[1] > 0
    if own or levels is None:
        return _by_row(table, order=order, covariates=own, half=half)
    return _summed(table, levels, order=order, half=half)


def _by_row(table: Comparisons, *, order: bool | str, covariates: bool, half: bool) -> Votes:
    """Each row an edge and a cell of its own."""
    known, n = table.known, table.n
    weight = np.where(known, table.weight * table.count, 0.0)
    z = table.covariates if covariates else np.empty((n, 0))
    if order is True:
        z = np.column_stack([z, table.first])
    hard = (table.outcome == 0) | (table.outcome == 1) | (table.outcome == 0.5)
    return Votes(
        k=table.k,
        left=table.left,
        right=table.right,
        z=z,
        lane=table.rater if order == "rater" else np.empty(0, dtype=np.int64),
        sign=table.first if order == "rater" else np.empty(0),
        lanes=len(table.raters) if order == "rater" else 0,
        hard=np.zeros(n, dtype=bool) if half else hard,
        edge=np.arange(n),
        y=np.where(known, table.outcome, 0.5),
        mass=weight,
        square=weight * table.weight,
        battles=np.where(known, table.count, 0.0),
        code=None,
        weight=weight,
        count=table.count,
    )


def _summed(table: Comparisons, levels: FloatArray, *, order: bool | str, half: bool) -> Votes:
    """Rows summed by pair, order of showing, rater and outcome; hard votes are told from the lower code's side."""
    k, orders = table.k, 3 if order else 1
    raters = len(table.raters) if order == "rater" else 1
    slots = k * k * raters * orders * levels.size
    key = np.empty(table.n, dtype=np.int32 if slots < 2**31 else np.int64)
    for start in range(0, table.n, BLOCK):
        rows = slice(start, start + BLOCK)
        key[rows] = _keys(table, rows, levels, orders, raters)
    weight = _row_weight(table)
    if slots <= max(SLOTS, 4 * table.n):
        seen = np.bincount(key, minlength=slots) if weight is None else np.bincount(key, weight > 0, minlength=slots)
        present = np.flatnonzero(seen)
        place = np.full(slots, -1, dtype=np.int32)
        place[present] = np.arange(present.size)
        code = place[key]
    else:
        present, code = np.unique(key, return_inverse=True)
        code = code.astype(np.int32)
    return _cells(table, present, code, weight, levels, orders=orders, raters=raters, order=order, half=half)


def _keys(table: Comparisons, rows: slice, levels: FloatArray, orders: int, raters: int) -> IntArray:
    """((pair · raters + rater) · orders + order) · levels + outcome, from the side of the lower code."""
    left, right, y = table.left[rows], table.right[rows], table.outcome[rows]
    if levels.size == 3:  # twice a hard outcome is its place, also from the other side
        turned = left > right
        at = np.where(np.isfinite(y), 2.0 * y, 1.0).astype(np.int64)
        at = np.where(turned, 2 - at, at)
        left, right = np.minimum(left, right), np.maximum(left, right)
    else:
        turned = np.zeros(left.size, dtype=bool)
        at = np.searchsorted(levels, np.where(np.isfinite(y), y, 0.5))
    key = left * table.k + right
    if raters > 1:
        key = key * raters + table.rater[rows]
    if orders > 1:
        first = np.where(turned, -table.first[rows], table.first[rows])
        key = key * orders + (np.sign(first) + 1).astype(np.int64)
    return np.asarray(key * levels.size + at)


def _row_weight(table: Comparisons) -> FloatArray | None:
    """[n] weight · count, 0 where nothing is known; None when all are 1."""
    plain = table.known.all() and (table.weight == 1).all() and (table.count == 1).all()
    return None if plain else np.where(table.known, table.weight * table.count, 0.0)


def _cells(
    table: Comparisons,
    present: IntArray,
    code: IntArray,
    weight: FloatArray | None,
    levels: FloatArray,
    *,
    orders: int,
    raters: int,
    order: bool | str,
    half: bool,
) -> Votes:
    """Unpacks the keys that occur and sums the rows of each."""
    U = present.size
    rest, at = np.divmod(present, levels.size)
    soft = (at != 0) & (at != levels.size - 1) & (levels[at] != 0.5)
    edges, edge = np.unique(rest * 2 + soft, return_inverse=True)  # a soft vote has an edge apart from hard ones
    rest, first = np.divmod(edges // 2, orders)
    pair, rater = np.divmod(rest, raters)
    sign = first - 1.0 if orders > 1 else np.zeros(edges.size)
    if weight is None:
        mass = square = battles = np.bincount(code, minlength=U).astype(float)
    else:
        used = np.where(code < 0, U, code)
        count = np.where(weight > 0, table.count, 0.0)
        mass, square, battles = (
            np.bincount(used, each, minlength=U + 1)[:U] for each in (weight, weight * table.weight, count)
        )
    return Votes(
        k=table.k,
        left=pair // table.k,
        right=pair % table.k,
        z=sign[:, None] if order is True else np.empty((edges.size, 0)),
        lane=rater if order == "rater" else np.empty(0, dtype=np.int64),
        sign=sign if order == "rater" else np.empty(0),
        lanes=raters if order == "rater" else 0,
        hard=np.zeros(edges.size, dtype=bool) if half else edges % 2 == 0,
        edge=edge,
        y=levels[at],
        mass=mass,
        square=square,
        battles=battles,
        code=code,
        weight=weight,
        count=None if weight is None else table.count,
    )
