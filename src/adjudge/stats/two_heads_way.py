"""The way to the optimum of a reward in two parts, whose penalties have corners that are nearly sharp.

    min f(u) + Σ_i w_i·|t_i|,  t = (ρ(q), q·l),  |t| = √(t² + δ²) − δ:      ∇f + Jᵀy = 0,  y_i = w_i·t_i/√(t_i² + δ²)

The pulls y are unknowns beside u, so that a step sees corners as the curved surfaces t = 0 that they are, and not as
walls of a height w/δ; what a step misses of them is put back by the same matrix. Chan, Golub, Mulet (1999), SIAM J.
Sci. Comput. 20(6) (pulls as unknowns); Nocedal, Wright (2006), Section 18.3 (what is put back).
Limits: the loss has several optima; this is the one that a start leads to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .._typing import FloatArray
from .pair_logit import Pairs
from .row_products import gram

NONE = 1e-8  # variance of a part below which it is none: its correlation falls to 0, and not to anything
CORNER = 1e-3  # δ: how sharp the corner of |t| is
STEPS, MOST = 300, 1e8  # steps; damping, in mean second derivatives, beyond which there is no way down
STILL = 1e-13  # of the loss, that a last step gains
SHARE = 0.98  # of the way to its bound that a pull goes at most


@dataclass(frozen=True, slots=True, eq=False)
class Lengths:
    """Moments of features and length over responses.

    Arguments:
        c: [d] covariance of features and length.
        S: [d, d] covariance of features.
        v: variance of length.
    """

    c: FloatArray
    S: FloatArray
    v: float

    def correlation(self, u: FloatArray) -> float:
        """ρ(u); 0 for u = 0."""
        return float(self.c @ u / np.sqrt(self.v * (u @ self.S @ u + NONE)))

    def slope(self, u: FloatArray) -> FloatArray:
        """[d] ∇ρ."""
        turned = self.S @ u
        b = float(u @ turned) + NONE
        return (self.c / np.sqrt(b) - float(self.c @ u) * turned / b**1.5) / np.sqrt(self.v)

    def across(self, u: FloatArray) -> FloatArray:
        """[d, d] the part of −∇²ρ that bends both ways; the rest bends up where ρ > 0."""
        turned = self.S @ u
        b = float(u @ turned) + NONE
        cross = np.outer(self.c - float(self.c @ u) / b * turned, turned)
        return (cross + cross.T) / (b**1.5 * np.sqrt(self.v))

    def bend(self, u: FloatArray) -> FloatArray:
        """[d, d] ∇²ρ."""
        turned, a = self.S @ u, float(self.c @ u)
        b = float(u @ turned) + NONE
        cross = np.outer(self.c, turned)
        second = -(cross + cross.T + a * self.S) / b**1.5 + 3 * a * np.outer(turned, turned) / b**2.5
        return second / np.sqrt(self.v)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The loss of both parts u = (q, l).

    Arguments:
        pairs, lengths: what it is made of.
        total: W, the sum of weights.
        apart, square: λ_L and λ_O.
        ridge: λ.
    """

    pairs: Pairs
    lengths: Lengths
    total: float
    apart: float
    square: float
    ridge: float

    @property
    def weight(self) -> FloatArray:
        """[k] w of the corners that count."""
        both = self.total * np.array([self.apart, self.square])
        return both[both > 0]

    def smooth(self, u: FloatArray) -> tuple[float, FloatArray]:
        """(f, ∇f): all but the corners."""
        q, ell = np.split(u, 2)
        value, first = self.pairs.valued(self.pairs.x @ (q + ell))
        slope = np.tile(self.pairs.x.T @ first, 2) + self.ridge * u
        slope[q.size :] -= self.total * self.apart * self.lengths.slope(ell)
        length = self.total * self.apart * self.lengths.correlation(ell)
        return value + 0.5 * self.ridge * float(u @ u) - length, slope

    def corners(self, u: FloatArray) -> FloatArray:
        """[k] t."""
        q, ell = np.split(u, 2)
        both = np.array([self.lengths.correlation(q), float(q @ ell)])
        return both[[self.apart > 0, self.square > 0]]

    def slopes(self, u: FloatArray) -> FloatArray:
        """[k, 2d] J = ∂t/∂u."""
        q, ell = np.split(u, 2)
        both = np.stack([np.concatenate([self.lengths.slope(q), np.zeros(q.size)]), np.concatenate([ell, q])])
        return both[[self.apart > 0, self.square > 0]]

    def value(self, u: FloatArray) -> float:
        """The whole loss."""
        return self.smooth(u)[0] + float(self.weight @ (np.sqrt(self.corners(u) ** 2 + CORNER**2) - CORNER))

    def pull(self, u: FloatArray) -> FloatArray:
        """[k] y that the corners have at u."""
        t = self.corners(u)
        return self.weight * t / np.sqrt(t * t + CORNER**2)

    def stiffness(self, pull: FloatArray) -> FloatArray:
        """[k] ∂y/∂t."""
        return (self.weight**2 - pull**2) ** 1.5 / (CORNER * self.weight**2)

    def bend(self, u: FloatArray, pull: FloatArray) -> FloatArray:
        """[2d, 2d] second derivatives, with the corners' pulls as they are said to be."""
        q, ell = np.split(u, 2)
        d, slopes = q.size, self.slopes(u)
        out = np.tile(gram(self.pairs.x, self.pairs.slopes(self.pairs.x @ (q + ell))[1].clip(0)), (2, 2))
        out.flat[:: 2 * d + 1] += self.ridge
        by_q, by_both = self._both(pull)
        if by_q:
            out[:d, :d] += by_q * self.lengths.bend(q)
        if self.apart:
            out[d:, d:] -= self.total * self.apart * self.lengths.bend(ell)
        at = np.arange(d)
        out[at, d + at] += by_both
        out[d + at, at] += by_both
        made: FloatArray = out + slopes.T @ (self.stiffness(pull)[:, None] * slopes)
        return made

    def _both(self, pull: FloatArray) -> tuple[float, float]:
        """The pulls of both corners, 0 where one does not count."""
        rest = iter(pull.tolist())
        return (next(rest) if self.apart > 0 else 0.0), (next(rest) if self.square > 0 else 0.0)


