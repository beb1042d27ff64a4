"""What is a policy worth by several estimators at once, mixed so that the mixture errs least, its own error included?

    V̂ = Σ_j λ_j V_j,      λ = argmin_{λ >= 0, Σλ = 1} λᵀ[(1 − s)·Σ̂ + s·diag Σ̂ + b bᵀ]λ,      b_j = V_j − V_ref
    Var = v·ν/(ν − J + 1) + (V̂ − V_ref)² + κ·max(0, v_ref − v),         v = λᵀΣ̂λ,  ν = independent rows − 1

The members share their rows, and Σ̂ is their joint covariance by cluster. Least variance alone would choose whatever
leans on even or clipped weights, however far off; so a member's distance b from the reference, which weights of all
sizes set right, counts as its bias, and what the mixture keeps of that distance is in its error. The reference cannot
show a bias smaller than its own error, so that most of what the mixture would take off that error (κ) stays: with none
held back, 95 % intervals cover 86 to 90 % of sharp policies. The factor makes good that a smallest variance, picked
from an estimate, looks smaller than it is (Lavancier and Rochet, 2016).

Members, all self-normalised: `doubly_robust` (the reference, where there are fresh responses or a reward model),
`snips` (the reference elsewhere), `clipped` (weights at most λ), `stabilised` (SIMCal-W). Landesberg, Narayan (2025),
Causal Judge Evaluation, stacked-DR. Limits: one member is that member; s = 1 takes errors of members as unrelated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.ope import on_gold as gold_of
from ..stats.ope import reward_curves
from ..stats.ope.assembled import Parts, assembled
from ..stats.ope.checks import weight_findings
from ..stats.ope.gold_models import Fresh, Modelled, modelled, repeated, score_findings
from ..stats.ope.on_gold import OnGold
from ..stats.ope.overlap import overlap, overlap_findings
from ..stats.ope.ranged import in_range
from ..stats.ope.stabilised import simplex, stabilised
from ..tables.decisions import Decisions

METHOD = "value.stacked"
HELD_BACK = 0.8  # κ
MEMBERS = ("doubly_robust", "snips", "clipped", "stabilised")

CARD = Card(
    answers="What is each policy worth by a mixture of weighting and doubly robust estimators, with its own error?",
    equation="V̂ = Σ λ_j V_j,  λ = argmin λᵀ(Σ̂ + b bᵀ)λ on the simplex,  b = V_j − V_ref",
    papers=(
        Paper(
            "Causal Judge Evaluation: Calibrated Surrogate Metrics for LLM Systems",
            "Landesberg, Narayan",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2512.11150",
            "stacked-DR",
        ),
        Paper(
            "A general procedure to combine estimators",
            "Lavancier, Rochet",
            2016,
            "Computational Statistics & Data Analysis 94",
            "https://doi.org/10.1016/j.csda.2015.08.001",
            "§3",
        ),
    ),
    needs=("reward", "propensity", "target", "gold"),
    assumes=("What the reference assumes: right propensities, or a right model of rewards.",),
    limits=("A mixture is as blind as its members: where the log does not show a policy, so is the interval wide.",),
    when="When value.calibrated_doubly_robust is noisy and milder weights may do; compare the members first.",
    unit="gold",
    rows=(29,),
)


def estimate(
    table: Decisions,
    *,
    members: Sequence[str] | None = None,
    fresh: Fresh | None = None,
    length: FloatArray | None = None,
    clip: float = 10.0,
    shrink: float = 0.05,
    two_stage: bool = False,
    rate: FloatArray | None = None,
    bounds: tuple[float, float] | None = None,
    regressor: Any = None,
    folds: int = 5,
    seed: int = 0,
) -> Estimate:
    """Value of each target policy, in gold where some rows have it.

    Arguments:
        table: logged decisions; `reward` is the judge's score where `gold` is known on some rows.
        members: of `MEMBERS`, the reference first; None takes all that the table allows.
        fresh: policy -> [n] or [n, m] scores of its own responses to each row's prompt.
        length: [n] tokens or characters of each logged response, for the figure of target typicality; 1 by default.
        clip: largest weight of the member `clipped`, > 0.
        shrink: s, in [0, 1].
        two_stage, rate, bounds: of the calibration; see `stats.ope.on_gold.calibrated`.
        regressor: reward model with `fit` and `predict`; None for means of actions and a linear context.
        folds: of clusters, >= 2.
        seed: of the folds.

    `figures["members"]` holds each member's value by each policy. Errors: an unknown member, or `doubly_robust` without
    a model; clip or shrink out of range.

    >>> from adjudge.sim.logs import Log
    >>> drawn = Log(n=2003).draw(0)
    >>> low, high = estimate(drawn.decisions).interval()[1]
    >>> bool(low < drawn.truth[1] < high)
    True
    """
    ready = None
    if reward_curves.labelled(table).size:
        ready = gold_of.on_gold(table, rate=rate, two_stage=two_stage, bounds=bounds, folds=folds, seed=seed)
        if ready is None:
            return replace(gold_of.unknown(table), method=METHOD)
    model = modelled(table, ready, fresh=fresh, regressor=regressor, folds=folds, seed=seed)
    chosen = _chosen(members, model, clip, shrink)
    parts = _members(table, chosen, model, clip, folds, seed)
    every = _joint(table, ready, parts, len(chosen))
    told = (
        *weight_findings(table),
        *overlap_findings(table, overlap(table, length=length)),
        *score_findings(table, fresh),
    )
    found = _mixed(table, every, chosen, shrink)
    found = replace(found, findings=(*told, *found.findings))
    return gold_of.on_scores(found) if ready is None else gold_of.finished(found, table, ready, corrected=True)


def _chosen(members: Sequence[str] | None, model: Modelled | None, clip: float, shrink: float) -> tuple[str, ...]:
    able = MEMBERS if model is not None else MEMBERS[1:]
    chosen = able if members is None else tuple(members)
    if not chosen or not set(chosen) <= set(able) or len(set(chosen)) < len(chosen):
        raise AdjudgeError(
            f"{METHOD}: members {', '.join(chosen) or 'none'}.",
            f"Some of {', '.join(able)}, each once.",
            "Name others; doubly_robust needs fresh responses or probabilities of all actions.",
        )
    if not clip > 0 or not 0 <= shrink <= 1:
        raise AdjudgeError(
            f"{METHOD}: clip {clip}, shrink {shrink}.", "clip above 0, shrink in [0, 1].", "Change them."
        )
    return chosen


def _members(
    table: Decisions, chosen: Sequence[str], model: Modelled | None, clip: float, folds: int, seed: int
) -> Parts:
    """Weights and models of all members, side by side."""
    w, nothing = table.ratio, np.zeros_like(table.ratio)
    v = nothing if model is None else model.policies
    q = nothing if model is None else np.repeat(model.logged[:, None], w.shape[1], axis=1)
    weights = {"clipped": np.minimum(w, clip)}
    if "stabilised" in chosen:
        weights["stabilised"] = stabilised(table, table.reward, folds=folds, seed=seed).weights
    plain = [name == "snips" for name in chosen]
    return Parts(
        np.hstack([weights.get(name, w) for name in chosen]),
        np.hstack([nothing if alone else v for alone in plain]),
        np.hstack([nothing if alone else q for alone in plain]),
        normalised=True,
    )


def _joint(table: Decisions, ready: OnGold | None, parts: Parts, count: int) -> Estimate:
    """Values of all members by each policy, with their joint error."""
    if ready is None:
        return assembled(repeated(table, count), parts, method=METHOD)
    nothing = np.zeros_like(parts.weights)
    alone = Parts(parts.weights, nothing, nothing, normalised=True)
    found, plain, labels = (
        assembled(repeated(log, count), how, method=METHOD)
        for log, how in ((ready.table, parts), (ready.plain, parts), (ready.labels, alone))
    )
    return gold_of.with_labels(found, plain, labels)


def _mixed(table: Decisions, every: Estimate, chosen: Sequence[str], shrink: float) -> Estimate:
    """The mixture of least error by each policy."""
    P, J = len(table.policies), len(chosen)
    values, covariance = every.value.reshape(J, P), every.covariance
    units = every.parts[0].units
    W, told = np.zeros((P, P * J)), []
    for p in range(P):
        at = p + P * np.arange(J)
        own, away = covariance[np.ix_(at, at)], values[:, p] - values[0, p]
        known = np.isfinite(own).all() and np.isfinite(away).all()
        error = (1 - shrink) * own + shrink * np.diag(np.diagonal(own)) + np.outer(away, away)
        W[p, at] = simplex(error) if known else np.eye(J)[0]
        told.append(_shares(table.policies[p], chosen, W[p, at]))
    found = every.contrast(W, table.policies)
    up = (units - 1) / max(units - J, 1)
    parts = tuple(replace(part, covariance=part.covariance * up) for part in found.parts)
    moved = np.nan_to_num(found.value - values[0])
    held = HELD_BACK * _surplus(np.nan_to_num(covariance[:P, :P] - found.covariance * up))
    return in_range(
        replace(
            found,
            parts=(*parts, Part("stacked", np.outer(moved, moved) + held, units)) if J > 1 else found.parts,
            reserve=every.select(every.names[:P]).reserve,  # the members' labels are the same ones, and no more
            figures={"members": replace(every, names=_named(table.policies, chosen))},
            findings=tuple(told) if J > 1 else (),
        )
    )


def _surplus(matrix: FloatArray) -> FloatArray:
    """What of a difference of two covariances is positive."""
    size, axes = np.linalg.eigh(matrix)
    return np.asarray(axes * np.maximum(size, 0.0) @ axes.T)


def _named(policies: Sequence[str], chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{policy} {name}" for name in chosen for policy in policies)


def _shares(policy: str, chosen: Sequence[str], share: FloatArray) -> Finding:
    said = ", ".join(f"{100 * part:.0f} % {name}" for name, part in zip(chosen, share, strict=True) if part > 0.005)
    return Finding(
        "stacked-shares",
        Severity.INFO,
        f"The value of {policy} is mixed of {said}.",
        float(share[0]),
        1.0,
        f"Nothing; members={chosen[0]} alone is the reference.",
        (policy,),
    )
