"""Rankings as a series of choices, and the likelihood of choices from sets in which several may be chosen at once.

    P(S | A) = δ_s (∏_{i∈S} α_i)^{1/s} / Σ_d δ_d e_d(A; α^{1/d}),      s = |S|,  δ_1 = 1,  α = e^θ

e_d is the elementary symmetric polynomial: the sum over all sets of d that could have been chosen. It is built policy
by policy, all sets at once, with positive terms only; leaving policies out again gives the first and second
derivatives. In (θ, log δ) this is an exponential family, so ℓ is concave. Equal sets are counted, not repeated.

Turner, van Etten, Firth, et al. (2020), Eq. 1. Limits: D = 1 is Plackett-Luce; sets of two are Davidson's model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, special

from .._typing import BoolArray, FloatArray, IntArray

STEPS = 100
TOLERANCE = 1e-9  # largest gradient for every choice
SLOW = 0.1  # share of the gradient that a step may leave before the curvature is taken anew
FLAT = 1e-4  # choices' worth of curvature below which the maximum lies at infinity


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """Choices from sets; m choices, U distinct sets, k policies.

    Arguments:
        sets: [U, k] 1 where the policy could be chosen.
        at: [m] which set each choice was from.
        chosen: [m, k] sparse, 1/s for each of the s chosen.
        size: [m] s.
        weight: [m] how much each choice counts.
        owner: [m] which ranking it belongs to.
    """

    sets: FloatArray
    at: IntArray
    chosen: sparse.csr_array
    size: IntArray
    weight: FloatArray
    owner: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The maximum: θ [k] with mean 0 over the free, log δ [t] of `orders`, −∂²ℓ [k + t, k + t], gradient by choice."""

    theta: FloatArray
    log_delta: FloatArray
    orders: tuple[int, ...]
    information: FloatArray
    gradient: float
    converged: bool


def from_ranks(place: IntArray, weight: FloatArray, *, apart: bool = False) -> Choices:
    """Choices behind rankings: the best of all, the best of the rest, and so on; a last policy alone is no choice.

    Arguments:
        place: [R, k] rank of each policy, 0, 1, … without gaps and equal where tied; −1 where not ranked.
        weight: [R] of each ranking.
        apart: each of s tied policies is chosen by itself from the same set (Breslow's approximation), with weight 1,
            or (s − 1)/s where nothing is left below them, as many choices as if they had been ordered.
    """
    sets, chosen, owner = [], [], []
    for step in range(int(place.max(initial=-1)) + 1):
        left, took = place >= step, place == step
        rows = np.flatnonzero(took.any(axis=1) & (left.sum(axis=1) > 1))
        sets.append(left[rows])
        chosen.append(took[rows])
        owner.append(rows)
    k = place.shape[1]
    left_all = np.concatenate(sets) if sets else np.zeros((0, k), dtype=bool)
    took_all = np.concatenate(chosen) if chosen else np.zeros((0, k), dtype=bool)
    rows = np.concatenate(owner) if owner else np.zeros(0, dtype=np.int64)
    size = took_all.sum(axis=1)
    if apart:
        final = size == left_all.sum(axis=1)
        share = np.repeat(np.where(final, (size - 1) / np.maximum(size, 1), 1.0), size)
        who = np.nonzero(took_all)
        took_all = np.zeros((who[0].size, k), dtype=bool)
        took_all[np.arange(who[0].size), who[1]] = True
        left_all, rows, size = left_all[who[0]], rows[who[0]], np.ones(who[0].size, dtype=np.int64)
    else:
        share = np.ones(rows.size)
    packed = np.ascontiguousarray(np.packbits(left_all, axis=1))
    _, first, at = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    took = sparse.csr_array(took_all / np.maximum(size, 1)[:, None])
    return Choices(left_all[first].astype(float), at, took, size, weight[rows] * share, rows)


