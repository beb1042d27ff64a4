"""Does the log show what a policy would do? How much of it, how evenly, and what precision that allows at the best.

    1 − unseen = E w                       share of what the policy does that the log can show: see `support`
    T = {(x, a): −log π(a|x)/length <= q}  q the quantile of that surprisal under the policy that leaves T the mass α
    TTC = P_logger(T)                      target-typicality coverage: how often the logger is where the policy is
    SE >= σ_T · α/√(TTC·n) · √(1 + χ²_T)   coverage-limited efficiency; χ²_T the spread of the weights within T

The surprisal quantile is taken on the log with self-normalised weights, so that TTC and the effective sample size look
well on a log that is blind: what never happened has no weight. The mean weight alone shows that, and what it shows goes
into intervals as ignorance (`assembled`).

Landesberg, Narayan (2025), Causal Judge Evaluation, for TTC (gate .7) and the floor. Limits: a policy that is the
logger has TTC = α and floor σ/√n, up to the part of the mass outside T; length 1 takes the surprisal of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..._typing import FloatArray
from ...core.finding import Finding, Severity
from ...tables.decisions import Decisions
from .support import unseen
from .weights import by_cluster, worth

TYPICAL = 0.7, 0.3  # TTC below which weights are doubtful, and hopeless
SHARE = 0.3, 0.1  # of the rows that weights should be worth: the paper's gate, and a third of it
UNSEEN = 0.05, 0.5  # of a policy's mass, that the log does not show


@dataclass(frozen=True, slots=True, eq=False)
class Overlap:
    """Figures of each policy.

    Arguments:
        mean: [P] mean raw weight.
        unseen: [P] share of the policy's mass that the log does not show, beyond chance.
        worth: [P] effective sample size as a share of the independent rows.
        typical: [P] TTC.
        inflation: [P] factor α/√TTC·√(1 + χ²_T) by which the floor is above σ_T/√n.
        floor: [P] smallest standard error that the overlap allows, in the unit of the reward.
    """

    mean: FloatArray
    unseen: FloatArray
    worth: FloatArray
    typical: FloatArray
    inflation: FloatArray
    floor: FloatArray


def overlap(table: Decisions, *, length: FloatArray | None = None, mass: float = 0.9) -> Overlap:
    """Overlap of the logger with each policy.

    Arguments:
        table: the log.
        length: [n] tokens or characters of each response, by which surprisals are divided; 1 by default.
        mass: α, share of the policy's mass in its typical region, in (0, 1).

    >>> from adjudge.sim.logs import Log
    >>> found = overlap(Log(n=2003).draw(0).decisions)
    >>> found.typical.round(1).tolist()  # the logger itself, half-way to the sharp policy, the sharp policy
    [0.9, 0.7, 0.5]
    """
    weight = np.where(table.known, table.weight, 0.0)
    n = max(float(weight.sum()), 1e-300)
    units = max(int(np.unique(table.cluster[weight > 0]).size), 1)
    mean = weight @ table.ratio / n
    inside = np.column_stack([_typical(table, weight, p, length, mass) for p in range(len(table.policies))])
    beta = weight @ inside / n
    of_target = table.ratio * weight[:, None]
    square, total = (of_target * table.ratio * inside).sum(axis=0), of_target.sum(axis=0)
    # α/√TTC · √(1 + χ²_T) in one: α² = (Σ_T w)²/(Σ w)² and 1 + χ²_T = n·TTC·Σ_T w² / (Σ_T w)²
    inflation = np.divide(np.sqrt(n * square), total, out=np.full(beta.size, np.inf), where=square > 0)
    reward = np.where(table.known, table.reward, 0.0)
    each = weight[:, None] * inside / np.maximum(n * beta, 1e-300)
    spread = np.sqrt(np.maximum((each * (reward[:, None] - reward @ each) ** 2).sum(axis=0), 0.0))
    return Overlap(
        mean=mean,
        unseen=unseen(table),
        worth=worth(by_cluster(table, table.ratio)) / units,
        typical=beta,
        inflation=inflation,
        floor=np.where(square > 0, spread, 1.0) * inflation / np.sqrt(units),
    )


def affinity(logged: FloatArray, fresh: FloatArray, *, weight: FloatArray, bins: int = 20) -> float:
    """Bhattacharyya affinity Σ √(p·q) of the binned scores of a log and of fresh responses, in [0, 1]; NaN without any.

    >>> affinity(np.array([0.0, 1.0]), np.array([0.0, 0.0, 1.0, 1.0]), weight=np.ones(2))
    1.0
    """
    seen, drawn = np.isfinite(logged), fresh[np.isfinite(fresh)]
    logged, weight = logged[seen], weight[seen]
    if not (drawn.size and weight.sum() > 0):
        return float("nan")
    low, high = min(logged.min(), drawn.min()), max(logged.max(), drawn.max())
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    p, q = np.histogram(logged, edges, weights=weight)[0], np.histogram(drawn, edges)[0]
    return float(np.clip(np.sqrt(p / p.sum() * (q / q.sum())).sum(), 0.0, 1.0))


def overlap_findings(table: Decisions, found: Overlap) -> tuple[Finding, ...]:
    """What is wrong with the overlap of each policy, by number."""
    told: list[Finding] = []
    for p, policy in enumerate(table.policies):
        told += _blind(policy, float(found.mean[p]), float(found.unseen[p]))
        told += _atypical(policy, float(found.typical[p]))
        told += _floor(policy, float(found.floor[p]), float(found.inflation[p]), float(found.worth[p]))
    return tuple(told)


def _typical(table: Decisions, weight: FloatArray, p: int, length: FloatArray | None, mass: float) -> FloatArray:
    """[n] 1 where the logged action is typical of the policy."""
    with np.errstate(divide="ignore"):
        surprise = -np.log(table.target[:, p]) / (1.0 if length is None else length)
    own = weight * table.ratio[:, p]
    order = np.argsort(surprise, kind="stable")
    reached = np.cumsum(own[order])
    if not reached.size or reached[-1] <= 0:
        return np.zeros(table.n)
    last = int(np.searchsorted(reached, mass * reached[-1] * (1 - 1e-12)))
    return np.asarray((surprise <= surprise[order][last]).astype(float))


def _blind(policy: str, mean: float, share: float) -> list[Finding]:
    if share < UNSEEN[0]:
        return []
    return [
        Finding(
            "log-blind",
            Severity.SEVERE if share >= UNSEEN[1] else Severity.WARNING,
            f"The raw weights of {policy} average {mean:.2g} where 1 is due: the log does not show {100 * share:.1f} % "
            "of what it would do, and its value is known only up to what that may be paid.",
            mean,
            1.0,
            "Run the policy on some prompts and label a few dozen of its own responses.",
            (policy,),
        )
    ]


def _atypical(policy: str, share: float) -> list[Finding]:
    if share >= TYPICAL[0]:
        return []
    return [
        Finding(
            "target-typicality-low",
            Severity.SEVERE if share < TYPICAL[1] else Severity.WARNING,
            f"Only {100 * share:.0f} % of the log lies where {policy} does nine tenths of its work (target-typicality "
            "coverage "
            f"below {100 * TYPICAL[0]:.0f} %): weights alone cannot value it well, however even they are made.",
            share,
            TYPICAL[0],
            "Draw fresh responses of the policy, or log with a policy nearer to it.",
            (policy,),
        )
    ]


def _floor(policy: str, floor: float, inflation: float, share: float) -> list[Finding]:
    if inflation < SHARE[0] ** -0.5:
        return []
    return [
        Finding(
            "coverage-limited",
            Severity.SEVERE if inflation > SHARE[1] ** -0.5 else Severity.WARNING,
            f"No estimator that weighs this log can value {policy} with a standard error below {floor:.2g}, "
            f"{inflation:.1f} times that of rewards of its own; its raw weights are worth {100 * share:.1f} % of the "
            "rows.",
            inflation,
            SHARE[0] ** -0.5,
            "Draw fresh responses of the policy, or log with a policy nearer to it.",
            (policy,),
        )
    ]
