"""The gold distribution of each policy as one weighting of the labels: any figure of it then has a value and an error.

    θ_a(g) = Σ_b s_ab ĝ_b + a·Σ_{j∈a} c_j (g_j − ĝ_{b(j)}^{−f(j)}) = Σ_l ω_al g_l,          Σ_l ω_al = 1

g is any function of a gold label (the label itself, 1[y <= t], a loss beyond a threshold); b are bins of the judge
score with label means ĝ_b pooled over policies, s_ab the share of arm a's rows in bin b, c_j the normalised label
weight of arm a's own labels, f(j) the fold that holds label j out. The error, by cluster: rows drawn, own labels drawn,
and bin means learned from labels anywhere, (s_ab − a·Σ_{j∈a,b} c_j)(g_l − ĝ_b)/V_b. Some ω may be negative; they are
exact all the same.

Limits: one bin and a = 1 is the labels-only mean; every row labelled gives each row its own weight; a = 0 borrows the
pooled bins in full (a policy without labels), which is unbiased only if gold given score is the same for all policies.

Robins, Rotnitzky, Zhao (1994), JASA 89(427) (augmentation); Chernozhukov et al. (2018), section 3 (cross-fitting).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from .cluster import group_sums
from .crossfit import folds as deal
from .crossfit import unit_free
from .design import label_weight as weight_of_labels
from .pseudo import constant
from .regression import prediction

MOST_BINS = 20
LABELS_PER_BIN = 10


def bins(score: FloatArray, known: IntArray, weight: FloatArray, cluster: IntArray) -> IntArray:
    """[n] bin of each score, edges at weighted quantiles of the labelled ones; a missing score joins the fullest bin.

    Arguments:
        score: [n], NaN where the judge abstained.
        known: [m] labelled rows.
        weight: [n] row weights.
        cluster: [n] independent units; ten labelled ones make a bin.

    >>> bins(np.array([0.1, 0.9, 0.2, np.nan]), np.array([0, 1]), np.ones(4), np.arange(4))
    array([0, 0, 0, 0])
    """
    there = known[np.isfinite(score[known])]
    seen, mass = score[there], weight[there]
    count = int(np.clip(np.unique(cluster[there]).size // LABELS_PER_BIN, 1, MOST_BINS))
    values = np.unique(seen)
    if values.size <= count:
        edges = (values[1:] + values[:-1]) / 2  # a judge with few verdicts: each its own bin
    elif seen.size:
        order = np.argsort(seen, kind="stable")
        height = np.cumsum(mass[order])
        cut = np.searchsorted(height, np.arange(1, count) / count * height[-1] * (1 - 1e-12))
        edges = np.unique(seen[order][cut])
        edges = edges[edges > values[0]]
    else:
        edges = np.empty(0)
    code: IntArray = np.searchsorted(edges, np.nan_to_num(score), side="right").astype(np.int64)
    occupied = np.bincount(code[there], mass, edges.size + 1)
    code[~np.isfinite(score)] = int(np.argmax(occupied))
    return code


@dataclass(frozen=True, slots=True, eq=False)
class Reweighted:
    """Everything that ω and its error need; made by `reweigh`.

    Arguments:
        labels: [m] row numbers of the labels.
        omega: [k, m] weight of each label in each arm; rows sum to 1.
        own: [k] labelled clusters of each arm.
        pull: [k] how much of the own residual each arm uses, a.
    """

    labels: IntArray
    omega: FloatArray
    own: IntArray
    pull: FloatArray
    units: int
    arm: IntArray
    bin: IntArray
    cluster: IntArray
    fold: IntArray
    row_share: FloatArray
    label_weight: FloatArray
    shares: FloatArray
    own_shares: FloatArray

    def influence(self, a: int, g: FloatArray) -> FloatArray:
        """[units] ψ of arm a for label values g [m]."""
        code, v = self.bin[self.labels], self.label_weight
        size = np.bincount(code, v, self.shares.shape[1])
        level = np.bincount(code, v * g, self.shares.shape[1]) / np.where(size > 0, size, 1.0)
        mine = self.arm == a
        rows = np.where(mine, self.row_share * (level[self.bin] - self.shares[a] @ level), 0.0)
        psi = group_sums(self.cluster, rows, self.units)
        tilt = self.shares[a] - self.pull[a] * self.own_shares[a]
        at = np.divide(v, size[code], out=np.zeros_like(v), where=size[code] > 0)
        lab = tilt[code] * at * (g - level[code])
        if self.pull[a] > 0:
            lab = lab + self.pull[a] * self._residual(a, g)
        return psi + np.bincount(self.cluster[self.labels], lab, self.units)

    def residuals(self, a: int, g: FloatArray) -> tuple[float, FloatArray]:
        """Mean held-out residual of arm a's own labels, and its [m] contributions (centred, summing to 0)."""
        psi = self._residual(a, g)
        c = self._own(a)
        return float(c @ (g - self._held_out(g))), psi

    def _own(self, a: int) -> FloatArray:
        c = np.where(self.arm[self.labels] == a, self.label_weight, 0.0)
        return c / c.sum() if c.sum() > 0 else c

    def _residual(self, a: int, g: FloatArray) -> FloatArray:
        c, gap = self._own(a), g - self._held_out(g)
        return c * (gap - c @ gap)

    def _held_out(self, g: FloatArray) -> FloatArray:
        """[m] bin mean of each label by labels of other folds (by its own bin where no other fold has one)."""
        bins_, folds_ = self.shares.shape[1], int(self.fold.max(initial=0)) + 1
        code = self.bin[self.labels]
        pair = code * folds_ + self.fold
        size = np.bincount(pair, self.label_weight, bins_ * folds_).reshape(bins_, folds_)
        total = np.bincount(pair, self.label_weight * g, bins_ * folds_).reshape(bins_, folds_)
        left = size.sum(axis=1, keepdims=True) - size
        sums = total.sum(axis=1, keepdims=True) - total
        lone = left <= 1e-9 * size
        left, sums = np.where(lone, size, left), np.where(lone, total, sums)
        return (sums / np.where(left > 0, left, 1.0))[code, self.fold]


