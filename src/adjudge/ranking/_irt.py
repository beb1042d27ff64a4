"""Fits item response models by marginal likelihood: fixed parameters on the few, random effects on the many.

    log L = Σ_t log Σ_q w_q Π_p P_pq^{S_tp} (1 − P_pq)^{M_tp − S_tp},        P_pq = c + (1 − c)/(1 + e^{−η_pq})
    ∂ log L/∂η_pq = (p_pq/P_pq)(Σ_t r_tq S_tp − P_pq Σ_t r_tq M_tp),           r_tq the posterior of node q (Fisher)
    −∂² log L = Σ_t [ E_r(−ℓ'') − Cov_r(ℓ') ]                                 exact (Louis 1982)

t runs over what is marginalised (tasks), p over what is fixed (policies); S are successes, M trials. The normal law of
the effects is summed on an even grid of nodes, closer together than their posteriors are wide: for smooth, fast falling
integrands that rule converges faster than any power of the distance, where Gauss-Hermite nodes would lie too far apart.

Bock, Aitkin (1981), Psychometrika 46, 443-459. Louis (1982), JRSS B 44(2). White (1982) (sandwich).
Limits: σ = 0 is one logistic curve for all tasks; τ = 0 is the one-parameter model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from .._typing import FloatArray

REACH = 5.0
"""Nodes lie inside ±5 standard deviations of the effects."""
FAR = 12.0
"""Log-odds beyond which an ability is called unbounded."""
SMALL = np.log(1e-3)
"""Log of a spread below which it counts as 0."""
TOLERANCE = 1e-8
NEAR = 1e-12
"""Posterior weight of a node below which it adds nothing to the curvature of a task."""


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Successes and trials, [t, k]; tasks in rows, policies in columns."""

    success: FloatArray
    trials: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A fitted model of tasks as random effects.

    Arguments:
        theta: [k] abilities; the tasks' difficulties have mean 0.
        sigma, tau: spread of the difficulties and of the log discriminations.
        score: [t, J] derivative of each task's log-likelihood by the parameters (θ, log σ, log τ).
        bread: [J, J] information: minus the second derivative of the penalised log-likelihood.
        posterior: [t, 5] mean and standard deviation of difficulty and of log discrimination of each task, and their
            covariance.
        loglik: log L.
        gradient: largest derivative at the answer.
    """

    theta: FloatArray
    sigma: float
    tau: float
    score: FloatArray
    bread: FloatArray
    posterior: FloatArray
    loglik: float
    gradient: float


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    z: FloatArray  # [q] standardised difficulty
    v: FloatArray  # [q] standardised log discrimination
    log_weight: FloatArray  # [q]


def grid(trials: float, *, slopes: bool) -> _Grid:
    """Nodes no further apart than the posterior of a task with that many trials is wide."""
    wide = 2.0 / np.sqrt(max(trials, 1.0)) / 2.0
    count = int(np.clip(np.ceil(2 * REACH / wide), 41, 121 if slopes else 401)) | 1
    z = np.linspace(-REACH, REACH, count)
    v = np.linspace(-3.5, 3.5, 11) if slopes else np.zeros(1)
    zz, vv = (each.ravel() for each in np.meshgrid(z, v, indexing="ij"))
    log_weight = -(zz**2 + vv**2) / 2
    return _Grid(zz, vv, log_weight - special.logsumexp(log_weight))


def posterior(counts: Counts, eta: FloatArray, guess: float, log_weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """[t, q] posterior of the nodes, and [t] log-likelihoods, for log-odds η [k, q]."""
    log_right, log_wrong = special.log_expit(eta), special.log_expit(-eta) + np.log1p(-guess)
    if guess > 0:
        log_right = np.logaddexp(np.log(guess), np.log1p(-guess) + log_right)
    joint = counts.success @ log_right + (counts.trials - counts.success) @ log_wrong + log_weight
    loglik = special.logsumexp(joint, axis=1)
    return np.exp(joint - loglik[:, None]), loglik


def pull(counts: Counts, R: FloatArray, eta: FloatArray, guess: float) -> FloatArray:
    """[k, q] derivative of the log-likelihood by η."""
    p = special.expit(eta)
    P = guess + (1 - guess) * p
    return ratio(p, P) * (counts.success.T @ R - P * (counts.trials.T @ R))


def fit(counts: Counts, *, slopes: bool, guess: float, prior: float) -> Fit:
    """Maximum marginal likelihood of abilities as fixed effects, difficulties and discriminations as random ones.

    Arguments:
        counts: [t, k].
        slopes: whether tasks differ in discrimination.
        guess: c, in [0, 1).
        prior: standard deviation of a normal prior on the abilities; inf for none.
    """
    k = counts.success.shape[1]
    nodes = grid(float(counts.trials.sum(axis=1).max()), slopes=slopes)
    share = (counts.success.sum(axis=0) + 0.5) / (counts.trials.sum(axis=0) + 1.0)
    start = np.concatenate([special.logit(np.clip((share - guess) / (1 - guess), 0.02, 0.98)), [0.0], [-1.0] * slopes])
    bounds = [(-30.0, 30.0)] * k + [(SMALL - 1, 3.0)] + [(SMALL - 1, 1.5)] * slopes

    def minus(x: FloatArray) -> tuple[float, FloatArray]:
        eta, by = _eta(x, k, nodes)
        R, loglik = posterior(counts, eta, guess, nodes.log_weight)
        slope = np.concatenate([by[0] @ (G := pull(counts, R, eta, guess)).T, [(d * G).sum() for d in by[1:]]])
        slope[:k] -= x[:k] / prior**2
        return float((x[:k] ** 2).sum() / (2 * prior**2) - loglik.sum()), -slope

    found = optimize.minimize(
        minus, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-7}
    )
    x = _newton(np.asarray(found.x), minus, lambda x: _information(counts, x, k, nodes, guess, prior)[0])
    bread, score, R, loglik = _information(counts, x, k, nodes, guess, prior)
    sigma, tau = float(np.exp(x[k])), float(np.exp(x[k + 1])) if slopes else 0.0
    both = np.column_stack([sigma * nodes.z, tau * nodes.v])
    mean, square, cross = R @ both, R @ both**2, R @ (both[:, 0] * both[:, 1])
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    return Fit(
        theta=x[:k],
        sigma=sigma,
        tau=tau,
        score=score,
        bread=bread,
        posterior=np.column_stack([mean, spread, cross - mean.prod(axis=1)]),
        loglik=float(loglik.sum()),
        gradient=float(np.abs(minus(x)[1][_free(x, k)]).max()),
    )


def influence(made: Fit) -> FloatArray:
    """[t, k] what each task adds to the abilities; a spread that is 0 has no part."""
    k = made.theta.size
    free = np.concatenate([np.ones(k, dtype=bool), np.exp(SMALL) < np.array([made.sigma, made.tau])])
    free = free[: made.bread.shape[0]]
    inverse = np.linalg.pinv(made.bread[np.ix_(free, free)], hermitian=True)
    return (made.score[:, free] @ inverse)[:, :k]


def ratio(p: FloatArray, P: FloatArray) -> FloatArray:
    """p/P, which is 1 without guessing, also where both are too small to be told from 0."""
    return np.divide(p, P, out=np.ones_like(p), where=p < P)


def _free(x: FloatArray, k: int) -> np.ndarray:
    return np.concatenate([np.ones(k, dtype=bool), x[k:] > SMALL])


def _eta(x: FloatArray, k: int, nodes: _Grid) -> tuple[FloatArray, list[FloatArray]]:
    """[k, q] log-odds, and their derivatives by θ ([q]), log σ and log τ ([k, q] or broadcast)."""
    difficulty = np.exp(x[k]) * nodes.z
    lift = np.exp(x[k + 1]) * nodes.v if x.size > k + 1 else np.zeros(nodes.v.size)
    slope = np.exp(lift)
    eta = slope * (x[:k, None] - difficulty)
    by = [slope, np.broadcast_to(-slope * difficulty, eta.shape)]
    return eta, by + ([eta * lift] if x.size > k + 1 else [])


def _newton(
    x: FloatArray,
    minus: Callable[[FloatArray], tuple[float, FloatArray]],
    information: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Newton steps with the exact second derivative, halved until they descend; spreads that are 0 stay."""
    k = x.size
    for _ in range(20):
        value, slope = minus(x)
        free = np.concatenate([np.ones(k - 2, dtype=bool), x[-2:] > SMALL]) if k > 2 else np.ones(k, dtype=bool)
        free &= ~((np.abs(x) > 2 * FAR) & (np.arange(k) < k - 1))
        if np.abs(slope[free]).max(initial=0.0) < TOLERANCE:
            break
        step = np.zeros(k)
        step[free] = np.linalg.lstsq(information(x)[np.ix_(free, free)], -slope[free], rcond=1e-12)[0]
        step *= min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(12):
            if minus(x + step)[0] <= value + 1e-9 * abs(value):
                break
            step /= 2
        x = x + step
    return x


