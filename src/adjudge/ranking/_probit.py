"""Fits paired comparisons with normal noise and a threshold for ties by Newton's method, on counts by pair and verdict.

    ℓ(θ, τ) = Σ wins·log Φ(d − τ) + losses·log Φ(−d − τ) + ties·log{Φ(τ − d) − Φ(−τ − d)} + soft votes at τ = 0

Each term is the log of a normal probability of an interval whose ends are linear in (θ, τ): ℓ is concave. The prior
adds `pseudo` wins and losses of each policy against an imaginary one of rating 0.
Glenn, David (1960), Biometrics 16(1). Limits: no ties and no soft votes is the probit model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.cluster import group_sums
from ._votes import Votes

TOLERANCE = 1e-9  # largest gradient, in votes, for every vote
STEPS = 100
FLAT = 1e-4  # votes' worth of curvature below which the maximum lies at infinity
EVEN = float(np.sqrt(2 / np.pi))  # how far a verdict between equals pulls
WIN, LOSS, TIE = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The maximum.

    Arguments:
        theta: [k] ratings with mean 0; NaN outside.
        tau: threshold; 0 without ties.
        tied: whether τ was fitted.
        information: [k + 1, k + 1] −∂²ℓ, prior included.
        shift: what was taken from θ to make its mean 0 (the prior holds θ where it was).
        gradient: largest entry of the gradient for every vote.
        converged: whether that is small.
    """

    theta: FloatArray
    tau: float
    tied: bool
    information: FloatArray
    shift: float
    gradient: float
    converged: bool


def fit(votes: Votes, inside: BoolArray, pseudo: float) -> Fit:
    """Newton's method with halved steps from equal ratings."""
    k, at = votes.k, np.flatnonzero(inside)
    cells = _cells(votes)
    drawn = float(cells[2][TIE].sum())
    tied, total = drawn > 0, max(float(votes.mass.sum()), 1e-300)
    theta = np.zeros(k + 1)
    if tied:
        theta[k] = special.ndtri(0.5 + 0.5 * min(drawn / float(sum(mass.sum() for mass in cells[2][:3])), 0.999))
    value, gradient, information = _derivatives(theta, cells, inside, pseudo, tied)
    free = np.append(at, k) if tied else at
    for _ in range(STEPS):
        if np.abs(gradient[free]).max(initial=0.0) <= 1e-12 * total:
            break
        step = np.zeros(k + 1)
        step[free] = _solve(information[np.ix_(free, free)], gradient[free], at.size, pseudo)
        size = 1.0
        for _ in range(40):
            trial = theta + size * step
            if not tied or trial[k] > 0:
                new = _derivatives(trial, cells, inside, pseudo, tied)
                if new[0] >= value - 1e-12 * abs(value):
                    break
            size /= 2
        else:
            break
        theta, (value, gradient, information) = trial, new
    largest = float(np.abs(gradient[free]).max(initial=0.0)) / total
    shift = float(theta[at].mean()) if at.size else 0.0
    bend = information[np.ix_(free, free)] + (0.0 if pseudo else 1.0) * np.outer(free < k, free < k)
    flat = free.size > 0 and float(np.linalg.eigvalsh(bend)[0]) < FLAT * total / max(float(votes.count.sum()), 1e-300)
    ratings = np.where(inside, theta[:k] - shift, np.nan)
    return Fit(ratings, float(theta[k]), tied, information, shift, largest, largest <= TOLERANCE and not flat)


def inverse(fit: Fit) -> FloatArray:
    """[k + 1, k + 1] how the centred ratings and τ follow the pulls of votes: 0 for what was not fitted."""
    k = fit.theta.size
    rated = np.isfinite(fit.theta)
    free = np.append(rated, fit.tied)
    bread = np.zeros((k + 1, k + 1))
    bread[np.ix_(free, free)] = np.linalg.pinv(fit.information[np.ix_(free, free)], rcond=1e-12, hermitian=True)
    centre = np.eye(k + 1)
    centre[:k, :k] -= np.outer(rated, rated) / max(int(rated.sum()), 1)
    return centre @ bread


