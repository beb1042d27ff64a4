"""Finds the most likely ratings, and proves it: damped Newton on the sums of `votes`, with a certificate.

    g = Σ_e x_e ∂ℓ_e/∂η,     A = Σ_e x_e x_eᵀ (−∂²ℓ_e/∂η²)  bordered by the tie,     β ← β + A⁻¹g

x_e has +1 at left, −1 at right, the covariates and the order. A is assembled by bincount over edges, so a step is
linear in edges plus (k + d)³. Ratings are pinned by Σθ = 0 of the policies that are kept. A normal prior of standard
deviation s on each rating adds 1/s² to the diagonal (maximum a posteriori); s = ∞ is maximum likelihood.

Limits: the likelihood is concave, so the gradient is the certificate: `gradient_norm` is the largest entry of the
gradient of the mean log-likelihood, and `converged` says that the last step was below 1e-9. Votes that separate the
policies have no maximum: `graph.examine` finds them before, and a fit that runs away is not `converged`.
Hunter (2004), MM algorithms for generalized Bradley-Terry models, Ann. Stat. 32(1) (existence of the maximum).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..._typing import BoolArray, FloatArray
from . import links
from .algebra import by_pair, gram, inverse, pull, solve
from .votes import Votes

STEPS = 100
TOLERANCE = 1e-9  # of the last step, in log-odds
REACH = 50.0  # log-odds between two policies beyond which a fit has run away
TIE_REACH = 15.0  # the same of a tie parameter: equals that part once in a million votes
STRIDE = 5.0  # log-odds that η may move in one step


@dataclass(frozen=True, eq=False)
class Fit:
    """The most likely parameters with their information matrix; q = k + d + 1 with a tie law, else k + d.

    Arguments:
        law: `davidson`, `rao-kupper` or `bradley-terry`.
        votes: what was fitted.
        keep: [k] policies that were rated.
        beta: [q] θ (mean 0 over the kept, 0 elsewhere), effects, tie (t = log ν, or τ).
        precision: 1/s² of the prior on each rating; 0 for none.
        information: [q, q] A, with the prior and a rank-one pin in the direction of the mean rating.
        gradient: [q] of the log-likelihood (and log-prior) at β.
        loglik: at β.
        iterations: Newton steps.
        converged: whether the last step was below 1e-9, and nothing ran away.
    """

    law: str
    votes: Votes
    keep: BoolArray
    beta: FloatArray
    precision: float
    information: FloatArray
    gradient: FloatArray
    loglik: float
    iterations: int
    converged: bool

    @property
    def theta(self) -> FloatArray:
        """[k] log-odds with mean 0 over the rated policies; NaN for the others, and where nothing converged."""
        return np.where(self.keep & self.converged, self.beta[: self.votes.k], np.nan)

    @property
    def effects(self) -> FloatArray:
        """[d] log-odds for one unit of each covariate (then the order, or each rater's); NaN where not identified."""
        some = slice(self.votes.k, self.votes.width)
        known = self.converged & np.isfinite(np.diagonal(self.inverse)[some])
        return np.where(known, self.beta[some], np.nan)

    @property
    def has_tie(self) -> bool:
        """Whether there is a tie parameter."""
        return self.beta.size > self.votes.width

    @property
    def tie(self) -> float:
        """t = log ν (Davidson) or τ = log θ (Rao-Kupper); −inf or 0 where no tie was seen."""
        return float(self.beta[-1]) if self.has_tie else (0.0 if self.law == "rao-kupper" else -np.inf)

    @property
    def gradient_norm(self) -> float:
        """Largest entry of the gradient of the mean log-likelihood: the certificate."""
        return float(np.abs(self.gradient).max(initial=0.0) / max(float(self.votes.mass.sum()), 1e-300))

    @cached_property
    def inverse(self) -> FloatArray:
        """[q, q] A⁻¹: the covariance of β if votes were independent and the law true (θ in the gauge of mean 0)."""
        return inverse(self.information)

    def eta(self) -> FloatArray:
        """[E] linear predictor of each edge."""
        return self.votes.predictor(self.beta)

    def chances(self) -> tuple[FloatArray, FloatArray]:
        """[k, k] predicted probability that the row beats the column, and that they tie, all effects 0."""
        theta = self.theta
        with np.errstate(invalid="ignore"):
            win, tie, _ = links.probabilities(self.law, theta[:, None] - theta, self.tie)
        for table in (win, tie):
            np.fill_diagonal(table, np.nan)
            table[~np.isfinite(theta)] = np.nan
            table[:, ~np.isfinite(theta)] = np.nan
        return win, tie

    def score(self) -> tuple[FloatArray, FloatArray]:
        """[U], [U] ∂ℓ/∂η and ∂ℓ/∂tie of one vote of weight 1 in each cell; 0 outside the kept policies.

        A vote of cell u adds its weight times (r_u x_edge(u), s_u) to the gradient, see `sandwich.rows`.
        """
        votes = self.votes
        eta, tie = self.eta()[votes.edge], self.tie
        one = np.ones(votes.y.size)
        own = tie_of(votes.hard[votes.edge], self.law, tie)
        slopes = links.slopes(self.law, eta, own, one, votes.y - 0.5, votes.tied.astype(float))
        inside = (self.keep[votes.left] & self.keep[votes.right])[votes.edge]
        return np.where(inside, slopes.eta, 0.0), np.where(inside, slopes.tie, 0.0)


def fit(
    votes: Votes,
    *,
    ties: str = "davidson",
    keep: BoolArray | None = None,
    prior: float = np.inf,
    start: FloatArray | None = None,
) -> Fit:
    """The maximum of the likelihood (or posterior).

    Arguments:
        votes: from `votes.collect`; with `ties="half"` collected with `half=True`.
        ties: `davidson`, `rao-kupper`, `newman` or `half`; without a single hard tie all are Bradley-Terry.
        keep: [k] policies to rate; all by default (`graph.examine` says which can be).
        prior: standard deviation of a normal prior on each rating, in log-odds; inf for none.
        start: [q] where to start, such as the β of an earlier fit; it stands still there.

    >>> from adjudge.stats.paired import votes
    >>> from adjudge.tables.comparisons import from_arrays
    >>> table = from_arrays(np.zeros(4, int), np.ones(4, int), np.array([1.0, 1.0, 1.0, 0.0]))
    >>> round(float(np.diff(fit(votes.collect(table)).theta)[0]), 6)  # −log(3/1)
    -1.098612
    """
    kept = np.ones(votes.k, dtype=bool) if keep is None else np.asarray(keep, dtype=bool)
    votes = votes.within(kept)
    law = links.canonical(ties)
    law = "bradley-terry" if law == "half" or not votes.ties.any() else law
    problem = Problem(votes, law, kept, 0.0 if np.isinf(prior) else 1.0 / prior**2)
    beta = problem.start() if start is None or start.size != problem.q else np.array(start, dtype=float)
    beta[: votes.k] = np.where(kept, beta[: votes.k] - beta[: votes.k][kept].mean() if kept.any() else 0.0, 0.0)
    beta, state, steps, converged = _climb(problem, beta)
    return Fit(law, votes, kept, beta, problem.precision, state[2], state[1], state[0], steps, converged)


@dataclass(frozen=True, eq=False)
class Problem:
    """The log-posterior of β, with gradient and information.

    Arguments:
        votes: within the kept policies.
        law: `davidson`, `rao-kupper` or `bradley-terry`.
        keep: [k] policies to rate.
        precision: of the prior on each rating.
    """

    votes: Votes
    law: str
    keep: BoolArray
    precision: float

    @property
    def q(self) -> int:
        """Parameters."""
        return self.votes.width + (self.law != "bradley-terry")

    def start(self) -> FloatArray:
        """Equal policies, with the share of ties that was seen; with many edges a pair, what its votes say together."""
        beta, pairs = np.zeros(self.q), by_pair(self.votes)
        if pairs is not None:
            pooled = _climb(replace(self, votes=pairs), replace(self, votes=pairs).start())[0]
            beta[: pairs.k] = pooled[: pairs.k]
            beta[self.votes.width :] = pooled[pairs.k :]
            return beta
        if self.law != "bradley-terry":
            votes = self.votes
            share = float(np.clip(votes.ties.sum() / max(votes.n[votes.hard].sum(), 1e-300), 1e-6, 1 - 1e-6))
            beta[-1] = np.log(2 * share / (1 - share)) if self.law == "davidson" else np.log((1 + share) / (1 - share))
        return beta

    def at(self, beta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Log-posterior, gradient [q] and information [q, q] at β."""
        slopes, k = self._slopes(beta), self.votes.k
        gradient = np.zeros(self.q)
        gradient[: self.votes.width] = pull(self.votes, slopes.eta)
        A = np.zeros((self.q, self.q))
        A[: self.votes.width, : self.votes.width] = gram(self.votes, slopes.eta2)
        if self.law != "bradley-terry":
            gradient[-1] = slopes.tie.sum()
            A[-1, :-1] = A[:-1, -1] = pull(self.votes, slopes.cross)
            A[-1, -1] = slopes.tie2.sum()
        gradient[:k] -= self.precision * beta[:k]
        on = np.flatnonzero(self.keep)
        diagonal = A[on, on]
        A[np.ix_(on, on)] += diagonal.mean() / max(on.size, 1) if on.size else 0.0  # the pin: any size will do
        A[np.arange(k), np.arange(k)] += np.where(self.keep, self.precision, 1.0)
        return self._value(slopes, beta), gradient, A

    def _slopes(self, beta: FloatArray) -> links.Slopes:
        votes = self.votes
        tie = tie_of(votes.hard, self.law, float(beta[-1]))
        return links.slopes(self.law, votes.predictor(beta), tie, votes.n, votes.lean, votes.ties)

    def _value(self, slopes: links.Slopes, beta: FloatArray) -> float:
        return float(slopes.value.sum() - 0.5 * self.precision * (beta[: self.votes.k] ** 2).sum())


def _climb(problem: Problem, beta: FloatArray) -> tuple[FloatArray, tuple[float, FloatArray, FloatArray], int, bool]:
    """Newton steps, halved until they do not descend; the state at the last β, and whether it is the summit."""
    state = problem.at(beta)
    k = problem.votes.k
    for step in range(1, STEPS + 1):
        move, regular = solve(state[2], state[1])
        far = np.ptp(move[:k]) + (abs(move[-1]) if problem.law != "bradley-terry" else 0.0)
        move *= min(1.0, STRIDE / max(far, 1e-300))
        if problem.law == "rao-kupper" and beta[-1] + move[-1] <= 0:
            move *= 0.9 * beta[-1] / -move[-1]
        beta, state, size = _uphill(problem, beta, state, move)
        lost = problem.law != "bradley-terry" and abs(beta[-1]) > TIE_REACH
        if lost or not (np.isfinite(state[0]) and regular and _size(problem, beta) < REACH):
            return beta, state, step, False
        if size < TOLERANCE:
            return beta, state, step, bool(problem.keep.any())
    return beta, state, STEPS, False


def _uphill(
    problem: Problem, beta: FloatArray, state: tuple[float, FloatArray, FloatArray], move: FloatArray
) -> tuple[FloatArray, tuple[float, FloatArray, FloatArray], float]:
    """The first of β + move, β + move/2, … that does not lower the posterior by more than rounding."""
    slack = 1e-12 * (abs(state[0]) + 1.0)
    size = _size(problem, move)
    for _ in range(40):
        tried = problem.at(beta + move)
        if tried[0] >= state[0] - slack or size < TOLERANCE:
            break
        move, size = move / 2, size / 2
    return beta + move, tried, size


def _size(problem: Problem, move: FloatArray) -> float:
    """Largest step of a rating, the tie, or an effect in units of its spread."""
    votes, k = problem.votes, problem.votes.k
    d = votes.z.shape[1]
    scale = np.ones(move.size)
    scale[k : k + d] = votes.reach
    return float(np.abs(move * scale).max(initial=0.0))


def tie_of(hard: BoolArray, law: str, tie: float) -> FloatArray | float:
    """The tie parameter of each vote: none for soft ones."""
    if law == "bradley-terry":
        return -np.inf
    return tie if hard.all() else np.where(hard, tie, 0.0 if law == "rao-kupper" else -np.inf)