def fit(choices: Choices, free: BoolArray, orders: Sequence[int], pseudo: float) -> Fit:
    """Newton's method with halved steps from equal worth.

    Arguments:
        choices: m choices.
        free: [k] policies to be rated.
        orders: sizes of ties, above 1, that have a parameter.
        pseudo: wins and losses of each policy against an imaginary one of worth 1.
    """
    k, at, ties = free.size, np.flatnonzero(free), tuple(orders)
    beta = np.zeros(k + len(ties))
    seen = np.array([float(choices.weight[choices.size == d].sum()) for d in (1, *ties)])
    beta[k:] = np.log(np.maximum(seen[1:], 1e-300) / max(seen[0], 1.0)) - [
        np.log(max(special.comb(choices.sets.sum(axis=1).mean(), d) / choices.sets.sum(axis=1).mean(), 1e-9))
        for d in ties
    ]
    movable = np.concatenate([at, np.arange(k, beta.size)])
    total = max(float(choices.weight.sum()), 1e-300)
    value, gradient, bend = slopes(choices, beta, ties, pseudo, free)
    information, fresh, before = bend(), True, np.inf
    for _ in range(STEPS):
        steep = float(np.abs(gradient[movable]).max(initial=0.0))
        if steep <= 1e-12 * total:
            break
        if steep > SLOW * before and not fresh:
            information, fresh = bend(), True
        before, step = steep, np.zeros_like(beta)
        step[movable] = _newton(information, gradient, movable, k, at.size, pseudo > 0)
        size, moved = 1.0, False
        while size > 1e-9 and not moved:
            new = slopes(choices, beta + size * step, ties, pseudo, free)
            moved = new[0] >= value - 1e-13 * abs(value)
            size /= 2
        if moved:
            beta, (value, gradient, bend), fresh = beta + 2 * size * step, new, False
        elif fresh:
            break
        else:
            before = 0.0  # the old curvature led nowhere: take it anew
    information = information if fresh else bend()
    largest = float(np.abs(gradient[movable]).max(initial=0.0)) / total
    theta = np.where(free, beta[:k] - (beta[at].mean() if at.size else 0.0), np.nan)
    curve = information[np.ix_(movable, movable)] + (0.0 if pseudo else 1.0) * np.outer(movable < k, movable < k)
    flat = movable.size > 0 and float(np.linalg.eigvalsh(curve)[0]) < FLAT * total / max(choices.weight.size, 1)
    return Fit(theta, beta[k:], ties, information, largest, largest <= TOLERANCE and not flat)


def _newton(
    information: FloatArray, gradient: FloatArray, movable: IntArray, k: int, rated: int, prior: bool
) -> FloatArray:
    """The step of those that move, at most 5; without a prior the mean of θ, which nothing tells, stays."""
    curve = information[np.ix_(movable, movable)]
    if not prior:
        level = (movable < k).astype(float)
        curve = curve + np.outer(level, level) * np.trace(curve) / max(movable.size, 1) / max(rated, 1)
    step = np.linalg.lstsq(curve, gradient[movable], rcond=1e-13)[0]
    return np.asarray(step * min(1.0, 5.0 / max(np.abs(step).max(initial=0.0), 1e-300)))


