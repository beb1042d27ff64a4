"""Learns a reward from ratings of single responses, and how much a point of it sways a preference.

    β̂, ĉ = argmin ½Σ w·(y − c − xβ)² + ½λ‖β‖²,      P(left better) = σ(s·(r_l − r_r)),   s fitted to comparisons

Wang, Bukharin, Delalleau et al. (2025), Section 3 (SteerLM regression); Newey, McFadden (1994), §6 (error of s).
Limits: without comparisons s = 1; λ → 0 is least squares; ratings and comparisons that agree make it the reward of
rewards.bradley_terry times a constant.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..stats import held_pairs, rating_fit, reward_forms
from ..tables.preferences import Preferences
from ..tables.reward_model import Form, RewardModel
from . import _linear

CARD = Card(
    answers="What reward explains the ratings of single responses, and what do they say of pairs?",
    equation="(β, c) = argmin ½Σ w(y − c − xβ)² + ½λ‖β‖²,  P(left better) = σ(s·(r_l − r_r))",
    papers=(
        Paper(
            "HelpSteer2-Preference: Complementing Ratings with Preferences",
            "Wang, Bukharin, Delalleau et al.",
            2025,
            "ICLR",
            "https://arxiv.org/abs/2410.01257",
            "Section 3",
        ),
        Paper(
            "Large sample estimation and hypothesis testing",
            "Newey, McFadden",
            1994,
            "Handbook of Econometrics 4",
            "https://doi.org/10.1016/S1573-4412(05)80005-4",
            "Section 6",
        ),
    ),
    needs=("left", "right", "rating"),
    assumes=("A point means the same everywhere on the scale, and to every rater.", "Clusters are independent."),
    limits=("Raters who use the scale differently blur it; comparisons within a prompt do not.",),
    when="Where responses were rated, or labelled one by one; start rewards.scaled from it where there are pairs, too.",
    rows=(117,),
)


def fit(preferences: Preferences, *, ridge: float = 1.0, folds: int = 5, seed: int = 0) -> RewardModel:
    """A linear reward by ridge regression on every rating, with a scale fitted to the pairs that were compared.

    Arguments:
        preferences: responses with features, of which some are rated; responses alone count.
        ridge: λ > 0, in ratings.
        folds: parts of the held-out report on pairs; 0 for none.
        seed: of the parts.

    Errors: no features, no rating.

    >>> from adjudge.tables.preferences import from_arrays
    >>> x = np.arange(6.0)[:, None]
    >>> made = from_arrays(x, x[::-1], np.full(6, np.nan), rating=np.column_stack([2 * x + 1, 2 * x[::-1] + 1]))
    >>> fit(made, ridge=1e-9, folds=0).score(np.array([[10.0]])).round(6).tolist()
    [21.0]
    """
    held_pairs.require(preferences, column="rating", instead="Fit comparisons with rewards.bradley_terry.")
    found = rating_fit.fit(preferences, ridge=ridge)
    form, parameters = Form("rated"), np.concatenate([found.coefficients, [found.intercept, found.scale]])
    reward, compare = reward_forms.functions(form, parameters)

    def predict(some: Preferences, others: Preferences) -> FloatArray:
        if not np.isfinite(some.rating[some.weight > 0]).any():
            return np.full(others.n, np.nan)
        part = rating_fit.fit(some, ridge=ridge)
        return special.expit(part.scale * (others.difference @ part.coefficients))

    paired = preferences.compared.any()
    chance = held_pairs.held_out(preferences, predict, folds=folds if paired else 0, seed=seed)
    told = held_pairs.report(preferences, chance)
    return RewardModel(
        "rewards.regression",
        parameters,
        found.covariance,
        preferences.feature_names,
        compare,
        reward,
        held_out=chance,
        report=told,
        figures={"free parameters": found.effective, "log-odds by point": found.scale},
        findings=(*preferences.findings, *found.findings, *_linear.weak(told)),
        form=form,
    )
