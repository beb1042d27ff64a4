"""Takes length out of a reward: two parts are fitted together, and the one that follows length is dropped.

    r_Q + r_L explain preferences;      + λ_L·(|ρ(r_Q, len)| − ρ(r_L, len)) + λ_O·|q·l|;      the reward is r_Q

Chen, Zhu, Soselia et al. (2024), Eq. 4-6 (ODIN). Where shorter responses win, length counts
downwards. Limits: λ_L = λ_O = 0 halves the reward of rewards.bradley_terry; a
quality that goes with length by nature is taken out, too; lengths that do not vary leave nothing to take out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..errors import AdjudgeError
from ..stats import held_pairs, pair_logit, reward_forms, two_heads
from ..tables.preferences import Preferences
from ..tables.reward_model import Form, RewardModel
from . import _linear

CARD = Card(
    answers="What do people prefer beside length?",
    equation="min BT(r_Q + r_L) + λ_L·(|ρ(r_Q, len)| − ρ(r_L, len)) + λ_O·|q·l|;  r = r_Q",
    papers=(
        Paper(
            "ODIN: Disentangled Reward Mitigates Hacking in RLHF",
            "Chen, Zhu, Soselia et al.",
            2024,
            "ICML",
            "https://arxiv.org/abs/2402.07319",
            "Section 3",
        ),
    ),
    needs=("left", "right", "outcome", "length"),
    assumes=(
        "Length is no merit of its own.",
        "The features can tell length from quality.",
        "Clusters are independent.",
    ),
    limits=(
        "Its probabilities are of preferences without length, and so less right on pairs where length was preferred.",
        "The correlation is linear; where length sways preferences in another way, give a function of it as length.",
    ),
    when="Where an audit finds that longer responses win, and before a policy is optimised against the reward.",
    rows=(163,),
)


def fit(
    preferences: Preferences, *, apart: float = 1.0, square: float = 1.0, ridge: float = 1.0, folds: int = 5,
    seed: int = 0,
) -> RewardModel:  # fmt: skip
    """The quality part of a linear reward in two; parameters are (q, l).

    Arguments:
        preferences: pairs with features, outcomes and lengths.
        apart: λ_L >= 0, in mean loss of a pair.
        square: λ_O >= 0, the same.
        ridge: λ > 0, in pairs.
        folds: parts of the held-out report of r_Q; 0 for none.
        seed: of the parts.

    Errors: no features, outcome or length; lengths that do not vary, or go with no feature; a penalty below 0.

    >>> from adjudge.tables.preferences import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left, right = rng.normal(size=(2, 300, 2))
    >>> lead = (left - right) @ [1.0, 1.0]
    >>> long = np.column_stack([left[:, 1], right[:, 1]]) + 5
    >>> made = from_arrays(left, right, rng.random(300) < 1 / (1 + np.exp(-lead)), length=long)
    >>> model = fit(made, folds=0)
    >>> [round(abs(figure), 1) for name, figure in model.figures.items() if name != "correlation of both parts"]
    [0.0, 1.0]
    """
    if not (apart >= 0 and square >= 0):
        raise AdjudgeError(
            f"rewards.disentangled: apart = {apart:g}, square = {square:g}.", "Penalties >= 0.", "Give such."
        )
    used, toward = _with_lengths(preferences, ridge)
    found = two_heads.fit(used, apart=apart, square=square, ridge=ridge)

    form, parameters = Form("quality"), np.concatenate([found.quality, found.length])
    reward, compare = reward_forms.functions(form, parameters)

    def predict(some: Preferences, others: Preferences) -> FloatArray:
        rows = some.compared & np.isfinite(some.length).all(axis=1)
        if not rows.any() or np.ptp(some.length[rows]) == 0:
            return np.full(others.n, np.nan)
        turned = replace(some, length=toward * some.length)
        part = two_heads.fit(turned.take(rows), apart=apart, square=square, ridge=ridge)
        return special.expit(others.difference @ part.quality)

    chance = held_pairs.held_out(preferences, predict, folds=folds, seed=seed)
    told = held_pairs.report(preferences, chance)
    return RewardModel(
        "rewards.disentangled",
        parameters,
        found.influence.T @ found.influence,
        preferences.feature_names,
        compare,
        reward,
        held_out=chance,
        report=told,
        figures={
            "correlation with length": toward * found.lengths.correlation(found.quality),
            "correlation of the length part": toward * found.lengths.correlation(found.length),
            "correlation of both parts": toward * found.lengths.correlation(found.quality + found.length),
        },
        findings=(*preferences.findings, *_linear.weak(told)),
        form=form,
    )


def _with_lengths(preferences: Preferences, ridge: float) -> tuple[Preferences, float]:
    """Compared rows whose lengths are known, turned so that more of it is liked, and 1, or −1 where they were turned.

    Errors: there are none, or nothing goes with length.
    """
    used = held_pairs.require(held_pairs.require(preferences), column="length", instead="Use rewards.bradley_terry.")
    known = np.isfinite(used.length).all(axis=1)
    used = used.take(np.flatnonzero(known))
    if not used.n or np.ptp(used.length) == 0 or not np.linalg.norm(two_heads.moments(used)[0].c) > 0:
        raise AdjudgeError(
            "preferences.length: no feature goes with it, or it is the same everywhere.",
            "Lengths of both responses that vary.",
            "Use rewards.bradley_terry: there is nothing to take out.",
        )
    plain = pair_logit.minimise(_linear.pairs_of(used), ridge=ridge)
    toward = 1.0 if two_heads.moments(used)[0].correlation(plain) >= 0 else -1.0
    return replace(used, length=toward * used.length), toward
