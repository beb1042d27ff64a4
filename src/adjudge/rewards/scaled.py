"""Lets a clear preference count for more than a faint one: Bradley-Terry weighted by strength, started from ratings.

    L(β) = Σ w·(m/m̄)·[−p̃·log σ(Δ) − (1 − p̃)·log σ(−Δ)] + ½λ‖β − c‖²,      c = 0, or s·β̂ of rewards.regression

Wang, Bukharin, Delalleau et al. (2025), Section 3 (scaled Bradley-Terry). The loss is convex, so that a start alone
would change nothing: here the penalty pulls to where training would have begun. Division by the mean strength m̄ keeps
λ in pairs. Limits: equal strengths are rewards.bradley_terry; a tie of strength 0 does not count; a strength that
nobody gave is the mean; λ → ∞ from ratings is rewards.regression.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import pair_logit, rating_fit
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from . import _linear

STARTS = ("zero", "ratings")

CARD = Card(
    answers="What reward explains preferences when some are stronger than others, and ratings are known, too?",
    equation="L = Σ w·(m/m̄)·[−p̃·log σ(Δ) − (1 − p̃)·log σ(−Δ)] + ½λ‖β − c‖²",
    papers=(
        Paper(
            "HelpSteer2-Preference: Complementing Ratings with Preferences",
            "Wang, Bukharin, Delalleau et al.",
            2025,
            "ICLR",
            "https://arxiv.org/abs/2410.01257",
            "Section 3",
        ),
    ),
    needs=("left", "right", "outcome", "margin"),
    assumes=("A preference of strength 2 is worth two of strength 1.", "Clusters are independent."),
    limits=("Strength counts as weight: where faint preferences are less certain, their probabilities are too sure.",),
    when="Where annotators said how much better; with start='ratings' where the responses were rated, too.",
    rows=(117,),
)


def fit(
    preferences: Preferences,
    *,
    start: str = "zero",
    ridge: float = 1.0,
    rating_ridge: float = 1.0,
    folds: int = 5,
    seed: int = 0,
) -> RewardModel:
    """A linear reward by Bradley-Terry with strengths as weights.

    Arguments:
        preferences: pairs with features, outcomes and margins; ratings for `start="ratings"`.
        start: where the penalty pulls to: `zero`, or `ratings`: the reward of rewards.regression in log-odds.
        ridge: λ > 0, in pairs.
        rating_ridge: λ of the regression that a start from ratings is, in ratings.
        folds: parts of the held-out report; 0 for none.
        seed: of the parts.

    Errors: no features, no outcome; a start of another name, or from ratings that nobody gave.

    >>> from adjudge.tables.preferences import from_arrays
    >>> made = from_arrays([[1.0]] * 3, [[0.0]] * 3, [1, 0, 0], margin=[4, 1, 1])
    >>> round(float(np.exp(fit(made, ridge=1e-9, folds=0).parameters[0])), 4)
    2.0
    """
    if start not in STARTS:
        raise AdjudgeError(f"rewards.scaled: start = {start!r}.", f"One of {', '.join(STARTS)}.", "Name one of them.")
    if start == "ratings" and not _rated(preferences):
        raise AdjudgeError(
            "preferences.rating: no response is rated.", "A start from ratings needs some.", "Use start='zero'."
        )

    def solve(rows: Preferences, error: bool) -> pair_logit.Fit:
        pairs = rows.take(rows.compared) if start == "ratings" else rows
        weighted = _linear.pairs_of(pairs, pairs.weight * strength(pairs))
        if start == "zero" or not _rated(rows):
            return pair_logit.fit(weighted, pairs.cluster, ridge=ridge, error=error)
        return _from_ratings(rows, pairs.cluster, weighted, ridge, rating_ridge)

    model = _linear.fitted("rewards.scaled", preferences, solve, folds=folds, seed=seed, whole=start == "ratings")
    return replace(model, findings=(*model.findings, *_unsaid(preferences)))


def strength(rows: Preferences) -> FloatArray:
    """[n] margins over their mean; 1 where nobody said. Errors: all strengths are 0.

    >>> from adjudge.tables.preferences import from_arrays
    >>> strength(from_arrays([[1.0]] * 3, [[0.0]] * 3, [1, 1, 1], margin=[3, 1, np.nan])).tolist()
    [1.5, 0.5, 1.0]
    """
    known = np.isfinite(rows.margin)
    if not known.any():
        return np.ones(rows.n)
    mean = float(np.average(rows.margin[known], weights=rows.weight[known])) if rows.weight[known].any() else 0.0
    if mean <= 0:
        raise AdjudgeError(
            "preferences.margin: every strength is 0.", "Some preference is stronger than none.",
            "Use rewards.bradley_terry.",
        )  # fmt: skip
    return np.where(known, rows.margin / mean, 1.0)


def _rated(rows: Preferences) -> bool:
    return bool(np.isfinite(rows.rating[rows.weight > 0]).any())


def _from_ratings(
    rows: Preferences, cluster: IntArray, weighted: pair_logit.Pairs, ridge: float, rating_ridge: float
) -> pair_logit.Fit:
    """The fit pulled to the regression's rewards, whose own error it carries: ∂β̂/∂c = λA⁻¹; every rating counts."""
    rated = rating_fit.fit(rows, ridge=rating_ridge)
    found = pair_logit.fit(weighted, cluster, ridge=ridge, centre=rated.scale * rated.coefficients)
    by_start = rated.scale * rated.influence[:, :-2] + np.outer(rated.influence[:, -1], rated.coefficients)
    influence = ridge * by_start @ found.bread
    influence[found.units] += found.influence()
    return replace(found, covariance=influence.T @ influence)


def _unsaid(preferences: Preferences) -> tuple[Finding, ...]:
    used = preferences.compared
    unsaid = float(np.isnan(preferences.margin[used]).mean())
    if not unsaid:
        return ()
    return (
        Finding(
            "rewards-strength-unknown",
            Severity.INFO if unsaid < 1 else Severity.WARNING,
            f"{100 * unsaid:.0f} % of the pairs have no strength and count as the mean one.",
            unsaid,
            0.0,
            "Give strengths, or use rewards.bradley_terry.",
            ("margin",),
        ),
    )
