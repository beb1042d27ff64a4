"""Credits responses by several rewards, each only up to the point where more of it stops being better.

    max Σ_i w_i·E r_i  subject to  E r_i ≤ θ_i:    A = Σ_i (w_i − μ_i)·(r_i − r̄_i),   μ_i ← max(0, μ_i + η(E r_i − θ_i))

Moskovitz, Singh, Strouse et al. (2024). θ_i, the proxy point, is what reward i was where the true one peaked in a run
without constraints: past it, a reward model is being exploited. The multipliers rise while a reward is above its point
and fall, at the least to 0, while below. Without such a run `searched` looks for the points within one (Nelder & Mead,
on the true reward); `related` says how the rewards go together, which moves points that were found apart.
Limits: μ = 0 is the weighted sum of rewards; μ = w stops the climb.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.optimize import minimize

from .._typing import ArrayLike, FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.arrays import plain
from ..stats.concordance import jointly
from ..stats.rank_correlation import pearson
from ..stats.reward_groups import as_given, of
from ..tables.rollouts import Array, Rollouts

CARD = Card(
    answers="How good is a response by several rewards, none of which should be driven past the point where it holds?",
    equation="A = Σ_i (w_i − μ_i)·(r_i − r̄_i)",
    papers=(
        Paper(
            "Confronting Reward Model Overoptimization with Constrained RLHF",
            "Moskovitz, Singh, Strouse et al.",
            2024,
            "ICLR",
            "https://arxiv.org/abs/2310.04373",
        ),
        Paper(
            "A Simplex Method for Function Minimization",
            "Nelder, Mead",
            1965,
            "The Computer Journal",
            "https://doi.org/10.1093/comjnl/7.4.308",
        ),
    ),
    needs=("prompt", "parts"),
    assumes=("The points were found on a run of this policy, with these rewards.",),
    limits=(
        "Points of correlated rewards move together: find them in a run with all of them (`related` tells).",
        "`searched` takes a look for the truth of its points: with noise in gold it stops near the best, not at it.",
        "The multipliers circle around their values when the dual steps are long beside the policy's.",
    ),
    when="With several reward models that are each exploited in the end, and some gold to see where.",
    rows=(21,),
)


CLOSE = 0.8  # correlation of two rewards from which points found for each alone are not to be trusted


def advantages(rollouts: Rollouts, *, multipliers: ArrayLike | None = None, weights: ArrayLike | None = None) -> Array:
    """[b] advantage of each response.

    Arguments:
        rollouts: parts [b, m], prompt; weight and demonstration where given. Reward is not looked at.
        multipliers: [m] μ ≥ 0; None is 0.
        weights: [m] w, what a unit of each reward is worth; None is 1.

    Errors: no parts; multipliers or weights of another length.

    >>> rows = Rollouts(np.zeros(2), np.zeros(2), parts=np.array([[1.0, 0.0], [0.0, 4.0]]))
    >>> advantages(rows).tolist(), advantages(rows, multipliers=[0.0, 1.0]).tolist()
    ([-1.5, 1.5], [0.5, -0.5])
    """
    parts = _parts(rollouts)
    price = _each(1.0, weights, parts) - _each(0.0, multipliers, parts)
    lead = [of(replace(rollouts, reward=column)).centred for column in parts.T]
    return as_given(price @ np.array(lead), replace(rollouts, reward=rollouts.parts))


def ascended(rollouts: Rollouts, multipliers: ArrayLike, *, points: ArrayLike, rate: float = 0.1) -> FloatArray:
    """[m] multipliers after one step of dual ascent.

    Arguments:
        rollouts: as for `advantages`.
        multipliers: [m] μ before the step.
        points: [m] θ; infinite where a reward has none.
        rate: η > 0.

    >>> ascended(Rollouts(np.zeros(2), np.zeros(2), parts=np.array([[3.0], [1.0]])), [0.5], points=[1.0]).tolist()
    [0.6]
    """
    parts = _parts(rollouts)
    means = []
    for column in parts.T:
        groups = of(replace(rollouts, reward=column))
        means.append(groups.weight @ groups.reward / max(groups.weight.sum(), 1e-300))
    excess = np.array(means) - _each(np.inf, points, parts)
    return np.maximum(0.0, _each(0.0, multipliers, parts) + rate * excess)


def proxy_points(parts: ArrayLike, gold: ArrayLike) -> FloatArray:
    """[m] what each reward was where the true one peaked, along a run.

    Arguments:
        parts: [t, m] mean of each reward at each look, in the order of the run.
        gold: [t] mean of the true reward; NaN where nobody looked.

    Errors: no look at gold; another number of looks.

    >>> proxy_points([[0.0, 1.0], [1.0, 2.0], [2.0, 5.0]], [0.1, 0.6, 0.2]).tolist()
    [1.0, 2.0]
    """
    seen, truth = np.asarray(parts, dtype=float), np.asarray(gold, dtype=float)
    if seen.ndim != 2 or truth.shape != (len(seen),) or np.isnan(truth).all():
        raise AdjudgeError(
            f"constrained: rewards {seen.shape} beside gold {truth.shape}.",
            "One row of rewards and one true reward at each look, some of them known.",
            "Give the run's curves.",
        )
    return seen[int(np.nanargmax(truth))]


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """Proxy points that were looked for within a run.

    Arguments:
        points: [m] those at which the true reward was highest.
        gold: that true reward.
        tried: [t, m] all points, in the order of the looks.
        seen: [t] the true reward at each.
    """

    points: FloatArray
    gold: float
    tried: FloatArray
    seen: FloatArray


def searched(
    looked: Callable[[FloatArray], float], start: ArrayLike, *, spread: ArrayLike, looks: int = 30
) -> Searched:
    """Nelder & Mead's search for proxy points, within one run.

    Arguments:
        looked: takes points [m], goes on with the run under them (`advantages` with multipliers that `ascended` moves)
            from wherever it is, and gives the mean true reward of what the policy writes then.
        start: [m] first points, such as the rewards' means before the run.
        spread: [m], or one number for all: first step along each, in the unit of the rewards, not 0.
        looks: at the true reward at most, above m + 1.

    Errors: fewer looks; a spread of 0; a look that is not a number.

    >>> found = searched(lambda points: -((points[0] - 2.0) ** 2), [0.0], spread=0.5, looks=40)
    >>> found.points.round(2).tolist(), len(found.seen) <= 40
    ([2.0], True)
    """
    first = np.asarray(start, dtype=float)
    width = np.broadcast_to(np.asarray(spread, dtype=float), first.shape)
    if first.ndim != 1 or looks <= first.size + 1 or not (width != 0).all():
        raise AdjudgeError(
            f"constrained: {first.shape} first points, spread {width.tolist()} apart, {looks} looks.",
            "[m] points, a step along each that is not 0, and more looks than m + 1.",
            "Give more looks, or a spread such as the rewards' standard deviation.",
        )
    tried: list[FloatArray] = []
    seen: list[float] = []

    def lost(points: FloatArray) -> float:
        truth = float(looked(points.copy()))
        if np.isnan(truth):
            raise AdjudgeError("constrained: a look gave no number.", "A mean true reward.", "Look at more responses.")
        tried.append(points.copy())
        seen.append(truth)
        return -truth

    corners = np.vstack([first, first + np.diag(width)])
    minimize(lost, first, method="Nelder-Mead", options={"initial_simplex": corners, "maxfev": looks})
    best = int(np.argmax(seen))
    return Searched(tried[best], seen[best], np.array(tried), np.array(seen))


def related(rollouts: Rollouts) -> Audit:
    """How the rewards go together within prompts, and with the true one where it is known.

    Arguments:
        rollouts: parts [b, m], prompt; gold and weight where given.

    Errors: no parts. Returns the figure `correlation`, of each pair of rewards `r0 ~ r1` and of each with `gold`, by
    prompt; findings on rewards that go together, and on those that go against the truth.

    >>> rng = np.random.default_rng(0)
    >>> one = rng.normal(size=120)
    >>> rows = Rollouts(one, np.repeat(np.arange(40), 3), parts=np.c_[one, one + 0.3 * rng.normal(size=120)])
    >>> seen = related(rows)
    >>> seen.figures["correlation"].names, [finding.code for finding in seen.findings]
    (('r0 ~ r1',), ['rewards-go-together'])
    """
    parts = _parts(rollouts)
    columns = {f"r{at}": column for at, column in enumerate(parts.T)}
    if rollouts.gold is not None:
        columns["gold"] = plain(rollouts.gold).astype(float)
    every = {name: of(replace(rollouts, reward=column)) for name, column in columns.items()}
    names, told = [], []
    for one, two in combinations(every, 2):
        rows = np.flatnonzero(every[one].known & every[two].known)
        names.append(f"{one} ~ {two}")
        told.append((rows, pearson(every[one].centred[rows], every[two].centred[rows], every[one].weight[rows])))
    cluster = np.unique(plain(rollouts.prompt), return_inverse=True)[1]
    figure = jointly(tuple(names), told, cluster, bounds=(-1.0, 1.0), method="credit.constrained")
    found = []
    for name, value, (_, high) in zip(names, figure.value, figure.interval(0.95), strict=True):
        if name.endswith("gold"):
            if high < 0:
                text = (
                    f"{name[:-7]} falls where the true reward rises: their correlation is {value:.2f} within prompts."
                )
                remedy = "Give it no weight, or a negative one, until its point is known."
                found.append(Finding("reward-against-gold", Severity.WARNING, text, value, 0.0, remedy, (name[:-7],)))
        elif value > CLOSE:
            text = f"{name.replace(' ~ ', ' and ')} go together: their correlation is {value:.2f} within prompts."
            remedy = (
                "Look for the points of both in one run; a point found for one alone is not its own beside the other."
            )
            found.append(Finding("rewards-go-together", Severity.INFO, text, value, CLOSE, remedy))
    return Audit(tuple(found), {"correlation": figure})


def _parts(rollouts: Rollouts) -> FloatArray:
    parts: FloatArray = np.zeros(0) if rollouts.parts is None else plain(rollouts.parts).astype(float)
    if parts.ndim != 2 or parts.shape[1] == 0:
        raise AdjudgeError(
            f"constrained: parts {parts.shape}.", "[b, m] rewards of each response.", "Give the rewards as `parts`."
        )
    return parts


def _each(default: float, given: ArrayLike | None, parts: FloatArray) -> FloatArray:
    m = len(parts.T)
    values = np.full(m, default) if given is None else np.asarray(given, dtype=float)
    if values.shape != (m,) or np.isnan(values).any():
        raise AdjudgeError(f"constrained: {values.shape} numbers for {m} rewards.", "One of each.", "Give one of each.")
    return values
