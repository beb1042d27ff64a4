"""Predicts what few rows know from what all rows know, never letting a row be predicted from its own cluster.

    ĝ_{−f} = argmin Σ_{l ∉ fold f} (t_l − z_l·γ)² + γᵀΛγ      (or its logistic twin),      ŷ_i = ĝ_{−fold(i)}(z_i)

z is a basis: each feature, its hinges max(0, x − knot) at inner quantiles, and products of the first feature (the
surrogate) with the others, since surrogates err differently in different places. Every row, labelled or not, is
predicted by the fit that did not see its cluster. Λ is worth one label for each standardised column. Downstream
inference stays valid for *any* ĝ; a better one only narrows it. Limit: `none` returns the surrogate itself.

Chernozhukov et al. (2018), Double/debiased machine learning, The Econometrics Journal 21, Definition 3.1.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import BoolArray, FloatArray, IntArray
from ..errors import AdjudgeError
from . import glm

LEARNERS = ("auto", "spline", "linear", "logistic", "none")
KNOTS = (0.25, 0.5, 0.75)
LOGISTIC_UP_TO = 20_000
"""Labels above which `auto` takes the linear fit even for labels of two kinds: it is then as good, in one pass."""


def basis(features: FloatArray, weight: FloatArray, *, curved: bool = True) -> FloatArray:
    """[n, q] standardised columns spanned by features [n, d]; a missing value becomes its column's mean plus a flag.

    >>> basis(np.array([[0.0], [1.0], [np.nan]]), np.ones(3), curved=False).round(2)
    array([[-1.22, -0.71],
           [ 1.22, -0.71],
           [ 0.  ,  1.41]])
    """
    columns, plain = [], []
    for x in features.T:
        known = np.isfinite(x)
        centre = float(np.average(x[known], weights=weight[known])) if weight[known].sum() > 0 else 0.0
        filled = np.where(known, x, centre)
        columns.append(filled)
        plain.append(filled - centre)
        if not known.all():
            columns.append(1.0 - known)
        if curved:
            columns += [np.maximum(0.0, filled - knot) for knot in _knots(filled, weight)]
    if curved and 1 < len(plain) <= 12:
        columns += [plain[0] * other for other in plain[1:]]
    Z = np.column_stack(columns) if columns else np.empty((features.shape[0], 0))
    share = weight / max(float(weight.sum()), 1e-300)
    Z = Z - share @ Z
    spread = np.sqrt(share @ Z**2)
    keep = spread > 1e-12 * np.maximum(1.0, np.abs(Z).max(axis=0, initial=0.0))
    return Z[:, keep] / spread[keep]


def _knots(x: FloatArray, weight: FloatArray) -> FloatArray:
    """Inner quantiles of a feature of many values; none for one of few."""
    order = np.argsort(x, kind="stable")
    height = np.cumsum(weight[order])
    if not x.size or np.count_nonzero(np.diff(x[order])) < 6:
        return np.empty(0)
    return np.unique(x[order][np.searchsorted(height, np.array(KNOTS) * height[-1] * (1 - 1e-12))])


def ordered(features: FloatArray, cluster: IntArray, weight: FloatArray) -> IntArray:
    """[units] clusters in an order that depends on their features (means) alone, as far as these tell them apart."""
    units = int(cluster.max()) + 1
    filled = np.nan_to_num(features)
    total = np.maximum(np.bincount(cluster, weight, units), 1e-300)
    means = [np.round(np.bincount(cluster, weight * x, units) / total, 12) for x in filled.T]
    return np.lexsort(means[::-1]) if means else np.arange(units)


def deal(cluster: IntArray, labelled: BoolArray, order: IntArray, folds: int, rng: np.random.Generator) -> IntArray:
    """[n] random fold of each row's cluster; labelled clusters are spread evenly, at most one fold for each of them.

    `order` is the order of the clusters in which the generator is used up, see `ordered`: with it the deal does not
    depend on how clusters are called.
    """
    units = int(cluster.max()) + 1
    fold = np.empty(units, dtype=np.int64)
    has = np.zeros(units, dtype=bool)
    has[cluster[labelled]] = True
    folds = max(2, min(folds, int(has.sum())))
    for part in (order[has[order]], order[~has[order]]):
        fold[rng.permutation(part)] = np.arange(part.size) % folds
    return fold[cluster]


def predict(
    Z: FloatArray, target: FloatArray, labelled: BoolArray, fold: IntArray, weight: FloatArray, *, learner: str
) -> FloatArray:
    """[n] cross-fitted predictions of a target that is known on labelled rows.

    Arguments:
        Z: [n, q] basis.
        target: [n] read on labelled rows only.
        labelled: [n] which rows may be learned from.
        fold: [n] fold of each row, 0 … K−1.
        weight: [n] row weights.
        learner: `spline` and `linear` fit lines in the basis, `logistic` a curve, `auto` picks a curve for labels of
            two kinds.
    """
    if learner not in LEARNERS:
        raise AdjudgeError(f"learner is {learner!r}.", f"One of {', '.join(LEARNERS)}.", "Name one of them.")
    y, rows = target[labelled], np.flatnonzero(labelled)
    low, high = float(y.min()), float(y.max())
    if high == low:
        return np.full(Z.shape[0], low)
    two = bool(np.isin(y, [low, high]).all())
    if learner == "logistic" and not two:
        raise AdjudgeError(
            "learner is 'logistic', but the labels have more than two values.",
            "A logistic learner predicts labels of two kinds.",
            "Use learner='spline'.",
        )
    curve = two and (learner == "logistic" or (learner == "auto" and rows.size <= LOGISTIC_UP_TO))
    count = int(fold.max()) + 1
    X = np.column_stack([np.ones(rows.size), Z[rows]])
    ridge = np.r_[1e-9, np.ones(Z.shape[1])]
    if curve:
        weights = np.where(np.arange(count)[:, None] != fold[rows], weight[rows], 0.0)
        gamma = glm.logistic(X, (y - low) / (high - low), weights, ridge=ridge)
    else:
        gamma = _lines(X, y, weight[rows], fold[rows], count, ridge)
    eta = np.einsum("nq,nq->n", Z, gamma[fold, 1:]) + gamma[fold, 0]
    return low + (high - low) * special.expit(eta) if curve else eta


def _lines(X: FloatArray, y: FloatArray, w: FloatArray, fold: IntArray, count: int, ridge: FloatArray) -> FloatArray:
    """[K, q] ridge fits that each leave one fold out: the Gram matrix of all labels minus that of the fold."""
    grams, rights = [], []
    for f in range(count):
        at = fold == f
        weighted = X[at] * w[at, None]
        grams.append(weighted.T @ X[at])
        rights.append(weighted.T @ y[at])
    gram, right = np.array(grams), np.array(rights)
    left = gram.sum(axis=0) - gram + np.diag(ridge)
    return np.linalg.solve(left, (right.sum(axis=0) - right)[:, :, None])[:, :, 0]
