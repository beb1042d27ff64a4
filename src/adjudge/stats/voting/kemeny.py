"""The order that most pairwise votes agree with, and proof that no other does better.

    maximise Σ_{i above j} m_ij          over all k! orders

Policies that run in circles form groups (strong components of "does not lose to"), and every optimal order keeps the
groups in their order (Truchon 1998), so that only groups are searched: up to 12 by dynamic programming over subsets,
averaged over all optimal orders; larger ones first along strict wins, then up to `exact` by integer programming, the
triangle inequalities added as they are broken; beyond it by moving one policy at a time, with the sum of best pairs as
a bound.

Held, Karp (1962); Grötschel, Jünger, Reinelt (1984), A cutting plane algorithm for the linear ordering problem.
Limits: no majority cycle gives the majority order at once; k = 2 is the majority.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse
from scipy.sparse import csgraph

from ..._typing import BoolArray, FloatArray, IntArray

BY_SUBSETS = 12  # policies in a group searched by dynamic programming
IN_BATCH = 9  # the same for many tables at once
SAME = 1e-9  # scores closer than this are equal
SECONDS = 5.0  # for one integer programme
BLOCK = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """An order of k policies.

    Arguments:
        position: [k] from 1, averaged over all optimal orders where those are known.
        score: Σ m_ij over pairs in order.
        bound: what no order exceeds; the score itself where the optimum is proven.
        orders: how many orders are optimal; NaN where they were not counted.
    """

    position: FloatArray
    score: float
    bound: float
    orders: float

    @property
    def proven(self) -> bool:
        """Whether no order does better."""
        return self.bound <= self.score + 1e-6


def solve(M: FloatArray, *, exact: int = 30) -> Order:
    """The best order of one table.

    Arguments:
        M: [k, k] antisymmetric margins.
        exact: policies in one group up to which the optimum is proven.

    >>> M = np.array([[0, 1, -1], [-1, 0, 2], [1, -2, 0.0]])  # a beats b beats c beats a
    >>> found = solve(M)
    >>> found.position.tolist(), found.score, found.orders
    ([2.0, 1.5, 2.5], 2.0, 2.0)
    """
    k = M.shape[0]
    position, score, bound, orders, above = np.full(k, np.nan), 0.0, 0.0, 1.0, 0
    label = csgraph.connected_components((M >= -1e-12).astype(float), directed=True, connection="strong")[1]
    beaten = np.array(
        [(M[label == g][:, label != g] > 0).sum() / (label == g).sum() for g in range(label.max(initial=-1) + 1)]
    )
    for g in np.argsort(-beaten, kind="stable"):
        at = np.flatnonzero(label == g)
        part = _group(M[np.ix_(at, at)], exact)
        position[at] = above + part.position
        score, bound, orders, above = score + part.score, bound + part.bound, orders * part.orders, above + at.size
        rest = np.flatnonzero(np.isnan(position))
        across = float(M[np.ix_(at, rest)].sum())
        score, bound = score + across, bound + across
    return Order(position, score, bound, orders)


def positions(M: FloatArray, *, start: FloatArray) -> FloatArray:
    """[b, k] positions in the best order of each of many tables; beyond 9 policies the best that moves find.

    Arguments:
        M: [b, k, k].
        start: [k] positions to begin from, where a replicate's own Borda order is not better.
    """
    k = M.shape[-1]
    if k <= IN_BATCH:
        step = max(1, BLOCK // (k * 2**k))
        return np.concatenate([_subsets(M[at : at + step])[0] for at in range(0, M.shape[0], step)])
    tries = np.stack([np.argsort(-M.sum(axis=2), axis=1), np.broadcast_to(np.argsort(start), M.shape[:2])])
    scores = np.stack([_scores(M, order) for order in tries])
    order = np.where((scores[0] > scores[1])[:, None], tries[0], tries[1])
    return np.asarray(np.argsort(improve(M, order), axis=1) + 1.0, dtype=float)


def improve(M: FloatArray, order: IntArray) -> IntArray:
    """[b, k] orders in which moving any one policy gains nothing more, from [b, k] orders (best first)."""
    order = order.copy()
    todo, k = np.arange(M.shape[0]), M.shape[-1]
    for _ in range(4 * k):
        own = order[todo]
        P = np.take_along_axis(np.take_along_axis(M[todo], own[:, :, None], 1), own[:, None, :], 2)
        run = np.concatenate([np.zeros((todo.size, k, 1)), np.cumsum(P, axis=2)], axis=2)
        here = run[:, np.arange(k), np.arange(k)]
        # moving the policy at place p before place q < p gains Σ_{q..p-1} m_p·; after place q > p loses Σ_{p+1..q}
        gain = np.where(np.tri(k, dtype=bool), here[:, :, None] - run[:, :, :k], here[:, :, None] - run[:, :, 1:])
        flat = gain.reshape(todo.size, -1)
        best = flat.argmax(axis=1)
        moving = flat[np.arange(todo.size), best] > SAME
        todo, own, best = todo[moving], own[moving], best[moving]
        if not todo.size:
            break
        source, target = np.divmod(best, k)
        key = np.tile(np.arange(k, dtype=float), (todo.size, 1))
        key[np.arange(todo.size), source] = target + np.where(target < source, -0.5, 0.5)
        order[todo] = np.take_along_axis(own, np.argsort(key, axis=1), 1)
    return order


def _scores(M: FloatArray, order: IntArray) -> FloatArray:
    """[b] Σ of margins in order."""
    P = np.take_along_axis(np.take_along_axis(M, order[:, :, None], 1), order[:, None, :], 2)
    return np.asarray(np.triu(P, 1).sum(axis=(1, 2)))


def _group(M: FloatArray, exact: int) -> Order:
    """The best order of policies that run in circles."""
    k = M.shape[0]
    if k == 1:
        return Order(np.ones(1), 0.0, 0.0, 1.0)
    if k <= BY_SUBSETS:
        place, best, orders = _subsets(M[None])
        return Order(place[0], best.item(), best.item(), orders.item())
    parts = _parts(M)
    if len(parts) > 1:
        return _in_turn(M, parts, exact)
    order = improve(M[None], np.argsort(-M.sum(axis=1))[None])[0]
    score, bound = _scores(M[None], order[None]).item(), np.abs(np.triu(M)).sum().item()
    if k <= exact:
        x, bound = _programme(M, bound)
        if x is not None:
            tried = improve(M[None], np.argsort(-x.sum(axis=1), kind="stable")[None])
            better = _scores(M[None], tried).item()
            order, score = (tried[0], better) if better >= score else (order, score)
    return Order(np.argsort(order).astype(float) + 1.0, score, max(bound, score), np.nan)


def _parts(M: FloatArray) -> list[IntArray]:
    """Groups that win in circles, each before those that it reaches by wins: some optimal order keeps to theirs."""
    label = csgraph.connected_components((M > 1e-12).astype(float), directed=True, connection="strong")[1]
    reach = np.isfinite(csgraph.shortest_path((M > 1e-12).astype(float), unweighted=True)).sum(axis=1)
    first = np.unique(label, return_index=True)[1]
    return [np.flatnonzero(label == label[at]) for at in first[np.argsort(-reach[first], kind="stable")]]


def _in_turn(M: FloatArray, parts: list[IntArray], exact: int) -> Order:
    """One optimal order of groups that tie or never met across: the best order of each, one after the other."""
    position, score, bound, above = np.zeros(M.shape[0]), 0.0, 0.0, 0
    rest = np.ones(M.shape[0], dtype=bool)
    for at in parts:
        part = _group(M[np.ix_(at, at)], exact)
        position[at] = above + part.position
        rest[at] = False
        across = M[np.ix_(at, np.flatnonzero(rest))].sum().item()
        score, bound, above = score + part.score + across, bound + part.bound + across, above + at.size
    return Order(position, score, bound, np.nan)


def _subsets(M: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[b, k] mean positions over all optimal orders, [b] scores and [b] numbers of optimal orders."""
    b, k = M.shape[:2]
    full = 1 << k
    gain = np.zeros((b, k, full))  # what a set above it is worth to each policy
    for j in range(k):
        gain[:, :, 1 << j : 2 << j] = gain[:, :, : 1 << j] + M[:, j, :, None]
    sets = np.arange(full)
    size = sum((sets >> i) & 1 for i in range(k))
    best = np.full((b, full), -np.inf)
    best[:, 0] = 0.0
    levels = [[(i, s[(s >> i) & 1 == 1]) for i in range(k)] for s in (sets[size == p] for p in range(k + 1))]
    for level in levels[1:]:
        for i, s in level:
            best[:, s] = np.maximum(best[:, s], best[:, s ^ (1 << i)] + gain[:, i, s ^ (1 << i)])
    ways, after, place = np.zeros((b, full)), np.zeros((b, full)), np.zeros((b, k))
    ways[:, 0] = after[:, -1] = 1.0

    def optimal(i: int, s: IntArray) -> BoolArray:
        return np.asarray(best[:, s ^ (1 << i)] + gain[:, i, s ^ (1 << i)] >= best[:, s] - SAME)

    for level in levels[1:]:
        for i, s in level:
            ways[:, s] += ways[:, s ^ (1 << i)] * optimal(i, s)
    for p in range(k, 0, -1):
        for i, s in levels[p]:
            through = after[:, s] * optimal(i, s)
            after[:, s ^ (1 << i)] += through
            place[:, i] += p * (through * ways[:, s ^ (1 << i)]).sum(axis=1)
    return place / ways[:, -1:], best[:, -1], ways[:, -1]


