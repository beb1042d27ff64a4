"""How many more gold labels, on which policies, would settle who is best; and what today's labels could show at all.

    Var(θ_a − θ_b) ≈ V_f·(N₀/N) + B_a/m_a + B_b/m_b        V_f: spread of the paired forecasts over prompts
                                                            B_p: variance of gold − held-out forecast on a row of p
    settled when   stderr <= |θ_a − θ_b| / (z_{(1+level)/2} + z_power)

The cheapest m (and N, when more prompts may be judged) that reaches it is the square-root allocation of
`stats.allocation`, with what is already paid for as its lower bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..stats.allocation import allocate, cheapest, minimum_detectable_effect
from .answer import Answer
from .spread import Spread, spreads

VERIFY = 30  # labels that give a policy an interval of its own


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """What one comparison needs.

    Arguments:
        left, right: positions of the policies, the better first.
        difference: value[left] − value[right] today.
        half_width: of its interval today.
        target: half-width at which it is settled with the power asked for.
        labels: [k] labels that each policy would have in all; NaN when no number of labels is enough.
        items: prompts that would be judged in all.
    """

    left: int
    right: int
    difference: float
    half_width: float
    target: float
    labels: FloatArray
    items: float

    @property
    def reachable(self) -> bool:
        """Whether it can be settled with the rows at hand (or the budget given)."""
        return bool(np.isfinite(self.labels).all())


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """The label plan: comparisons that are open, and the labels that would close them.

    Arguments:
        needs: one for each rival of the leader that is not yet told apart.
        extra: [k] further labels for each policy.
        now: [k] labels that each has.
        cost: of the extra labels and judge calls.
        detectable: smallest difference between the first two that today's table finds with the power asked for.
    """

    needs: tuple[Need, ...]
    extra: IntArray
    now: IntArray
    cost: float
    detectable: float


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """Prices and aims of a plan.

    Arguments:
        gold: price of one gold label, > 0.
        judge: price of judging one response; 0 means that no more prompts can be judged.
        budget: money to spend on top of what is there; NaN to spend whatever settles the question.
        target: half-width to reach; NaN to reach what settles the question.
        power: chance of settling a difference of today's size.
    """

    gold: float = 1.0
    judge: float = 0.0
    budget: float = float("nan")
    target: float = float("nan")
    power: float = 0.8

    def __post_init__(self) -> None:
        if not (self.gold > 0 and self.judge >= 0 and not self.budget < 0 and not self.target <= 0):
            raise AdjudgeError(
                f"plan: gold label {self.gold:g}, judge call {self.judge:g}, budget {self.budget:g}, "
                f"target {self.target:g}.",
                "A label costs something, a call at least nothing, and budget and target are positive.",
                "Check --gold-cost, --judge-cost, --budget and --target.",
            )

    @property
    def asked(self) -> bool:
        """Whether money or a half-width was named, so that even a settled question is planned for."""
        return not (math.isnan(self.budget) and math.isnan(self.target))


def settle(answer: Answer, costs: Costs | None = None, *, between: tuple[str, str] | None = None) -> Settlement:
    """The plan for an answer.

    Arguments:
        answer: of `evaluate`.
        costs: prices and aims; labels at 1 each, nothing else to buy, when None.
        between: names of the two policies that matter; the leader and each open rival when None.
    """
    costs = costs or Costs()
    spread = spreads(answer)
    pairs = _pairs(answer, between, costs.asked)
    needs = tuple(_need(answer, spread, costs, left, right) for left, right in pairs)
    wanted = spread.labels.astype(float)
    for need in needs:
        wanted = np.maximum(wanted, np.nan_to_num(need.labels, nan=0.0))
    wanted[~answer.verified] = np.maximum(wanted, VERIFY)[~answer.verified]
    extra = np.minimum(np.ceil(wanted - 1e-6), spread.rows).astype(np.int64) - spread.labels
    items = max((need.items for need in needs if need.reachable), default=0.0)
    more = max(items - spread.rows.max(), 0.0) * 2 if costs.judge else 0.0
    detectable = np.nan
    if needs:
        stderr = needs[0].half_width / special.ndtri(0.5 + answer.level / 2)
        detectable = float(minimum_detectable_effect(stderr, level=answer.level, power=costs.power))
    cost = float(costs.gold * extra.sum() + costs.judge * more)
    return Settlement(needs, extra, spread.labels, cost, detectable)


def _pairs(answer: Answer, between: tuple[str, str] | None, asked: bool) -> list[tuple[int, int]]:
    names = answer.estimate.names
    if between is not None:
        left, right = (answer.estimate.index(name) for name in between)
        if left == right:
            raise AdjudgeError(
                f"plan: --between names {between[0]!r} twice.", "Two policies.", f"Of {', '.join(names)}."
            )
        ahead = answer.estimate.value[left] >= answer.estimate.value[right]
        return [(left, right)] if ahead else [(right, left)]
    order = [int(p) for p in answer.order if np.isfinite(answer.estimate.value[p])]
    rivals = [p for p in order[1:] if answer.ranks[p, 0] <= 1] or (order[1:2] if asked else [])
    return [(order[0], p) for p in rivals]


def _need(answer: Answer, spread: Spread, costs: Costs, left: int, right: int) -> Need:
    z = float(special.ndtri(0.5 + answer.level / 2))
    lead = answer.estimate.difference(answer.estimate.names[left], answer.estimate.names[right])
    low, high = lead.interval(answer.level)[0]
    settled = abs(lead.value[0]) * z / (z + special.ndtri(costs.power))
    target = settled if np.isnan(costs.target) else costs.target
    pair = [left, right]
    items = float(spread.rows[pair].max())
    variance = np.array([spread.pair(left, right) * items, *spread.residual[pair]])
    price = np.array([2 * costs.judge or 1e-9, costs.gold, costs.gold])
    lower = np.array([items, *spread.labels[pair]])
    upper = np.array([np.inf if costs.judge else items, *(np.full(2, np.inf) if costs.judge else spread.rows[pair])])
    if np.isnan(costs.budget):
        x = cheapest(variance, price, (target / z) ** 2, lower=lower, upper=upper)
    else:
        x = allocate(variance, price, float(price @ lower) + costs.budget, lower=lower, upper=upper)
    labels = spread.labels.astype(float)
    labels[pair] = x[1:]
    return Need(left, right, float(lead.value[0]), float(high - low) / 2, float(target), labels, float(x[0]))
