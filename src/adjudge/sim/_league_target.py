"""Fits a paired model to expected votes: the number that the model would find in an endless season.

    max_{θ,β,u}  Σ_cells w·{win·log P(win) + tie·log P(tie) + loss·log P(loss)},      d = θ_l − θ_r + X·β

Limit: votes that the model itself expects give its own parameters back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import optimize

from .._typing import BoolArray, FloatArray, IntArray
from ..stats.paired.scale import CENTRE, POINTS
from ..tables.comparisons import Comparisons

TIES = ("davidson", "rao_kupper")
_STACKED = (
    *("left", "right", "outcome", "rater", "trusted", "match", "item", "cluster", "weight", "count", "first"),
    *("covariates", "time"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What a marginal model estimates from endless votes of a league.

    Arguments:
        theta: [k] log-odds ratings, mean 0.
        effects: log-odds by name: `order` (of being shown first) and `length` (per unit of the covariate).
        tie: log ν (Davidson) or log κ (Rao-Kupper); NaN without a tie parameter.
    """

    theta: FloatArray
    effects: dict[str, float]
    tie: float

    @property
    def points(self) -> FloatArray:
        """[k] ratings in points: 1000 on average, 400 for odds of ten to one."""
        return np.asarray(CENTRE + POINTS * self.theta)


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A season of a league and the truth behind it.

    Arguments:
        comparisons: what a user would have.
        truth: [k] target in rating points (`target.points`).
        target: all that the marginal model estimates.
        rigging: [n] whether the vote is a rigger's for the policy that they lift.
        unreliable: [raters] who vote by the toss of a coin.
    """

    comparisons: Comparisons
    truth: FloatArray
    target: Target
    rigging: BoolArray
    unreliable: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Kinds of match and what is expected of them; c kinds.

    Arguments:
        left, right: [c] policies.
        first: [c] +1 where left is shown first, −1 where right is.
        x: [c] covariate, left − right.
        weight: [c] share of all matches.
        votes: [3, c] expected win, tie, loss of left.
    """

    left: IntArray
    right: IntArray
    first: FloatArray
    x: FloatArray
    weight: FloatArray
    votes: FloatArray


def log_tie(between_equals: float, model: str) -> float:
    """u: log ν of Davidson or log κ of Rao-Kupper at which equals tie with this chance."""
    if not between_equals:
        return -np.inf if model == "davidson" else 0.0
    t = between_equals
    return float(np.log(2 * t / (1 - t)) if model == "davidson" else np.log((1 + t) / (1 - t)))


def chances(d: FloatArray, u: float, model: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """P(win), P(tie), P(loss) of left at advantage d."""
    if model == "davidson":
        win, tie, loss = np.exp(d / 2), np.exp(u), np.exp(-d / 2)
        total = win + tie + loss
        return win / total, tie / total, loss / total
    win, loss = 1 / (1 + np.exp(u - d)), 1 / (1 + np.exp(u + d))
    return win, np.maximum(1 - win - loss, 0.0), loss


def fit(cells: Cells, design: FloatArray, k: int, ties: str) -> tuple[FloatArray, float]:
    """[k + effects] coefficients at the maximum, and u (NaN without a tie parameter).

    Arguments:
        cells: expected votes.
        design: [c, effects] columns beside the policies.
        k: policies.
        ties: `none` (half a win each), `davidson` or `rao_kupper`.
    """
    win, tie, loss = cells.votes
    if ties == "none":
        win, tie, loss = win + tie / 2, np.zeros_like(tie), loss + tie / 2
    q, w = design.shape[1], cells.weight

    def objective(at: FloatArray) -> tuple[float, FloatArray]:
        d = at[cells.left] - at[cells.right] + design @ at[k : k + q]
        u = float(at[-1]) if ties != "none" else -np.inf
        by_d, by_u, value = _slopes(d, u, win, tie, loss, ties)
        gradient = np.bincount(cells.left, w * by_d, k) - np.bincount(cells.right, w * by_d, k)
        rest = [design.T @ (w * by_d), [w @ by_u] if ties != "none" else []]
        return -float(w @ value), -np.concatenate([gradient, *rest])

    start = np.zeros(k + q + (ties != "none"))
    start[k + q :] = 0.5  # inside the range of either tie parameter
    least = [(None, None)] * (k + q) + [(1e-6 if ties == "rao_kupper" else None, None)] * (ties != "none")
    found = optimize.minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=least,
        options={"maxiter": 5000, "maxfun": 50_000, "ftol": 1e-16, "gtol": 1e-9, "maxcor": 50},
    )  # fmt: skip
    return found.x[: k + q], float(found.x[-1]) if ties != "none" else np.nan


def _slopes(
    d: FloatArray, u: float, win: FloatArray, tie: FloatArray, loss: FloatArray, ties: str
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Derivatives of the log-likelihood by d and by u, and the log-likelihood itself, a cell each."""
    p_win, p_tie, p_loss = chances(d, u, "rao_kupper" if ties == "rao_kupper" else "davidson")
    value = win * np.log(p_win) + loss * np.log(p_loss)
    if ties == "none":
        return (win - loss) / 2 - (p_win - p_loss) / 2, np.zeros_like(d), value
    value = value + tie * np.log(np.maximum(p_tie, 1e-300))
    if ties == "davidson":
        return (win - loss) / 2 - (p_win - p_loss) / 2, tie - p_tie, value
    off_win, off_loss = 1 - p_win, 1 - p_loss
    by_d = win * off_win - loss * off_loss + tie * (off_win - off_loss)
    by_u = tie * (2 / -np.expm1(-2 * u)) - (win + tie) * off_win - (loss + tie) * off_loss
    return by_d, by_u, value


def stacked(parts: Sequence[Comparisons], raters: tuple[str, ...]) -> Comparisons:
    """Rows of several tables that share their codes, one after the other."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _STACKED}
    return replace(parts[0], raters=raters, row=np.arange(columns["left"].size), **columns)