def _programme(M: FloatArray, bound: float) -> tuple[FloatArray | None, float]:
    """[k, k] who is above whom in an optimal order (None where time ran out), and the bound that proves it."""
    k = M.shape[0]
    left, right = np.triu_indices(k, 1)
    place = np.zeros((k, k), dtype=np.int64)
    place[left, right] = np.arange(left.size)
    cost, offset = -2 * M[left, right], float(M[left, right].sum())
    triples = np.empty((0, 3), dtype=np.int64)
    for whole in (0, 1):
        for _ in range(60):
            found = optimize.milp(
                cost,
                integrality=np.full(left.size, whole),
                bounds=optimize.Bounds(0, 1),
                constraints=[_triangles(place, triples, left.size)] if triples.size else [],
                options={"time_limit": SECONDS},
            )
            if found.x is None:
                return None, bound
            least = found.mip_dual_bound if whole and found.mip_dual_bound is not None else found.fun
            bound = min(bound, -float(least) - offset) if found.status == 0 else bound
            seen: FloatArray = np.asarray(found.x, dtype=float)
            x = np.zeros((k, k))
            x[left, right], x[right, left] = seen, 1 - seen
            more = _broken(x)
            if not more.size:
                break
            triples = np.concatenate([triples, more])
        if np.abs(seen - np.round(seen)).max() < 1e-6:
            break
    return x, bound


def _triangles(place: IntArray, triples: IntArray, width: int) -> optimize.LinearConstraint:
    """0 <= x_ij + x_jl − x_il <= 1 for i < j < l."""
    i, j, m = triples.T
    column = np.column_stack([place[i, j], place[j, m], place[i, m]]).ravel()
    value = np.tile([1.0, 1.0, -1.0], i.size)
    rows = sparse.csr_array((value, column, np.arange(i.size + 1) * 3), shape=(i.size, width))
    return optimize.LinearConstraint(rows, 0, 1)


def _broken(x: FloatArray) -> IntArray:
    """[t, 3] triples i < j < l that run in a circle; the worst few hundred."""
    k = x.shape[0]
    i, j, m = np.nonzero(np.triu(np.ones((k, k)), 1)[:, :, None] * np.triu(np.ones((k, k)), 1)[None])
    around = x[i, j] + x[j, m] - x[i, m]
    excess = np.maximum(around - 1, -around)
    worst = np.argsort(-excess, kind="stable")[:500]
    worst = worst[excess[worst] > 1e-7]
    return np.column_stack([i, j, m])[worst]
