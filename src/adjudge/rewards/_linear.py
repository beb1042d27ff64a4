"""From a linear fit to a reward model: the two functions, the predictions of pairs held out, the findings."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.finding import Finding, Severity
from ..stats import held_pairs
from ..stats.pair_logit import Fit, Pairs
from ..tables.preferences import Preferences
from ..tables.reward_model import Form, Held, RewardModel, linear

Solve = Callable[[Preferences, bool], Fit]
"""Pairs that were all compared, and whether the error of their fit is wanted."""
CHANCE = 2.0  # standard errors by which a model should beat a coin


def pairs_of(preferences: Preferences, weight: FloatArray | None = None) -> Pairs:
    """The loss of Bradley-Terry on rows that were compared; `weight` [n] stands in for the rows' own."""
    mass = preferences.weight if weight is None else weight
    target = preferences.target
    return Pairs(preferences.difference, mass * target, mass * (1 - target))


def fitted(
    method: str, preferences: Preferences, solve: Solve, *, folds: int, seed: int, whole: bool = False
) -> RewardModel:
    """A model of the pairs that were compared, with its held-out report.

    Arguments:
        method: its address.
        preferences: every row.
        solve: fits pairs.
        folds, seed: of the pairs held out.
        whole: whether `solve` is given the rows that nobody compared, too.
    """
    used = held_pairs.require(preferences, instead="Fit ratings with rewards.regression.")
    found = solve(preferences if whole else used, True)
    reward, compare = linear(found.coefficients)

    def predict(some: Preferences, others: Preferences) -> FloatArray:
        rows = some.compared
        if not rows.any():
            return np.full(others.n, np.nan)
        return special.expit(others.difference @ solve(some if whole else some.take(rows), False).coefficients)

    chance = held_pairs.held_out(preferences, predict, folds=folds, seed=seed)
    told = held_pairs.report(preferences, chance)
    return RewardModel(
        method,
        found.coefficients,
        found.covariance,
        preferences.feature_names,
        compare,
        reward,
        held_out=chance,
        report=told,
        figures={"free parameters": found.effective},
        findings=(*preferences.findings, *found.findings, *weak(told)),
        form=Form("linear"),
    )


def weak(told: dict[str, Held]) -> tuple[Finding, ...]:
    """A finding where a model does not predict pairs that it did not see."""
    whole = told.get("all")
    if whole is None or not np.isfinite(whole.accuracy_stderr):
        return ()
    lead = whole.accuracy - 0.5
    if lead > CHANCE * whole.accuracy_stderr:
        return ()
    return (
        Finding(
            "rewards-no-better-than-chance",
            Severity.WARNING,
            f"On pairs held out the model is right in {100 * whole.accuracy:.1f} % of {whole.n:,}, which a coin may "
            "be, too.",
            whole.accuracy,
            0.5 + CHANCE * whole.accuracy_stderr,
            "Give features that tell the responses apart, or more pairs.",
        ),
    )
