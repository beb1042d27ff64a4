"""Finds weights of several losses from whose optimum no step lowers all of them, and how each row's weight moves them.

    β_{t+1} = β_t − A⁻¹ Σ_s λ_s g_s,      λ = argmin_{λ >= 0, Σλ = 1} ‖Σ_s λ_s g_s‖²_{A⁻¹},      g_s = ∇L_s(β_t)
    dλ = −Q·dP·λ,   P = ΓA⁻¹Γᵀ,   Q = E(EᵀPE)⁻¹Eᵀ over the sources whose λ is above 0, E a basis of what sums to 0

Where it ends hangs on the way, so that λ is an estimate like any other; its derivative is carried back along the way,
step by step, at the cost of the way itself. Désidéri (2012); Griewank, Walther (2008), Chapter 3 (reverse mode).
Limits: one source has λ = 1 and no derivative; a λ at 0 stays there for small changes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from .._typing import FloatArray
from .pair_logit import Pairs
from .row_products import gram

STEPS, STILL, NEAR = 2000, 1e-8, 1e-4  # lengths of A⁻¹: where it stops, and where its λ are good to two digits
SAME = 1e-12  # squared length of A⁻¹, which has no unit, below which two slopes are one and their weights say nothing


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """The way to the point; S sources, d features.

    Arguments:
        own: [S] pairs of each source, whose weights sum to 1.
        pull: λ of the penalty on each mean loss.
        root: [d, d] with A⁻¹ = root·rootᵀ.
        path: β_0, β_1 … of each step.
        shares: [S] λ of each.
        settled: whether it came to stand still, or nearly.
    """

    own: tuple[Pairs, ...]
    pull: float
    root: FloatArray
    path: tuple[FloatArray, ...]
    shares: tuple[FloatArray, ...]
    settled: bool

    @property
    def share(self) -> FloatArray:
        """[S] λ at the end."""
        return self.shares[-1]

    def slopes(self, beta: FloatArray) -> FloatArray:
        """[S, d] g_s."""
        return np.array([each.x.T @ each.slopes(each.x @ beta)[0] + self.pull * beta for each in self.own])

    def by_weight(self) -> list[FloatArray]:
        """For each source [n_s, S]: what λ at the end gains where the weight of a row of it grows, ∂λ/∂log w."""
        count, d = len(self.own), self.path[0].size
        moved = [np.zeros((each.better.size, count)) for each in self.own]
        v, asked = np.zeros((d, count)), np.eye(count)  # derivatives of the λ at the end by β_{t+1}, and by λ_t
        for beta, share in zip(reversed(self.path), reversed(self.shares), strict=True):
            slopes = self.slopes(beta)
            step = self._inverse(slopes.T @ share)
            u = self._inverse(v)
            z = -_inner(slopes @ self.root, share) @ (asked - slopes @ u)
            h = self._inverse(slopes.T @ z) - u
            asked = np.zeros((count, count))
            for number, each in enumerate(self.own):
                first, second = each.slopes(each.x @ beta)
                turned = np.outer(step, z[number]) + share[number] * h
                seen, mass = each.x @ turned, each.better + each.worse
                bent = (each.x @ h) * (each.x @ step)[:, None] / 4
                moved[number] += first[:, None] * seen - mass[:, None] * bent
                v = v + each.x.T @ (second[:, None] * seen) + self.pull * turned
        return [
            part - np.outer(each.better + each.worse, part.sum(axis=0))
            for part, each in zip(moved, self.own, strict=True)
        ]

    def _inverse(self, right: FloatArray) -> FloatArray:
        return np.asarray(self.root @ (self.root.T @ right))


def balanced(own: tuple[Pairs, ...], pull: float) -> Balance:
    """The point, from β = 0.

    Arguments:
        own: pairs of each source, whose weights sum to 1.
        pull: λ > 0 of the penalty on each mean loss.

    >>> one = Pairs(np.array([[1.0], [1.0]]), np.array([0.4, 0.4]), np.array([0.1, 0.1]))
    >>> other = Pairs(np.array([[1.0]]), np.array([0.1]), np.array([0.9]))
    >>> balanced((one, other), 0.01).share.round(2).tolist()  # 0.8 and 0.1 meet at 0.5, where no step helps both
    [0.57, 0.43]
    """
    bound = np.sum([gram(each.x, each.better + each.worse) for each in own], axis=0) / 4
    found = Balance(own, pull, _root(bound + pull * np.eye(len(bound))), (), (), False)
    path, shares, left = [np.zeros(len(bound))], list[FloatArray](), np.inf
    for _ in range(STEPS):
        slopes = found.slopes(path[-1])
        shares.append(lightest(slopes @ found.root))
        slope = shares[-1] @ slopes
        step = found.root @ (found.root.T @ slope)
        left = float(slope @ step)
        if left < STILL**2 or len(shares) == STEPS:
            break
        path.append(path[-1] - step)
    return Balance(own, pull, found.root, tuple(path), tuple(shares), left < NEAR**2)


def lightest(vectors: FloatArray) -> FloatArray:
    """[S] weights of the shortest mean of vectors [S, d], >= 0 with sum 1.

    >>> lightest(np.array([[1.0, 0.0], [0.0, 2.0]])).round(6).tolist()
    [0.8, 0.2]
    """
    size = max(float(np.abs(vectors).max(initial=0.0)), 1e-300)
    system = np.vstack([vectors.T / size, np.ones(len(vectors))])
    found = optimize.nnls(system, np.append(np.zeros(vectors.shape[1]), 1.0))[0]
    return np.asarray(found / found.sum())


def _inner(vectors: FloatArray, share: FloatArray) -> FloatArray:
    """[S, S] Q."""
    made, active = np.zeros((share.size, share.size)), np.flatnonzero(share > 0)
    if active.size < 2:
        return made
    basis = linalg.null_space(np.ones((1, active.size)))
    inner = basis.T @ vectors[active]
    values, axes = np.linalg.eigh(inner @ inner.T)
    turned = basis @ axes
    made[np.ix_(active, active)] = turned * np.where(values > SAME, 1 / np.maximum(values, SAME), 0.0) @ turned.T
    return made


def _root(bound: FloatArray) -> FloatArray:
    """[d, d] R with RRᵀ = bound⁻¹, without the directions that rounding leaves nothing of."""
    try:
        lower = np.linalg.cholesky(bound)
        return np.asarray(linalg.solve_triangular(lower, np.eye(len(bound)), lower=True).T)
    except np.linalg.LinAlgError:
        values, axes = np.linalg.eigh(bound)
        kept = values > len(bound) * np.finfo(float).eps * values.max()
        return np.asarray(axes * np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0))
