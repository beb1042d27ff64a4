"""How well does a number order things: Kendall's τ, pairs in order, area under the ROC curve; what each row adds.

    τ_b = E[sgn(x−x′) sgn(y−y′)] / √(P(x≠x′) · P(y≠y′))
    AUC = P(x₁ > x₀) + ½ P(x₁ = x₀)            x₁ of a good row, x₀ of a bad one
    acc = P(sgn_ε(x−x′) = sgn(y−y′))            sgn_ε is 0 up to a distance ε, the tie width

Influences are Hájek projections of these averages over pairs: twice (τ) what a row adds on average against all others.

Kendall (1945), The treatment of ties in ranking problems; DeLong, DeLong, Clarke-Pearson (1988) (AUC); Deutsch,
Foster, Freitag (2023), Ties Matter (acc; with the ε that serves x best it is tie-calibrated).
Limits: no ties make τ_b the plain τ; a constant side, or one class alone, leaves them undefined (NaN); τ takes time
n² and memory n for each block of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.estimate import Estimate, Part
from .certain import never_certain
from .rank_correlation import Told, best_width, mid_rank, pairs, same_order

BLOCK = 1 << 22  # comparisons held at once
SAMPLE = 2000  # rows whose pairs tell the width of a tie


def kendall(x: FloatArray, y: FloatArray, weight: FloatArray) -> Told:
    """Weighted τ_b of [n] x and y over pairs of different rows, with its influence [n]; NaN where one is constant.

    >>> value, _ = kendall(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 4.0, 3.0]), np.ones(4))
    >>> round(value, 9)
    0.666666667
    """
    n = x.size
    share = weight / weight.sum() if weight.sum() > 0 else np.zeros(n)
    each = np.empty((3, n))  # Σ_j share_j of: agreement of signs, x differs, y differs
    step = max(1, BLOCK // max(n, 1))
    for rows in range(0, n, step):
        at = slice(rows, rows + step)
        dx, dy = np.sign(x[at, None] - x), np.sign(y[at, None] - y)
        each[:, at] = (dx * dy) @ share, (dx != 0) @ share, (dy != 0) @ share
    top, wide, tall = (float(share @ row) for row in each)
    if not (n > 1 and wide > 1e-15 and tall > 1e-15):
        return np.nan, np.full(n, np.nan)
    root = np.sqrt(wide * tall)
    value = top / root
    of = 2 * (each[0] - top) / root - value * ((each[1] - wide) / wide + (each[2] - tall) / tall)
    return float(np.clip(value, -1.0, 1.0)), share * of


def pair_accuracy(x: FloatArray, y: FloatArray, weight: FloatArray, width: float) -> Told:
    """Weighted share of pairs of different rows that x puts as y does, ties included, with its influence [n].

    Arguments:
        x, y: [n] numbers.
        weight: [n] >= 0.
        width: distance up to which x ties, >= 0.

    NaN with fewer than two rows of weight.

    >>> x, y = np.array([1.0, 1.2, 3.0]), np.array([0.0, 0.0, 5.0])
    >>> pair_accuracy(x, y, np.ones(3), 0.5)[0], round(pair_accuracy(x, y, np.ones(3), 0.0)[0], 3)
    (1.0, 0.667)
    """
    n = x.size
    share = weight / weight.sum() if weight.sum() > 0 else np.zeros(n)
    apart = 1.0 - float(share @ share)
    if not apart > 1e-12:
        return np.nan, np.full(n, np.nan)
    each, step = np.empty(n), max(1, BLOCK // max(n, 1))
    for rows in range(0, n, step):
        at = slice(rows, rows + step)
        each[at] = same_order(x[at, None] - x, y[at, None] - y, width) @ share
    each -= share  # a row is not compared with itself
    value = float(share @ each) / apart
    return float(np.clip(value, 0.0, 1.0)), 2 * share * (each - value * (1 - share)) / apart


def tie_width(x: FloatArray, y: FloatArray, weight: FloatArray, *, seed: int = 0) -> float:
    """The ε at which x puts the most pairs as y does; of many rows, on a sample of them.

    Arguments:
        x, y: [n] numbers.
        weight: [n] >= 0.
        seed: of the sample.

    >>> tie_width(np.array([1.0, 1.2, 3.0]), np.array([0.0, 0.0, 5.0]), np.ones(3)).__round__(3)
    0.2
    """
    if x.size < 2:
        return 0.0
    rows = np.arange(x.size)
    if x.size > SAMPLE:
        rows = np.sort(np.random.default_rng((seed, 8627)).permutation(x.size)[:SAMPLE])
    among = pairs(np.zeros(rows.size, dtype=np.int64), SAMPLE**2)
    if among is None:
        return 0.0
    x, y, w = x[rows], y[rows], weight[rows]
    return best_width(x, y, among, w[among.left] * w[among.right])


def best_of(x: FloatArray, y: FloatArray, k: int) -> float:
    """Mean y of the row with the highest x, over all sets of k of the rows; equal x share their places.

    Arguments:
        x, y: [n] numbers.
        k: rows in a set, 1 to n.

    >>> y = np.array([5.0, 1.0, 3.0])
    >>> round(best_of(np.array([1.0, 2.0, 3.0]), y, 2), 3), round(best_of(np.zeros(3), y, 3), 3)
    (2.333, 3.0)
    """
    n = x.size
    chance = np.array([comb(n - 1 - place, k - 1) for place in range(n)]) / comb(n, k)
    _, tier = np.unique(-x, return_inverse=True)
    order = np.argsort(tier, kind="stable")
    shared = np.bincount(tier[order], chance) / np.bincount(tier)
    return float(shared[tier] @ y)


def auc(x: FloatArray, good: BoolArray, weight: FloatArray) -> Told:
    """Weighted chance that a good row has the higher x, ties half, with its influence [n]; NaN for one class alone.

    >>> auc(np.array([0.9, 0.4, 0.4, 0.1]), np.array([True, True, False, False]), np.ones(4))[0]
    0.875
    """
    up, down = np.where(good, weight, 0.0), np.where(good, 0.0, weight)
    if not (up.sum() > 0 and down.sum() > 0):
        return np.nan, np.full(x.size, np.nan)
    up, down = up / up.sum(), down / down.sum()
    beaten, won = mid_rank(x, down), 1.0 - mid_rank(x, up)
    value = float(up @ beaten)
    return value, up * (beaten - value) + down * (won - value)


def by_group(
    names: tuple[str, ...],
    group: IntArray,
    cluster: IntArray,
    told: Callable[[IntArray], Told],
    *,
    average: str = "",
    bounds: tuple[float, float] = (-1.0, 1.0),
    method: str = "",
) -> Estimate:
    """A value of each group of rows with their joint covariance by cluster; the error of a perfect one is unknown.

    Arguments:
        names: [k] of the groups.
        group: [n] code of each row's group.
        cluster: [n] code of the independent unit of every row.
        told: value and influence of some rows.
        average: name of the plain mean of the groups that have a value, told last; empty for none.
        bounds: range of the truths.
        method: address.

    >>> x, y, code = np.array([1.0, 2, 3, 4]), np.array([1.0, 2, 4, 3]), np.arange(4)
    >>> by_group(("a",), 0 * code, code, lambda rows: kendall(x[rows], y[rows], np.ones(4))).value.round(3).tolist()
    [0.667]
    """
    k, units = len(names), int(cluster.max(initial=-1)) + 1
    value, psi, seen = np.full(k, np.nan), np.full((units, k), np.nan), np.zeros(k)
    for at in range(k):
        rows = np.flatnonzero(group == at)
        value[at], influence = told(rows)
        seen[at] = np.unique(cluster[rows]).size
        if np.isfinite(value[at]) and seen[at] > 1:
            psi[:, at] = np.bincount(cluster[rows], influence, minlength=units) * np.sqrt(seen[at] / (seen[at] - 1))
    known = np.isfinite(value)
    if average and known.any():
        names, value = (*names, average), np.append(value, value[known].mean())
        psi = np.column_stack([psi, psi[:, known].mean(axis=1)])
        seen = np.append(seen, seen[known].sum())
    parts = (Part("sampling", psi.T @ psi, units),)
    df = np.maximum(seen - 1.0, 1.0)
    return never_certain(Estimate(names, value, parts, df, bounds=bounds, method=method))


def jointly(
    names: tuple[str, ...],
    told: Sequence[tuple[IntArray, Told]],
    cluster: IntArray,
    *,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    method: str = "",
) -> Estimate:
    """Values of sets of rows, which may overlap, with their joint covariance by cluster; NaN errors below two clusters.

    Arguments:
        names: [k] of the values.
        told: [k] (rows, (value, what each of them adds)).
        cluster: [n] code of the independent unit of every row.
        bounds: range of the truths.
        method: address.

    >>> rows, x = np.arange(4), np.array([1.0, 2.0, 4.0, 3.0])
    >>> found = jointly(("τ",), [(rows, kendall(np.arange(4.0), x, np.ones(4)))], rows)
    >>> found.value.round(3).item(), found.df.item()
    (0.667, 3.0)
    """
    units = int(cluster.max(initial=-1)) + 1
    own = np.array([np.unique(cluster[rows]).size for rows, _ in told])
    psi = np.column_stack([np.bincount(cluster[rows], each[1], minlength=units) for rows, each in told])
    psi = psi * np.sqrt(own / np.maximum(own - 1, 1))
    psi[:, own < 2] = np.nan
    part = Part("sampling", psi.T @ psi, units)
    value = np.array([each[0] for _, each in told])
    return never_certain(Estimate(names, value, (part,), np.maximum(own - 1.0, 1.0), bounds, method=method))
