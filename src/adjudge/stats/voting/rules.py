"""Rules that read a table of margins, for many tables at once: who wins when everybody has met everybody.

    Copeland   (#{j: m_ij > 0} + ½ #{j: m_ij = 0})/(k − 1)          Borda   ½ + Σ_j m_ij/(k − 1)
    minimax    min_j m_ij                                           s_ij    widest path: max over paths of their least m
    Schulze    (#{j: s_ij > s_ji} + ½ #{j: s_ij = s_ji})/(k − 1)
    split cycle  i defeats j  ⇔  m_ij > 0 and m_ij > s_ji:          1 − #{i: i defeats j}/(k − 1)

All take [..., k, k] antisymmetric margins and give [..., k], higher better. Limits: without a majority cycle Copeland,
Schulze and the beaten-by of split cycle give one and the same order; two policies make every rule the majority.
"""

from __future__ import annotations

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray

SAME = 1e-12  # margins closer than this are equal: they differ by rounding
LEVELS = 2**15  # sizes that a whole number of two bytes tells apart


def copeland(M: FloatArray) -> FloatArray:
    """[..., k] share of the others beaten by a majority, a tie being half.

    >>> copeland(np.array([[0.0, 0.1], [-0.1, 0.0]]))
    array([1., 0.])
    """
    return _share(M)


def borda(M: FloatArray) -> FloatArray:
    """[..., k] mean win share against all others."""
    return np.asarray(0.5 + M.sum(axis=-1) / max(M.shape[-1] - 1, 1))


def minimax(M: FloatArray) -> FloatArray:
    """[..., k] margin against the opponent that does best; NaN for one policy."""
    k = M.shape[-1]
    return (
        np.asarray(np.where(np.eye(k, dtype=bool), np.inf, M).min(axis=-1)) if k > 1 else np.full(M.shape[:-1], np.nan)
    )


def widest(M: FloatArray) -> FloatArray:
    """[..., k, k] strength of the strongest path of majorities from row to column; 0 where there is none."""
    k = M.shape[-1]
    return np.asarray(_closed(np.maximum(M, 0.0).reshape(-1, k, k)).reshape(M.shape), dtype=float)


def schulze(M: FloatArray) -> FloatArray:
    """[..., k] share of the others behind in Schulze's order, a tie being half."""
    S = _closed(_levels(M)).reshape(M.shape)
    return _share(S - np.swapaxes(S, -1, -2))


def defeats(M: FloatArray) -> BoolArray:
    """[..., k, k] whether the row defeats the column: its margin is not the weakest of any cycle."""
    levels = _levels(M)
    back = np.swapaxes(_closed(levels), -1, -2)
    return np.asarray((back < levels).reshape(M.shape))


def split_cycle(M: FloatArray) -> FloatArray:
    """[..., k] share of the others that do not defeat the policy; 1 for the winners."""
    return np.asarray(1.0 - defeats(M).sum(axis=-2) / max(M.shape[-1] - 1, 1))


def condorcet(M: FloatArray) -> BoolArray:
    """[..., k] whether the policy beats every other."""
    k = M.shape[-1]
    return np.asarray(((M > SAME) | np.eye(k, dtype=bool)).all(axis=-1))


def _share(M: FloatArray) -> FloatArray:
    k = M.shape[-1]
    half = (M > SAME) + 0.5 * (np.abs(M) <= SAME)
    return np.asarray((half.sum(axis=-1) - 0.5) / (k - 1)) if k > 1 else np.full(M.shape[:-1], np.nan)


def _levels(M: FloatArray) -> IntArray:
    """[b, k, k] place of each majority among all sizes of one, from 1 for the least: paths ask for the order alone.

    Small whole numbers take a quarter of the room and of the time. No majority is 0; equal ones have one place.
    """
    k = M.shape[-1]
    left, right = np.triu_indices(k, 1)
    m = M.reshape(-1, k, k)[:, left, right]
    met = np.flatnonzero((m != 0).any(axis=0))
    m, left, right = m[:, met], left[met], right[met]
    order = np.argsort(np.abs(m), axis=1)
    rising = np.diff(np.take_along_axis(np.abs(m), order, axis=1), axis=1, prepend=0.0) > SAME
    place = np.empty(m.shape, dtype=np.int16 if met.size < LEVELS else np.int32)
    np.put_along_axis(place, order, np.cumsum(rising, axis=1, dtype=place.dtype), axis=1)
    out = np.zeros((m.shape[0], k, k), dtype=place.dtype)
    out[:, left, right], out[:, right, left] = place * (m > 0), place * (m < 0)
    return out


def _closed(S: np.ndarray) -> np.ndarray:
    """[b, k, k] strongest paths from direct strengths >= 0, by Floyd and Warshall: a row of all tables at a time."""
    k = S.shape[-1]
    rows = np.array(np.moveaxis(S, 0, -1), order="C")  # a copy; one row of all tables stays in the processor's cache
    way = np.empty(rows.shape[1:], dtype=S.dtype)
    for via in range(k):
        for row in range(k):
            np.minimum(rows[row, via], rows[via], out=way)
            np.maximum(rows[row], way, out=rows[row])
    rows[np.arange(k), np.arange(k)] = 0
    return np.moveaxis(rows, -1, 0)