def slopes(
    choices: Choices, beta: FloatArray, ties: tuple[int, ...], pseudo: float, free: BoolArray
) -> tuple[float, FloatArray, Callable[[], FloatArray]]:
    """ℓ and gradient at (θ, log δ), and what gives −∂²ℓ there, which costs much more."""
    k = choices.sets.shape[1]
    theta, log_delta = beta[:k], np.concatenate([[0.0], beta[k:]])
    orders = (1, *ties)
    log_total, share, inclusion, pairs = moments(choices.sets, theta, log_delta, orders)
    count = np.bincount(choices.at, weights=choices.weight, minlength=choices.sets.shape[0])
    took = choices.chosen.T @ choices.weight
    number = np.array([float(choices.weight[choices.size == d].sum()) for d in orders])
    expected = expectation(share, inclusion, orders)
    value = float(took @ theta + number @ log_delta - count @ log_total)
    gradient = np.concatenate([took - count @ expected, number[1:] - count @ share[:, 1:]])
    p = special.expit(theta)
    if pseudo:
        value += pseudo * float((special.log_expit(theta) + special.log_expit(-theta))[free].sum())
        gradient[:k] += np.where(free, pseudo * (1 - 2 * p), 0.0)

    def bend() -> FloatArray:
        weighted = count[:, None] * expected
        own = -weighted.T @ expected
        own[np.arange(k), np.arange(k)] += np.where(free, 2 * pseudo * p * (1 - p), 0.0)
        for t, d in enumerate(orders):
            own += pairs(count * share[:, t] / d**2, t) if d > 1 else 0.0  # one choice has no pair
            own[np.arange(k), np.arange(k)] += (count * share[:, t] / d**2) @ inclusion[t]
        cross = np.array(
            [(count * share[:, t]) @ (inclusion[t] / d) - share[:, t] @ weighted for t, d in enumerate(orders)]
        )
        drawn = np.diag(count @ share) - (count[:, None] * share).T @ share
        return np.block([[own, cross[1:].T], [cross[1:], drawn[1:, 1:]]])

    return value, gradient, bend


def expectation(share: FloatArray, inclusion: Sequence[FloatArray], orders: Sequence[int]) -> FloatArray:
    """[U, k] expected 1/s of each policy, over what may be chosen from each set."""
    if len(orders) == 1:  # plain choices of one: share is 1
        return inclusion[0]
    out = share[:, [0]] * inclusion[0]
    for t, d in enumerate(orders[1:], 1):
        out += (share[:, t] / d)[:, None] * inclusion[t]
    return out


def moments(
    sets: FloatArray, theta: FloatArray, log_delta: FloatArray, orders: Sequence[int]
) -> tuple[FloatArray, FloatArray, list[FloatArray], Callable[[FloatArray, int], FloatArray]]:
    """log of the sum over choices [U]; chance of each order [U, T]; of each policy given the order, T of [U, k]; pairs.

    The last is a function (c [U], t) -> [k, k]: Σ_A c_A · chance that both i and j are chosen, given order t.
    """
    U, k = sets.shape
    top = float(theta.max(initial=0.0))
    logs, inclusion, kept = np.empty((U, len(orders))), [], []
    for t, d in enumerate(orders):
        x = np.exp((theta - top) / d)
        e = [np.ones(U), *(np.zeros(U) for _ in range(d))]
        if d == 1:
            e[1] = sets @ x
        for i in range(k if d > 1 else 0):
            own = sets[:, i] * x[i]
            for r in range(d, 0, -1):
                e[r] = e[r] + own * e[r - 1]
        with np.errstate(divide="ignore"):
            logs[:, t] = log_delta[t] + top + np.log(e[d])
        over = np.where(e[d] > 0, 1 / np.where(e[d] > 0, e[d], 1.0), 0.0)
        chance = sets * x
        if d > 1:
            chance *= np.maximum(_without(e, x, d - 1), 0.0)
        chance *= over[:, None]
        inclusion.append(chance)
        kept.append((x, e, over))
    log_total = special.logsumexp(logs, axis=1)

    def pairs(c: FloatArray, t: int) -> FloatArray:
        d, (x, e, over) = orders[t], kept[t]
        table = np.zeros((k, k))
        for s in range(d - 1):
            own = sets * _without(e, x, d - 2 - s) * (c * over)[:, None]
            table += (own.T @ sets) * x[:, None] * x * (-x) ** s
        np.fill_diagonal(table, 0.0)
        return (table + table.T) / 2

    return log_total, np.exp(logs - log_total[:, None]), inclusion, pairs


def _without(e: Sequence[FloatArray], x: FloatArray, r: int) -> FloatArray:
    """[U, k] e_r of the set without each of its policies."""
    powers = np.array([(-x) ** s for s in range(r, -1, -1)])
    return np.column_stack(e[: r + 1]) @ powers
