"""Forecasts what the trusted raters would say of every match from what the judges said, never from its own label.

    log P(win)/P(loss) = Σ_j a_j·lean_mj + a_r·(r_left − r_right) + a_o·order_m + (b_left − b_right)
    log P(tie)/√(P(win)·P(loss)) = c_0 + Σ_j c_j·tie_mj + c_s·|lean_m|

lean is a judge's mean win − loss, r the rating that the judges' own votes give a policy, b a judge's bias towards a
policy (pulled to 0 as by a normal prior with standard deviation 1/2). Swapping the sides turns every term of the first
line round and leaves the second. Cross-fitted by cluster: a labelled match is forecast by a fit that never saw its
cluster, the other matches by the mean of those fits.

Zrnic, Candès (2024), Cross-prediction-powered inference, PNAS 121(15).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._typing import FloatArray
from ..stats import crossfit
from . import _soft_davidson as davidson
from ._matches import Matches

WEAK = 0.1
"""Ridge of the slopes: a normal prior with a standard deviation of about 3, for small samples and perfect judges."""
BIAS = 4.0
"""Ridge of a judge's bias towards a policy: a normal prior with standard deviation 1/2."""


def forecast(matches: Matches, k: int, *, folds: int, seed: int) -> FloatArray:
    """[M, 3] forecasts (win, tie, loss); 0 for matches that no judge saw."""
    X, Z = _features(matches, k)
    known = matches.labelled & matches.judged
    rows = np.flatnonzero(known)
    out = np.zeros_like(matches.label)
    if not rows.size or np.unique(matches.cluster[rows, 0]).size < 2:
        return out
    key = np.abs(matches.jury[:, 0] - matches.jury[:, 2])[rows]
    fold = np.full(known.size, -1)
    fold[rows] = crossfit.folds(
        matches.cluster[rows, 0], key, weight=matches.mass[rows], count=max(2, folds), seed=seed
    )
    label, mass = matches.label, matches.mass
    if not label[rows, 1].any():
        Z = Z[:, :0]
    ridge = np.concatenate([np.full(X.shape[1] - k, WEAK), np.full(k, BIAS), np.full(Z.shape[1], WEAK)])
    count = int(fold.max()) + 1
    for left_out in range(count):
        train = np.flatnonzero(known & (fold != left_out))
        lean, tie = mass[train] * (label[train, 0] - label[train, 2]) / 2, mass[train] * label[train, 1]
        found = davidson.fit(X[train], Z[train], mass[train], lean, tie, ridge=ridge)
        u = Z @ found.gamma if Z.shape[1] else np.full(known.size, -np.inf)
        said = np.column_stack(davidson.chances(np.asarray(X @ found.beta), u))
        out[fold == left_out] = said[fold == left_out]
        out[fold == -1] += said[fold == -1] / count
    out[~matches.judged] = 0.0
    return out


def _features(matches: Matches, k: int) -> tuple[sparse.csr_array, FloatArray]:
    """Design of d: leans, rating by the judges, order, policies; design of u: one, ties, decisiveness."""
    lean, tie = matches.votes[:, :, 0] - matches.votes[:, :, 2], matches.votes[:, :, 1]
    jury = matches.jury
    X = davidson.incidence(matches.left, matches.right, k)
    rows = matches.judged
    one = np.ones((rows.size, 1))
    own = davidson.fit(
        X[rows],
        one[rows],
        matches.mass[rows],
        (matches.mass * (jury[:, 0] - jury[:, 2]))[rows] / 2,
        (matches.mass * jury[:, 1])[rows],
        ridge=WEAK,
    )
    dense = np.column_stack([lean, X @ own.beta, matches.order])
    sharp = np.abs(jury[:, :1] - jury[:, 2:])
    return sparse.hstack([sparse.csr_array(dense), X], format="csr"), np.column_stack([one, tie, sharp])
