"""Fits Davidson's model with latent buckets of tasks by EM, for many weightings of the data at once.

    task j ∈ bucket t with chance π_t;   P(win, tie, loss | t) ∝ e^{d/2}, ν_t, e^{−d/2},   d = α_lt − α_rt
    progress y ∈ [0, 1]:  y·log p + (1 − y)·log(1 − p),   p = 1/(1 + e^{τ_t − c·α_it})
    penalty  Σ_it (α_it − mean_t α_i)²/(2σ²)

E: γ_jt ∝ π_t·exp(log-likelihood of task j in bucket t).   M: π_t = mean γ, and one Newton step on the rest, a
generalised EM: near the answer it is Newton's method on the expected log-likelihood. All votes and progress enter by
sums over cells, which one sparse product takes from tasks to cells and back, for all replicates together.

Dempster, Laird, Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm, JRSS B 39(1).
Limit: one bucket without progress is Davidson's model, and EM is Newton's method.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, special

from .._typing import FloatArray, IntArray
from . import _soft_davidson as davidson

LONGEST = 2.0
"""Log-odds that a parameter may move in one step."""
LEAST = -1e6


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Sums that the likelihood reads; J units of tasks, I tasks, P pairs, k policies.

    Arguments:
        sums: [J, 3P + 2k] wins, ties and losses by pair, then progress made and progress missing by policy.
        task: [J] task of each unit.
        left, right: [P] policies of each pair.
        k, tasks: numbers of policies and tasks.
        ties, progress: whether there are any.
    """

    sums: sparse.csr_array
    task: IntArray
    left: IntArray
    right: IntArray
    k: int
    tasks: int
    ties: bool
    progress: bool

    @property
    def design(self) -> FloatArray:
        """[P, k] +1 and −1."""
        return davidson.incidence(self.left, self.right, self.k).toarray()


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Parameters of B fits with T buckets.

    Arguments:
        share: [B, T] π.
        alpha: [B, T, k] strength of each policy in each bucket, mean 0 over policies.
        tie: [B, T] log ν.
        hard: [B, T] τ.
        slope: [B] c.
    """

    share: FloatArray
    alpha: FloatArray
    tie: FloatArray
    hard: FloatArray
    slope: FloatArray

    def overall(self) -> FloatArray:
        """[B, k] strength over the mix of tasks: Σ_t π_t α_t."""
        return np.asarray(np.einsum("bt,btk->bk", self.share, self.alpha))

    def take(self, rows: IntArray) -> Model:
        """Some of the fits."""
        return Model(*(getattr(self, name)[rows] for name in ("share", "alpha", "tie", "hard", "slope")))


def log_table(cells: Cells, model: Model) -> FloatArray:
    """[B, T, 3P + 2k] log-likelihood of one count in each cell."""
    d = model.alpha[..., cells.left] - model.alpha[..., cells.right]
    u = np.broadcast_to(model.tie[..., None], d.shape)
    size = np.logaddexp(np.logaddexp(d / 2, -d / 2), u)
    eta = model.slope[:, None, None] * model.alpha - model.hard[..., None]
    parts = [d / 2 - size, np.maximum(u - size, LEAST), -d / 2 - size, special.log_expit(eta), special.log_expit(-eta)]
    return np.concatenate(parts, axis=-1)


def expect(cells: Cells, model: Model, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[B] log-likelihood and [B, T, J] weighted responsibilities of each unit.

    Arguments:
        weight: [B, J] how often each unit counts.
    """
    B, T = model.share.shape
    table = log_table(cells, model).reshape(B * T, -1)
    own = np.asarray(cells.sums @ table.T).T.reshape(B, T, -1)
    by_task = _gather(cells, own)
    with np.errstate(divide="ignore"):
        joint = by_task + np.log(model.share)[..., None]
    total = special.logsumexp(joint, axis=1)
    chance = np.exp(joint - total[:, None])[..., cells.task]
    size = np.bincount(cells.task, minlength=cells.tasks)[cells.task]
    return np.asarray((weight * total[:, cells.task] / size).sum(axis=1)), chance * weight[:, None]