def descended(task: Task, u: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(the optimum to which a start u leads, the corners' pulls there)."""
    pull, damp = task.pull(u), 0.0
    value = task.value(u)
    for _ in range(STEPS):
        slope, slopes, t = task.smooth(u)[1], task.slopes(u), task.corners(u)
        bend, stiff = task.bend(u, pull), task.stiffness(pull)
        downhill = slope + slopes.T @ task.pull(u)
        short = CORNER * pull / np.sqrt(task.weight**2 - pull**2) - t
        mean, rounded = float(np.trace(bend)) / u.size, False
        while damp < MOST:
            try:
                root = linalg.cho_factor(bend + damp * mean * np.eye(u.size), check_finite=False)
            except linalg.LinAlgError:
                if rounded or not task.apart:
                    damp = max(8 * damp, 1e-7)
                else:
                    d, rounded = u.size // 2, True
                    bend[d:, d:] -= task.total * task.apart * task.lengths.across(u[d:])
                continue
            by = slope + slopes.T @ (pull - stiff * short)
            step = -linalg.cho_solve(root, by, check_finite=False)
            ahead = slopes @ step
            trial = u + step
            missed = task.corners(trial) - t - ahead
            back = trial - linalg.cho_solve(root, slopes.T @ (stiff * missed), check_finite=False)
            new, trial = min(((task.value(at), at) for at in (trial, back)), key=lambda found: found[0])
            if new <= value + 1e-12 * abs(value):
                break
            damp = max(8 * damp, 1e-7)
        else:
            break
        pull = _moved(pull, stiff * (ahead - short), task.weight)
        u, value, damp = trial, new, damp / 8 if damp > 1e-7 else 0.0
        if abs(float(downhill @ step)) <= STILL * max(abs(value), 1.0):
            break
    return u, task.pull(u)


def _moved(pull: FloatArray, by: FloatArray, bound: FloatArray) -> FloatArray:
    """[k] pulls after a step that keeps each within its bound."""
    room = np.where(by > 0, bound - pull, bound + pull)
    share = min(1.0, *(SHARE * room / np.maximum(np.abs(by), 1e-300)).tolist(), 1.0)
    return pull + share * by


def cornered(t: float, size: float) -> tuple[float, float]:
    """First and second derivative of size·|t|."""
    root = np.sqrt(t * t + CORNER**2)
    return size * t / root, size * CORNER**2 / root**3
