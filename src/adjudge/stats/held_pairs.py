"""Says how good a reward model is on pairs that it did not see: refits without each fold of clusters, and scores them.

    accuracy = mean [p̃ where p̂ > ½, 1 − p̃ where p̂ < ½],      loss = mean [p̃·ℓ(p̂) + (1 − p̃)·ℓ(1 − p̂)]

p̃ is the outcome freed of flips, so that every figure has the mean of the one on outcomes before the flips. Stone
(1974), Cross-validatory choice; Natarajan, Dhillon, Ravikumar et al. (2013), Lemma 1.
Limits: hard outcomes without flips make these the plain figures; a pair of one prompt never helps to predict another.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.preferences import Preferences
from ..tables.reward_model import Held
from .calibration_error import balance, folded_mean, gaps

FOLDS = 80251  # the seed's own companion
FLOOR = 1e-12
BINS, BY_BIN = 10, 10  # of the calibration error at most, and clusters for each

Predict = Callable[[Preferences, Preferences], FloatArray]
"""Pairs to fit, pairs to predict -> [n] probability that the left is better."""


def held_out(preferences: Preferences, predict: Predict, *, folds: int, seed: int) -> FloatArray:
    """[n] prediction of each pair by a fit without its cluster; NaN where folds < 2 or there are too few clusters.

    Arguments:
        preferences: all pairs; those that nobody compared are predicted, too.
        predict: fits and predicts.
        folds: parts that the clusters are split into; 0 for no prediction.
        seed: of the split.
    """
    found = np.full(preferences.n, np.nan)
    if folds < 2 or np.unique(preferences.cluster[preferences.weight > 0]).size < folds:
        return found
    fold = split(preferences.units, folds, seed)[preferences.cluster]
    for number in range(folds):
        out = fold == number
        if out.any():
            found[out] = predict(preferences.take(~out), preferences.take(out))
    return found


def split(units: int, folds: int, seed: int) -> IntArray:
    """[units] fold of each cluster, in shares as equal as can be.

    >>> np.bincount(split(7, 3, 0)).tolist()
    [3, 2, 2]
    """
    return np.random.default_rng((seed, FOLDS)).permutation(units) % folds


def held(preferences: Preferences, chance: FloatArray) -> Held:
    """What predictions [n] are worth; pairs that nobody compared or predicted are passed over.

    >>> from adjudge.tables.preferences import from_arrays
    >>> none = np.zeros((2, 1))
    >>> held(from_arrays(none, none, [1.0, 0.0]), np.array([0.8, 0.8])).accuracy
    0.5
    """
    rows = np.flatnonzero(preferences.compared & np.isfinite(chance))
    weight, truth, said = preferences.weight[rows], preferences.target[rows], chance[rows]
    if not rows.size:
        return Held(0, 0.0, *[float("nan")] * 6)
    total = float(weight.sum())
    favoured = np.maximum(said, 1 - said)
    right = np.where(said > 0.5, truth, np.where(said < 0.5, 1 - truth, 0.5))
    mean = float(weight @ right) / total
    code = np.unique(preferences.cluster[rows], return_inverse=True)[1]
    influence = np.bincount(code, weight * (right - mean)) / total
    spread = _spread(influence, np.bincount(code, weight) / total, mean)
    likely = np.clip(favoured, FLOOR, 1 - FLOOR)
    return Held(
        n=rows.size,
        weight=total,
        accuracy=mean,
        accuracy_stderr=spread,
        log_loss=float(weight @ -(right * np.log(likely) + (1 - right) * np.log1p(-likely))) / total,
        brier=float(weight @ (right * (1 - favoured) ** 2 + (1 - right) * favoured**2)) / total,
        ece=_ece(favoured, right, weight, code),
        balance=float(weight @ balance(favoured, right)) / total,
    )


def _spread(influence: FloatArray, share: FloatArray, mean: float) -> float:
    """Standard error of the accuracy by cluster, each raised by the share that it has in the mean itself.

    Where all clusters are alike it is as if four more had said ½ (Agresti).
    """
    u = influence.size
    if u < 2:
        return float("nan")
    raised = influence / np.maximum(1 - share, 1 / u)
    found = float(np.sqrt(raised @ raised * (1 - 1 / u)))
    steady = (u * mean + 2) / (u + 4)
    return found if found > 1e-12 else float(np.sqrt(steady * (1 - steady) / (u + 4)))


def _ece(favoured: FloatArray, right: FloatArray, weight: FloatArray, code: IntArray) -> float:
    """Binned calibration error in up to ten bins of equal weight, one for each ten clusters, debiased by cluster."""
    at = np.unique(favoured, return_inverse=True)[1]
    mass = np.bincount(at, weight)
    bins = min(max(int(code.max() + 1) // BY_BIN, 1), BINS)
    place = (np.cumsum(mass) - mass / 2) / mass.sum()
    of_value = np.minimum((place * bins + 1e-9).astype(np.int64), bins - 1)
    gap, variance, share = gaps(favoured, right, of_value[at], weight=weight, cluster=code)
    return float(share @ (2 * np.abs(gap) - folded_mean(gap, variance)))


def report(preferences: Preferences, chance: FloatArray) -> dict[str, Held]:
    """What predictions are worth over all pairs, and by source where there are several; `all` is never a source."""
    if not np.isfinite(chance).any():
        return {}
    found = {"all": held(preferences, chance)}
    if len(preferences.sources) > 1:
        for code, name in enumerate(preferences.sources):
            if name not in found:
                rows = preferences.source == code
                found[name] = held(preferences.take(rows), chance[rows])
    return found


def require(preferences: Preferences, *, column: str = "outcome", instead: str = "") -> Preferences:
    """The rows that a fit can use. Errors: no features, or no row in which the column is known.

    Arguments:
        preferences: all rows.
        column: that must be known.
        instead: what to do without it.
    """
    if preferences.d == 0:
        raise AdjudgeError(
            "preferences: the responses have no features.",
            "A reward model is fitted to numbers.",
            "Make them of the texts with stats.text_features.featurised, or give arrays.",
        )
    values = getattr(preferences, column)
    known = np.isfinite(values) if values.ndim == 1 else np.isfinite(values).any(axis=1)
    rows = known & (preferences.weight > 0)
    if not rows.any():
        raise AdjudgeError(
            f"preferences.{column}: no row has one.",
            f"At least one row whose {column} is known, with a weight above 0.",
            instead or "Give the column, or use another method.",
        )
    return preferences if rows.all() else preferences.take(rows)
