"""Learns one reward from several preference sources whose tastes differ, each with a weight of its own.

    β_{t+1} = β_t − A⁻¹ Σ_s λ_s g_s,      λ = argmin_{λ >= 0, Σλ = 1} ‖Σ_s λ_s g_s‖²_{A⁻¹},      g_s = ∇L_s(β_t)/W_s

Zeng, Dai, Cheng et al. (2024), Section 4 (MORE): the step that lowers every source's loss at once, until no step does;
the model is then the Bradley-Terry fit with the weights λ of that point. Lengths are measured in A = ¼Σ_s Σ w x xᵀ/W_s,
so that the unit of a feature does not matter, and with which no loss can rise. Désidéri (2012) on the direction.
Limits: one source, or weights="rows", is rewards.bradley_terry; weights="equal" gives each source the same say; where
tastes agree λ is a matter of chance, and the errors are up to 1.8 times as wide as is due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import held_pairs, pair_logit, row_products
from ..stats.cluster import group_sums
from ..stats.source_balance import Balance, balanced
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from . import _linear

WEIGHTS = ("adaptive", "equal", "rows")
FEW, SAY = 10, 0.1  # clusters that a source with more than this weight should have
LEAST = 0.1  # of a cluster's residual that a fit is taken to leave
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
        "Where sources agree their weights λ are a matter of chance, and the errors up to 1.8 times as wide as is due.",
        "Adaptive weights of a rare source are too small, since noise makes its slope longer.",
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

    Errors: no features, no outcome, weights of another name, a penalty that is not above 0.

    >>> from adjudge.tables.preferences import from_arrays
    >>> made = from_arrays([[1.0]] * 5, [[0.0]] * 5, [1, 1, 1, 0, 1], source=[0, 0, 0, 0, 1])
    >>> sorted(fit(made, weights="equal", folds=0).figures.items())[1:]
    [('weight of s0', 0.5), ('weight of s1', 0.5)]
    """
    if weights not in WEIGHTS or not (np.isfinite(ridge) and ridge > 0):
        raise AdjudgeError(
            f"rewards.sources: weights = {weights!r}, ridge = {ridge:g}.",
            f"Weights among {', '.join(WEIGHTS)}, and a penalty above 0.",
            "Correct the argument.",
        )
    used = held_pairs.require(preferences, instead="Fit ratings with rewards.regression.")
    every = _mixed(used, weights, ridge)
    rare: list[Finding] = []

    def solve(rows: Preferences, error: bool) -> pair_logit.Fit:
        mix = every if error else _mixed(rows, weights, ridge)
        pairs = _linear.pairs_of(rows, rows.weight * mix.factor[rows.source])
        found = pair_logit.fit(pairs, rows.cluster, ridge=ridge, error=error)
        if not error or mix.fixed:
            return found
        covariance, told = _error(rows, mix, pairs, found)
        rare.extend(told)
        return replace(found, covariance=covariance)

    model = _linear.fitted("rewards.sources", preferences, solve, folds=folds, seed=seed)
    named = dict(zip((f"weight of {name}" for name in preferences.sources), every.share.tolist(), strict=True))
    noticed = (
        *rare,
        *(() if every.balance is None else _alone(preferences.sources, every.share)),
        *_unsettled(every.balance),
    )
    return replace(model, figures={**model.figures, **named}, findings=(*model.findings, *noticed))


@dataclass(frozen=True, slots=True, eq=False)
class _Mix:
    """[S] share λ of each source, [S] factor on its rows, which keeps the sum of weights; present: [S'] sources.

    `fixed`: whether shares are those of the rows; `balance`: the way to adaptive ones.
    """

    share: FloatArray
    factor: FloatArray
    present: IntArray
    fixed: bool
    balance: Balance | None = None