def _gather(cells: Cells, own: FloatArray) -> FloatArray:
    """[B, T, I] sums of unit values [B, T, J] by task."""
    J = cells.task.size
    picker = sparse.csr_array((np.ones(J), (cells.task, np.arange(J))), shape=(cells.tasks, J))
    return np.asarray(picker @ own.reshape(-1, J).T).T.reshape(*own.shape[:2], cells.tasks)


def improve(cells: Cells, model: Model, chance: FloatArray, weight: FloatArray, offset: float) -> Model:
    """One M step: shares in closed form, the rest by a Newton step whose length is held."""
    B, T, _ = chance.shape
    size = np.bincount(cells.task, minlength=cells.tasks)[cells.task]
    share = (chance / size).sum(axis=2) / (weight / size).sum(axis=1)[:, None]
    gradient, curvature = newton_system(cells, model, chance, offset)
    curvature[:, np.arange(gradient.shape[1]), np.arange(gradient.shape[1])] += 1e-9
    step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
    step *= np.minimum(1.0, LONGEST / np.maximum(np.abs(step).max(axis=1), 1e-300))[:, None]
    k = cells.k
    alpha = model.alpha + step[:, : T * k].reshape(B, T, k)
    tie = model.tie + step[:, T * k : T * k + T] * cells.ties
    hard, slope = model.hard, model.slope
    if cells.progress:
        hard, slope = model.hard + step[:, T * k + T : T * k + 2 * T], np.maximum(model.slope + step[:, -1], 1e-3)
    middle = alpha.mean(axis=2)
    return Model(share, alpha - middle[..., None], tie, hard - slope[:, None] * middle * cells.progress, slope)


def newton_system(
    cells: Cells, model: Model, chance: FloatArray, offset: float, *, pinned: bool = True
) -> tuple[FloatArray, FloatArray]:
    """[B, q] gradient and [B, q, q] curvature of the expected log-likelihood by (α, log ν, τ, c).

    Arguments:
        chance: [B, T, J] weighted responsibilities.
        offset: σ of the policies' deviations from bucket to bucket.
        pinned: adds what fixes the mean of α in each bucket, and the penalty.
    """
    B, T, J = chance.shape
    k, P, D = cells.k, cells.left.size, cells.design
    sums = np.asarray(cells.sums.T @ chance.reshape(B * T, J).T).T.reshape(B, T, -1)
    win, tie, loss, made, missed = np.split(sums, [P, 2 * P, 3 * P, 3 * P + k], axis=2)
    d = model.alpha[..., cells.left] - model.alpha[..., cells.right]
    p_win, p_tie, p_loss = davidson.chances(d, np.broadcast_to(model.tie[..., None], d.shape))
    n = win + tie + loss
    q = T * k + T + (T + 1) * cells.progress
    gradient, curvature = np.zeros((B, q)), np.zeros((B, q, q))
    by_alpha = ((win - loss) / 2 - n * (p_win - p_loss) / 2) @ D
    bend = n * ((p_win + p_loss) / 4 - (p_win - p_loss) ** 2 / 4)
    cross = -(n * p_tie * (p_win - p_loss) / 2) @ D
    block = np.zeros((B, T, k, k))  # Dᵀ diag(bend) D; each pair of policies stands once
    block[..., cells.left, cells.right] = block[..., cells.right, cells.left] = -bend
    block[..., np.arange(k), np.arange(k)] = bend @ np.abs(D)
    if cells.progress:
        eta = model.slope[:, None, None] * model.alpha - model.hard[..., None]
        p = special.expit(eta)
        left, heavy = made - (made + missed) * p, (made + missed) * p * (1 - p)
        by_alpha = by_alpha + model.slope[:, None, None] * left
        block[..., np.arange(k), np.arange(k)] += model.slope[:, None, None] ** 2 * heavy
        last = slice(T * k + T, T * k + 2 * T)
        gradient[:, last] = -left.sum(axis=2)
        gradient[:, -1] = (left * model.alpha).sum(axis=(1, 2))
        curvature[:, -1, -1] = (heavy * model.alpha**2).sum(axis=(1, 2))
        across = -(heavy * model.alpha).sum(axis=2)
        curvature[:, last, -1] = curvature[:, -1, last] = across
    for t in range(T):
        at, nu = slice(t * k, (t + 1) * k), T * k + t
        gradient[:, at] = by_alpha[:, t]
        curvature[:, at, at] = block[:, t]
        gradient[:, nu] = (tie - n * p_tie)[:, t].sum(axis=1) * cells.ties
        curvature[:, nu, nu] = (n * p_tie * (1 - p_tie))[:, t].sum(axis=1) if cells.ties else 1.0
        if cells.ties:
            curvature[:, at, nu] = curvature[:, nu, at] = cross[:, t]
        if cells.progress:
            h = T * k + T + t
            curvature[:, h, h] = heavy[:, t].sum(axis=1)
            curvature[:, at, h] = curvature[:, h, at] = -model.slope[:, None] * heavy[:, t]
            along = model.slope[:, None] * heavy[:, t] * model.alpha[:, t]
            curvature[:, at, -1] = curvature[:, -1, at] = along
    if pinned:
        _penalise(gradient, curvature, model.alpha, offset, block)
    return gradient, curvature


