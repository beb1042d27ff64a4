"""How well do ratings agree with an oracle's: in proportion, and in the order that a buyer would act on?

    r = corr(x, y),      ρ = corr(ranks of x, ranks of y)
    MMRV = (1/k) Σ_i max_j |y_i − y_j|·[(x_i < x_j) ≠ (y_i < y_j)]

MMRV (mean maximum rank violation) is, in the unit of the oracle y, how much is lost on average by trusting x's order of
a policy against the worst other; 0 where both orders are the same.

Li, Hsu, Gu, et al. (2024), Evaluating real-world robot manipulation policies in simulation (SIMPLER), §4.
Limits: ratings in the oracle's order have MMRV 0 at any r > 0; r = 1 means x is a straight line of y.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._typing import ArrayLike, FloatArray
from ..core.estimate import Estimate, Part
from .rank_correlation import pearson_rows, spearman_rows

DRAWS = 4000
BLOCK = 1 << 22  # pairs of policies held at once


def pearson(x: ArrayLike, y: ArrayLike) -> FloatArray:
    """[…] correlation of [..., k] ratings with [k] or [..., k] oracle values; NaN where one is constant or k < 3.

    >>> float(pearson([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]).round(12))
    1.0
    """
    return _at_least_three(pearson_rows, x, y)


def spearman(x: ArrayLike, y: ArrayLike) -> FloatArray:
    """[…] correlation of ranks, ties at their mid-rank, of [..., k] ratings with [k] or [..., k] oracle values.

    >>> float(spearman([1.0, 5.0, 3.0], [10.0, 30.0, 20.0]).round(12))
    1.0
    """
    return _at_least_three(spearman_rows, x, y)


def mmrv(x: ArrayLike, y: ArrayLike) -> FloatArray:
    """[…] mean maximum rank violation of [..., k] ratings against [k] or [..., k] oracle values, in the oracle's unit.

    >>> float(mmrv([1.0, 3.0, 2.0], [0.2, 0.5, 0.9]).round(3))  # the second and third stand the wrong way round
    0.267
    """
    a, b = _known(x, y)
    if b.shape[-1] < 2:
        return np.full(np.broadcast_shapes(a.shape, b.shape)[:-1], np.nan)
    shape = np.broadcast_shapes(a.shape, b.shape)
    rows = [np.broadcast_to(each, shape).reshape(-1, shape[-1]) for each in (a, b)]
    step = max(1, BLOCK // shape[-1] ** 2)
    blocks = [_violation(*(each[at : at + step] for each in rows)) for at in range(0, rows[0].shape[0], step)]
    return np.concatenate(blocks or [np.zeros(0)]).reshape(shape[:-1])


def _violation(a: FloatArray, b: FloatArray) -> FloatArray:
    """[B] of [B, k] ratings and [B, k] oracle values."""
    wrong = (a[:, :, None] < a[:, None, :]) != (b[:, :, None] < b[:, None, :])
    return np.asarray((np.abs(b[:, :, None] - b[:, None, :]) * wrong).max(axis=2).mean(axis=1))


def _at_least_three(
    correlation: Callable[[FloatArray, FloatArray], FloatArray], x: ArrayLike, y: ArrayLike
) -> FloatArray:
    """[…] correlations over the policies that are known; two points always lie on a line."""
    a, b = _known(x, y)
    if b.shape[-1] < 3:
        return np.full(np.broadcast_shapes(a.shape, b.shape)[:-1], np.nan)
    return correlation(a, b)


def _known(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The policies that have a rating in every row of x and an oracle's value in every row of y."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    on = [np.isfinite(each.reshape(-1, each.shape[-1])).all(axis=0) for each in (a, b)]
    return a[..., on[0] & on[1]], b[..., on[0] & on[1]]


def agreement(ratings: Estimate, oracle: ArrayLike, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """Pearson r and MMRV of ratings with an oracle, and their error by a parametric bootstrap of the ratings.

    Arguments:
        ratings: with their covariance; policies without a value have no part.
        oracle: [k] what is taken as the truth, in the order of the ratings' names.
        draws: replicates from the ratings' normal law.
        seed: of the draws.
    """
    y = np.asarray(oracle, dtype=float)
    on = np.flatnonzero(np.isfinite(ratings.value + ratings.stderr + y))
    point = ratings.value[on]
    drawn = point + noise(ratings.covariance[np.ix_(on, on)], draws=draws, seed=seed)
    value = np.array([float(pearson(point, y[on])), float(mmrv(point, y[on]))])
    covariance = np.full((2, 2), np.nan)
    if np.isfinite(value).all():
        covariance = np.cov(np.column_stack([pearson(drawn, y[on]), mmrv(drawn, y[on])]), rowvar=False)
        covariance += np.diag([0.0, float(np.ptp(y[on])) ** 2 / (draws + 1)])  # a violation seen in no draw may be
    units = ratings.parts[0].units if ratings.parts else 0
    return Estimate(
        ("pearson r", "mmrv"), value, (Part("ratings", covariance, units),), np.array(np.inf), method=ratings.method
    )


def noise(covariance: FloatArray, *, draws: int = DRAWS, seed: int = 0) -> FloatArray:
    """[draws, k] normal errors with a [k, k] covariance.

    >>> noise(np.array([[0.0, 0.0], [0.0, 1.0]]), draws=2).round(9)[:, 0].tolist()
    [0.0, 0.0]
    """
    rng = np.random.default_rng((seed, 7919))
    if not covariance.size:
        return np.zeros((draws, 0))
    values, vectors = np.linalg.eigh(covariance)
    made = rng.standard_normal((draws, values.size)) * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    return np.asarray(made)
