"""Several rewards as one: how the members of an ensemble are brought together, and how far they agree.

    mean, median, min (worst case), mean − λ·var (uncertainty-weighted), mean − λ·sd,      over members r_1 … r_k

A member's reward has no zero of its own: each is counted from its mean over the responses of the fit. Coste, Anwar,
Kirk et al. (2024), Eq. 5-7; Eisenstein, Nagpal, Agarwal et al. (2024), Section 3.
Limits: one member, or members that agree, make every aggregate that member; λ = 0 is the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray
from ..errors import AdjudgeError
from ..tables.preferences import Features, dense
from ..tables.reward_model import RewardModel

AGGREGATES = ("mean", "median", "min", "variance", "deviation")


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """k linear rewards.

    Arguments:
        table: [k, d + 1] coefficients of each, and its intercept.
    """

    table: FloatArray

    @classmethod
    def of(cls, model: RewardModel) -> Members:
        """Those of a model that `rewards.ensemble` fitted."""
        return cls(model.parameters.reshape(-1, len(model.feature_names) + 1))

    def rewards(self, features: Features) -> FloatArray:
        """[n, k] reward of each response by each member."""
        return np.asarray(features @ self.table[:, :-1].T) + self.table[:, -1]

    def agreement(self, features: Features, *, weight: FloatArray | None = None) -> float:
        """Mean rank correlation (Spearman) of two members over responses; it falls where the data left them free.

        Arguments:
            features: [n, d].
            weight: [n] how many equal responses a row stands for; one when None.

        >>> round(Members(np.array([[1.0, 0.0], [2.0, 5.0], [-1.0, 0.0]])).agreement(np.arange(3.0)[:, None]), 4)
        -0.3333
        """
        mass = np.ones(features.shape[0]) if weight is None else weight
        mass = mass / mass.sum()
        ranks = np.column_stack([_placed(column, mass) for column in self.rewards(features).T])
        off = ranks - mass @ ranks
        off = off / np.maximum(np.sqrt(mass @ off**2), 1e-300)
        first, second = np.triu_indices(ranks.shape[1], 1)
        return float((mass @ (off[:, first] * off[:, second])).mean()) if first.size else 1.0

    def gradient(self, features: Features, leaning: FloatArray) -> FloatArray:
        """[n, k·(d + 1)] of an aggregate whose derivative by the members' rewards is `leaning` [n, k]."""
        with_one = np.column_stack([dense(features), np.ones(features.shape[0])])
        return (leaning[:, :, None] * with_one[:, None, :]).reshape(len(with_one), -1)


def _placed(values: FloatArray, mass: FloatArray) -> FloatArray:
    """[n] mid-ranks as shares of the mass; equal values share theirs."""
    at = np.unique(values, return_inverse=True)[1]
    each = np.bincount(at, mass)
    return np.asarray((np.cumsum(each) - each / 2)[at])


def aggregate(rewards: FloatArray, how: str, penalty: float) -> tuple[FloatArray, FloatArray]:
    """([n] one reward of k, [n, k] its derivative by each).

    Arguments:
        rewards: [n, k].
        how: one of `AGGREGATES`.
        penalty: λ >= 0 of `variance` and `deviation`.

    >>> aggregate(np.array([[1.0, 2.0, 6.0]]), "variance", 0.5)[0].round(4).tolist()
    [0.6667]
    """
    n, k = rewards.shape
    mean = rewards.mean(axis=1)
    even = np.full((n, k), 1 / k)
    if how == "mean":
        return mean, even
    if how in ("median", "min"):
        order = np.argsort(rewards, axis=1)
        at = order[:, [0]] if how == "min" else order[:, [(k - 1) // 2, k // 2]]
        leaning = np.zeros((n, k))
        np.add.at(leaning, (np.arange(n)[:, None], at), 1 / at.shape[1])
        return (rewards * leaning).sum(axis=1), leaning
    if how not in AGGREGATES:
        raise AdjudgeError(f"aggregate = {how!r}.", f"One of {', '.join(AGGREGATES)}.", "Name one of them.")
    off = rewards - mean[:, None]
    variance = (off**2).mean(axis=1)
    if how == "variance":
        return mean - penalty * variance, even - penalty * 2 * off / k
    spread = np.sqrt(variance)
    tilt = np.divide(off, spread[:, None], out=np.zeros((n, k)), where=spread[:, None] > 0)
    return mean - penalty * spread, even - penalty * tilt / k
