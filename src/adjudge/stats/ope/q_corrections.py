"""What weighted rewards say a Q-function got wrong, and what they cannot say of episodes that were cut.

    C = Σ_{t<H} γᵗ Σ_i ρ_it δ_it / n_t,      δ = r + v(s') − q(s, a),      v(s') discounted
    n_t = m (Jiang, Li, 2016, Eq. 10),       or Σ_i ρ_it (weighted: Thomas, Brunskill, 2016, Eq. 9)

An episode that has ended keeps its last weight in Σ ρ, and adds nothing. After the log cut an episode nothing shows how
wrong the model is: it is taken to be as wrong a step as it was seen to be before, (1 + κ) C in all,

    κ = steps that were not seen / steps that were,      both discounted; episodes go on as often as those logged

Limits: q = v = 0 leaves the weighted rewards themselves; the exact q leaves noise around 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..._typing import BoolArray, FloatArray
from ...core.estimate import Estimate, Part
from ...core.finding import Finding, Severity
from ...tables.decisions import Decisions
from ...tables.trajectories import Trajectories
from .episodes import assembled, by_episode, discounts, mass, per_decision, products
from .q_functions import QFunctions
from .support import unseen as nowhere

LARGE = 0.2  # share of unseen steps that is worth a finding


@dataclass(frozen=True, slots=True, eq=False)
class Corrected:
    """A Q-function's values beside what the log says they got wrong.

    Arguments:
        start: [m, P] v of the state in which each episode starts.
        constant: [P] the part of C that all episodes share.
        each: [m, P] what each episode adds to C, times m.
        weights: [m, P] by which degrees of freedom count.
        paid: [m, P] weighted rewards alone.
        normalised: whether C is divided by weights, so that an episode takes its share of them out of its own error.
    """

    start: FloatArray
    constant: FloatArray
    each: FloatArray
    weights: FloatArray
    paid: FloatArray
    normalised: bool = False

    def robust(self, table: Trajectories, *, method: str, findings: tuple[Finding, ...] = ()) -> Estimate:
        """v + C."""
        return self._assembled(table, self.start + self.constant, method, findings)

    def error(self, table: Trajectories, *, method: str) -> Estimate:
        """C alone."""
        return self._assembled(table, np.broadcast_to(self.constant, self.start.shape), method, ())

    def _assembled(
        self, table: Trajectories, modelled: FloatArray, method: str, findings: tuple[Finding, ...]
    ) -> Estimate:
        return assembled(
            table,
            self.weights,
            self.each * self.weights.mean(axis=0) if self.normalised else self.each,
            method=method,
            normalised=self.normalised,
            modelled=modelled,
            paid=self.paid,
            cut=False,
            findings=findings,
        )


def corrected(table: Trajectories, q: QFunctions, *, normalised: bool = True) -> Corrected:
    """What the log says of a Q-function.

    Arguments:
        table: episodes.
        q: its values at every step.
        normalised: whether the weights of each step are made to sum to one.
    """
    rho = products(table)
    delta = discounts(table)[:, None] * (table.reward[:, None] + table.discount * q.after - q.logged)
    weights, paid = per_decision(table, rho)
    start, constant = q.before[table.start[:-1]], np.zeros(rho.shape[1])
    if not normalised:
        return Corrected(start, constant, by_episode(table, rho * delta), weights, paid)
    each, held = np.zeros((table.m, rho.shape[1])), np.ones((table.m, rho.shape[1]))
    order = np.argsort(table.step, kind="stable")
    first = np.searchsorted(table.step[order], np.arange(int(table.length.max(initial=0)) + 1))
    for t in range(min(first.size - 1, int(table.horizon or first.size))):
        rows = order[first[t] : first[t + 1]]
        who = table.episode[rows]
        held[who] = rho[rows]
        below = np.maximum(held.mean(axis=0), 1e-300)
        mean = (rho[rows] * delta[rows]).sum(axis=0) / (below * table.m)
        each -= held * mean / below
        each[who] += rho[rows] * delta[rows] / below
        constant = constant + mean
    return Corrected(start, constant, each, weights, paid, normalised=True)


def uncounted(table: Trajectories) -> float:
    """κ, discounted steps after cuts for each one before; ∞ where nothing says that episodes ever end."""
    length = np.minimum(table.length, table.horizon or np.inf)
    if not table.cut.any():
        return 0.0
    stay = table.discount * (1 - float(table.terminal.mean()))
    rest = float(table.horizon or np.inf) - length[table.cut]
    after = (1 - stay**rest) / (1 - stay) if stay < 1 else rest
    after = table.discount ** length[table.cut] * after
    return float(after.sum() / mass(table, length).sum())


def owned_up(found: Estimate, table: Trajectories, error: Estimate, *, model: bool, settled: BoolArray) -> Estimate:
    """The estimate with the error of its model, and that after cuts, as parts of their own.

    Arguments:
        found: values by a model, or by a model corrected.
        table: the episodes.
        error: C with its standard error.
        model: whether C is still in the values (`model`), or only what it cannot show after cuts (`cut`).
        settled: [P] whether the model settled. Where it did not, or no weight tells its error, what rests on it alone
            may lie anywhere in the range.
    """
    share = uncounted(table)
    size = (1 + share) ** 2 - (0 if model else 1) if np.isfinite(share) else 0.0
    known = settled & np.isfinite(error.value + error.stderr)
    square = np.where(known, size * (error.value**2 + error.stderr**2), 0.0)
    parts = found.parts
    if model or size:
        parts = (*parts, Part("model" if model else "cut", np.diag(square), error.parts[0].units))
    blind = (~known & (model or share > 0)) | (share == np.inf)
    low, high = table.value_bounds
    whole = np.nan_to_num(np.column_stack([found.value - low, high - found.value]), nan=0.0, posinf=np.inf)
    slack = np.where(blind[:, None], whole, np.repeat(_nowhere(table, share)[:, None], 2, axis=1))
    return replace(found, parts=parts, slack=slack, findings=(*found.findings, *_told(table, share)))


def _nowhere(table: Trajectories, lasting: float) -> FloatArray:
    """[P] how far what is logged nowhere may move values: the share of episodes that meet it, over the whole range.

    The mean weight of single steps tells it: products of weights average below 1 by chance alone. Where rewards have no
    range, that which the log shows stands in.
    """
    counted = discounts(table) > 0
    steps = Decisions(
        policies=table.policies,
        actions=(),
        action=table.action,
        reward=table.reward,
        propensity=table.propensity,
        target=table.target,
        cluster=table.cluster[table.episode],
        weight=counted.astype(float),
    )
    share = 1 - (1 - nowhere(steps)) ** (counted.sum() / table.m)
    low, high = table.value_bounds
    if not np.isfinite(high - low):
        steps_each = float(mass(table, np.minimum(table.length, table.horizon or np.inf)).mean()) * (1 + lasting)
        low, high = (steps_each * float(end(table.reward, initial=0.0)) for end in (np.min, np.max))
    return np.asarray(np.where(share > 0, np.maximum(share, 1e-300) * (high - low), 0.0))


def _told(table: Trajectories, share: float) -> tuple[Finding, ...]:
    if share < LARGE / (1 - LARGE):
        return ()
    lost = share / (1 + share) if np.isfinite(share) else 1.0
    return (
        Finding(
            "episodes-cut",
            Severity.WARNING,
            f"{int(table.cut.sum()):,} of {table.m:,} episodes were cut before their value is complete: "
            f"{100 * lost:.0f} % of the discounted steps are the model's word alone.",
            lost,
            LARGE,
            "Give a horizon that episodes reach, or a lower discount, or log longer episodes.",
        ),
    )
