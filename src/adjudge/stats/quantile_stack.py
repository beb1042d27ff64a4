"""Mixes several quantile models into one, with weights that may differ by level and by region of the features.

    coarse   q̂_τ = Σ_j w_j q_jτ                one weight for each model
    medium   q̂_τ = Σ_j w_jτ q_jτ               one for each model and level
    fine     q̂_τ = Σ_jν w_jντ q_jν             every level may borrow from every other
    local    w(x) = Σ_r h_r(x) w_r             h hat functions along the direction v of the features, Σ_r h_r = 1

Every w is on a simplex and minimises the pinball loss, which is linear programming in all six cases, because h_r(x)·q
is one more known column. v is where the models' merits part most: the leading right singular vector of their relative
losses regressed on the features. The result is then put in order. Limits: regions = 1 is a global mixture; one model
is itself; equal weights everywhere are the plain average, which the fit can only beat on the rows it is fitted to.

Fakoor, Kim, Mueller, Smola, Tibshirani (2023), Flexible Model Aggregation for Quantile Regression, JMLR 24, section
3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from . import quantile_loss, simplex_quantiles

FORMS = ("coarse", "medium", "fine")
ORDERS = {"sort": quantile_loss.sort, "isotonic": quantile_loss.isotonic}


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Hat functions along one direction: `h(features)` is [n, R] with rows that sum to 1.

    Arguments:
        direction: [d] of the features, on their own scale.
        knots: [R] increasing places of the peaks along it; beyond the first and last the hats are flat.
    """

    direction: FloatArray
    knots: FloatArray

    def __call__(self, features: FloatArray | None, n: int) -> FloatArray:
        """[n, R] hats; all 1 when there is one region."""
        if self.knots.size < 2 or features is None:
            return np.ones((n, 1))
        place = np.interp(features @ self.direction, self.knots, np.arange(self.knots.size))
        return np.maximum(1 - np.abs(place[:, None] - np.arange(self.knots.size)), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """A fitted mixture: quantiles of M models [n, M, L] (and features [n, d] if local) -> [n, L] in order.

    Arguments:
        levels: [L].
        form: `coarse`, `medium` or `fine`.
        order: `sort` or `isotonic`.
        weights: [L, R·M] (or [L, R·M·L] for fine), each region on its simplex.
        regions: where each weight holds.
    """

    levels: FloatArray
    form: str
    order: str
    weights: FloatArray
    regions: Regions

    def __call__(self, quantiles: FloatArray, features: FloatArray | None = None) -> FloatArray:
        """[n, L] mixed quantiles in order."""
        return ORDERS[self.order](self.mixed(quantiles, features))

    def mixed(self, quantiles: FloatArray, features: FloatArray | None = None) -> FloatArray:
        """[n, L] mixed quantiles as the weights give them, which may cross."""
        hats = self.regions(features, len(quantiles))
        return np.column_stack(
            [(_columns(quantiles, hats, None if self.form == "fine" else at) @ w) for at, w in enumerate(self.weights)]
        )


def fit(
    quantiles: FloatArray,
    outcome: FloatArray,
    levels: FloatArray,
    *,
    form: str = "medium",
    regions: int = 1,
    features: FloatArray | None = None,
    order: str = "sort",
    weight: FloatArray | None = None,
) -> Stack:
    """The mixture with the smallest pinball loss.

    Arguments:
        quantiles: [n, M, L] predictions of M models for rows that they were not fitted to.
        outcome: [n].
        levels: [L] increasing in (0, 1), symmetric about ½.
        form: `coarse`, `medium` or `fine`.
        regions: R, at least 1; above 1 `features` are needed.
        features: [n, d] known of each row.
        order: `sort` or `isotonic`.
        weight: [n] >= 0; equal when None.

    Errors: an unknown form or order, asymmetric levels, regions without features.

    >>> rng = np.random.default_rng(0)
    >>> y, levels = rng.normal(size=211), np.array([0.1, 0.5, 0.9])
    >>> good, bad = np.array([-1.28, 0.0, 1.28]), np.array([3.0, 4.0, 5.0])
    >>> both = np.broadcast_to(np.stack([good, bad]), (211, 2, 3))
    >>> fit(both, y, levels, form="coarse").weights[0].round(1)
    array([1., 0.])
    """
    if form not in FORMS or order not in ORDERS or regions < 1 or (regions > 1 and features is None):
        raise AdjudgeError(
            f"quantiles: form={form!r}, order={order!r}, regions={regions}.",
            f"A form of {', '.join(FORMS)}; an order of {', '.join(ORDERS)}; several regions only with features.",
            "Correct the argument.",
        )
    quantile_loss.pairs(levels)
    n, models, count = quantiles.shape
    w = np.ones(n) if weight is None else weight
    places = _regions(features, regions, _losses(quantiles, outcome, levels))
    hats = places(features, n)
    block = np.repeat(np.arange(hats.shape[1]), models * (count if form == "fine" else 1))
    if form == "coarse":
        rows = np.concatenate([_columns(quantiles, hats, at) for at in range(count)])
        one = simplex_quantiles.weights(
            rows, np.tile(outcome, count), np.repeat(levels, n), block=block, weight=np.tile(w, count)
        )
        return Stack(levels, form, order, np.tile(one, (count, 1)), places)
    found = [
        simplex_quantiles.weights(
            _columns(quantiles, hats, None if form == "fine" else at),
            outcome,
            np.full(n, levels[at]),
            block=block,
            weight=w,
        )
        for at in range(count)
    ]
    return Stack(levels, form, order, np.array(found), places)


def average(levels: FloatArray, models: int, *, order: str = "sort") -> Stack:
    """The plain average of the models: what a fitted mixture has to beat."""
    return Stack(levels, "coarse", order, np.full((levels.size, models), 1 / models), Regions(np.empty(0), np.zeros(1)))


def _columns(quantiles: FloatArray, hats: FloatArray, level: int | None) -> FloatArray:
    """[n, R·M] (or [n, R·M·L]) predictions times hats."""
    n = len(quantiles)
    flat = quantiles.reshape(n, -1) if level is None else quantiles[:, :, level]
    return (hats[:, :, None] * flat[:, None, :]).reshape(n, -1)


def _losses(quantiles: FloatArray, outcome: FloatArray, levels: FloatArray) -> FloatArray:
    """[n, M] mean pinball loss of each model on each row."""
    return np.column_stack(
        [quantile_loss.pinball(quantiles[:, j], outcome, levels).mean(axis=1) for j in range(quantiles.shape[1])]
    )


def _regions(features: FloatArray | None, count: int, losses: FloatArray) -> Regions:
    """Peaks at the middles of equal shares of rows, along the direction in which the relative losses change most."""
    if features is None or count < 2:
        return Regions(np.empty(0), np.zeros(1))
    scale = features.std(axis=0)
    scale = np.where(scale > 0, scale, np.inf)
    z = (features - features.mean(axis=0)) / scale
    relative = losses - losses.mean(axis=1, keepdims=True)
    main = np.linalg.svd((relative - relative.mean(axis=0)).T @ z)[2][0]
    direction = main * np.sign(main[np.argmax(np.abs(main))]) / scale
    return Regions(direction, np.unique(np.quantile(features @ direction, np.linspace(0, 1, 2 * count + 1)[1::2])))
