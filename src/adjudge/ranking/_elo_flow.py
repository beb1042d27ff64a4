"""What Elo's updates do on average over the order of the comparisons, and how their end leans on each comparison.

    dR/ds = K Σ_j (Y_ij − W_ij p_ij(R)),  s in [0, 1],       p_ij = 1/(1 + 10^{(R_j − R_i)/400})
    ψ_g = m_g ∫ Φ(1, s) K (y_g − p_g(R_s)) (e_left − e_right) ds,    Φ' = −A Φ,  A = K c Σ W p(1 − p)(e_i−e_j)(e_i−e_j)ᵀ

W and Y are comparisons and wins by pair. A random order is this flow with noise of order √K around it. Each step holds
A fixed and is then exact, so that steps may grow with s. Φ(1, 0) is what is left of the starting ratings.

Kushner, Yin (2003), Stochastic approximation and recursive algorithms, Chapter 8 (the ordinary differential equation).
Limits: Φ(1, 0) → 0 is the fixed point, which is the Bradley-Terry maximum with ties as half wins, and ψ its influence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from .._typing import FloatArray, IntArray
from ._pulls import compact, imagined
from ._votes import Votes

BLOCK = 4_000_000  # numbers held at once
FIRST, GROWTH = 0.1, 1.25  # the first step moves the fastest contrast by a tenth; each is longer than the one before


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The mean path of the ratings and its derivative by the comparisons; k policies, P pairs (left, right as given).

    Arguments:
        time: [T] s from 0 to 1.
        path: [T, k] ratings.
        code: [n] pair of each row.
        up: [P, k] Σ_s U_s (e_left − e_right), the answer to a unit of outcome.
        held: [P, k] Σ_s p_s U_s (e_left − e_right), the answer to what was expected.
        left_over: largest share of a contrast of the starting ratings that is still in the end.
    """

    time: FloatArray
    path: FloatArray
    code: IntArray
    up: FloatArray
    held: FloatArray
    left_over: float

    def at(self, s: float) -> FloatArray:
        """[k] the ratings at s."""
        return np.array([np.interp(s, self.time, each) for each in self.path.T])


def flow(votes: Votes, *, step: float, scale: float, initial: float) -> Flow:
    """The mean path from equal ratings.

    Arguments:
        votes: n rows.
        step: K, rating points.
        scale: points for odds of ten to one.
        initial: rating to start from.
    """
    k, c = votes.k, np.log(10) / scale
    pairs, code = np.unique(votes.left * k + votes.right, return_inverse=True)
    left, right = pairs // k, pairs % k
    mass = np.bincount(code, weights=votes.mass, minlength=pairs.size)
    won = np.bincount(code, weights=votes.mass * votes.outcome, minlength=pairs.size)

    def spectrum(R: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """p [P], and the eigenvalues and vectors of A."""
        p = special.expit(c * (R[left] - R[right]))
        both = np.bincount(pairs, weights=step * c * mass * p * (1 - p), minlength=k * k).reshape(k, k)
        both = both + both.T
        values, vectors = np.linalg.eigh(np.diag(both.sum(axis=1)) - both)
        return p, np.maximum(values, 0.0), vectors

    R, s = np.full(k, float(initial)), 0.0
    time, path, h = [0.0], [R], 0.0
    while s < 1.0 and pairs.size:
        p, values, vectors = spectrum(R)
        h = min(h * GROWTH if h else FIRST / max(values.max(), FIRST), 1.0 - s)
        force = step * (won - mass * p)
        drift = np.bincount(left, weights=force, minlength=k) - np.bincount(right, weights=force, minlength=k)
        R, s = R + vectors @ (_phi(values, h) * (vectors.T @ drift)), s + h
        s = 1.0 if s > 1.0 - 1e-12 else s
        time.append(s)
        path.append(R)
    up, held, ahead = np.zeros((pairs.size, k)), np.zeros((pairs.size, k)), np.eye(k)
    for t in range(len(time) - 2, -1, -1):
        p, values, vectors = spectrum((path[t] + path[t + 1]) / 2)
        h = time[t + 1] - time[t]
        U = step * ((ahead @ vectors) * _phi(values, h)) @ vectors.T
        answer = (U[:, left] - U[:, right]).T
        up += answer
        held += p[:, None] * answer
        ahead = ((ahead @ vectors) * np.exp(-values * h)) @ vectors.T
    left_over = float(np.linalg.norm(ahead - ahead.mean(axis=1, keepdims=True), 2))
    return Flow(np.array(time), np.array(path), code, up, held, left_over)


def covariance(votes: Votes, flow: Flow) -> tuple[FloatArray, int]:
    """[k, k] Σ_units (ψ_u − ψ̄)(ψ_u − ψ̄)ᵀ · u/(u − 1), and the units; NaN with fewer than two.

    The imaginary verdicts of `_pulls.imagined` are added.
    """
    k = votes.k
    if votes.cluster.shape[1] == 0:
        units = int(votes.count.sum())
        total = _independent(votes, flow)
    else:
        columns = list(votes.cluster.T)
        total, units = _clustered(votes, flow, columns[0])
        if len(columns) == 2:
            other, fewer = _clustered(votes, flow, columns[1])
            both = columns[0] * (int(columns[1].max(initial=0)) + 1) + columns[1]
            values, vectors = np.linalg.eigh(total + other - _clustered(votes, flow, both)[0])
            total, units = (vectors * np.maximum(values, 0.0)) @ vectors.T, min(units, fewer)
    even = np.bincount(flow.code, weights=imagined(votes) / 4, minlength=flow.up.shape[0])
    total = total + (flow.up.T * even) @ flow.up
    return (total, units) if units > 1 else (np.full((k, k), np.nan), units)


def _independent(votes: Votes, flow: Flow) -> FloatArray:
    """Each comparison a unit: only moments by pair are needed."""
    pairs, y, n = flow.up.shape[0], votes.outcome, float(votes.count.sum())
    scale = votes.count * votes.weight**2
    second, first, none = (np.bincount(flow.code, weights=scale * y**power, minlength=pairs) for power in (2, 1, 0))
    won, mass = (np.bincount(flow.code, weights=votes.mass * each, minlength=pairs) for each in (y, np.ones_like(y)))
    cross = (flow.up.T * first) @ flow.held
    square = (flow.up.T * second) @ flow.up - cross - cross.T + (flow.held.T * none) @ flow.held
    total = won @ flow.up - mass @ flow.held
    return (square - np.outer(total, total) / n) * (n / (n - 1)) if n > 1 else np.full_like(square, np.nan)


def _clustered(votes: Votes, flow: Flow, cluster: IntArray) -> tuple[FloatArray, int]:
    """Sums over the clusters of one column."""
    pairs, k = flow.up.shape
    unit, u = compact(cluster)
    won, mass = (
        sparse.coo_array((values, (unit, flow.code)), shape=(u, pairs)).tocsr()
        for values in (votes.mass * votes.outcome, votes.mass)
    )
    square, total = np.zeros((k, k)), np.zeros(k)
    size = max(1, BLOCK // max(k, 1))
    for start in range(0, u, size):
        psi = np.asarray(won[start : start + size] @ flow.up - mass[start : start + size] @ flow.held)
        square += psi.T @ psi
        total += psi.sum(axis=0)
    return (square - np.outer(total, total) / max(u, 1)) * (u / max(u - 1, 1)), u


def _phi(values: FloatArray, h: float) -> FloatArray:
    """(1 − e^{−λh})/λ, which is h at λ = 0."""
    return np.where(values * h > 1e-12, -np.expm1(-values * h) / np.maximum(values, 1e-300), h)
