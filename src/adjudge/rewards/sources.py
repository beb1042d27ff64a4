"""Learns one reward from several preference sources whose tastes differ, each with a weight of its own.

    β_{t+1} = β_t − A⁻¹ Σ_s λ_s g_s,      λ = argmin_{λ >= 0, Σλ = 1} ‖Σ_s λ_s g_s‖²_{A⁻¹},      g_s = ∇L_s(β_t)/W_s

Zeng, Dai, Cheng et al. (2024), Section 4 (MORE): the step that lowers every source's loss at once, until no step does;
the model is then the Bradley-Terry fit with the weights λ of that point. Lengths are measured in A = ¼Σ_s Σ w x xᵀ/W_s,
so that the unit of a feature does not matter, and with which no loss can rise. Désidéri (2012) on the direction.
Limits: one source, or weights="rows", is rewards.bradley_terry; weights="equal" gives each source the same say.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import optimize

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import held_pairs, pair_logit, row_products
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from . import _linear

WEIGHTS = ("adaptive", "equal", "rows")
STEPS, STILL = 2000, 1e-8
ONE = 0.99  # weight of a source beyond which the others hardly have a say

CARD = Card(
    answers="What one reward serves several sources of preferences, and how well does it fit each of them?",
    equation="λ = argmin ‖Σ_s λ_s g_s‖²_{A⁻¹},  β ← β − A⁻¹ Σ_s λ_s g_s until it stands,  then argmin Σ_s λ_s L_s",
    papers=(
        Paper(
            "On Diversified Preferences of Large Language Model Alignment",
            "Zeng, Dai, Cheng et al.",
            2024,
            "Findings of EMNLP",
            "https://arxiv.org/abs/2312.07401",
            "Section 4",
        ),
        Paper(
            "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization",
            "Désidéri",
            2012,
            "Comptes Rendus Mathematique 350(5)",
            "https://doi.org/10.1016/j.crma.2012.03.014",
        ),
    ),
    needs=("left", "right", "outcome", "source"),
    assumes=("Sources share a part of their taste.", "Clusters are independent."),
    limits=(
        "The error takes the weights λ as given.",
        "Where tastes differ one reward cannot be calibrated for all: the report by source says how far off.",
    ),
    when="Where preferences were collected in several places or from several groups of annotators.",
    rows=(94,),
)


def fit(
    preferences: Preferences, *, weights: str = "adaptive", ridge: float = 1.0, folds: int = 5, seed: int = 0
) -> RewardModel:
    """A linear reward by Bradley-Terry on all sources; `report` holds accuracy and calibration by source.

    Arguments:
        preferences: pairs with features, outcomes and sources.
        weights: `adaptive` (λ above), `equal` by source, or `rows` (each source as large as it is).
        ridge: λ > 0, in pairs.
        folds: parts of the held-out report; 0 for none.
        seed: of the parts.

    Errors: no features, no outcome, weights of another name.

    >>> from adjudge.tables.preferences import from_arrays
    >>> made = from_arrays([[1.0]] * 5, [[0.0]] * 5, [1, 1, 1, 0, 1], source=[0, 0, 0, 0, 1])
    >>> sorted(fit(made, weights="equal", folds=0).figures.items())[1:]
    [('weight of s0', 0.5), ('weight of s1', 0.5)]
    """
    if weights not in WEIGHTS:
        raise AdjudgeError(
            f"rewards.sources: weights = {weights!r}.", f"One of {', '.join(WEIGHTS)}.", "Name one of them."
        )

    def solve(rows: Preferences, error: bool) -> pair_logit.Fit:
        by_row = rows.weight * _shares(rows, weights, ridge)[1][rows.source]
        return pair_logit.fit(_linear.pairs_of(rows, by_row), rows.cluster, ridge=ridge, error=error)

    model = _linear.fitted("rewards.sources", preferences, solve, folds=folds, seed=seed)
    share = _shares(held_pairs.require(preferences), weights, ridge)[0]
    named = dict(zip((f"weight of {name}" for name in preferences.sources), share.tolist(), strict=True))
    return replace(
        model, figures={**model.figures, **named}, findings=(*model.findings, *_alone(preferences.sources, share))
    )


def _shares(rows: Preferences, weights: str, ridge: float) -> tuple[FloatArray, FloatArray]:
    """([S] weight of each source, [S] factor on its rows); the rows' sum of weights stays as it is."""
    mass = np.bincount(rows.source, rows.weight, minlength=len(rows.sources)).astype(float)
    there = mass > 0
    share = mass / mass.sum()
    if weights == "equal" or there.sum() == 1:
        share = there / there.sum()
    elif weights == "adaptive":
        share = np.zeros(mass.size)
        share[there] = _balanced(rows, np.flatnonzero(there), mass[there], ridge)
    return share, np.divide(share * mass.sum(), mass, out=np.zeros(mass.size), where=there)


def _balanced(rows: Preferences, present: IntArray, mass: FloatArray, ridge: float) -> FloatArray:
    """[S'] λ where no step lowers the loss of every source any more."""
    own = []
    for code in present:
        part = rows.take(rows.source == code)
        own.append(_linear.pairs_of(part, part.weight / part.weight.sum()))
    pull = ridge / mass.sum()  # the same penalty for each source's mean loss
    bound = np.sum([row_products.gram(each.x, each.better + each.worse) for each in own], axis=0) / 4
    inverse = row_products.solve(bound, pull, np.eye(rows.d))
    root = np.linalg.cholesky((inverse + inverse.T) / 2)
    beta = np.zeros(rows.d)
    share = np.full(len(own), 1 / len(own))
    for _ in range(STEPS):
        slopes = np.array([each.x.T @ each.slopes(each.x @ beta)[0] + pull * beta for each in own])
        share = lightest(slopes @ root)
        step = inverse @ (share @ slopes)
        if float(share @ slopes @ step) < STILL**2:
            break
        beta = beta - step
    return share


def lightest(vectors: FloatArray) -> FloatArray:
    """[S] weights of the shortest mean of vectors [S, d], >= 0 with sum 1.

    >>> lightest(np.array([[1.0, 0.0], [0.0, 2.0]])).round(6).tolist()
    [0.8, 0.2]
    """
    size = max(float(np.abs(vectors).max(initial=0.0)), 1e-300)
    system = np.vstack([vectors.T / size, np.ones(len(vectors))])
    found = optimize.nnls(system, np.append(np.zeros(vectors.shape[1]), 1.0))[0]
    return found / found.sum()


def _alone(sources: tuple[str, ...], share: FloatArray) -> tuple[Finding, ...]:
    if len(sources) < 2 or share.max() < ONE:
        return ()
    name = sources[int(np.argmax(share))]
    return (
        Finding(
            "rewards-one-source-decides",
            Severity.WARNING,
            f"The balance of the sources rests on {name} alone: no step from its optimum helps all of them.",
            float(share.max()),
            ONE,
            "Compare weights='equal', or fit the sources apart.",
            (name,),
        ),
    )
