"""Who beats whom, run against run, task by task, and how each run moves that.

    P_pqt = Σ_ij a_i b_j (1[x_i > y_j] + ½ 1[x_i = y_j]),      P_pq = 1/T Σ_t P_pqt
    h_pqti = √(n/(n − 1)) · a_i (Σ_j b_j S_ij − P_pqt)/T       what run i of p on task t adds to the error of P_pq

Cov(P_pq, P_pq') = Σ_ti h_pq h_pq' over the runs of p, and P_qp = 1 − P_pq: one [k, k, k] table G holds all of it.
Hoeffding (1948), A class of statistics with asymptotically normal distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..stats.cluster import group_sums
from ._runs import BLOCK, Runs, multiplicities


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What the pairs say.

    Arguments:
        matrix: [k, k] P_pq, 0 on the diagonal.
        covariance: [k, k] of their row means over the other policies.
        pair_covariance: of the pairs p < q, in the order of `triu_indices`; empty unless kept.
    """

    matrix: FloatArray
    covariance: FloatArray
    pair_covariance: FloatArray


def pairs(runs: Runs, *, keep: bool) -> Pairs:
    """P of all pairs with its error; `keep` asks for the covariance among pairs, too."""
    k = runs.k
    if not runs.tasks or k < 2:
        lost, several = np.full((k, k), np.nan), k * (k - 1) // 2
        return Pairs(lost, lost, np.full((several, several), np.nan))
    if runs.over == "tasks":
        return _by_task(runs, keep)
    z, mass, n = _padded(runs)
    matrix, G = np.zeros((k, k)), np.zeros((k, k, k))
    with np.errstate(divide="ignore"):
        factor = np.where(n > 1, np.sqrt(n / np.maximum(n - 1, 1)), np.nan)
    for at in _slices(runs, z.shape[2]):
        beats = _beats(z[:, at])
        place = np.einsum("pqtij,qtj->pqti", beats, mass[:, at])
        mean = np.einsum("pqti,pti->pqt", place, mass[:, at])
        matrix += mean.sum(axis=2) / runs.tasks
        weight = mass[:, at] * factor[:, at, None] / runs.tasks
        h = (place - mean[..., None]) * weight[:, None]
        G += np.einsum("pati,pbti->pab", h, h, optimize=True)
    own = np.arange(k)
    matrix[own, own] = G[own, own, :] = G[own, :, own] = 0.0
    matrix = np.clip(matrix, 0.0, 1.0)  # rounding
    return Pairs(matrix, _of_means(G), _of_pairs(G) if keep else np.empty((0, 0)))


def average(k: int) -> FloatArray:
    """[k, pairs] how the row means hang on the pairs p < q."""
    left, right = np.triu_indices(k, 1)
    W = np.zeros((k, left.size))
    W[left, np.arange(left.size)], W[right, np.arange(left.size)] = 1.0, -1.0
    return W / max(k - 1, 1)


def replicates(runs: Runs, *, draws: int, seed: int) -> FloatArray:
    """[B, pairs] P of the pairs p < q in each bootstrap replicate."""
    left, right = np.triu_indices(runs.k, 1)
    if runs.over == "tasks":
        sums, tasks = _task_sums(runs)
        first = np.unique(runs.cluster, return_index=True)[1]
        blocks = (F[:, first] for F in multiplicities(runs, draws=draws, seed=seed))
        return np.concatenate([F @ sums[:, left, right] / (F @ tasks)[:, None] for F in blocks])
    z, mass, _ = _padded(runs)
    beats = [_beats(z[:, [t]])[:, :, 0] for t in range(runs.tasks)]
    slot = _slots(runs)
    out = []
    for F in multiplicities(runs, draws=draws, seed=seed):
        weight = np.zeros((F.shape[0], *z.shape))
        weight.reshape(F.shape[0], -1)[:, slot] = F
        weight *= mass
        out.append(_replicate(weight, beats) / runs.tasks)
    return np.concatenate(out)


