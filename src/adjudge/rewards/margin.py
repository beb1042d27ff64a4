"""Asks a reward model to keep pairs apart by as much as annotators said: Bradley-Terry with a margin.

    L(β) = Σ w·[−p̃·log σ(Δ − m) − (1 − p̃)·log σ(−Δ − m)] + ½λ‖β‖²,      Δ = r_l − r_r,  m = unit·margin

Touvron, Martin, Stone et al. (2023), Eq. 2; compared with others by Wang, Bukharin, Delalleau et al. (2025), Section 3.
Limits: unit = 0 (or no margin known) is rewards.bradley_terry; σ(Δ) then says too much, as the fit pulls Δ beyond m.
"""

from __future__ import annotations

import numpy as np

from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import pair_logit
from ..stats.pair_logit import Pairs
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from . import _linear

CARD = Card(
    answers="What reward keeps two responses apart by as much as annotators said that they differ?",
    equation="L = Σ w·[−p̃·log σ(Δ − m) − (1 − p̃)·log σ(−Δ − m)] + ½λ‖β‖²",
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
            "Llama 2: Open Foundation and Fine-Tuned Chat Models",
            "Touvron, Martin, Stone et al.",
            2023,
            "arXiv",
            "https://arxiv.org/abs/2307.09288",
            "Eq. 2",
        ),
    ),
    needs=("left", "right", "outcome", "margin"),
    assumes=("A margin is in the unit of the log-odds, times `unit`.", "Clusters are independent."),
    limits=(
        "Its probabilities are too sure; its order of responses is what counts.",
        "Beside flips the loss may bend down: Newton's steps then find a minimum, not the only one.",
    ),
    when="Where large margins must show in the reward; rewards.scaled keeps probabilities and did better in the paper.",
    rows=(117,),
)


def fit(
    preferences: Preferences, *, unit: float = 1.0, ridge: float = 1.0, folds: int = 5, seed: int = 0
) -> RewardModel:
    """A linear reward by Bradley-Terry with margins; a margin that nobody gave is 0.

    Arguments:
        preferences: pairs with features, outcomes and margins.
        unit: log-odds that a margin of 1 asks for, >= 0.
        ridge: λ > 0, in pairs.
        folds: parts of the held-out report; 0 for none.
        seed: of the parts.

    Errors: no features, no outcome, a penalty that is not above 0, a unit below 0, a margin without end.

    >>> from adjudge.tables.preferences import from_arrays
    >>> far, near = (fit(from_arrays([[1.0]] * 3, [[0.0]] * 3, [1, 1, 0], margin=[m, m, 0]), folds=0) for m in (2, 0))
    >>> bool(far.parameters[0] > near.parameters[0])
    True
    """
    if not (np.isfinite(unit) and unit >= 0) or np.isinf(preferences.margin).any():
        raise AdjudgeError(
            f"rewards.margin: unit = {unit:g}, largest margin = {np.nanmax(preferences.margin, initial=0.0):g}.",
            "A finite unit >= 0, and finite margins.",
            "Correct it; unit = 0 is rewards.bradley_terry.",
        )

    def solve(rows: Preferences, error: bool) -> pair_logit.Fit:
        plain = _linear.pairs_of(rows)
        margins = unit * np.nan_to_num(rows.margin)
        asked = Pairs(plain.x, plain.better, plain.worse, margins if margins.any() else None)
        return pair_logit.fit(asked, rows.cluster, ridge=ridge, error=error)

    return _linear.fitted("rewards.margin", preferences, solve, folds=folds, seed=seed)