def pulls(votes: Votes, fit: Fit) -> list[tuple[IntArray, FloatArray]]:
    """The score of one vote of each row: parameter numbers and ∂ℓ."""
    theta = np.nan_to_num(fit.theta)
    code, pairs, _ = _cells(votes)
    d = theta[pairs // votes.k] - theta[pairs % votes.k]
    (win, win_t), (loss, loss_t), (tie, tie_t), (up, _), (down, _) = (
        each[1:3] for each in _curves(d, fit.tau, fit.tied)
    )
    y = votes.outcome
    kinds = [y == 1, y == 0, y == 0.5]
    at = code
    slope = np.select(kinds, [win[at], loss[at], tie[at]], y * up[at] + (1 - y) * down[at])
    turn = np.select(kinds, [win_t[at], loss_t[at], tie_t[at]], 0.0)
    last = np.full(y.size, votes.k)
    return [(votes.left, slope), (votes.right, -slope), (last, turn if fit.tied else 0.0 * turn)]


def curvature(votes: Votes, fit: Fit) -> FloatArray:
    """[n] −∂²ℓ of one vote of each row by the difference of its ratings."""
    theta = np.nan_to_num(fit.theta)
    win, loss, tie, up, down = (each[3] for each in _curves(theta[votes.left] - theta[votes.right], fit.tau, fit.tied))
    y = votes.outcome
    return -np.asarray(np.select([y == 1, y == 0, y == 0.5], [win, loss, tie], y * up + (1 - y) * down))


def _cells(votes: Votes) -> tuple[IntArray, IntArray, list[FloatArray]]:
    """Pair of each row [n], left·k + right of pairs [P], masses [P] of wins, losses, ties, soft wins, soft losses."""
    pairs, code = np.unique(votes.left * votes.k + votes.right, return_inverse=True)
    y, mass = votes.outcome, votes.mass
    soft = (y != 0) & (y != 0.5) & (y != 1)
    shares = [y == 1, y == 0, y == 0.5, soft * y, soft * (1 - y)]
    return code, pairs, [group_sums(code, mass * share, pairs.size) for share in shares]


def _derivatives(
    theta: FloatArray, cells: tuple[IntArray, IntArray, list[FloatArray]], inside: BoolArray, pseudo: float, tied: bool
) -> tuple[float, FloatArray, FloatArray]:
    """ℓ, its gradient [k + 1] and −∂²ℓ [k + 1, k + 1] for (θ, τ)."""
    k = theta.size - 1
    _, pairs, masses = cells
    left, right = pairs // k, pairs % k
    value, sums = 0.0, np.zeros((5, pairs.size))
    for mass, (log_p, *slopes) in zip(masses, _curves(theta[left] - theta[right], float(theta[k]), tied), strict=True):
        value += float(mass @ log_p)
        sums += mass * np.array(slopes)
    slope, turn, bend, cross, stiff = sums
    gradient, information = np.zeros(k + 1), np.zeros((k + 1, k + 1))
    gradient[:k] = group_sums(left, slope, k) - group_sums(right, slope, k)
    both = group_sums(left * k + right, bend, k * k).reshape(k, k)
    both = both + both.T
    information[:k, :k] = both - np.diag(both.sum(axis=1))
    information[:k, k] = information[k, :k] = group_sums(right, cross, k) - group_sums(left, cross, k)
    if tied:
        gradient[k], information[k, k] = turn.sum(), -stiff.sum()
    if pseudo:
        own = theta[:k]
        value += pseudo * float((special.log_ndtr(own) + special.log_ndtr(-own))[inside].sum())
        up, down = _mills(own), _mills(-own)
        gradient[:k] += np.where(inside, pseudo * (up - down), 0.0)
        information[np.arange(k), np.arange(k)] += np.where(inside, pseudo * (up * (up + own) + down * (down - own)), 0)
    return value, gradient, information


def _mills(a: FloatArray) -> FloatArray:
    """φ(a)/Φ(a)."""
    return np.exp(-0.5 * a * a - special.log_ndtr(a)) / np.sqrt(2 * np.pi)


def _curves(d: FloatArray, tau: float, tied: bool) -> list[tuple[FloatArray, ...]]:
    """log p and its derivatives by d, τ, dd, dτ, ττ, for a win, a loss, a tie, a soft win and a soft loss."""
    nothing = np.zeros_like(d)

    def one_sided(sign: float, t: float, with_tau: float) -> tuple[FloatArray, ...]:
        a = sign * d - t
        m = _mills(a)
        bend = -m * (m + a)
        turn = with_tau * bend
        return special.log_ndtr(a), sign * m, -with_tau * m, bend, -sign * turn, turn

    tie = (nothing,) * 6
    if tied:
        u, v = tau - d, -tau - d
        near = np.abs(d)
        p = np.maximum(special.ndtr(tau - near) - special.ndtr(-tau - near), 1e-300)
        a, b = (np.exp(-0.5 * x * x) / (np.sqrt(2 * np.pi) * p) for x in (u, v))
        uu, vv, uv = -u * a - a * a, v * b - b * b, a * b
        tie = (np.log(p), b - a, a + b, uu + 2 * uv + vv, vv - uu, uu - 2 * uv + vv)
    return [
        one_sided(1.0, tau, 1.0),
        one_sided(-1.0, tau, 1.0),
        tie,
        one_sided(1.0, 0.0, 0.0),
        one_sided(-1.0, 0.0, 0.0),
    ]


def _solve(information: FloatArray, gradient: FloatArray, rated: int, pseudo: float) -> FloatArray:
    """Newton's step; without a prior the common level of the ratings is held at 0."""
    if not pseudo:
        level = np.zeros(gradient.size)
        level[:rated] = 1.0
        information = information + np.outer(level, level) * max(np.trace(information) / gradient.size, 1e-12)
    return np.asarray(np.linalg.lstsq(information, gradient, rcond=1e-13)[0])
