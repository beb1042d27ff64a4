"""Products of a long table with itself, block by block: the matrices that Newton's steps and errors by cluster are of.

    gram = Σ_i w_i x_i x_iᵀ,      squared = Σ_g s_g s_gᵀ with s_g = Σ_{i in g} first_i·x_i

Each is one visit to the table, with sums in double precision. Limits: a cluster a row makes `squared` the `gram` of
first²; blocks are dense copies, so that a sparse table is never dense as a whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg, sparse

from .._typing import FloatArray, IntArray
from ..tables.preferences import Features, dense

BLOCK = 1 << 10  # rows that stand in memory as a dense weighted copy at once
RUN = 64  # rows side by side that a part of a table takes


class Runs:
    """A part of a dense table: each step-th run of rows, read where they lie, since new memory costs more than they do.

    Arguments:
        x: [n, d] the table, n >= 64·step.
        step: one run in so many is of the part.
    """

    def __init__(self, x: Any, step: int) -> None:
        d = x.shape[1]
        self._runs = x[: len(x) // (RUN * step) * RUN * step].reshape(-1, RUN * step, d)[:, :RUN]
        self.shape = (len(self._runs) * RUN, d)

    @staticmethod
    def of(n: int, step: int) -> IntArray:
        """The rows of a table of n that are of the part."""
        return (np.arange(n // (RUN * step))[:, None] * (RUN * step) + np.arange(RUN)).ravel()

    def __getitem__(self, at: slice) -> FloatArray:
        """Some rows, side by side, as a copy."""
        first, last, _ = at.indices(self.shape[0])
        begin = first // RUN
        rows = self._runs[begin : -(-last // RUN)].reshape(-1, self.shape[1])
        return np.asarray(rows[first - begin * RUN : last - begin * RUN])

    def __matmul__(self, beta: FloatArray) -> FloatArray:
        """[n'] the linear part of each row."""
        return np.concatenate([self[start : start + BLOCK] @ beta for start in range(0, self.shape[0], BLOCK)])


def gram(x: Features, weight: FloatArray, *, rough: bool = False) -> FloatArray:
    """[d, d] Σ_i w_i x_i x_iᵀ, in blocks; rough: in single precision for w >= 0, good for the way, not for the end."""
    d = x.shape[1]
    total, exact = np.zeros((d, d)), not rough and bool((weight < 0).any())
    held = np.empty((BLOCK, d), dtype=np.float32 if rough else float)
    for start in range(0, x.shape[0], BLOCK):
        rows, mass = dense(x[start : start + BLOCK]), weight[start : start + BLOCK, None]
        if exact:
            total += (rows * mass).T @ rows
            continue
        scaled = np.multiply(rows, np.sqrt(mass), out=held[: len(rows)], casting="same_kind")
        total += scaled.T @ scaled  # of a table with itself: half the work
    return total


def squared(x: Features, first: FloatArray, code: IntArray, turn: FloatArray | None) -> FloatArray:
    """[d, d] Σ_g s_g s_gᵀ, s_g the sum of `first`·x over rows of code g, times `turn` where there is one.

    Rows are read block by block in the order of their codes; the last sum of a block waits for the next one.
    """
    d = x.shape[1]
    total, waits, last = np.zeros((d, d)), np.zeros(d), -1
    order = None if (code[1:] >= code[:-1]).all() else np.argsort(code, kind="stable")
    for start in range(0, first.size, BLOCK):
        at = slice(start, start + BLOCK) if order is None else order[start : start + BLOCK]
        rows, slopes, own = x[at], first[at], code[at]
        begins = np.flatnonzero(np.append(True, own[1:] != own[:-1]))
        if begins.size == own.size:
            sums = dense(rows) * slopes[:, None]
        else:
            ends = np.append(begins, own.size)
            summed: Any = sparse.csr_array((slopes, np.arange(own.size), ends), shape=(begins.size, own.size)) @ rows
            sums = dense(summed)
        if turn is not None:
            sums = sums @ turn
        if own[0] == last:
            sums[0] += waits
        else:
            total += np.outer(waits, waits)
        total += sums[:-1].T @ sums[:-1]
        waits, last = sums[-1].copy(), own[-1]
    return total + np.outer(waits, waits)


def solve(bend: FloatArray, ridge: FloatArray | float, right: FloatArray) -> FloatArray:
    """(bend + λI)⁻¹ right; where rounding leaves no Cholesky factor, without the directions that nothing tells of."""
    penalised = bend + np.diag(np.broadcast_to(ridge, len(bend)))
    try:
        return linalg.cho_solve(linalg.cho_factor(penalised, check_finite=False), right, check_finite=False)
    except linalg.LinAlgError:
        return linalg.pinvh(penalised) @ right


def turned(bend: FloatArray, ridge: float, slope: FloatArray, seen: list[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """[d] slope over the kept matrix, corrected by how slopes changed along the steps seen (L-BFGS, two loops)."""
    along = []
    for step, change in reversed(seen):
        along.append(float(step @ slope) / float(step @ change))
        slope = slope - along[-1] * change
    found = solve(bend, ridge, slope)
    for (step, change), share in zip(seen, reversed(along), strict=True):
        found = found + (share - float(change @ found) / float(step @ change)) * step
    return found