def _replicate(weight: FloatArray, beats: list[FloatArray]) -> FloatArray:
    """[b, pairs] sums over tasks of a·S·b for weights [b, k, T, R] and tables S [k, k, R, R] of each task."""
    b, k, _, R = weight.shape
    total = np.zeros((b, k * (k - 1) // 2))
    for t, table in enumerate(beats):
        start = 0
        for p in range(k - 1):
            against = table[p, p + 1 :].transpose(1, 0, 2).reshape(R, -1)
            won = (weight[:, p, t] @ against).reshape(b, -1, R) * weight[:, p + 1 :, t]
            total[:, start : start + k - 1 - p] += won.sum(axis=2)
            start += k - 1 - p
    return total


def _slots(runs: Runs) -> IntArray:
    """[r] place of each run in a table [k, T, R] whose cells are filled from the left."""
    order = np.argsort(runs.cell, kind="stable")
    start = np.cumsum(runs.sizes) - runs.sizes
    within = np.empty(runs.score.size, dtype=np.int64)
    within[order] = np.arange(runs.score.size) - start[runs.cell[order]].astype(np.int64)
    return runs.cell * int(runs.sizes.max(initial=1)) + within


def _padded(runs: Runs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scores and masses [k, T, R], masses summing to 1 in each cell, and runs [k, T]."""
    shape = (runs.k, runs.tasks, int(runs.sizes.max(initial=1)))
    slot = _slots(runs)
    z, mass = np.zeros(shape), np.zeros(shape)
    z.ravel()[slot], mass.ravel()[slot] = runs.score, runs.share * runs.tasks
    return z, mass, runs.sizes.reshape(shape[:2])


def _beats(z: FloatArray) -> FloatArray:
    """[k, k, t, R, R] 1 where the first policy's run is higher, ½ where they tie, for scores [k, t, R]."""
    one, other = z[:, None, :, :, None], z[None, :, :, None, :]
    return (one > other) + 0.5 * (one == other)


def _slices(runs: Runs, R: int) -> list[slice]:
    step = max(1, BLOCK // max(runs.k**2 * R**2, 1))
    return [slice(start, start + step) for start in range(0, runs.tasks, step)]


def _of_means(G: FloatArray) -> FloatArray:
    """[k, k] covariance of the row means, from G."""
    k = G.shape[0]
    total = np.zeros((k, k))
    for p in range(k):
        lead = -np.eye(k)
        lead[p] += 1.0
        total += lead @ G[p] @ lead.T
    return total / (k - 1) ** 2


def _of_pairs(G: FloatArray) -> FloatArray:
    """Covariance of the pairs p < q, from G."""
    a, b = np.triu_indices(G.shape[0], 1)
    first, second = a[:, None], b[:, None]
    return np.asarray(
        np.where(first == a, G[first, second, b], 0.0)
        - np.where(first == b, G[first, second, a], 0.0)
        - np.where(second == a, G[second, first, b], 0.0)
        + np.where(second == b, G[second, first, a], 0.0)
    )


def _task_sums(runs: Runs) -> tuple[FloatArray, FloatArray]:
    """[clusters, k, k] sums of P_pqt over the tasks of each cluster, and how many tasks those are."""
    z, mass, _ = _padded(runs)
    cluster = np.zeros(runs.tasks, dtype=np.int64)
    cluster[runs.task] = runs.cluster
    units = int(cluster.max()) + 1
    sums = np.zeros((units, runs.k, runs.k))
    for at in _slices(runs, z.shape[2]):
        mean = np.einsum("pqtij,pti,qtj->tpq", _beats(z[:, at]), mass[:, at], mass[:, at], optimize=True)
        np.add.at(sums, cluster[at], mean)
    return sums, group_sums(cluster, np.ones(runs.tasks), units)


def _by_task(runs: Runs, keep: bool) -> Pairs:
    """The same where the tasks are the sample."""
    sums, tasks = _task_sums(runs)
    k, units = runs.k, tasks.size
    matrix = np.clip(sums.sum(axis=0) / runs.tasks, 0.0, 1.0)
    np.fill_diagonal(matrix, 0.0)
    left, right = np.triu_indices(k, 1)
    influence = (sums - tasks[:, None, None] * matrix) / runs.tasks
    influence[:, np.arange(k), np.arange(k)] = 0.0
    scale = units / (units - 1) if units > 1 else np.nan
    means, among = influence.sum(axis=2) / (k - 1), influence[:, left, right]
    return Pairs(matrix, means.T @ means * scale, among.T @ among * scale if keep else np.empty((0, 0)))
