"""Models preferences that run in circles: who is better depends on whom a response stands beside.

    P(left better) = σ(u),   u = β·(l − r) + l̃ᵀKr̃,   K = −Kᵀ,   l̃ = Pᵀ(l − x̄)
    K = Σ_k μ_k (a_k b_kᵀ − b_k a_kᵀ)      =>      l̃ᵀKr̃ = v_lᵀ R v_r,   v = (√μ_k a_k·x̃, √μ_k b_k·x̃)_k

Zhang, Zhang, Wu et al. (2024), Section 4: an embedding v and a rotation R by quarter turns score a pair; every skew
form is one. On plain features K itself is the parameter, so that the fit is convex and has an error, and β is the
reward that a constant coordinate gives. P holds the directions in which responses differ most.
Limits: λ_K → ∞ is rewards.bradley_terry; one-hot features of k responses make it any table of win rates.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import held_pairs, pair_logit, reward_forms, row_products
from ..stats.pair_logit import Pairs
from ..stats.skew import Skew, directions
from ..tables.preferences import Preferences
from ..tables.reward_model import Form, RewardModel
from . import _linear

FAINT, TINY = 1e-9, 1e-300  # of a feature's own square: a penalty that only keeps a projection apart from 0/0

CARD = Card(
    answers="Which of two responses is preferred, where preferences may run in circles?",
    equation="P(left better) = σ(β·(l − r) + l̃ᵀKr̃),  K = −Kᵀ",
    papers=(
        Paper(
            "General Preference Modeling with Preference Representations for Aligning Language Models",
            "Zhang, Zhang, Wu et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2410.02197",
            "Section 4",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Circles lie in the directions in which responses differ most.", "Clusters are independent."),
    limits=(
        "There is no reward: a policy is improved against others, not against a score (objectives of Nash type).",
        "K has a parameter for each pair of directions; few pairs shrink it towards no circles.",
        "A reward that hangs on the prompt, told by features of both sides alike, counts among the circles.",
    ),
    when="Where rewards.bradley_terry predicts little better than a coin although annotators agree with themselves.",
    rows=(123,),
)


def fit(
    preferences: Preferences, *, dimensions: int = 12, ridge: float = 1.0, circle_ridge: float = 1.0, folds: int = 5,
    seed: int = 0,
) -> RewardModel:  # fmt: skip
    """A preference model with a skew form beside a linear reward; parameters are β, then K above its diagonal.

    Arguments:
        preferences: pairs with features and outcomes.
        dimensions: directions in which preferences may run in circles, >= 2; all where there are fewer features.
        ridge: λ > 0 on β, in pairs.
        circle_ridge: λ_K > 0 on K, the same.
        folds: parts of the held-out report; 0 for none.
        seed: of the parts.

    Errors: no features, no outcome, penalties that are not above 0, fewer than two dimensions.

    >>> from adjudge.tables.preferences import from_arrays
    >>> rock, paper, scissors = np.eye(3)
    >>> made = from_arrays([paper, scissors, rock] * 9, [rock, paper, scissors] * 9, [1] * 27)
    >>> model = fit(made, ridge=0.1, circle_ridge=0.1, folds=0)
    >>> bool((model.difference(np.array([paper, rock]), np.array([rock, scissors]))[0] > 0.9).all())
    True
    """
    if dimensions < 2 or not circle_ridge > 0:
        raise AdjudgeError(
            f"rewards.general: dimensions = {dimensions}, circle_ridge = {circle_ridge:g}.",
            "A circle needs two dimensions, and a penalty above 0.",
            "Use rewards.bradley_terry for preferences without circles.",
        )
    stretch = float(np.sqrt(ridge / circle_ridge)) if ridge > 0 else 1.0

    def solve(rows: Preferences, error: bool) -> tuple[pair_logit.Fit, Skew]:
        form = directions(rows, dimensions, stretch)
        plain = _linear.pairs_of(rows)
        return pair_logit.fit(
            Pairs(form.features(rows.left, rows.right), plain.better, plain.worse),
            rows.cluster,
            ridge=ridge,
            error=error,
        ), form

    used = held_pairs.require(preferences)
    found, form = solve(used, True)

    parts = {"axes": form.axes, "centre": form.centre}
    kept = Form("skew", numbers={"stretch": form.stretch}, arrays=parts)
    _, compare = reward_forms.functions(kept, found.coefficients)

    def predict(some: Preferences, others: Preferences) -> FloatArray:
        rows = some.compared
        if not rows.any():
            return np.full(others.n, np.nan)
        part, own = solve(some.take(rows), False)
        return special.expit(own.features(others.left, others.right) @ part.coefficients)

    chance = held_pairs.held_out(preferences, predict, folds=folds, seed=seed)
    told = held_pairs.report(preferences, chance)
    return RewardModel(
        "rewards.general",
        found.coefficients,
        found.covariance,
        preferences.feature_names,
        compare,
        held_out=chance,
        report=told,
        figures={"free parameters": found.effective, "share of circles": _circles(used, form, found.coefficients)},
        findings=(*preferences.findings, *found.findings, *_linear.weak(told)),
        form=kept,
    )


def _circles(rows: Preferences, form: Skew, parameters: FloatArray) -> float:
    """Share of the log-odds' mean square that no reward of the features gives, on the pairs that were compared.

    The skew form can say what a reward says, too: where only neighbours were compared there is no circle to see.
    """
    lead, straight = form.features(rows.left, rows.right) @ parameters, rows.difference
    bend = row_products.gram(straight, rows.weight)
    faint = FAINT * np.diag(bend) + TINY
    by_reward = straight @ row_products.solve(bend, faint, straight.T @ (rows.weight * lead))
    return min(float(rows.weight @ (lead - by_reward) ** 2) / max(float(rows.weight @ lead**2), TINY), 1.0)
