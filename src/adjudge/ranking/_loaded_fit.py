"""Fits one rating for each policy to several sources of votes, each with its own sharpness and its own taste for ties.

    η = c_e·(θ_left − θ_right),      P(win) : P(tie) : P(loss) = e^{η/2} : ν_e : e^{−η/2},      c = 1 for the first

Newton with the observed Hessian (Fisher's where that is not positive) on votes summed by source, pair and outcome.
Limit: one source is Davidson's model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.cluster import group_sums
from ..stats.paired import links

STEPS = 100
TOLERANCE = 1e-9
SMALL = 1e-6
NO_TIE = -np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Sources:
    """Votes by row; n rows, k policies, E kinds of evidence.

    Arguments:
        left, right, source: [n] codes.
        outcome, mass: [n].
        k: policies.
        tied: [E] whether the source has ties.
    """

    left: IntArray
    right: IntArray
    source: IntArray
    outcome: FloatArray
    mass: FloatArray
    k: int
    tied: BoolArray

    @property
    def kinds(self) -> int:
        """Sources of votes."""
        return int(self.tied.size)

    @property
    def q(self) -> int:
        """Parameters: θ, c and log ν of each source."""
        return self.k + 2 * self.kinds


def summed(rows: Sources) -> Sources:
    """The same votes, one row for each source, pair and outcome."""
    key = (rows.source * rows.k + rows.left) * rows.k + rows.right
    soft, level = np.unique(rows.outcome, return_inverse=True)
    if soft.size > 64:
        return rows
    cells, code = np.unique(key * soft.size + level.ravel(), return_inverse=True)
    pair = cells // soft.size
    mass = group_sums(code.ravel(), rows.mass, cells.size)
    right, rest = pair % rows.k, pair // rows.k
    return Sources(rest % rows.k, right, rest // rows.k, soft[cells % soft.size], mass, rows.k, rows.tied)


def slopes(rows: Sources, at: FloatArray) -> tuple[FloatArray, FloatArray, links.Slopes]:
    """[n] θ_left − θ_right, [n] c, and the derivatives of each row's log-likelihood."""
    k, E = rows.k, rows.kinds
    apart, c = at[rows.left] - at[rows.right], at[k + rows.source]
    hard = np.isin(rows.outcome, (0.0, 0.5, 1.0)) & rows.tied[rows.source]
    tie = np.where(hard, at[k + E + rows.source], NO_TIE)
    ties = rows.mass * (hard & (rows.outcome == 0.5))
    return apart, c, links.slopes("davidson", c * apart, tie, rows.mass, rows.mass * (rows.outcome - 0.5), ties)


def scores(rows: Sources, at: FloatArray) -> sparse.csr_array:
    """[n, q] derivative of each row's log-likelihood by every parameter."""
    apart, c, s = slopes(rows, at)
    n, k, E = rows.left.size, rows.k, rows.kinds
    columns = np.concatenate([rows.left, rows.right, k + rows.source, k + E + rows.source])
    values = np.concatenate([c * s.eta, -c * s.eta, apart * s.eta, s.tie])
    return sparse.csr_array((values, (np.tile(np.arange(n), 4), columns)), shape=(n, rows.q))


def curvature(rows: Sources, at: FloatArray, *, observed: bool = True) -> FloatArray:
    """[q, q] minus the Hessian; of the rows that are given."""
    apart, c, s = slopes(rows, at)
    n, k, E = rows.left.size, rows.k, rows.kinds
    index, row = np.arange(n), np.tile(np.arange(n), 3)
    place = np.concatenate([rows.left, rows.right, k + rows.source])
    J = sparse.csr_array((np.concatenate([c, -c, apart]), (row, place)), shape=(n, rows.q))
    Z = sparse.csr_array((np.ones(n), (index, k + E + rows.source)), shape=(n, rows.q))
    A = _product(J, s.eta2, J) + _product(Z, s.tie2, Z)
    cross = _product(J, s.cross, Z)
    A += cross + cross.T
    if observed:
        for end, sign in ((rows.left, -1.0), (rows.right, 1.0)):
            extra = np.zeros((rows.q, rows.q))
            np.add.at(extra, (end, k + rows.source), sign * s.eta)
            A += extra + extra.T
    return np.asarray(A)


def _product(left: sparse.csr_array, weight: FloatArray, right: sparse.csr_array) -> FloatArray:
    """[q, q] leftᵀ diag(weight) right."""
    return np.asarray((left.T @ (sparse.diags_array(weight) @ right)).todense())


def climb(rows: Sources, start: FloatArray, free: BoolArray) -> tuple[FloatArray, FloatArray, bool]:
    """The most likely parameters, the inverse of minus the Hessian (0 for what is fixed), and whether they settled.

    Arguments:
        rows: the votes.
        start: [q] where to begin; what is not free stays there.
        free: [q].
    """
    cells, k = summed(rows), rows.k
    pin = np.zeros((rows.q, rows.q))
    pin[:k, :k] = np.outer(free[:k], free[:k]) / max(int(free[:k].sum()), 1)
    on = np.flatnonzero(free)

    def factor(at: FloatArray, observed: bool) -> tuple[FloatArray, bool] | None:
        A = curvature(cells, at, observed=observed)
        A = A + pin * (np.trace(A[:k, :k]) / k)
        try:
            return linalg.cho_factor(A[np.ix_(on, on)])
        except linalg.LinAlgError:
            return None

    at, value, done = start.copy(), float(slopes(cells, start)[2].value.sum()), False
    for _ in range(STEPS):
        gradient = np.asarray(scores(cells, at).sum(axis=0)).ravel()[on]
        found = factor(at, True) or factor(at, False)
        if found is None:
            break
        step = np.zeros(rows.q)
        step[on] = linalg.cho_solve(found, gradient)
        length = float(np.abs(step).max(initial=0.0))
        if length < TOLERANCE:
            done = True
            break
        size = min(1.0, 3.0 / length)
        while (new := float(slopes(cells, at + size * step)[2].value.sum())) < value and size > 1e-9:
            size /= 2
        at, value = at + size * step, max(new, value)
        done = length < SMALL  # as far as rounding allows, should no later step be smaller
        if size <= 1e-9:
            break
    inverse = np.full((rows.q, rows.q), np.nan)
    last = factor(at, True)
    if last is not None:
        inverse = np.zeros((rows.q, rows.q))
        inverse[np.ix_(on, on)] = linalg.cho_solve(last, np.eye(on.size))
    return at, inverse, done and last is not None