def _information(
    counts: Counts, x: FloatArray, k: int, nodes: _Grid, guess: float, prior: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Information [J, J] by Louis' identity, scores by task [t, J], posterior [t, q] and log-likelihoods [t]."""
    eta, by = _eta(x, k, nodes)
    R, loglik = posterior(counts, eta, guess, nodes.log_weight)
    p = special.expit(eta)
    P = guess + (1 - guess) * p
    SR, MR = counts.success.T @ R, counts.trials.T @ R
    steep = ratio(p, P)
    G = steep * (SR - P * MR)
    bend = (1 - p) * steep * ((1 - guess) * p * MR - (SR - P * MR) * (1 - steep * (1 - guess)))
    J = x.size
    info = np.zeros((J, J))
    theta = np.arange(k)
    info[theta, theta] = (bend * by[0] ** 2).sum(axis=1) + 1 / prior**2
    lift = np.exp(x[k + 1]) * nodes.v if k + 1 < J else np.zeros(nodes.v.size)
    second = {(0, 0): by[1], (0, 1): by[1] * lift, (1, 1): eta * (lift + lift**2)}
    for i, d in enumerate(by[1:]):
        info[theta, k + i] = info[k + i, theta] = (bend * by[0] * d).sum(axis=1) - i * (G * by[0] * lift).sum(axis=1)
        for j, other in enumerate(by[1:]):
            info[k + i, k + j] = (bend * d * other - G * second[min(i, j), max(i, j)]).sum()
    S, M = counts.success, counts.trials
    mean = np.empty((S.shape[0], J))
    mean[:, :k] = S * (R @ (steep * by[0]).T) - M * (R @ (steep * P * by[0]).T)
    for i, d in enumerate(by[1:]):
        mean[:, k + i] = (R * (S @ (steep * d) - M @ (steep * P * d))).sum(axis=1)
    for q in range(nodes.z.size):  # nodes, not rows; a task that is not near the node has no part in its sum
        near = np.flatnonzero(R[:, q] > NEAR)
        if near.size:
            pulled = steep[:, q] * (S[near] - M[near] * P[:, q])
            full = np.column_stack([pulled * by[0][q], *(pulled @ d[:, q] for d in by[1:])])
            info -= full.T @ (R[near, q, None] * full)
    return info + mean.T @ mean, mean, R, loglik
