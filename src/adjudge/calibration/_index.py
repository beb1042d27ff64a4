"""Two stages in one: a least-squares index of many features, then the non-decreasing curve of gold along that index.

    T = x·β,   β = argmin Σ_l w_l (Y_l − x_l·β)² + β'Λβ;      f = isotonic regression of Y on T
    f̂_i − f_i ≈ Σ_b share_ib · δ_b + f'(T_i)(x_i − E[x | T_i]) · δ_β

δ_b is the error of block b, δ_β that of the index. Moving the index moves the curve along with it, so only how far a
row's features differ from those of labelled rows with the same index matters: with one judge, not at all. A curve that
sees only the order of T needs no ranks: its fit is the same for T, for any rising function of T and for its ECDF.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .._typing import FloatArray
from ..stats import glm, isotonic
from ..tables.calibrator import Calibrator
from . import _slice

Basis = Callable[[FloatArray, FloatArray], FloatArray]


def fit(method: str, labelled: _slice.Slice, basis: Basis, *, penalty: FloatArray) -> Calibrator:
    """The calibrator of both stages; every fold refits both.

    Arguments:
        method: its address.
        labelled: labelled rows.
        basis: (score, covariates) -> features [n, q].
        penalty: Λ of the index: its diagonal [q], or [K+1, q, q] one matrix for the full fit and each fold.
    """
    X, y, weight = basis(labelled.score, labelled.covariates), labelled.gold, labelled.weight
    digits = 12 - int(np.ceil(np.log10(max(float(np.abs(y).max()), 1e-100))))
    beta = glm.line(X, y, labelled.weights, ridge=penalty)
    index = np.round(X @ beta.T, digits)
    steps, blocks = isotonic.fit(isotonic.levels(index[:, 0]), y, weight)
    shares = steps.respond(index[:, 0])[1] * weight[:, None]
    expected = shares.T @ X / steps.mass[:, None]
    slopes = glm.lever(X, weight, np.ones(y.size), ridge=penalty if penalty.ndim == 1 else penalty[0])
    held_out = _held_out(index[:, 1:], labelled)
    return _slice.finish(
        method,
        labelled,
        partial(_respond, basis=basis, beta=beta[0], digits=digits, steps=steps, expected=expected),
        _slice.pull(labelled, np.column_stack([blocks, slopes]), held_out),
        held_out,
    )


def _held_out(index: FloatArray, labelled: _slice.Slice) -> FloatArray:
    """[m] forecast of each row by the curve of the fold that left it out, along that fold's own index [m, K]."""
    out = np.full(labelled.gold.size, np.nan)
    for fold in range(index.shape[1]):
        mine = labelled.fold == fold
        at = isotonic.levels(index[:, fold])
        curve = isotonic.refit(at, labelled.gold, labelled.weights[1 + fold : 2 + fold])[0]
        out[mine] = curve[at.level[mine]]
    return out


def _respond(
    score: FloatArray,
    covariates: FloatArray,
    *,
    basis: Basis,
    beta: FloatArray,
    digits: int,
    steps: isotonic.Steps,
    expected: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Value [n] and gradient [n, blocks + q]."""
    X = basis(score, covariates)
    index = np.round(X @ beta, digits)
    value, shares = steps.respond(index)
    slope = steps.slope(index)
    gradient = np.empty((index.size, shares.shape[1] + X.shape[1]))
    gradient[:, : shares.shape[1]] = shares
    for column in range(X.shape[1]):
        usual = np.interp(index, steps.centre, expected[:, column])
        gradient[:, shares.shape[1] + column] = slope * (X[:, column] - usual)
    return value, gradient
