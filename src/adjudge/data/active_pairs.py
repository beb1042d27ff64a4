"""Which two policies to compare next: the pair whose vote is expected to teach most about what one wants to know.

    gain_ij = w_ij·(Σ(e_i − e_j))ᵀ L (Σ(e_i − e_j)) / (1 + w_ij·s_ij),    w_ij = p_ij(1 − p_ij),  s_ij = Var(θ_i − θ_j)

One more vote on i and j takes gain_ij from Σ_ab ω_ab Var(θ_a − θ_b), exactly, by the rank-one update of the
Bradley-Terry information; L is the Laplacian of ω, which says what matters:

    information   ω = 1 for every pair (A-optimal);       volume  log(1 + w_ij s_ij) instead (D-optimal)
    top_two       ω_ab = P(a best)·P(b best | a not best) + the same of b, as top-two Thompson sampling draws them
    swiss         neighbours in points who have met least;    knock_out  next round of those who lost to nobody

Glickman, Jensen (2005), Adaptive paired comparison design, J. Stat. Plan. Inference 127; Russo (2020), Simple Bayesian
algorithms for best-arm identification, Oper. Res. 68(6). Limits: no votes at all makes all pairs equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats.paired import newton
from ..stats.paired.scale import POINTS
from ..stats.paired.votes import Votes, collect
from ..tables.comparisons import Comparisons

CARD = Card(
    answers="Which two policies should be compared next?",
    equation="gain_ij = w_ij·(Σ(e_i − e_j))ᵀ L (Σ(e_i − e_j)) / (1 + w_ij·Var(θ_i − θ_j)),   w_ij = p_ij(1 − p_ij)",
    papers=(
        Paper(
            "Adaptive Paired Comparison Design",
            "Glickman, Jensen",
            2005,
            "J. Stat. Plan. Inference 127",
            "https://doi.org/10.1016/j.jspi.2003.09.022",
            "§3",
        ),
        Paper(
            "Simple Bayesian Algorithms for Best-Arm Identification",
            "Russo",
            2020,
            "Operations Research 68(6)",
            "https://arxiv.org/abs/1602.08448",
            "Algorithm 3",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Bradley-Terry with a normal prior on the ratings; a tie is half a win.", "Votes are independent."),
    limits=(
        "Without votes every pair is worth the same.",
        "A fit to actively chosen pairs is sound; a win rate over them is not, for opponents differ.",
    ),
    when="Votes are dear. For when to stop, ranking.top_two; its evidence stays valid under any choice of pairs.",
)

DESIGNS = ("information", "volume", "top_two", "swiss", "knock_out")
DRAWS, PRIME = 20_000, 86_028_121


def scores(table: Comparisons, *, design: str = "information", prior: float = 400.0, seed: int = 0) -> FloatArray:
    """[k, k] what a vote on each pair is worth, higher first; symmetric, NaN on the diagonal.

    Arguments:
        table: the votes so far; policies without votes are welcome.
        design: one of `DESIGNS`. `information` and `top_two` are in rating points² of variance removed, `volume` in
            nats, `swiss` in places (less a whole table for each meeting), `knock_out` 1 for the next round's pairs.
        prior: standard deviation of the ratings before any vote, in points.
        seed: of the draws of `top_two`.

    Errors: an unknown design, or a prior that is not positive.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> votes = from_arrays(np.zeros(9, int), np.ones(9, int), np.arange(9) % 2.0, policies=("a", "b", "c"))
    >>> best(scores(votes), 2)  # c has not played yet
    [(0, 2), (1, 2)]
    """
    _check(design, prior)
    votes = collect(table, half=True)
    if design == "swiss":
        return _swiss(votes)
    state = _fit(votes, prior)
    if design == "knock_out":
        return _knock_out(votes, state.theta)
    return _gain(state, design, seed)


def best(value: FloatArray, count: int, *, once: bool = False) -> list[tuple[int, int]]:
    """The pairs (i, j), i < j, of highest value, best first; pairs of value NaN or −∞ are never named.

    Arguments:
        value: [k, k] from `scores`.
        count: how many at most.
        once: whether a policy may stand in one pair only, as in a round of matches.
    """
    left, right = np.triu_indices(value.shape[0], 1)
    worth = value[left, right]
    order = np.argsort(-worth, kind="stable")
    order = order[np.isfinite(worth[order])]
    chosen: list[tuple[int, int]] = []
    busy: set[int] = set()
    for i, j in zip(left[order].tolist(), right[order].tolist(), strict=True):
        if len(chosen) == count:
            break
        if once and (i in busy or j in busy):
            continue
        busy |= {i, j}
        chosen.append((i, j))
    return chosen


def batch(
    table: Comparisons, count: int, *, design: str = "information", prior: float = 400.0, seed: int = 0
) -> IntArray:
    """[k, k] how many of the next `count` votes each pair should get, chosen one after the other.

    Each vote that is planned counts in the information before the next is chosen, so a batch spreads as it should.

    Arguments:
        table, design, prior, seed: as of `scores`; `information`, `volume` or `top_two`.
        count: votes to plan.

    >>> from adjudge.tables.comparisons import from_arrays
    >>> votes = from_arrays(np.zeros(2, int), np.ones(2, int), np.array([1.0, 0.0]), policies=("a", "b", "c"))
    >>> int(batch(votes, 7).sum()) // 2
    7
    """
    _check(design, prior)
    if design in ("swiss", "knock_out"):
        raise AdjudgeError(
            f"data.active_pairs: a batch of design {design!r}.",
            "information, volume or top_two; the others plan rounds.",
            "Use best(scores(table, design=...), count, once=True).",
        )
    state = _fit(collect(table, half=True), prior)
    planned = np.zeros((table.k, table.k), dtype=np.int64)
    omega = _matters(state, design, seed)
    for _ in range(count if table.k > 1 else 0):
        i, j = best(_gain(state, design, seed, omega), 1)[0]
        planned[i, j] += 1
        planned[j, i] += 1
        state = state.after(i, j)
    return planned


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What is believed: θ [k] and its covariance Σ [k, k], in log-odds."""

    theta: FloatArray
    covariance: FloatArray

    @property
    def weight(self) -> FloatArray:
        """[k, k] information of one vote."""
        p = 1 / (1 + np.exp(self.theta[None, :] - self.theta[:, None]))
        return np.asarray(p * (1 - p))

    @property
    def apart(self) -> FloatArray:
        """[k, k] variance of the differences."""
        return _squares(self.covariance)

    def after(self, i: int, j: int) -> _State:
        """The same with one more vote on i and j, whatever it says."""
        v = self.covariance[:, i] - self.covariance[:, j]
        w = float(self.weight[i, j])
        return _State(self.theta, self.covariance - np.outer(v, v) * (w / (1 + w * float(v[i] - v[j]))))


