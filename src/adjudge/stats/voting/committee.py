"""Committees from rankings: what a committee is worth to the voters, the best one greedily or exactly, with quotas.

    f(S) = 1/W Σ_v w_v Σ_r λ_r u_v(r-th best of S for v)          u_v(c) = (k − position)/(k − 1), or 1[position = 1]
    SNTV: u of the top only, λ = 1;   Borda: λ = 1;   Chamberlin-Courant: λ = (1, 0, …);   harmonic: λ_r = 1/r

f is monotone and submodular, so that greedy choice is within 1 − 1/e of the best committee (Nemhauser, Wolsey,
Fisher 1978), and within ½ under lower bounds for groups, which are a matroid; SNTV and Borda are additive, and greedy
is exact for them.
Limits: one seat makes Chamberlin-Courant, harmonic and Borda the same; as many seats as candidates take everybody.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse

from ..._typing import BoolArray, FloatArray, IntArray
from ..cluster import group_sums

RULES = ("sntv", "borda", "chamberlin_courant", "harmonic")
SECONDS = 10.0
SAME = 1e-12
BLOCK = 1 << 22


def utilities(score: FloatArray, rule: str) -> FloatArray:
    """[m, k] what each candidate is worth to each voter, from scores [m, k]; ties share, NaN comes last.

    >>> utilities(np.array([[3.0, 1.0, 2.0]]), "borda").tolist()
    [[1.0, 0.0, 0.5]]
    """
    filled = np.where(np.isfinite(score), score, -np.inf)
    k = score.shape[1]
    if rule == "sntv":
        top = (filled == filled.max(axis=1, keepdims=True)) & np.isfinite(score)
        return np.asarray(top / np.maximum(top.sum(axis=1, keepdims=True), 1))
    below = np.array(
        [(filled[:, [c]] > filled).sum(axis=1) + 0.5 * ((filled[:, [c]] == filled).sum(axis=1) - 1) for c in range(k)]
    )
    return np.asarray(below.T / max(k - 1, 1))


def weights_of(rule: str, seats: int) -> FloatArray:
    """[seats] λ of a rule."""
    r = np.arange(1, seats + 1)
    return np.asarray({"chamberlin_courant": r == 1, "harmonic": 1 / r}.get(rule, r > 0), dtype=float)


def worth(U: FloatArray, chosen: IntArray, rule: str) -> FloatArray:
    """[m] what a committee is worth to each voter."""
    best = -np.sort(-U[:, chosen], axis=1)
    return np.asarray(best @ weights_of(rule, chosen.size))


def may_join(count: IntArray, quota: IntArray, group: IntArray, seats: int) -> BoolArray:
    """[b, k] whether a candidate may take the next seat, when `count` [b, groups] members are in."""
    need = np.maximum(quota - count, 0)
    spare = seats - count.sum(axis=1) - need.sum(axis=1) > 0
    return np.asarray((need[:, group] > 0) | spare[:, None])


def greedy(U: FloatArray, V: FloatArray, *, seats: int, rule: str, group: IntArray, quota: IntArray) -> IntArray:
    """[b, seats] committees for voter weights V [b, m], each seat to whom adds most.

    Arguments:
        U: [m, k] utilities.
        V: [b, m] weights.
        seats: at most k.
        rule: of `RULES`.
        group: [k] code of each candidate's group.
        quota: [groups] least members; they sum to no more than the seats.
    """
    step = max(1, BLOCK // max(U.size * (1 if rule in RULES[:2] else seats), 1))
    return np.concatenate(
        [_greedy(U, V[at : at + step], seats, rule, group, quota) for at in range(0, V.shape[0], step)]
    )


def _greedy(U: FloatArray, V: FloatArray, seats: int, rule: str, group: IntArray, quota: IntArray) -> IntArray:
    b, (m, k) = V.shape[0], U.shape
    chosen, count = np.zeros((b, seats), dtype=np.int64), np.zeros((b, quota.size), dtype=np.int64)
    free, lane = np.ones((b, k), dtype=bool), np.arange(b)
    held = np.zeros((b, m, 0))
    for seat in range(seats):
        if rule in RULES[:2]:
            gain = V @ U
        else:
            tried = np.concatenate(
                [
                    np.broadcast_to(held[:, :, None], (b, m, k, seat)),
                    np.broadcast_to(U[None, :, :, None], (b, m, k, 1)),
                ],
                axis=3,
            )
            value = -np.sort(-tried, axis=3) @ weights_of(rule, seat + 1)
            gain = np.einsum("bm,bmk->bk", V, value)
        gain = np.where(free & may_join(count, quota, group, seats), gain, -np.inf)
        pick = gain.argmax(axis=1)
        chosen[:, seat] = pick
        free[lane, pick] = False
        count[lane, group[pick]] += 1
        if rule not in RULES[:2]:
            held = np.concatenate([held, U[:, pick].T[:, :, None]], axis=2)
    return chosen


def exact(U: FloatArray, w: FloatArray, *, seats: int, rule: str, group: IntArray, quota: IntArray) -> IntArray | None:
    """[seats] the best committee, proven; None where time ran out. Arguments as of `greedy`, for weights w [m]."""
    if rule in RULES[:2]:
        return greedy(U, w[None], seats=seats, rule=rule, group=group, quota=quota)[0]
    U, voter = np.unique(U, axis=0, return_inverse=True)
    w = group_sums(voter.ravel().astype(np.int64), w, U.shape[0])
    m, k = U.shape
    lam = weights_of(rule, seats)
    lam = lam[lam > 0]
    R = int(lam.size)
    z = k + np.arange(m * k * R).reshape(m, k, R)  # candidate c is voter v's r-th best member
    cost: FloatArray = np.zeros(k + z.size)
    cost[z] = -(w[:, None] * U)[:, :, None] * lam
    v, c, r = (grid.ravel() for grid in np.meshgrid(np.arange(m), np.arange(k), np.arange(R), indexing="ij"))
    one, n = np.ones(z.size), k + z.size
    each = sparse.csr_array((one, (v * R + r, z[v, c, r])), shape=(m * R, n))
    member = sparse.csr_array((one, (v * k + c, z[v, c, r])), shape=(m * k, n))
    own = sparse.csr_array((-np.ones(m * k), (np.arange(m * k), np.tile(np.arange(k), m))), shape=(m * k, n))
    groups = sparse.csr_array((np.ones(k), (group, np.arange(k))), shape=(quota.size, n))
    all_ = sparse.csr_array((np.ones(k), (np.zeros(k, dtype=int), np.arange(k))), shape=(1, n))
    found = optimize.milp(
        cost,
        integrality=np.append(np.ones(k), np.zeros(z.size)),
        bounds=optimize.Bounds(0, 1),
        constraints=[
            optimize.LinearConstraint(each, -np.inf, 1),
            optimize.LinearConstraint(member + own, -np.inf, 0),
            optimize.LinearConstraint(groups, quota, np.inf),
            optimize.LinearConstraint(all_, seats, seats),
        ],
        options={"time_limit": SECONDS},
    )
    return None if found.status != 0 else np.flatnonzero(found.x[:k] > 0.5)


def swaps(
    U: FloatArray, chosen: IntArray, *, rule: str, group: IntArray, quota: IntArray
) -> tuple[FloatArray, BoolArray]:
    """[m, s, o] worth to each voter if member s gave its seat to outsider o, and whether quotas allow it [s, o]."""
    others = np.setdiff1d(np.arange(U.shape[1]), chosen)
    out = np.zeros((U.shape[0], chosen.size, others.size))
    for s in range(chosen.size):
        rest = np.delete(chosen, s)
        for o, other in enumerate(others.tolist()):
            out[:, s, o] = worth(U, np.append(rest, other), rule)
    count = np.bincount(group[chosen], minlength=quota.size)
    spare = (count > quota)[group[chosen]]
    return out, np.asarray(spare[:, None] | (group[chosen][:, None] == group[others]))
