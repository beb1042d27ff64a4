"""Solves the prediction-powered estimating equation of verdicts on matches, and says how it leans on each match.

    Σ_m (λ·m/N)·s(θ; q_m) + Σ_labelled (m/n)·{s(θ; y_m) − λ·s(θ; q_m)} = 0

The model's part of both terms adds up to weights λ·m/N + (1 − λ)·m/n, which are positive: one concave problem with one
answer. Both means are ratios, so each term is centred on its own mean before the terms of a cluster are added.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.cluster import group_sums
from ..stats.paired.sandwich import positive
from . import _soft_davidson as davidson
from ._matches import Matches

FAR = 15.0
"""A rating this many logits from the mean is a runaway: the statistics allow no finite answer."""
AT_ONCE = 16
GRID = np.linspace(0.0, 1.0, 5)
_BY_MATCH = ("left", "right", "mass", "labelled", "label", "votes", "order", "cluster")


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """An answer; k policies, p parameters (θ and perhaps log ν), M matches.

    The score of match m, centred, is row m of `scores` − `shares`·`means`.

    Arguments:
        theta: [k] ratings in logits; NaN for a policy outside the fit.
        log_tie: log ν; −inf without ties.
        lam: λ.
        bread: [p, p] inverse of the curvature.
        scores: [M, p] what each match pulls at, by its label and its forecast.
        shares: [M, 3] its weight in the means that the scores are centred on.
        means: [3, p] those means.
        noise: [M] size of the match's part in the error, for the degrees of freedom.
    """

    theta: FloatArray
    log_tie: float
    lam: float
    bread: FloatArray
    scores: sparse.csr_array
    shares: FloatArray
    means: FloatArray
    noise: FloatArray


def halved(matches: Matches) -> Matches:
    """Every tie as half a win and half a loss."""
    half = np.array([[1.0, 0.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 1.0]])
    return replace(matches, label=matches.label @ half, votes=matches.votes @ half)


def joined(matches: Matches, said: FloatArray, k: int) -> tuple[Matches, FloatArray, BoolArray]:
    """The matches with a verdict, within the largest set of policies that matches tie together; who is outside."""
    use = said.any(axis=1) | matches.labelled
    inside = _largest(matches.left[use], matches.right[use], np.ones(int(use.sum()), dtype=bool), k)
    use &= inside[matches.left]
    kept = replace(matches, **{name: getattr(matches, name)[use] for name in _BY_MATCH})
    return kept, said[use], ~inside


def _largest(tail: IntArray, head: IntArray, both: BoolArray, k: int) -> BoolArray:
    """[k] the largest strongly connected set of the graph with edges tail → head, and back where `both`."""
    start, end = np.concatenate([tail, head[both]]), np.concatenate([head, tail[both]])
    graph = sparse.csr_array((np.ones(start.size), (start, end)), shape=(k, k))
    _, part = csgraph.connected_components(graph, directed=True, connection="strong")
    return np.asarray(part == np.argmax(np.bincount(part)))


def comparable(matches: Matches, k: int) -> BoolArray:
    """[k] policies whose labels alone give finite ratings: each has beaten, and lost to, the others by some chain."""
    rows = matches.labelled
    win, tie, loss = matches.label[rows].T
    left, right = matches.left[rows], matches.right[rows]
    up, down = win + tie > 0, loss + tie > 0
    tails, heads = np.concatenate([left[up], right[down]]), np.concatenate([right[up], left[down]])
    return _largest(tails, heads, np.zeros(tails.size, dtype=bool), k)


def shares(matches: Matches, said: FloatArray, lam: float) -> tuple[FloatArray, FloatArray]:
    """[M], [M] weight of each match in the mean over the forecast ones and over the labelled ones."""
    seen = said.any(axis=1)
    of_all = np.where(seen, matches.mass, 0.0)
    of_label = np.where(matches.labelled & (seen | (lam == 0)), matches.mass, 0.0)
    return of_all / max(of_all.sum(), 1e-300), of_label / max(of_label.sum(), 1e-300)


def solve(matches: Matches, said: FloatArray, lam: float, k: int) -> Solved:
    """The ratings at one λ, with what each match adds to them."""
    of_all, of_label = shares(matches, said, lam)
    if lam == 0:  # an undefeated policy runs away and its matches say nothing of the others
        inside = comparable(matches, k)
        of_label = of_label * (inside[matches.left] & inside[matches.right])
    weight = lam * of_all + (1 - lam) * of_label
    target = lam * of_all[:, None] * said + of_label[:, None] * (matches.label - lam * said)
    lean, tie = (target[:, 0] - target[:, 2]) / 2, target[:, 1]
    q = int(bool(matches.label[of_label > 0, 1].any()) and tie.sum() > 0)
    pair, where, code = np.unique(matches.left * k + matches.right, return_index=True, return_inverse=True)
    total = group_sums(code.ravel(), np.array([weight, lean, tie]), pair.size)
    X = davidson.incidence(matches.left, matches.right, k)
    fitted = davidson.fit(X[where], np.ones((pair.size, q)), *total)
    played = np.bincount(np.concatenate([matches.left[weight > 0], matches.right[weight > 0]]), minlength=k) > 0
    decided = bool(np.any(matches.label[of_label > 0][:, [0, 2]] > 0))  # of ties alone no scale can be learnt
    finite = decided and played.sum() > 1 and fitted.converged and bool(np.abs(fitted.beta).max() < FAR)
    theta = np.where(finite & played, fitted.beta, np.nan)
    pieces = _scores(matches, said, fitted, lam, (of_all, of_label))
    return Solved(theta, float(fitted.gamma[0]) if q else -np.inf, lam, *pieces)


def _scores(
    matches: Matches, said: FloatArray, fitted: davidson.Fit, lam: float, share: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, sparse.csr_array, FloatArray, FloatArray, FloatArray]:
    """Bread, scores, shares, means and noise of `Solved`.

    A match's own pull on the fit that its label is held against is taken off, as leaving the match out would.
    """
    of_all, of_label = share
    k, q = fitted.beta.size, fitted.gamma.size
    d = fitted.beta[matches.left] - fitted.beta[matches.right]
    win, even, loss = davidson.chances(d, np.full(d.size, fitted.gamma[0] if q else -np.inf))
    expected = np.column_stack([(win - loss) / 2, even])
    y, f = (np.column_stack([(p[:, 0] - p[:, 2]) / 2, p[:, 1]]) - expected for p in (matches.label, said))
    bread = np.linalg.pinv(fitted.information, rcond=1e-12, hermitian=True)
    left, right = matches.left, matches.right
    reach = bread[left, left] + bread[right, right] - 2 * bread[left, right]
    own = np.clip((1 - lam) * of_label * reach * ((win + loss) / 4 - expected[:, 0] ** 2), 0.0, 0.9)
    held = of_label / (1 - own)
    columns = np.column_stack([left, right, np.full((d.size, q), k)]).ravel()
    starts = np.arange(0, columns.size + 1, 2 + q)

    def pulls(stats: FloatArray) -> sparse.csr_array:
        values = np.column_stack([stats[:, 0], -stats[:, 0], stats[:, 1 : 1 + q]]).ravel()
        return sparse.csr_array((values, columns, starts), shape=(d.size, k + q))

    by_label, by_forecast = pulls(y), pulls(f)
    scores = pulls(held[:, None] * y + lam * (of_all - of_label)[:, None] * f)
    means = [np.asarray(of_label @ by_label), lam * (of_all @ by_forecast), -lam * (of_label @ by_forecast)]
    noise = of_label**2 * float(of_label @ (y - lam * f)[:, 0] ** 2)
    noise = noise + (lam * of_all) ** 2 * float(of_all @ f[:, 0] ** 2)
    return np.asarray(bread), scores, np.column_stack([held, of_all, of_label]), np.array(means), noise


def freedom(matches: Matches, solved: Solved) -> FloatArray:
    """[k] effective number of clusters behind each rating: (Σ h)²/Σ h², h a cluster's part in its variance."""
    k = solved.theta.size
    _, code = np.unique(matches.cluster[:, 0], return_inverse=True)
    picker = _picker(code.ravel())
    out = np.empty(k)
    for begin in range(0, k, AT_ONCE):
        some = solved.bread[begin : begin + AT_ONCE]
        part = picker @ (((some[:, matches.left] - some[:, matches.right]) ** 2).T * solved.noise[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            out[begin : begin + AT_ONCE] = (part.sum(axis=0) ** 2 / (part**2).sum(axis=0))[: k - begin]
    return out


def _picker(code: IntArray) -> sparse.csr_array:
    """[G, M] sums by code."""
    return sparse.csr_array((np.ones(code.size), (code, np.arange(code.size))), shape=(int(code.max()) + 1, code.size))


def layers(cluster: IntArray) -> list[tuple[float, IntArray]]:
    """The codings whose sums of squares add up to the clustered covariance: one way, or both less their crossing."""
    codes = [np.unique(column, return_inverse=True)[1].ravel() for column in cluster.T]
    if len(codes) == 1:
        return [(1.0, codes[0])]
    _, crossing = np.unique(cluster, axis=0, return_inverse=True)
    return [(1.0, codes[0]), (1.0, codes[1]), (-1.0, crossing.ravel())]


def meat(
    cluster: IntArray, scores: sparse.csr_array, shares: FloatArray, means: FloatArray, labelled: BoolArray
) -> FloatArray:
    """[p, p] Σ_g u/(u − 1)·S_g S_gᵀ, S = scores − shares·means by cluster of one or two codings, u of them labelled.

    NaN with fewer than two labelled clusters.
    """
    total = np.zeros((scores.shape[1],) * 2)
    for sign, code in layers(cluster):
        picker, u = _picker(code), np.unique(code[labelled]).size
        S, W = sparse.csr_array(picker @ scores), picker @ shares
        cross = np.asarray(S.T @ W) @ means
        square = (S.T @ S).toarray() - cross - cross.T + means.T @ (W.T @ W) @ means
        total += sign * square * (u / (u - 1) if u > 1 else np.nan)
    return total if cluster.shape[1] == 1 or np.isnan(total).any() else positive(total)


def variance(matches: Matches, solved: Solved) -> FloatArray:
    """[k, k] clustered covariance of the ratings in log-odds: both terms of one cluster are added, then squared."""
    k = solved.theta.size
    middle = meat(matches.cluster, solved.scores, solved.shares, solved.means, matches.labelled)
    return np.asarray(solved.bread[:k] @ middle @ solved.bread[:, :k])


def tuned(matches: Matches, said: FloatArray, k: int) -> float:
    """λ in [0, 1] that makes the total variance of the ratings least, by a parabola through the best of five fits.

    The variance is worked out at each λ anew: a policy with a handful of labels gains from the forecasts not only what
    they say, but also that its rating no longer hangs on how its few labels bend the fit.
    """
    fits = [solve(matches, said, lam, k) for lam in GRID]
    known = np.any([np.isfinite(fit.theta) for fit in fits], axis=0)
    cost = np.array(
        [np.trace(variance(matches, fit)) if np.isfinite(fit.theta[known]).all() else np.inf for fit in fits]
    )
    if not np.isfinite(cost).any():
        return 1.0
    i = int(np.argmin(cost))
    if i in (0, GRID.size - 1) or not np.isfinite(cost[i - 1 : i + 2]).all():
        return float(GRID[i])
    down, up = cost[i - 1] - cost[i], cost[i + 1] - cost[i]
    return float(GRID[i] + (GRID[1] - GRID[0]) * (down - up) / (2 * (down + up))) if down + up > 0 else float(GRID[i])
