"""Which rows were chosen for a gold label, and how much each label therefore counts.

    d_i = w_i R_i / π_i,      μ̂_p = Σ d_i Y_i / Σ d_i      (Hájek),      n_eff = (Σ_g d_g)² / Σ_g d_g²

π is the recorded propensity of the row, or, where none is recorded, the share of the group's unrecorded rows that were
labelled (it cancels within a group: every label then counts by its row weight).

Hájek (1971), comment in Foundations of Statistical Inference; Kish (1965), Survey Sampling (n_eff).
Limits: equal propensities are the plain mean over labelled rows; n_eff is the number of labelled clusters when all
clusters carry the same label weight.

On noise in the gold label. A label Y_i = truth_i + η_i, with E η_i = 0 and its own draw for each row, is itself an
independent draw: Var Ȳ = (Var truth + Var η)/n, and the spread of the labels that are seen already holds both terms. So
no method here adds `gold_variance` to an error, with all rows labelled or few, and a regression of Y on a score is not
attenuated, since the noise is in the response. What the noise does change is planning (more raters or more rows?):
`rater_share` reports it. Noise that raters *share* across rows (one rater always lenient) no spread of labels can show.
"""

from __future__ import annotations

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..tables.ratings import Ratings
from .cluster import group_sums


def label_weight(ratings: Ratings, *, group: IntArray | None = None, groups: int = 0) -> FloatArray:
    """[n] weight d of each label: w/π, 0 on rows without a label.

    Arguments:
        ratings: the table.
        group: [n] code of the group within which unrecorded labels are a random sample; the policy by default.
        groups: number of groups.

    Where a whole group has no recorded propensity the label weight is the row weight (the share cancels).
    """
    code, k = (ratings.policy, ratings.k) if group is None else (group, groups)
    labelled = ratings.labelled
    recorded = ratings.propensity > 0  # False where it is NaN
    d = np.where(labelled, ratings.weight, 0.0)
    d[recorded] /= ratings.propensity[recorded]
    mixed = recorded_groups(ratings, group=code, groups=k)[code] & ~recorded
    if mixed.any():
        share = group_sums(code[mixed], d[mixed], k) / np.maximum(
            group_sums(code[mixed], ratings.weight[mixed], k), np.finfo(float).tiny
        )
        d[mixed & labelled] /= share[code[mixed & labelled]]
    return d


def recorded_groups(ratings: Ratings, *, group: IntArray | None = None, groups: int = 0) -> BoolArray:
    """[k] whether any label of the group carries a recorded propensity: its number of labels is then random."""
    code, k = (ratings.policy, ratings.k) if group is None else (group, groups)
    known = ratings.labelled & (ratings.propensity > 0)
    return np.bincount(code[known], minlength=k) > 0


def effective_clusters(group: IntArray, weight: FloatArray, k: int) -> FloatArray:
    """[k] Kish's number of equally weighted clusters that would be as precise; 0 where there is none.

    >>> effective_clusters(np.array([0, 0, 0]), np.array([1.0, 1.0, 0.0]), 2)
    array([2., 0.])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(group_sums(group, weight, k) ** 2 / group_sums(group, weight**2, k))


def equal_clusters(cluster: IntArray, mass: FloatArray, count: FloatArray | None = None) -> tuple[int, float]:
    """Independent clusters, and how many equally large ones would tell as much (Kish); each of the way that has fewer.

    Arguments:
        cluster: [n, c] codes, c >= 1.
        mass: [n] how much a row counts.
        count: [n] independent votes that a row stands for which is a cluster of its own; 1 by default.

    >>> equal_clusters(np.array([[0], [0], [1]]), np.array([1.0, 2.0, 1.0]))
    (2, 1.6)
    """
    units, even = np.inf, np.inf
    for column in cluster.T:
        code = np.unique(column, return_inverse=True)[1].ravel()
        total, each = np.bincount(code, mass), np.ones(int(code.max(initial=-1)) + 1)
        if count is not None:
            np.maximum.at(each, code, count)
        units = min(units, float(each.sum()))
        even = min(even, float(total.sum()) ** 2 / max(float((total**2 / each).sum()), 1e-300))
    return round(units), even


def rater_share(ratings: Ratings) -> float:
    """Share of the labels' variance that is noise of the gold raters, in [0, 1]; NaN below two labels.

    share = mean gold_variance / Var gold,      Var(truth) = (1 − share) · Var gold
    """
    labelled = ratings.labelled
    if labelled.sum() < 2:
        return float("nan")
    spread = float(np.var(ratings.gold[labelled], ddof=1))
    return min(1.0, float(ratings.gold_variance[labelled].mean()) / spread) if spread > 0 else 0.0