def _mixed(rows: Preferences, weights: str, ridge: float) -> _Mix:
    mass = np.bincount(rows.source, rows.weight, minlength=len(rows.sources)).astype(float)
    present = np.flatnonzero(mass)
    fixed, balance = weights == "rows" or present.size == 1, None
    share = mass / mass.sum()
    if weights == "equal":
        share = (mass > 0) / present.size
    elif not fixed:
        parts = [rows.take(rows.source == code) for code in present]
        own = tuple(_linear.pairs_of(part, part.weight / part.weight.sum()) for part in parts)
        balance = balanced(own, ridge / mass.sum())  # the same penalty for each source's mean loss
        share = np.zeros(mass.size)
        share[present] = balance.share
    factor = np.divide(share * mass.sum(), mass, out=np.zeros(mass.size), where=mass > 0)
    return _Mix(share, factor, present, fixed, balance)


def _error(
    rows: Preferences, mix: _Mix, pairs: pair_logit.Pairs, found: pair_logit.Fit
) -> tuple[FloatArray, tuple[Finding, ...]]:
    """([d, d] covariance, findings); sources count by their means, so that few clusters of one may weigh a lot.

    e_i = a_i x_i − W λ_s m_i ḡ_s + W Σ_r ḡ_r ∂λ_r/∂log w_i,      Cov = A⁻¹ (Σ_g e_g e_gᵀ) A⁻¹,  a_i the slope of row i,
    m_i its share of its source, ḡ_s its source's mean slope at β̂; rows are raised by what their cluster drew the fit.
    """
    total = rows.weight.sum()
    first, second = pairs.slopes(lead := pairs.x @ found.coefficients)
    plain = _linear.pairs_of(rows).slopes(lead)[0]
    slopes, moved = np.zeros((mix.present.size, rows.d)), np.zeros((rows.n, mix.present.size))
    raised, alone, told = np.ones(rows.n), False, list[Finding]()
    gained = mix.balance.by_weight() if mix.balance is not None else None
    for number, code in enumerate(mix.present):
        at = np.flatnonzero(rows.source == code)
        x, mass = pairs.x[at], rows.weight[at] / rows.weight[at].sum()
        slopes[number] = x.T @ plain[at] / rows.weight[at].sum()
        moved[at, number] = -total * mix.share[code] * mass
        if gained is not None:
            moved[at] += total * gained[number]
        carried = float(np.sum(found.bread * row_products.gram(x, second[at])))
        by_cluster = np.bincount(rows.cluster[at], mass)
        units = int((by_cluster > 0).sum())
        alone |= units < 2 and mix.share[code] > 0
        heavy = by_cluster[rows.cluster[at]]
        raised[at] = 1 / (np.maximum(1 - carried * heavy, LEAST) * np.sqrt(np.maximum(1 - heavy, LEAST)))
        told += _rare(rows.sources[code], units, max(2 * carried, FEW if mix.share[code] > SAY else 2))
    own = np.unique(rows.cluster, return_inverse=True)[1]
    low = group_sums(own, (raised[:, None] * moved).T, int(own.max()) + 1)
    cross = np.asarray(pairs.x.T @ (raised * first * low[:, own]).T) @ slopes
    meat = (
        row_products.squared(pairs.x, raised * first, own, None) + cross + cross.T + slopes.T @ (low @ low.T) @ slopes
    )
    covariance = found.bread @ meat @ found.bread
    return (np.full_like(covariance, np.nan) if alone else (covariance + covariance.T) / 2), tuple(told)


def _rare(name: str, units: int, enough: float) -> tuple[Finding, ...]:
    if units >= enough:
        return ()
    return (
        Finding(
            "rewards-rare-source",
            Severity.WARNING,
            f"{name} has a say of its own by {units:,} independent clusters, so the errors are rough.",
            units,
            enough,
            "Collect more prompts of it, or use weights='rows'.",
            (name,),
        ),
    )


def _unsettled(balance: Balance | None) -> tuple[Finding, ...]:
    if balance is None or balance.settled:
        return ()
    return (
        Finding(
            "rewards-balance-unsettled",
            Severity.WARNING,
            f"After {len(balance.path):,} steps some still lower the loss of every source, so the weights are rough.",
            len(balance.path),
            len(balance.path),
            "Raise the penalty, put features on like scales, or use weights='equal'.",
        ),
    )


def _alone(sources: tuple[str, ...], share: FloatArray) -> tuple[Finding, ...]:
    if share.max() < ONE:
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
