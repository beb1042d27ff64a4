"""The item response model as examinations use it: few tasks with parameters of their own, many policies at random.

    P(policy p solves task i | z_p) = c + (1 − c)/(1 + e^{−(α_i z_p + δ_i)}),      z_p ~ N(0, 1)
    ability of p = E[z_p | its answers]                                             (expected a posteriori)

Bock, Aitkin (1981), Psychometrika 46, 443-459.
Limits: one common α is the Rasch model in its marginal form, where policies of equal totals are equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from .._typing import FloatArray
from . import _irt


@dataclass(frozen=True, slots=True, eq=False)
class Exam:
    """A fitted examination.

    Arguments:
        slope, intercept: [t] α and δ of the tasks.
        covariance: [2t, 2t] of (δ, α), from the outer product of the policies' scores; [t + 1] sized with a common α.
        ability, spread: [k] mean and standard deviation of each policy's posterior.
        lean: [k, J] derivative of the abilities by the tasks' parameters.
        loglik: marginal log-likelihood.
        gradient: largest derivative at the answer.
    """

    slope: FloatArray
    intercept: FloatArray
    covariance: FloatArray
    ability: FloatArray
    spread: FloatArray
    lean: FloatArray
    loglik: float
    gradient: float


def fit(counts: _irt.Counts, *, slopes: bool, guess: float) -> Exam:
    """Maximum marginal likelihood of the tasks' parameters.

    Arguments:
        counts: [k, t] successes and trials: policies in rows, tasks in columns.
        slopes: whether each task has a discrimination of its own.
        guess: c, in [0, 1).
    """
    t = counts.success.shape[1]
    nodes = _irt.grid(float(counts.trials.sum(axis=1).max()), slopes=False)
    share = (counts.success.sum(axis=0) + 0.5) / (counts.trials.sum(axis=0) + 1.0)
    odds = np.clip((share - guess) / (1 - guess), 0.02, 0.98)
    start = np.concatenate([np.log(odds / (1 - odds)), np.ones(t if slopes else 1)])

    def minus(x: FloatArray) -> tuple[float, FloatArray]:
        eta = x[t:, None] * nodes.z + x[:t, None]
        R, loglik = _irt.posterior(counts, eta, guess, nodes.log_weight)
        G = _irt.pull(counts, R, eta, guess)
        by_slope = (G * nodes.z).sum(axis=1)
        slope = np.concatenate([G.sum(axis=1), by_slope if slopes else [by_slope.sum()]])
        return -float(loglik.sum()), -slope

    bounds = [(-30.0, 30.0)] * t + [(0.0, 10.0)] * (t if slopes else 1)
    found = optimize.minimize(
        minus,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 30},
    )
    x = np.asarray(found.x)
    eta = x[t:, None] * nodes.z + x[:t, None]
    R, loglik = _irt.posterior(counts, eta, guess, nodes.log_weight)
    score = _scores(counts, R, eta, guess, nodes.z, common=not slopes)
    mean = R @ nodes.z
    return Exam(
        slope=np.broadcast_to(x[t:], (t,)).copy(),
        intercept=x[:t],
        covariance=np.asarray(np.linalg.pinv(score.T @ score, hermitian=True)),
        ability=mean,
        spread=np.sqrt(np.maximum(R @ nodes.z**2 - mean**2, 0.0)),
        lean=_scores(counts, R * nodes.z, eta, guess, nodes.z, common=not slopes) - mean[:, None] * score,
        loglik=float(loglik.sum()),
        gradient=float(np.abs(minus(x)[1]).max()),
    )


def _scores(
    counts: _irt.Counts, R: FloatArray, eta: FloatArray, guess: float, z: FloatArray, *, common: bool
) -> FloatArray:
    """[k, J] derivative of each policy's log-likelihood by (δ, α)."""
    p = special.expit(eta)
    P = guess + (1 - guess) * p
    ratio = _irt.ratio(p, P)
    by_intercept = counts.success * (R @ ratio.T) - counts.trials * (R @ (ratio * P).T)
    by_slope = counts.success * (R @ (ratio * z).T) - counts.trials * (R @ (ratio * P * z).T)
    return np.column_stack([by_intercept, by_slope.sum(axis=1) if common else by_slope])
