"""Turns a fit and the covariance of its parameters into the `Estimate` that everybody reads: points, effects, ties.

    ratings   1000 + 400/ln 10 · θ               effects  400/ln 10 · γ, in points for one unit of a covariate
    tie       ν = e^t (Newman: ν/2),  θ = e^τ    and the chance that two equals tie, by the delta method

`figures` of the result: `effects`, `effects per sd` (one standard deviation over the votes), `tie`, and `certificate`
(gradient norm, Newton steps, log-likelihood: numbers without a sampling error, so that their intervals are NaN).
Limits: a fit that did not converge gives NaN everywhere and a severe finding.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...core.estimate import Estimate, Part
from ...core.finding import Finding, Severity
from .newton import Fit
from .scale import POINTS, covariance_points, points
from .votes import Votes


def estimate(
    fit: Fit,
    names: Sequence[str],
    effects: Sequence[str],
    parts: Sequence[tuple[str, FloatArray, int]],
    *,
    df: FloatArray,
    ties: str = "davidson",
    method: str = "",
    findings: Sequence[Finding] = (),
    blank: BoolArray | None = None,
) -> Estimate:
    """Ratings in points with the figures of the same fit.

    Arguments:
        fit: the fit.
        names: [k] policies.
        effects: [d] names of the effects; a name that starts with `first` is not scaled by a standard deviation.
        parts: name, covariance [q, q] of β and units of each independent source of error.
        df: [q] degrees of freedom of the standard errors of β.
        ties: the law by the name it was asked for: `newman` shows ν/2.
        method: address of the method.
        findings: what to distrust.
        blank: [q] parameters whose error nothing shows: they keep their value and get a NaN covariance.
    """
    k, width = fit.votes.k, fit.votes.width
    told = (*findings, *failure(fit))
    hidden = np.zeros(fit.beta.size, dtype=bool) if blank is None else blank
    figures = {}
    seen = [(name, _hide(covariance, hidden), units) for name, covariance, units in parts]
    if effects:
        at = slice(k, width)
        gamma = POINTS * fit.effects
        figures["effects"] = _part_of(seen, at, POINTS * np.ones(width - k), tuple(effects), gamma, df[at], method)
        spread = deviations(fit.votes)
        scaled = [j for j, name in enumerate(effects) if j < spread.size and not name.startswith("first")]
        if scaled:
            per = figures["effects"].select([effects[j] for j in scaled])
            figures["effects per sd"] = per.contrast(np.diag(spread[scaled]), per.names)
    if fit.has_tie:
        figures["tie"] = _tie(fit, seen, ties, df[-1:], method)
    figures["certificate"] = certificate(fit, method)
    return Estimate(
        names=tuple(names),
        value=points(fit.theta),
        parts=tuple(
            Part(name, _hide(covariance_points(fit.theta, covariance[:k, :k]), hidden[:k]), units)
            for name, covariance, units in parts
        ),
        df=df[:k],
        method=method,
        findings=told,
        figures=figures,
    )


def _hide(covariance: FloatArray, hidden: BoolArray) -> FloatArray:
    """The covariance with NaN rows and columns."""
    out = covariance.copy()
    out[hidden], out[:, hidden] = np.nan, np.nan
    return out


def certificate(fit: Fit, method: str = "") -> Estimate:
    """Gradient norm of the mean log-likelihood, Newton steps and log-likelihood of a fit."""
    return Estimate(
        names=("gradient norm", "steps", "log-likelihood"),
        value=np.array([fit.gradient_norm, fit.iterations, fit.loglik]) if fit.keep.any() else np.full(3, np.nan),
        parts=(Part("none", np.full((3, 3), np.nan), 0),),
        df=np.asarray(np.inf),
        method=method,
    )


def failure(fit: Fit) -> tuple[Finding, ...]:
    """A severe finding when a fit has no certificate."""
    if fit.converged or not fit.keep.any():
        return ()
    return (
        Finding(
            "fit-not-converged",
            Severity.SEVERE,
            f"After {fit.iterations} Newton steps the likelihood still rises: these votes have no largest likelihood.",
            fit.gradient_norm,
            1e-8,
            "Leave out covariates or the tie law, collect more votes, or give a prior in rating points.",
        ),
    )


def deviations(votes: Votes) -> FloatArray:
    """[d] standard deviation of each covariate over the votes."""
    total = max(float(votes.n.sum()), 1e-300)
    mean = votes.n @ votes.z / total
    return np.asarray(np.sqrt(np.maximum(votes.n @ votes.z**2 / total - mean**2, 0.0)))


def _part_of(
    parts: Sequence[tuple[str, FloatArray, int]],
    at: slice,
    slope: FloatArray,
    names: tuple[str, ...],
    value: FloatArray,
    df: FloatArray,
    method: str,
) -> Estimate:
    """Some of the parameters, each times its slope; NaN where there is no value."""
    slope = np.where(np.isfinite(value), slope, np.nan)
    return Estimate(
        names=names,
        value=value,
        parts=tuple(
            Part(name, covariance[at, at] * np.outer(slope, slope), units) for name, covariance, units in parts
        ),
        df=df,
        method=method,
    )


def _tie(fit: Fit, parts: Sequence[tuple[str, FloatArray, int]], ties: str, df: FloatArray, method: str) -> Estimate:
    """The tie parameter as its authors write it, and the chance that two equals tie."""
    t = fit.tie if fit.converged else np.nan
    if fit.law == "rao-kupper":
        name, value, slope = "theta", [np.exp(t), np.tanh(t / 2)], [np.exp(t), 0.5 / np.cosh(t / 2) ** 2]
    else:
        half = 0.5 if ties == "newman" else 1.0
        nu = np.exp(t)
        name, value, slope = "nu", [half * nu, nu / (2 + nu)], [half * nu, 2 * nu / (2 + nu) ** 2]
    both = [(which, np.full((2, 2), covariance[-1, -1]), units) for which, covariance, units in parts]
    return _part_of(both, slice(0, 2), np.array(slope), (name, "tie of equals"), np.array(value), df, method)
