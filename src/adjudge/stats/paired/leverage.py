"""What a large cluster hides by pulling the fit towards itself: its score as if it had been left out (CR3).

    S̃_g = (I − A_g A⁻¹)⁻¹ S_g            A_g: the cluster's own share of the information

A⁻¹S̃_g is how far the fit would move without cluster g, to first order, so that Σ S̃S̃ᵀ is the jackknife over clusters.
Only clusters with more than 1/100 of the votes are looked at: any other hides less than one per cent of its score.
Limits: equal clusters of a balanced design give the factor c/(c−1) of the plain sandwich; a cluster without which some
ratings would have no votes is held at a hundred times its own score.
Bell, McCaffrey (2002), Survey Methodology 28(2); MacKinnon, Nielsen, Webb (2023), J. Econom. 232(2) (CV3).
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray, IntArray
from ..cluster import group_sums
from . import links
from .newton import Fit, tie_of
from .votes import Votes

SHARE = 1 / 100  # of the votes
HELD = 0.99  # part of a cluster's information that is taken out
WORK = 5e9  # multiplications spent on solutions
BLOCK = 1 << 22  # numbers in the informations held at once


def large(mass: FloatArray, q: int) -> IntArray:
    """Clusters with more than 1/100 of the mass [G]; where q parameters make them too costly, the largest of them."""
    found = np.flatnonzero(mass > SHARE * mass.sum())
    return found[np.argsort(-mass[found], kind="stable")[: int(WORK / q**3)]]


def left_out(fit: Fit, scores: FloatArray, cluster: IntArray, edge: IntArray, mass: FloatArray) -> FloatArray:
    """[m, q] S̃ of m clusters.

    Arguments:
        fit: the fit.
        scores: [m, q] their summed scores S.
        cluster, edge, mass: entries that say how much mass a cluster has on an edge.
    """
    q, out = fit.beta.size, np.empty_like(scores)
    inverse = HELD * np.nan_to_num(fit.inverse)
    step = max(1, BLOCK // q**2)
    for start in range(0, scores.shape[0], step):
        stop = min(start + step, scores.shape[0])
        on = slice(None) if step >= scores.shape[0] else (cluster >= start) & (cluster < stop)
        A = informations(fit, cluster[on] - start, edge[on], mass[on], stop - start)
        out[start:stop] = np.linalg.solve(np.eye(q) - A @ inverse, scores[start:stop, :, None])[:, :, 0]
    return out


def informations(fit: Fit, cluster: IntArray, edge: IntArray, mass: FloatArray, m: int) -> FloatArray:
    """[m, q, q] information of each cluster, from entries that say how much mass a cluster has on an edge."""
    votes, q = fit.votes, fit.beta.size
    n = np.where(votes.n > 0, votes.n, 1.0)
    tie = tie_of(votes.hard, fit.law, fit.tie)
    slopes = links.slopes(fit.law, fit.eta(), tie, votes.n / n, votes.lean / n, votes.ties / n)
    A = np.zeros((m, q, q))
    h, rows = slopes.eta2[edge] * mass, _entries(votes, edge)
    for i, (column, value) in enumerate(rows):
        for other, factor in rows[i:]:
            part = _add(cluster, column, other, h * value * factor, m, q)
            A += part if other is column else part + part.transpose(0, 2, 1)
    if fit.has_tie:
        cross = slopes.cross[edge] * mass
        last = np.full(edge.size, q - 1)
        for column, value in rows:
            part = _add(cluster, column, last, cross * value, m, q)
            A += part + part.transpose(0, 2, 1)
        A[:, -1, -1] += np.bincount(cluster, slopes.tie2[edge] * mass, minlength=m)
    return A


def _entries(votes: Votes, edge: IntArray) -> list[tuple[IntArray, FloatArray]]:
    """Column and value of each entry of the rows x_e."""
    one, k, d = np.ones(edge.size), votes.k, votes.z.shape[1]
    found = [(votes.left[edge], one), (votes.right[edge], -one)]
    found += [(np.full(edge.size, k + j), votes.z[edge, j]) for j in range(d)]
    return [*found, (k + d + votes.lane[edge], votes.sign[edge])] if votes.lanes else found


def _add(cluster: IntArray, row: IntArray, column: IntArray, value: FloatArray, m: int, q: int) -> FloatArray:
    """[m, q, q] sums of values by cluster, row and column."""
    return group_sums((cluster * q + row) * q + column, value, m * q * q).reshape(m, q, q)