def reweigh(
    score: FloatArray,
    labels: IntArray,
    label_weight: FloatArray,
    arm: IntArray,
    arms: int,
    cluster: IntArray,
    weight: FloatArray,
    *,
    pull: FloatArray | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Reweighted:
    """The weighting of labels for each arm.

    Arguments:
        score: [n] judge score or calibrated forecast.
        labels: [m] row numbers of the labelled rows, at least one.
        label_weight: [m] w/π of each.
        arm: [n] code of the policy or slice; −1 for rows that belong to none but whose labels teach the bins.
        arms: number k of arms.
        cluster: [n] independent unit.
        weight: [n] row weights.
        pull: [k] share a of the own residual; 1 by default for arms with two labelled clusters or more, else 0.
        folds, seed: of the cross-fit.
    """
    score = unit_free(score)
    code = bins(score, labels, weight, cluster)
    width, lab_bin, lab_arm = int(code.max()) + 1, code[labels], arm[labels]
    fold = deal(cluster[labels], _keys(score, weight, cluster)[labels], count=folds, seed=seed)
    inside = arm >= 0
    total = np.bincount(arm[inside], weight[inside], arms)
    row_share = np.where(inside, weight / np.where(total > 0, total, 1.0)[np.maximum(arm, 0)], 0.0)
    flat = arm[inside] * width + code[inside]
    shares = group_sums(flat, row_share[inside], arms * width).reshape(arms, width)
    mine = lab_arm >= 0
    own_total = np.bincount(lab_arm[mine], label_weight[mine], arms)
    pairs = np.unique(np.column_stack([lab_arm[mine], cluster[labels][mine]]), axis=0)
    own = np.bincount(pairs[:, 0], minlength=arms)
    a = (own >= 2).astype(float) if pull is None else pull
    c = np.where(mine, label_weight / np.where(own_total > 0, own_total, 1.0)[np.maximum(lab_arm, 0)], 0.0)
    own_shares = group_sums(lab_arm[mine] * width + lab_bin[mine], c[mine], arms * width).reshape(arms, width)
    made = Reweighted(
        labels,
        np.empty((0, 0)),
        own,
        a,
        int(cluster.max()) + 1,
        arm,
        code,
        cluster,
        fold,
        row_share,
        label_weight,
        shares,
        own_shares,
    )
    return _with_omega(made, c)


def _keys(score: FloatArray, weight: FloatArray, cluster: IntArray) -> FloatArray:
    """[n] weighted mean score of the row's cluster, by which folds are balanced."""
    units = int(cluster.max()) + 1
    total = np.maximum(np.bincount(cluster, weight, units), 1e-300)
    means: FloatArray = np.bincount(cluster, weight * np.nan_to_num(score), units) / total
    return means[cluster]


def _with_omega(made: Reweighted, c: FloatArray) -> Reweighted:
    """Spells out ω: what each label adds through its own residual, its bin, and the bins that held others out."""
    (k, width), folds_ = made.shares.shape, int(made.fold.max(initial=0)) + 1
    code, v, m = made.bin[made.labels], made.label_weight, made.labels.size
    lab_arm = made.arm[made.labels]
    size = np.bincount(code * folds_ + made.fold, v, width * folds_).reshape(width, folds_)
    full = size.sum(axis=1)
    lone = full[:, None] - size <= 1e-9 * size
    left = np.where(lone, size, full[:, None] - size)
    omega = np.empty((k, m))
    for a in range(k):
        mine = lab_arm == a
        held = np.bincount((code * folds_ + made.fold)[mine], c[mine], width * folds_).reshape(width, folds_)
        rate = held / np.where(left > 0, left, 1.0)
        others = np.where(lone, 0.0, rate)
        spread = others.sum(axis=1)[code] - others[code, made.fold] + np.where(lone, rate, 0.0)[code, made.fold]
        base = v * made.shares[a][code] / np.where(full > 0, full, 1.0)[code]
        if not made.shares[a].any():
            omega[a] = np.nan
            continue
        omega[a] = base + made.pull[a] * (np.where(mine, c, 0.0) - v * spread)
    return replace(made, omega=omega)


def from_ratings(
    ratings: Ratings,
    *,
    judge: str = "",
    arm: IntArray | None = None,
    arms: int = 0,
    pull: FloatArray | None = None,
    folds: int = 5,
    seed: int = 0,
) -> Reweighted:
    """The weighting for each policy of a table, or for each code of `arm`.

    Errors: no such judge; no label at all.
    """
    labels = np.flatnonzero(ratings.labelled & (ratings.weight > 0))
    if not labels.size:
        raise AdjudgeError(
            "ratings.gold: no row has a gold label.",
            "At least one labelled row, better 20 for each policy.",
            "Name the column with --gold, or plan labels with: adjudge plan.",
        )
    code, k = (ratings.policy, ratings.k) if arm is None else (arm, arms)
    return reweigh(
        prediction(ratings, judge),
        labels,
        weight_of_labels(ratings, group=code, groups=k)[labels],
        code,
        k,
        ratings.cluster,
        ratings.weight,
        pull=pull,
        folds=folds,
        seed=seed,
    )


def thin(ratings: Ratings, made: Reweighted) -> tuple[Finding, ...]:
    """Findings on policies that borrow all they have, and on tables whose labels are too few or all the same."""
    found = []
    y = ratings.gold[made.labels]
    bare = tuple(ratings.policies[p] for p in np.flatnonzero(made.own < 2))
    if bare:
        found.append(
            Finding(
                "labels-missing",
                Severity.SEVERE,
                f"{len(bare)} of {ratings.k} policies have fewer than 2 labelled clusters of their own; their values "
                f"assume that gold given score is as for the others: {', '.join(bare[:10])}.",
                len(bare),
                0,
                "Label rows of these policies.",
                bare,
            )
        )
    return (*found, *constant(y))
