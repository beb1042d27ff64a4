"""Sums along the design of paired votes, and the small matrices that they end in.

    Xᵀr = Σ_e r_e x_e,        Xᵀ diag(h) X = Σ_e h_e x_e x_eᵀ,        x_e: +1 at left, −1 at right, z_e, the order

Everything is a bincount over edges; X itself is never made. Matrices are brought to unit diagonals before they are
factored, so that a covariate in characters and a rating in log-odds are alike. Limits: a direction that the votes do
not tell anything about is NaN in an inverse, and stands still in a solution.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import linalg, sparse

from ..._typing import FloatArray, IntArray
from ..cluster import group_sums
from .votes import Votes

MANY = 4  # edges for each pair of policies beyond which a fit starts from the pairs
PIVOT = 1e-11  # share of a diagonal entry that must be its own, or the parameter is not identified


def pull(votes: Votes, r: FloatArray) -> FloatArray:
    """[width] Xᵀr for edge values r [E]."""
    k, d = votes.k, votes.z.shape[1]
    out = np.zeros(votes.width)
    out[:k] = group_sums(votes.left, r, k) - group_sums(votes.right, r, k)
    if d:
        out[k : k + d] = votes.z.T @ r
    if votes.lanes:
        out[k + d :] = np.bincount(votes.lane, r * votes.sign, minlength=votes.lanes)
    return out


def gram(votes: Votes, h: FloatArray) -> FloatArray:
    """[width, width] Xᵀ diag(h) X for edge values h [E]."""
    k, d, m = votes.k, votes.z.shape[1], votes.lanes
    A = np.zeros((votes.width, votes.width))
    pair = np.bincount(votes.left * k + votes.right, h, minlength=k * k).reshape(k, k)
    pair = pair + pair.T
    A[:k, :k] = np.diag(pair.sum(axis=0)) - pair
    for j in range(d):
        hz = h * votes.z[:, j]
        side = group_sums(votes.left, hz, k) - group_sums(votes.right, hz, k)
        A[:k, k + j] = A[k + j, :k] = side
        A[k + j, k : k + d] = A[k : k + d, k + j] = votes.z.T @ hz
    if m:
        hs = h * votes.sign
        side = (_table(votes.left, votes.lane, hs, k, m)) - _table(votes.right, votes.lane, hs, k, m)
        A[:k, k + d :], A[k + d :, :k] = side, side.T
        A[np.arange(k + d, k + d + m), np.arange(k + d, k + d + m)] = np.bincount(votes.lane, hs * votes.sign, m)
        for j in range(d):
            both = np.bincount(votes.lane, hs * votes.z[:, j], minlength=m)
            A[k + j, k + d :] = A[k + d :, k + j] = both
    return A


def matrix(votes: Votes) -> sparse.csr_array:
    """[E, k + d] the design X itself: +1 at left, −1 at right, the covariates, the order."""
    E, k, d = votes.left.size, votes.k, votes.z.shape[1]
    columns = [votes.left, votes.right, *(np.full(E, k + j) for j in range(d))]
    values = [np.ones(E), -np.ones(E), *votes.z.T]
    if votes.lanes:
        columns, values = [*columns, k + d + votes.lane], [*values, votes.sign]
    start = np.arange(E + 1) * len(columns)
    column, value = (np.column_stack(each).ravel() for each in (columns, values))
    return sparse.csr_array((value, column.astype(np.int32), start), shape=(E, votes.width))


def products(design: sparse.csr_array) -> sparse.csr_array:
    """[width², E] products of the entries of each row of X: Σ_e h_e x_e x_eᵀ is this times h."""
    E, width = design.shape
    m = design.indices.size // max(E, 1)
    column, value = design.indices.reshape(E, m).astype(np.int64), design.data.reshape(E, m)
    place = (column[:, :, None] * width + column[:, None, :]).ravel()
    pair = (value[:, :, None] * value[:, None, :]).ravel()
    return sparse.csr_array((pair, (place, np.repeat(np.arange(E), m * m))), shape=(width * width, E))


def inverse(A: FloatArray) -> FloatArray:
    """A⁻¹ after a Cholesky factor of A at unit diagonal; NaN rows where a parameter is not identified."""
    size = np.sqrt(np.maximum(np.diagonal(A), 0.0))
    free = size > 0
    scale = np.where(free, size, 1.0)
    unit = A / np.outer(scale, scale)
    unit[~free, ~free] = 1.0
    try:
        factor = linalg.cholesky(unit, lower=True)
        if np.diagonal(factor).min(initial=1.0) ** 2 > PIVOT:
            out = linalg.cho_solve((factor, True), np.eye(A.shape[0]))
            out[~free] = np.nan
            return np.asarray(out / np.outer(scale, scale))
    except linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(unit)
    weak = values <= PIVOT
    out = (vectors[:, ~weak] / values[~weak]) @ vectors[:, ~weak].T
    loose = (np.abs(vectors[:, weak]) > 1e-6).any(axis=1) | ~free
    out[loose] = np.nan
    out[:, loose] = np.nan
    return np.asarray(out / np.outer(scale, scale))


def solve(A: FloatArray, g: FloatArray) -> tuple[FloatArray, bool]:
    """A⁻¹g at unit diagonal, and whether A is regular; otherwise the shortest solution. An empty row of A gives 0."""
    size = np.sqrt(np.maximum(np.diagonal(A), 0.0))
    scale = np.where(size > 0, size, 1.0)
    unit, right = A / np.outer(scale, scale), np.where(size > 0, g / scale, 0.0)
    unit[size <= 0, size <= 0] = 1.0
    try:
        factor = linalg.cho_factor(unit, lower=True)
        if np.diagonal(factor[0]).min(initial=1.0) ** 2 > PIVOT:
            return np.asarray(linalg.cho_solve(factor, right) / scale), True
    except linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.pinv(unit, rcond=PIVOT, hermitian=True) @ right / scale), False


def by_pair(votes: Votes) -> Votes | None:
    """The same votes summed by pair, without effects; None where there are few edges already."""
    k = votes.k
    if votes.left.size <= MANY * k * k or not votes.d:
        return None
    key = (votes.left * k + votes.right) * 2 + votes.hard
    edges = np.flatnonzero(np.bincount(key))
    n, lean, ties = (group_sums(key, each, 2 * k * k)[edges] for each in (votes.n, votes.lean, votes.ties))
    mass = np.maximum(np.concatenate([(n - ties) / 2 + lean, ties, (n - ties) / 2 - lean]), 0.0)
    return replace(
        votes,
        left=edges // 2 // k,
        right=edges // 2 % k,
        z=np.empty((edges.size, 0)),
        lanes=0,
        hard=edges % 2 == 1,
        edge=np.tile(np.arange(edges.size), 3),
        y=np.repeat([1.0, 0.5, 0.0], edges.size),
        mass=mass,
    )


def _table(row: IntArray, column: IntArray, values: FloatArray, k: int, m: int) -> FloatArray:
    return group_sums(row * m + column, values, k * m).reshape(k, m)
