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

from ..._typing import BoolArray, FloatArray

SAME = 1e-12  # margins closer than this are equal: they differ by rounding


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
    S = np.maximum(M, 0.0)
    for via in range(M.shape[-1]):
        np.maximum(S, np.minimum(S[..., :, via, None], S[..., None, via, :]), out=S)
    S[..., np.arange(M.shape[-1]), np.arange(M.shape[-1])] = 0.0
    return S


def schulze(M: FloatArray) -> FloatArray:
    """[..., k] share of the others behind in Schulze's order, a tie being half."""
    S = widest(M)
    return _share(S - np.swapaxes(S, -1, -2))


def defeats(M: FloatArray) -> BoolArray:
    """[..., k, k] whether the row defeats the column: its margin is not the weakest of any cycle."""
    back = np.swapaxes(widest(M), -1, -2)
    return np.asarray((M > SAME) & (back + SAME < M))


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
