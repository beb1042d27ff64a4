"""Trusts a reward only as far as several fits agree on it: an ensemble, by its mean, its worst case or its spread.

    β_j = argmin Σ_g v_gj·L_g(β) + ½λ‖β‖²,  v_gj ~ Exp(1),  j = 1 … k;      r = agg_j(x·β_j − x̄·β_j)

Coste, Anwar, Kirk et al. (2024), Eq. 5-7 (mean, worst case, uncertainty-weighted); Eisenstein, Nagpal, Agarwal et al.
(2024) (members that see unlike features, as unlike pretraining makes them). Plain features have one optimum, so that
members differ by the clusters' weights (Rubin, 1981) or, with features="part", also by the features that each is shown.
Limits: one member is a Bradley-Terry fit of reweighted data; penalty = 0 is the mean; what all members share, such as a
feature that the data wrongly praise, no aggregate takes out; the errors of median and min are up to a half too wide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse, special

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.finding import Finding
from ..errors import AdjudgeError
from ..stats import held_pairs, pair_logit, reward_forms
from ..stats.bootstrap import cluster_weights
from ..stats.cluster import group_sums
from ..stats.pair_logit import Pairs
from ..stats.reward_members import AGGREGATES, Members, aggregate
from ..tables.preferences import Features, Preferences, dense
from ..tables.reward_model import Form, RewardModel
from . import _linear

SEED = 80263
LEAST = 0.1  # of a cluster's residual that a fit is taken to leave

CARD = Card(
    answers="Which responses are good by every plausible reward, and not only by one that happened to be fitted?",
    equation="r = agg_j r_j: mean, median, min, mean − λ·var, mean − λ·sd, over k fits of reweighted clusters",
    papers=(
        Paper(
            "Reward Model Ensembles Help Mitigate Overoptimization",
            "Coste, Anwar, Kirk et al.",
            2024,
            "ICLR",
            "https://arxiv.org/abs/2310.02743",
            "Section 3",
        ),
        Paper(
            "Helping or Herding? Reward Model Ensembles Mitigate but do not Eliminate Reward Hacking",
            "Eisenstein, Nagpal, Agarwal et al.",
            2024,
            "COLM",
            "https://arxiv.org/abs/2312.09244",
            "Section 3",
        ),
        Paper(
            "The Bayesian Bootstrap",
            "Rubin",
            1981,
            "The Annals of Statistics 9(1)",
            "https://doi.org/10.1214/aos/1176345338",
        ),
    ),
    needs=("left", "right", "outcome"),
    assumes=("Members err unlike each other where the data say little.", "Clusters are independent."),
    limits=(
        "A mistake that all members share stays.",
        "The error takes the members' weights as given; of median and min it is up to a half too wide.",
    ),
    when="Before a policy is optimised against a reward; rewards.bradley_terry where nothing is optimised.",
    rows=(181, 211),
)


def fit(
    preferences: Preferences,
    *,
    members: int = 5,
    how: str = "min",
    penalty: float = 0.5,
    features: str = "all",
    ridge: float = 1.0,
    folds: int = 5,
    seed: int = 0,
) -> RewardModel:
    """k Bradley-Terry fits as one reward; `stats.reward_members.Members.of(model)` gives them back.

    Arguments:
        preferences: pairs with features and outcomes.
        members: k >= 1.
        how: `mean`, `median`, `min`, `variance` (mean − λ·var) or `deviation` (mean − λ·sd).
        penalty: λ >= 0 of the last two.
        features: `all`, or `part`: each member sees a random half of them.
        ridge: λ > 0 of each fit, in pairs.
        folds: parts of the held-out report; 0 for none.
        seed: of the members and the parts.

    Errors: no features, no outcome; fewer than one member; another name.

    >>> from adjudge.tables.preferences import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> left, right = rng.normal(size=(2, 200, 3))
    >>> made = from_arrays(left, right, left[:, 0] > right[:, 0])
    >>> worst, mean = (fit(made, how=how, folds=0).score(np.eye(3) * 9) for how in ("min", "mean"))
    >>> bool((worst < mean).all())
    True
    """
    if members < 1 or how not in AGGREGATES or features not in ("all", "part") or not penalty >= 0:
        raise AdjudgeError(
            f"rewards.ensemble: members = {members}, how = {how!r}, features = {features!r}, penalty = {penalty:g}.",
            f"At least one member, how among {', '.join(AGGREGATES)}, features all or part, and a penalty >= 0.",
            "Correct the argument.",
        )
    used = held_pairs.require(preferences)

    mass, shown = _drawn(preferences, members, features == "part", seed)

    def table(rows: Preferences, error: bool) -> tuple[FloatArray, FloatArray, tuple[Finding, ...]]:
        return _members(rows, mass, shown, ridge, error)

    coefficients, influence, noticed = table(used, True)
    form = Form("members", how, {"penalty": penalty, "features": preferences.d})
    reward, compare = reward_forms.functions(form, coefficients.ravel())

    def predict(some: Preferences, others: Preferences) -> FloatArray:
        rows = some.compared
        if not rows.any():
            return np.full(others.n, np.nan)
        apart = Members(table(some.take(rows), False)[0])
        left, right = (aggregate(apart.rewards(side), how, penalty)[0] for side in (others.left, others.right))
        return special.expit(left - right)

    chance = held_pairs.held_out(preferences, predict, folds=folds, seed=seed)
    told = held_pairs.report(preferences, chance)
    every = Members(coefficients)
    sides: list[Any] = [used.left, used.right]
    both = sparse.vstack(sides).tocsr() if sparse.issparse(used.left) else np.vstack(sides)
    twice = np.tile(used.weight, 2)
    spread = float(np.average(every.rewards(both).std(axis=1), weights=twice))
    return RewardModel(
        "rewards.ensemble",
        coefficients.ravel(),
        influence.T @ influence,
        preferences.feature_names,
        compare,
        reward,
        held_out=chance,
        report=told,
        figures={"spread of members": spread, "agreement of members": every.agreement(both, weight=twice)},
        findings=(*preferences.findings, *noticed, *_linear.weak(told)),
        form=form,
    )


def _drawn(preferences: Preferences, k: int, part: bool, seed: int) -> tuple[FloatArray, BoolArray]:
    """([k, units] weight of each cluster, [k, d] features shown), the same for the fit and for those of the report.

    A member, and within it a cluster, keeps its draw when others come or go.
    """
    streams = [np.random.default_rng((seed, SEED, member)) for member in range(k)]
    mass = np.array([cluster_weights(preferences.units, 1, rng)[0] for rng in streams])
    if not part:
        return mass, np.ones((k, preferences.d), dtype=bool)
    most = max((preferences.d + 1) // 2, 1)
    streams = [np.random.default_rng((seed, SEED, member, 1)) for member in range(k)]
    return mass, np.array([rng.permutation(preferences.d) < most for rng in streams])


def _members(
    rows: Preferences, mass: FloatArray, shown: BoolArray, ridge: float, error: bool
) -> tuple[FloatArray, FloatArray, tuple[Finding, ...]]:
    """([k, d + 1] members, [units, k·(d + 1)] what each cluster adds to their error, what was noticed of any)."""
    k, noticed = len(mass), dict[str, Finding]()
    centre, moved = _centre(rows)
    plain = _linear.pairs_of(rows)
    table, influence = np.zeros((k, rows.d + 1)), np.zeros((rows.units if error else 0, k, rows.d + 1))
    for member in range(k):
        own = np.flatnonzero(shown[member])
        by_row = mass[member, rows.cluster]
        x = plain.x if own.size == rows.d else _columns(plain.x, own)
        found = pair_logit.fit(
            Pairs(x, plain.better * by_row, plain.worse * by_row), rows.cluster, ridge=ridge, error=error
        )
        table[member, own] = found.coefficients
        if error:
            heavy = group_sums(rows.cluster, rows.weight * by_row, rows.units)[found.units]
            influence[found.units[:, None], member, own] = found.influence() * _put_back(found, heavy)[:, None]
            noticed.update({finding.code: finding for finding in found.findings})
    table[:, -1] = -table[:, :-1] @ centre
    if error:
        influence[:, :, -1] = -influence[:, :, :-1] @ centre - moved @ table[:, :-1].T
    return table, influence.reshape(len(influence), table.size), tuple(noticed.values())


def _put_back(found: pair_logit.Fit, heavy: FloatArray) -> FloatArray:
    """[g] factor on what each cluster adds: a weight far above the mean draws the fit to its own cluster's residuals.

    g/(g − q̂) knows clusters of one weight; here the share of a cluster's residual that the fit takes out is q̂ times
    its share of the weight, as in stats.cluster.leveraged.
    """
    g = found.units.size
    share = found.effective * heavy / heavy.sum()
    return np.sqrt(max(g - found.effective, 1.0) / g) / np.maximum(1 - share, LEAST)


def _centre(rows: Preferences) -> tuple[FloatArray, FloatArray]:
    """([d] mean of the responses, [units, d] what each cluster adds to its error)."""
    total = 2 * rows.weight.sum()
    centre = np.asarray(rows.weight @ (rows.left + rows.right)).ravel() / total
    picker: Any = sparse.csr_array((rows.weight, (rows.cluster, np.arange(rows.n))), shape=(rows.units, rows.n))
    summed = (
        dense(picker @ (rows.left + rows.right))
        - 2 * group_sums(rows.cluster, rows.weight, rows.units)[:, None] * centre
    )
    g = np.unique(rows.cluster).size
    return centre, summed / total * np.sqrt(g / max(g - 1, 1))


def _columns(x: Any, own: IntArray) -> Features:
    if not sparse.issparse(x):
        return np.ascontiguousarray(x[:, own])
    columns: Any = x
    return sparse.csr_array(columns.tocsc()[:, own])
