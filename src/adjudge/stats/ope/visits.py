"""From what episodes add to values that rest on occupancies to an `Estimate`, and what is doubtful about occupancies.

    value − V = Σ_e ψ_e + what the log cannot show,      df = worth of Σ_t z_et by cluster − 1

Mass spent in states or with actions that the log never shows is valued at the mean logged reward; that it may be any
reward of the range goes into the slack. Limits: without a range of rewards the range of the log stands in, and a
finding says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..._typing import FloatArray, IntArray
from ...core.estimate import Estimate, Part
from ...core.finding import Finding, Severity
from ...core.interval import Reserve
from ...errors import AdjudgeError
from ...tables.decisions import Decisions
from ...tables.trajectories import Trajectories
from ..cluster import group_sums
from .checks import weight_findings
from .episodes import assembled, by_episode
from .weights import worth

BLIND = 0.05  # of the policy's steps in places never logged: severe
CHANGED = 4.0  # standard errors of temporal differences at some time from 0
TIMES = 10  # parts of an episode that are looked at
VARIES = 0.01  # of probability, within one state and action


def require_basis(table: Trajectories, basis: str, *, method: str) -> None:
    """Errors: no steps; a basis that is none, or that the table has not."""
    have = {"auto": bool(table.states) or table.features.shape[1] > 0, "states": True,
            "features": table.features.shape[1] > 0}  # fmt: skip
    if not table.n or not have.get(basis, False):
        raise AdjudgeError(
            f"{method}: {table.n} steps, {len(table.states)} names of states, {table.features.shape[1]} features of "
            f"states, basis {basis!r}.",
            f"One step or more; a basis of {', '.join(have)}; names or features of states.",
            "Give the table a column of states or features, or take value.per_decision_is, which needs neither.",
        )


def every_chance(table: Trajectories, policy: int, *, method: str) -> tuple[FloatArray, FloatArray]:
    """[n, k] a policy's probabilities of all actions before and after each step. Errors: a table without them."""
    if not table.probabilities or not table.next_probabilities:
        raise AdjudgeError(
            f"{method}: features of states and actions need each policy's probabilities of all actions.",
            "`probabilities` and `next_probabilities` of every policy.",
            "Give them, or take states by their codes, or weights of states alone.",
        )
    both = (table.probabilities[policy], table.next_probabilities[policy])
    before, after = (np.concatenate([block for _, block in each.blocks()]) for each in both)
    return before, after


def reward_range(table: Trajectories) -> tuple[float, float]:
    """What a step may be paid: the range known or, without one, that of the log; 0 too where episodes end."""
    low, high = table.bounds
    if not np.isfinite(high - low):
        low, high = float(table.reward.min()), float(table.reward.max())
    return (min(low, 0.0), max(high, 0.0)) if table.terminal.any() else (low, high)


def settled(
    table: Trajectories,
    value: FloatArray,
    influence: FloatArray,
    weights: FloatArray,
    lost: FloatArray,
    *,
    method: str,
    error: FloatArray | None = None,
    findings: Sequence[Finding] = (),
) -> Estimate:
    """Values with their joint error by cluster, slack and findings.

    Arguments:
        table: the episodes.
        value: [P]; NaN where there is none.
        influence: [m, P] what each episode adds, on the scale of the value.
        weights: [n, P] z, the marginal weight of each step; its sum is the steps of the mean episode.
        lost: [P] discounted steps spent where the log is blind.
        method: address of the method.
        error: [P] what the class of functions may be wrong by, for a part `model`; None for none.
        findings: of the method's own.
    """
    centred = influence - influence.mean(axis=0)
    found = assembled(table, None, value + table.m * centred, method=method, cut=False)
    sums = group_sums(table.cluster, by_episode(table, weights).T, table.units).T
    low, high = reward_range(table)
    usual = float(table.reward.mean())
    none = np.zeros_like(lost)
    slack = np.column_stack([np.where(lost > 0, lost * gap, none) for gap in (usual - low, high - usual)])
    parts = found.parts
    if error is not None:
        parts = (*parts, Part("model", np.diag(error**2), table.units))
    worths = worth(np.nan_to_num(sums))
    ranged = np.isfinite(found.bounds[1] - found.bounds[0]) and bool(np.isfinite(value).all())
    reserve = Reserve(worths, value, parts[0].covariance, shared=np.ones((value.size,) * 2)) if ranged else None
    told = (*_poor(table, sums), *_blind(table, weights, lost, slack), *_cut(table), *_never(table, value))
    return replace(
        found,
        value=value,
        parts=parts,
        df=np.maximum(worths - 1.0, 1.0),
        reserve=reserve,
        slack=slack,
        findings=(*found.findings, *told, *findings),
    )


def _poor(table: Trajectories, sums: FloatArray) -> tuple[Finding, ...]:
    """Weights that are worth few clusters."""
    view = _decisions(table, np.nan_to_num(sums), np.arange(sums.shape[0]))
    told = weight_findings(view, rows="episodes", instead="states that are coarser, where that loses nothing")
    return tuple(each for each in told if each.code == "overlap-poor")


