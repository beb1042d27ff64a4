"""Fitted Q evaluation: what a policy will be paid from a state and an action on, as other episodes than its own tell.

    q_t(s, a) = E[r + γ v_{t+1}(s')],      v_t(s) = Σ_a π(a|s) q_t(s, a)
    with a horizon H:     v_H = 0, and backward from there;      without one:      q_t = q, the fixed point

A terminal step is followed by nothing; a step at which the log was cut is followed by v(s'), as any other. Every step
is predicted by a model (`ope.q_models`) that saw none of its cluster of episodes. The world is taken to be the same at
all times, unless `by_step`. Values are held within the range of returns. Where repeating the fit would not settle (the
deadly triad: a model that generalises, that bootstraps, off policy) a finding says so.

Le, Voloshin, Yue (2019), Algorithm 3. Limits: a horizon of 1 is a reward model; γ = 0 likewise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..._typing import BoolArray, FloatArray, IntArray
from ...core.finding import Finding, Severity
from ...errors import AdjudgeError
from ...tables.decisions import Probabilities
from ...tables.trajectories import Trajectories
from ..crossfit import folds as deal
from .q_models import Linear, Model, Places, Regressor, Solved, Surface, Tabular

KINDS = ("tabular", "linear")
CLOSE = 1e-4  # change of the values, in units of their size, that is none
ROUGH = 1e-2  # change that is worth a finding
UNSEEN = 0.02  # share of a policy's steps in pairs never logged that is worth a finding

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class QFunctions:
    """What fitted Q-functions say of each logged step.

    Arguments:
        logged: [n, P] q of the state and the action that was taken.
        before: [n, P] v of the state before.
        after: [n, P] v of the state after; 0 after a terminal step and at the horizon.
        settled: [P] whether the fit settled.
        findings: what to distrust.
    """

    logged: FloatArray
    before: FloatArray
    after: FloatArray
    settled: BoolArray
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One policy's problem on the steps of one fold's model."""

    table: Trajectories
    rows: IntArray
    make: Callable[[IntArray], Model]
    chances: FloatArray  # [n, k] of the policy in the state after
    by_step: bool
    sweeps: int

    def ahead(self, rows: IntArray) -> FloatArray:
        """[r, k] the policy's discounted probabilities after each step; 0 after a terminal one."""
        alive = np.where(self.table.terminal[rows], 0.0, self.table.discount)
        return np.asarray(self.chances[rows] * alive[:, None])


def crossfitted(
    table: Trajectories,
    *,
    model: str = "",
    regressor: Any = None,
    folds: int = 5,
    by_step: bool = False,
    sweeps: int = 200,
    seed: int = 0,
) -> QFunctions:
    """Values of every step by a model of the other folds of clusters.

    Arguments:
        table: episodes, with each policy's probabilities of all actions before and after each step; [n, k] of them
            stand in memory for each policy.
        model: `tabular` or `linear`; "" for tabular where states have codes, else linear.
        regressor: object with `fit(X, y)` and `predict(X)`, copied for each fit; in place of `model`.
        folds: of clusters, >= 2.
        by_step: with a horizon: a model for each step, from the steps logged at that time alone.
        sweeps: fits of a regressor at most, without a horizon.
        seed: of the folds.

    Errors: no probabilities of all actions; fewer than two clusters of episodes; no such model; `by_step` without a
    horizon.
    """
    kind = _checked(table, model, by_step)
    cluster = table.cluster[table.episode]
    if kind == "tabular" and regressor is None:  # codes are all it asks for
        table = replace(table, features=np.zeros((table.n, 0)), next_features=np.zeros((table.n, 0)))
    fold = deal(cluster, table.propensity, count=folds, seed=seed)
    n, P = table.n, len(table.policies)
    out = QFunctions(np.zeros((n, P)), np.zeros((n, P)), np.zeros((n, P)), np.ones(P, dtype=bool))
    before, after = ([_dense(one) for one in chances] for chances in (table.probabilities, table.next_probabilities))
    number, unseen = np.zeros(P), np.zeros(P)
    for held in range(int(fold.max()) + 1):
        learn, test = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        make = _maker(table, kind, regressor)
        shared = make(learn)
        for p in range(P):
            fit = _Fit(table, learn, make, after[p], by_step, sweeps)
            if table.horizon:
                surfaces = _backward(fit, shared)
            else:
                solved = _stationary(fit, shared)
                surfaces = [solved.surface]
                out.settled[p] &= solved.settled
                number[p] = max(number[p], solved.number)
            _say(out, fit, surfaces, test, before[p], p)
            unseen[p] += _unseen(shared, table, test, before[p])
    findings = _findings(table, out.settled, number, unseen / n, regressor is None)
    return replace(out, findings=findings)


def _checked(table: Trajectories, model: str, by_step: bool) -> str:
    """The kind of model. Errors: as of `crossfitted`."""
    if not table.probabilities or not table.next_probabilities:
        raise AdjudgeError(
            "Q-functions need each policy's probabilities of all actions, before and after each step.",
            "Episodes with `probabilities` and `next_probabilities`, not of the logged action alone.",
            "Give them, or use an estimator by importance weights alone, which needs none.",
        )
    units = np.unique(table.cluster[table.episode]).size
    if units < 2:
        raise AdjudgeError(
            f"The log holds {units} independent cluster of episodes.",
            "At least 2: each is predicted by a model of the others.",
            "Log more episodes.",
        )
    kind = model or ("tabular" if table.states else "linear")
    if kind not in KINDS or (kind == "tabular" and not table.states):
        raise AdjudgeError(
            f"There is no {kind} model of these episodes.",
            "linear, or tabular where states have codes.",
            "Name one of them, or hand over a regressor.",
        )
    if by_step and not table.horizon:
        raise AdjudgeError(
            "by_step wants a model for each step, and there is no last one.", "A horizon.", "Give the table one."
        )
    return kind


