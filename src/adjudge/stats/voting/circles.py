"""How many preferences run in circles, and how many would if policies were on one scale and votes only noisy.

    T = #{i > j > l > i}/#{triples that all met}        L = share of policies in a circle of any length
    consistent votes   m⁰_ij = 1/(1 + e^{−(θ_i − θ_j)}) − ½, fitted;   m* = m⁰ + noise of the same counts and clusters

Without clusters noise is drawn as wins, ties and losses of m⁰; with clusters each cluster's sum of residuals against m⁰
is multiplied by a normal draw (the wild bootstrap with the null imposed), so that what depends stays together.

Kendall, Babington Smith (1940), Biometrika 31 (circular triads); Cameron, Gelbach, Miller (2008) (wild clusters).
Limits: three policies have one triple; policies far apart make no circles by noise, equal ones a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse, special

from ..._typing import BoolArray, FloatArray
from ..cluster import group_sums
from .margins import BLOCK, Margins

STREAM = 30013
STEPS = 60
TOLERANCE = 1e-10
CALM = 0.5  # by which trace³ of the margins breaks ties between tables with the same number of circles


def counts(M: FloatArray, triples: float) -> FloatArray:
    """[b, 2] shares of triples and of policies that run in circles, for [b, j, j] margins.

    >>> M = np.array([[[0, 0.2, -0.1], [-0.2, 0, 0.3], [0.1, -0.3, 0]]])
    >>> counts(M, 1.0).tolist()
    [[1.0, 1.0]]
    """
    A = (M > 0).astype(np.float32)
    cyclic = np.einsum("bij,bji->b", A @ A, A, optimize=True) / 3
    return np.column_stack([cyclic / max(triples, 1.0), looped(M > 0).mean(axis=1)]).astype(float)


def strength(M: FloatArray, triples: float) -> FloatArray:
    """[b] the share of cyclic triples, told apart within one triple by the product of margins around each."""
    P = np.maximum(M, 0.0)
    around = np.einsum("bij,bji->b", P @ P, P, optimize=True) / 3
    return np.asarray(counts(M, triples)[:, 0] + CALM * 8 * around / max(triples, 1.0) ** 2)


def looped(A: BoolArray) -> BoolArray:
    """[b, j] whether a policy beats itself by way of others."""
    reach = A.astype(np.float32)
    for _ in range(max(int(np.ceil(np.log2(max(A.shape[-1], 2)))), 1)):
        reach = np.minimum(reach + reach @ reach, 1.0)
    return np.asarray(np.diagonal(reach, axis1=1, axis2=2) > 0)


def triples(met: FloatArray) -> float:
    """Number of triples whose three pairs all met."""
    A = (met > 0).astype(float)
    return float(np.trace(A @ A @ A) / 6)


def consistent(found: Margins) -> FloatArray:
    """[E] margins of the Bradley-Terry ratings that fit best, one imaginary vote shared out in each pair.

    Fitted ratings lie further apart than true ones, by the noise in them, and would make too few circles: their
    spread is reduced to what is left of its square when the variance of the noise is taken off.
    """
    n = found.mass + found.imaginary
    y = (found.mass * (found.value + 0.5) + 0.5 * found.imaginary) / n
    theta, pin = np.zeros(found.j), 1.0 / max(found.j, 1)
    for _ in range(STEPS):
        p = special.expit(theta[found.left] - theta[found.right])
        pull = n * (y - p)
        g = group_sums(found.left, pull, found.j) - group_sums(found.right, pull, found.j)
        h = n * p * (1 - p)
        A = np.full((found.j, found.j), pin * h.mean())
        np.add.at(A, (found.left, found.left), h)
        np.add.at(A, (found.right, found.right), h)
        np.add.at(A, (found.left, found.right), -h)
        np.add.at(A, (found.right, found.left), -h)
        move = np.linalg.solve(A, g)
        theta += move * min(1.0, 2.0 / max(float(np.abs(move).max()), 1e-300))
        if np.abs(move).max() < TOLERANCE:
            break
    theta = (theta - theta.mean()) * _honest(found, theta, A)
    return np.asarray(special.expit(theta[found.left] - theta[found.right]) - 0.5)


def _honest(found: Margins, theta: FloatArray, A: FloatArray) -> float:
    """Factor that takes the spread that noise adds out of the fitted ratings: √(1 − noise variance/variance)."""
    p = special.expit(theta[found.left] - theta[found.right])
    coin = float((p * (1 - p) * found.imaginary / found.mass).sum())
    wider = float((found.stderr() ** 2).sum()) / coin if found.units > 1 else 1.0  # ties and clusters
    rated = np.eye(found.j) - 1.0 / max(found.j, 1)
    noise = float(np.trace(rated @ np.linalg.inv(A) @ rated)) * found.imaginary.mean() * wider
    seen = float((theta**2).sum() - found.j * theta.mean() ** 2)
    return float(np.sqrt(max(1.0 - noise / seen, 0.0))) if seen > 0 else 0.0


def by_noise(found: Margins, fitted: FloatArray, *, draws: int, seed: int) -> Iterator[FloatArray]:
    """Blocks [b, E] of margins that noise makes of the consistent ones [E]."""
    rng = np.random.default_rng((seed, STREAM))
    hard = bool(np.isin(found.outcome, (0.0, 0.5, 1.0)).all())
    if not found.unit.shape[1] and hard:
        yield from _votes(found, fitted, draws, rng)
        return
    lanes = [_residuals(found, fitted, way) for way in range(max(found.unit.shape[1], 1))]
    width = max(found.j**2, *(lane.shape[0] for lane in lanes))
    steps = np.round(found.mass / found.vote) * (2 if (found.outcome == 0.5).any() else 1)
    for b in _blocks(draws, width):
        drawn = fitted + sum((lane.T @ rng.standard_normal((lane.shape[0], b))).T for lane in lanes)
        # counted votes move in steps, and fall on even where a normal draw never does
        yield np.round((drawn + 0.5) * steps) / steps - 0.5 if hard else drawn


def _votes(found: Margins, fitted: FloatArray, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """Wins, ties and losses drawn anew, ties as frequent in all and rarer where one side is far ahead."""
    n = np.maximum(np.round(found.mass / found.imaginary), 1).astype(np.int64)
    s = fitted + 0.5
    shape = 4 * s * (1 - s)
    tied = float(found.count[found.outcome == 0.5].sum() / found.count.sum())
    t = np.minimum(tied * shape * n.sum() / max(float((shape * n).sum()), 1e-300), 2 * np.minimum(s, 1 - s))
    win = np.clip(s - t / 2, 0.0, 1.0)
    rest = np.clip(np.divide(t, 1 - win, out=np.zeros_like(t), where=win < 1), 0.0, 1.0)
    for b in _blocks(draws, max(found.j**2, n.size)):
        won = rng.binomial(n, win, (b, n.size))
        yield (won + 0.5 * rng.binomial(n - won, rest)) / n - 0.5


def _residuals(found: Margins, fitted: FloatArray, way: int) -> sparse.csr_array:
    """[units, E] what each unit adds to the error of each margin if the consistent ones are true."""
    psi = (found.outcome - 0.5 - fitted[found.edge]) * found.weight / found.mass[found.edge]
    if not found.unit.shape[1]:  # a cell of soft votes: as many units as it counts
        rows = np.arange(psi.size)
        return sparse.coo_array((psi * np.sqrt(found.count), (rows, found.edge))).tocsr()
    unit = found.unit[:, way]
    units = int(unit.max()) + 1
    psi = psi * found.count * np.sqrt(units / max(units - 1, 1))
    return sparse.coo_array((psi, (unit, found.edge)), shape=(units, found.left.size)).tocsr()


def _blocks(draws: int, width: int) -> Iterator[int]:
    step = max(1, BLOCK // max(width, 1))
    for start in range(0, draws, step):
        yield min(step, draws - start)