def _check(design: str, prior: float) -> None:
    if design not in DESIGNS or not prior > 0:
        raise AdjudgeError(
            f"data.active_pairs: design {design!r}, prior {prior:g}.",
            f"One of {', '.join(DESIGNS)}, and a prior > 0 in points.",
            "Change them.",
        )


def _fit(votes: Votes, prior: float) -> _State:
    """The posterior mode and its (Laplace) covariance."""
    fit = newton.fit(votes, ties="half", prior=prior / POINTS)
    theta = fit.beta[: votes.k]
    p = 1 / (1 + np.exp(theta[votes.right] - theta[votes.left]))
    w = votes.n * p * (1 - p)
    A = np.diag(np.bincount(votes.left, w, votes.k) + np.bincount(votes.right, w, votes.k) + (POINTS / prior) ** 2)
    np.add.at(A, (votes.left, votes.right), -w)
    np.add.at(A, (votes.right, votes.left), -w)
    return _State(theta, np.linalg.inv(A))


def _squares(matrix: FloatArray) -> FloatArray:
    """[k, k] (e_i − e_j)ᵀ M (e_i − e_j)."""
    d = np.diagonal(matrix)
    return np.asarray(d[:, None] + d - matrix - matrix.T)


def _matters(state: _State, design: str, seed: int) -> FloatArray:
    """[k, k] ω: how much each difference matters."""
    k = state.theta.size
    if design != "top_two":
        return np.ones((k, k)) - np.eye(k)
    rng = np.random.default_rng((seed, PRIME))
    draws = rng.multivariate_normal(state.theta, state.covariance, size=DRAWS, method="eigh")
    p = (np.bincount(draws.argmax(axis=1), minlength=k) + 0.5) / (DRAWS + 0.5 * k)
    omega = np.outer(p, p) * (1 / (1 - p[:, None] + 1e-12) + 1 / (1 - p + 1e-12))
    np.fill_diagonal(omega, 0.0)
    return np.asarray(omega / max(omega.sum(), 1e-300) * k * (k - 1))


def _gain(state: _State, design: str, seed: int, omega: FloatArray | None = None) -> FloatArray:
    """[k, k] expected gain of one vote."""
    size = state.weight * state.apart
    if design == "volume":
        value = np.log1p(size)
    else:
        matters = _matters(state, design, seed) if omega is None else omega
        L = np.diag(matters.sum(axis=1)) - matters
        value = state.weight * _squares(state.covariance @ L @ state.covariance) / (1 + size) * POINTS**2
    value = (value + value.T) / 2
    np.fill_diagonal(value, np.nan)
    return np.asarray(value)


def _swiss(votes: Votes) -> FloatArray:
    """[k, k] minus the distance in places by points won, minus k for each meeting."""
    k = votes.k
    won = np.bincount(votes.left, votes.n / 2 + votes.lean, k) + np.bincount(votes.right, votes.n / 2 - votes.lean, k)
    place = np.empty(k)
    place[np.argsort(-won, kind="stable")] = np.arange(k)
    met = np.zeros((k, k))
    np.add.at(met, (votes.left, votes.right), votes.n)
    value = -np.abs(place[:, None] - place) - k * (met + met.T)
    np.fill_diagonal(value, np.nan)
    return np.asarray(value)


def _knock_out(votes: Votes, theta: FloatArray) -> FloatArray:
    """[k, k] 1 for the pairs of the next round: strongest against weakest of those who have lost no duel, 0 else."""
    k = votes.k
    net = np.zeros((k, k))
    np.add.at(net, (votes.left, votes.right), votes.lean)
    net = net - net.T
    standing = np.flatnonzero(~(net < 0).any(axis=1))
    if standing.size == 0:  # a circle: everybody has lost to somebody, and all are in again
        standing = np.arange(k)
    seeds = standing[np.argsort(-theta[standing], kind="stable")]
    seeds = seeds[seeds.size % 2 :]  # of an odd number the first seed has a bye
    value = np.zeros((k, k))
    half = seeds.size // 2
    one, other = seeds[:half], seeds[::-1][:half]
    value[one, other] = value[other, one] = 1.0
    np.fill_diagonal(value, np.nan)
    return value
