"""Refits the same votes under a thousand weightings at once: the bootstrap of a ranking.

    β_b ← β_b + A⁻¹ g_b(β_b)            the information of the fit itself serves every replicate
    β_b ← β_b + A_b⁻¹ g_b(β_b)          its own information, where the first steps leave a replicate unfinished

Edges run along the first axis and replicates along the last, so that a step is two sparse products and a dozen passes.
Replicates in which resampling separates some policies have no maximum and are NaN. Limits: weights of 1 stand still.
Efron (1979), Bootstrap methods, Ann. Stat. 7(1); Cameron, Gelbach, Miller (2008), Section 3 (whole clusters).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from ..._typing import FloatArray, IntArray
from ...errors import AdjudgeError
from . import algebra, links, resample
from .newton import REACH, STRIDE, Fit
from .votes import Votes

CHORD = 8  # steps with the common information
STEPS = 40  # steps with their own
TOLERANCE = 1e-7  # of the last step, in log-odds
OWN = 1 << 21  # numbers in the informations that are held at once

Sums = tuple[FloatArray, FloatArray, FloatArray]


def replicates(fit: Fit, cluster: IntArray, *, draws: int = 1000, seed: int = 0) -> FloatArray:
    """[B, q] parameters β under resampled battles or clusters; NaN where a replicate has no maximum.

    Arguments:
        fit: a fit that converged.
        cluster: [n, c] codes of the independent units; c = 0 resamples battles, c = 1 clusters.
        draws: B.
        seed: of the draws.

    Raises AdjudgeError for clusters in two ways, which no resampling of whole units respects.
    """
    if cluster.shape[1] > 1:
        raise AdjudgeError(
            "covariance='bootstrap' with clusters in two ways.",
            "Whole units of one kind are resampled.",
            "Use covariance='sandwich', or name one cluster column.",
        )
    rng = np.random.default_rng((seed, 40009))
    if cluster.shape[1]:
        masses = resample.clusters(fit.votes, cluster[:, 0], draws, rng)
    else:
        masses = resample.battles(fit.votes, draws, rng)
    return np.concatenate([refit(fit, mass).T for mass in masses])


def refit(fit: Fit, mass: FloatArray) -> FloatArray:
    """[q, B] parameters for cell masses [U, B], from the fit's own as a start."""
    design, sums = algebra.matrix(fit.votes), _sums(fit.votes, mass)
    beta = np.tile(fit.beta[:, None], (1, mass.shape[1]))
    common, todo, k = np.nan_to_num(fit.inverse), np.arange(mass.shape[1]), fit.votes.k
    outer: sparse.csr_array | None = None
    for step in range(CHORD + STEPS):
        some = sums if todo.size == mass.shape[1] else (sums[0][:, todo], sums[1][:, todo], sums[2][:, todo])
        if step < CHORD:
            move = np.asarray(common @ _gradient(fit, design, some, beta[:, todo]))
        else:
            outer = algebra.products(design) if outer is None else outer
            move = _own(fit, design, outer, some, beta[:, todo])
        size = np.abs(move).max(axis=0)
        move *= np.minimum(1.0, STRIDE / np.maximum(size, 1e-300))
        if fit.law == "rao-kupper":
            move[-1] = np.maximum(move[-1], -0.9 * beta[-1, todo])
        beta[:, todo] += move
        beta[:, todo[~(np.ptp(beta[:k, todo], axis=0) < REACH)]] = np.nan
        todo = todo[(size > TOLERANCE) & np.isfinite(beta[0, todo])]
        if not todo.size:
            break
    beta[:, todo] = np.nan
    return beta


def _sums(votes: Votes, mass: FloatArray) -> Sums:
    """[E, B] mass, lean and ties of each edge."""
    E, U = votes.left.size, votes.y.size

    def by_edge(values: FloatArray) -> FloatArray:
        return np.asarray(sparse.csr_array((values, (votes.edge, np.arange(U))), shape=(E, U)) @ mass)

    return by_edge(np.ones(U)), by_edge(votes.y - 0.5), by_edge(votes.tied.astype(float))


def _tie(fit: Fit, beta: FloatArray) -> FloatArray | float:
    if not fit.has_tie or fit.votes.hard.all():
        return beta[-1] if fit.has_tie else -np.inf
    return np.where(fit.votes.hard[:, None], beta[-1], 0.0 if fit.law == "rao-kupper" else -np.inf)


def _gradient(fit: Fit, design: sparse.csr_array, sums: Sums, beta: FloatArray) -> FloatArray:
    """[q, b] of the log-posterior of each replicate."""
    width, k = fit.votes.width, fit.votes.k
    eta, tie = links.pulls(fit.law, np.asarray(design @ beta[:width]), _tie(fit, beta), *sums)
    g = np.empty_like(beta)
    g[:width] = design.T @ eta
    if fit.has_tie:
        g[-1] = tie.sum(axis=0)
    g[:k] -= fit.precision * beta[:k]
    return g


def _own(fit: Fit, design: sparse.csr_array, outer: sparse.csr_array, sums: Sums, beta: FloatArray) -> FloatArray:
    """[q, b] one Newton step of each replicate with its own information."""
    width, k, q = fit.votes.width, fit.votes.k, fit.beta.size
    on, at, pin = np.flatnonzero(fit.keep), np.arange(q), np.zeros((q, q))
    pin[np.ix_(on, on)] = fit.information[on, on].mean() / max(on.size, 1)
    free = np.flatnonzero(~np.isfinite(np.diagonal(fit.inverse)) | np.append(~fit.keep, np.zeros(q - k, dtype=bool)))
    move, g = np.empty_like(beta), _gradient(fit, design, sums, beta)
    for start in range(0, beta.shape[1], max(1, OWN // q**2)):
        some = slice(start, start + max(1, OWN // q**2))
        now = beta[:, some]
        eta = np.asarray(design @ now[:width])
        tie = _tie(fit, now)
        slopes = links.slopes(fit.law, eta, tie, *(each[:, some] for each in sums))
        A = np.zeros((now.shape[1], q, q))
        A[:, :width, :width] = np.asarray(outer @ slopes.eta2).T.reshape(-1, width, width)
        if fit.has_tie:
            A[:, -1, :width] = A[:, :width, -1] = np.asarray(design.T @ slopes.cross).T
            A[:, -1, -1] = slopes.tie2.sum(axis=0)
        A += pin
        A[:, at[:k], at[:k]] += fit.precision
        A[:, free, :] = A[:, :, free] = 0.0
        A[:, free, free] = 1.0
        g[free, some] = 0.0
        A[:, at, at] *= 1 + 1e-9  # a replicate without a maximum has a singular information
        move[:, some] = np.linalg.solve(A, g[:, some].T[:, :, None])[:, :, 0].T
    return move
