"""Finds the weights, >= 0 and summing to 1, that make a mixture of quantile models lose least, as a linear programme.

    min_w  Σ_i ω_i pinball_τ(y_i, Σ_j w_j q_ij)     w >= 0,  Σ_{j in block} w_j = 1 for each block
    =  min  Σ ω (τ u + (1 − τ) v)                   Q w + u − v = y,  u, v >= 0

The loss is convex and piecewise linear, so the programme has an exact answer, without step sizes or stopping rules.
It has as many constraints as labelled rows, which are few; a subgradient method would only pay beyond some 10⁵ of
them. Limits: one model gets weight 1; with the residuals of an intercept alone it is an ordinary sample quantile.

Koenker, Bassett (1978), Regression Quantiles, Econometrica 46, section 3; Huangfu, Hall (2018), the HiGHS solver.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError


def weights(
    columns: FloatArray, outcome: FloatArray, level: FloatArray, *, block: IntArray, weight: FloatArray
) -> FloatArray:
    """[c] best weights of c columns, each block of them on its own simplex.

    Arguments:
        columns: [r, c] predictions.
        outcome: [r] what happened.
        level: [r] level τ at which each row is scored.
        block: [c] simplex that each column belongs to, 0 … B−1.
        weight: [r] >= 0.

    >>> q = np.array([[0.0, 5.0], [0.0, 5.0], [0.0, 5.0]])
    >>> weights(q, np.array([1.0, 2.0, 3.0]), np.full(3, 0.5), block=np.zeros(2, int), weight=np.ones(3)).round(9)
    array([0.6, 0.4])
    """
    c = columns.shape[1]
    sizes = np.bincount(block)
    if np.all(sizes == 1):
        return np.ones(c)
    simplex = (block == np.arange(sizes.size)[:, None]).astype(float)
    return _solve(columns, outcome, level, weight, simplex, (0.0, None))


def linear_quantile(X: FloatArray, outcome: FloatArray, levels: FloatArray, *, weight: FloatArray) -> FloatArray:
    """[L, q] coefficients of linear quantile regression at each level, by the same programme without the simplex."""
    none = np.empty((0, X.shape[1]))
    return np.array([_solve(X, outcome, np.full(outcome.size, level), weight, none, (None, None)) for level in levels])


def _solve(
    columns: FloatArray,
    outcome: FloatArray,
    level: FloatArray,
    weight: FloatArray,
    simplex: FloatArray,
    bounds: tuple[float | None, float | None],
) -> FloatArray:
    table = np.column_stack([columns, outcome, level])
    table, group = np.unique(table[weight > 0], axis=0, return_inverse=True)  # order changes nothing
    weight = np.bincount(group.reshape(-1), weights=weight[weight > 0]).astype(float)
    columns, outcome, level = table[:, :-2], table[:, -2], table[:, -1]
    r, c = columns.shape
    eye = sparse.eye_array(r, format="csr")
    rows = sparse.hstack([sparse.csr_array(columns), eye, -eye], format="csr")
    if len(simplex):
        rows = sparse.vstack([rows, sparse.csr_array(np.hstack([simplex, np.zeros((len(simplex), 2 * r))]))])
    answer = optimize.linprog(
        np.concatenate([np.zeros(c), weight * level, weight * (1 - level)]),
        A_eq=rows,
        b_eq=np.concatenate([outcome, np.ones(len(simplex))]),
        bounds=[bounds] * c + [(0.0, None)] * (2 * r),
        method="highs",
    )
    if answer.x is None:
        raise AdjudgeError(
            f"quantiles: the linear programme ended with {answer.message!r}.",
            "Finite predictions and outcomes.",
            "Drop rows that are not finite.",
        )
    return answer.x[:c]