def _penalise(
    gradient: FloatArray, curvature: FloatArray, strength: FloatArray, offset: float, block: FloatArray
) -> None:
    """Adds the pull of a policy's buckets together, and a pin on the mean of each bucket, in place."""
    B, T, k = strength.shape
    pull = (np.eye(T) - 1 / T) / offset**2
    gradient[:, : T * k] -= np.einsum("st,btk->bsk", pull, strength).reshape(B, -1)
    curvature[:, : T * k, : T * k] += np.kron(pull, np.eye(k))
    pin = np.kron(np.eye(T), np.ones((k, k))) / k
    curvature[:, : T * k, : T * k] += pin * (np.trace(block.sum(axis=1), axis1=1, axis2=2) / k)[:, None, None]


def climb(
    cells: Cells, model: Model, weight: FloatArray, offset: float, *, steps: int, tolerance: float
) -> tuple[Model, FloatArray, bool]:
    """EM from a model until nothing moves: the model, [B] log-likelihoods, and whether all settled."""
    value = np.full(weight.shape[0], -np.inf)
    for _ in range(steps):
        value, chance = expect(cells, model, weight)
        new = improve(cells, model, chance, weight, offset)
        moved = np.abs(new.overall() - model.overall()).max(axis=1) + np.abs(new.share - model.share).max(axis=1)
        model = new
        if np.all(moved < tolerance):
            return model, value, True
    return model, value, False


def start(cells: Cells, T: int, draws: int, rng: np.random.Generator) -> Model:
    """Random starts: a little noise on strengths, ties and difficulty; nothing random with one bucket."""
    noise = rng.standard_normal((draws, T, cells.k + 2)) * (T > 1)
    tie = np.where(cells.ties, 0.8 * noise[..., -1] - 0.5, -np.inf)
    even = np.full((draws, T), 1.0 / T)
    alpha = 0.5 * noise[..., : cells.k]
    alpha = alpha - alpha.mean(axis=2, keepdims=True)
    return Model(even, alpha, tie, noise[..., -2], np.ones(draws))


def repeated(model: Model, draws: int) -> Model:
    """One fit as the start of many."""
    return model.take(np.zeros(draws, dtype=np.int64))


def ordered(model: Model) -> Model:
    """Buckets by falling share of the first fit."""
    order = np.argsort(-model.share[0], kind="stable")
    return replace(
        model,
        share=model.share[:, order],
        alpha=model.alpha[:, order],
        tie=model.tie[:, order],
        hard=model.hard[:, order],
    )