def _dense(one: Probabilities) -> FloatArray:
    return np.concatenate([block for _, block in one.blocks()])


def _places(table: Trajectories, rows: IntArray, *, after: bool = False) -> Places:
    if after:
        return Places(table.next_state[rows], table.next_features[rows])
    return Places(table.state[rows], table.features[rows])


def _maker(table: Trajectories, kind: str, regressor: Any) -> Callable[[IntArray], Model]:
    """Some rows -> the model on them."""
    k, states = len(table.actions), len(table.states)

    def make(rows: IntArray) -> Model:
        places, action = _places(table, rows), table.action[rows]
        if regressor is not None:
            return Regressor(places, action, k, states, regressor)
        return Tabular(places, action, states, k) if kind == "tabular" else Linear(places, action, k)

    return make


def _held(surface: Surface, held: Range) -> Surface:
    """The same within a range."""
    return surface if held == (-np.inf, np.inf) else lambda places: np.clip(surface(places), *held)


def _backward(fit: _Fit, shared: Model) -> list[Surface]:
    """[H] surfaces of q_t."""
    table, rows = fit.table, fit.rows
    horizon = int(table.horizon or 1)
    found: list[Surface] = []
    model, reward, places, ahead = shared, table.reward[rows], _places(table, rows, after=True), fit.ahead(rows)
    for left in range(1, horizon + 1):
        if fit.by_step:
            at = table.step[rows] == horizon - left
            own = rows[at] if at.any() else rows
            model, reward, places, ahead = (
                fit.make(own), table.reward[own], _places(table, own, after=True), fit.ahead(own),
            )  # fmt: skip
        value = np.einsum("ij,ij->i", ahead, found[-1](places)) if found else 0.0
        found.append(_held(model.fit(reward + value), replace(table, horizon=left).value_bounds))
    return found[::-1]


def _stationary(fit: _Fit, model: Model) -> Solved:
    """The fixed point: solved where the model is linear in what it is taught and settles, else repeated."""
    table, rows = fit.table, fit.rows
    places, held, ahead = _places(table, rows, after=True), table.value_bounds, fit.ahead(rows)
    solved = model.solve(table.reward[rows], places, ahead)
    if solved is not None and solved.settled:
        return replace(solved, surface=_held(solved.surface, held))
    if solved is not None and held == (-np.inf, np.inf):
        return replace(solved, surface=lambda at: np.full((at.state.size, len(table.actions)), np.nan))
    value, change = np.zeros(rows.size), np.inf
    for _ in range(fit.sweeps):
        surface = _held(model.fit(table.reward[rows] + value), held)
        new = (ahead * surface(places)).sum(axis=1)
        change = float(np.abs(new - value).max() / max(np.abs(new).max(), 1e-300)) if np.any(new) else 0.0
        value = new
        if change < CLOSE or not np.isfinite(change):
            break
    if solved is not None:
        return Solved(surface, False, solved.number)
    return Solved(surface, change < ROUGH, change)


def _say(out: QFunctions, fit: _Fit, surfaces: list[Surface], rows: IntArray, before: FloatArray, p: int) -> None:
    """Writes what the surfaces say of held-out rows of policy p into `out`."""
    table = fit.table
    for t, surface in enumerate(surfaces):
        here, last = (rows[table.step[rows] == at] if table.horizon else rows for at in (t, t - 1))
        if here.size:
            q = surface(_places(table, here))
            out.logged[here, p] = q[np.arange(here.size), table.action[here]]
            out.before[here, p] = (before[here] * q).sum(axis=1)
        if last.size:
            q = surface(_places(table, last, after=True))
            out.after[last, p] = np.where(table.terminal[last], 0.0, (fit.chances[last] * q).sum(axis=1))


def _unseen(model: Model, table: Trajectories, rows: IntArray, before: FloatArray) -> float:
    """What a policy does in these rows' states that was never logged there, summed over the rows."""
    return float((before[rows] * ~model.seen[table.state[rows]]).sum()) if isinstance(model, Tabular) else 0.0


def _findings(
    table: Trajectories, settled: BoolArray, number: FloatArray, unseen: FloatArray, linear: bool
) -> tuple[Finding, ...]:
    found = []
    for p in np.flatnonzero(~settled):
        found.append(
            Finding(
                "fitted-q-unsettled",
                Severity.SEVERE,
                f"The Q-function of {table.policies[p]} does not settle: "
                + ("each fit carries the last one's error on, no smaller." if linear else "fits keep changing it."),
                float(number[p]),
                1.0 if linear else ROUGH,
                "Give a horizon, a lower discount or another model; value.sequential_doubly_robust weighs errors out.",
                (table.policies[p],),
            )
        )
    for p in np.flatnonzero(unseen > UNSEEN):
        found.append(
            Finding(
                "actions-unseen",
                Severity.WARNING,
                f"In {100 * unseen[p]:.0f} % of the steps {table.policies[p]} would do what was never logged in that "
                "state.",
                float(unseen[p]),
                UNSEEN,
                "Log more of what the policy would do, or describe states by features that they share.",
                (table.policies[p],),
            )
        )
    return tuple(found)