def ratios_off(table: Trajectories) -> tuple[Finding, ...]:
    """Findings about weights of single steps that do not average 1."""
    told = weight_findings(_decisions(table, table.ratio, table.cluster[table.episode]))
    return tuple(each for each in told if each.code == "weights-not-one")


def _decisions(table: Trajectories, weights: FloatArray, cluster: IntArray) -> Decisions:
    """[r, P] weights as those of decisions that nobody paid."""
    return Decisions(
        policies=table.policies,
        actions=(),
        action=np.zeros(cluster.size, dtype=np.int64),
        reward=np.zeros(cluster.size),
        propensity=np.ones(cluster.size),
        target=weights,
        cluster=cluster,
        weight=np.ones(cluster.size),
    )


def _blind(table: Trajectories, weights: FloatArray, lost: FloatArray, slack: FloatArray) -> list[Finding]:
    """Policies that spend steps where the log never was."""
    told = []
    for policy, away, known, most in zip(table.policies, lost, weights.sum(axis=0), slack.sum(axis=1), strict=True):
        if away > 0:
            share = float(away / max(away + known, 1e-300))
            told.append(
                Finding(
                    "states-unlogged",
                    Severity.SEVERE if share > BLIND else Severity.WARNING,
                    f"{policy} spends {100 * share:.1f} % of its steps in states, or with actions, that were never "
                    f"logged: its value is unknown by {most:.3g}"
                    f"{'' if np.isfinite(sum(table.bounds)) else ', if rewards stay in the range that the log shows'}.",
                    share,
                    0.0,
                    "Log what the policy would do there, or join states that are alike.",
                    (policy,),
                )
            )
    return told


def _cut(table: Trajectories) -> list[Finding]:
    if not table.cut.any():
        return []
    return [
        Finding(
            "episodes-cut",
            Severity.INFO,
            f"{int(table.cut.sum()):,} of {table.m:,} episodes were cut before their value is complete: what came "
            "after is taken from what was logged in the same states.",
            float(table.cut.mean()),
            0.0,
            "Check that the log was not cut because of what was about to happen.",
        )
    ]


def _never(table: Trajectories, value: FloatArray) -> list[Finding]:
    names = tuple(name for name, each in zip(table.policies, value, strict=True) if not np.isfinite(each))
    if not names:
        return []
    return [
        Finding(
            "never-ends",
            Severity.SEVERE,
            f"By the log, {', '.join(names)} may go on for ever, and without a discount the value has no end.",
            float(table.terminal.mean()),
            0.0,
            "Give a horizon, or a discount below 1.",
            names,
        )
    ]


def policy_sees_more(table: Trajectories) -> tuple[Finding, ...]:
    """Policies whose probability of an action differs between steps in one and the same state."""
    pair, which = np.unique(table.state * (int(table.action.max()) + 1) + table.action, return_inverse=True)
    told = []
    for name, chance in zip(table.policies, table.target.T, strict=True):
        top, least = np.full(pair.size, -np.inf), np.full(pair.size, np.inf)
        np.maximum.at(top, which, chance)
        np.minimum.at(least, which, chance)
        spread = float((top - least).max())
        if spread > VARIES:
            told.append(
                Finding(
                    "policy-sees-more",
                    Severity.WARNING,
                    f"{name} takes the same action in the same state with probabilities up to {spread:.2g} apart: it "
                    "acts on more than the states, whose marginal weights are then only an average.",
                    spread,
                    VARIES,
                    "Make states of all that the policy sees, or take a method that weighs whole pasts.",
                    (name,),
                )
            )
    return tuple(told)


def moves_change(table: Trajectories, influence: FloatArray) -> tuple[Finding, ...]:
    """Temporal differences that are not 0 on average at some time: one model for all times does not fit.

    They are held to spread no less at one time than at all: where a rare reward has not been seen yet, all are alike.

    Arguments:
        table: the episodes.
        influence: [n, P] ψ of the steps.
    """
    top = int(table.length.max())
    parts = min(top, TIMES)
    code = table.cluster[table.episode] * parts + table.step * parts // top
    sums = group_sums(code, influence.T, table.units * parts).T.reshape(table.units, parts, -1)
    total = np.abs(sums.sum(axis=0))
    square = ((sums - sums.mean(axis=0)) ** 2).sum(axis=0)
    share = np.bincount(table.step * parts // top, minlength=parts)[:, None] / table.n
    spread = np.sqrt(np.maximum(square, share * square.sum(axis=0)))
    size = np.abs(sums).sum(axis=0)
    far = np.divide(total, spread, out=np.zeros_like(total), where=spread > 1e-9 * size).max(axis=0)
    return tuple(
        Finding(
            "moves-change",
            Severity.WARNING,
            f"Moves and rewards under {policy} change with time: at some time they are {number:.1f} standard errors "
            "from what one model for all times makes of them.",
            float(number),
            CHANGED,
            "Set pooled=False with a horizon, or make time a part of the state.",
            (policy,),
        )
        for policy, number in zip(table.policies, far, strict=True)
        if number > CHANGED
    )
