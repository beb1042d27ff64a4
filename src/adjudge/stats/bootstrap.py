"""Asks the data itself how far a value moves: by reweighting clusters, with the calibrator refitted or without.

    θ*_b = θ(weights w_i·V_{b,g(i)}),   V ~ Exp(1) (Bayesian) or multinomial, one for each cluster
    δ*_b = Σ_g ξ_bg ψ_g,                ξ with mean 0 and variance 1 (multiplier bootstrap, no refit)

The refit presorts once. Each replicate is then one weighted pool-adjacent-violators fit a fold on the labelled scores,
and a product of cluster weights with the cluster sums of every row's place between two labelled scores.

Rubin (1981), The Bayesian bootstrap; Cameron, Gelbach, Miller (2008, clusters); Mammen (1993, multipliers).
Limits: one cluster for each row is the ordinary bootstrap; weights all 1 give the estimate itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._typing import FloatArray, IntArray
from ..errors import AdjudgeError
from ..tables.ratings import Ratings
from . import crossfit, isotonic
from .cluster import group_sums
from .design import label_weight
from .judges import judge_columns

BLOCK = 2_000_000  # numbers held at once
LAWS = ("exponential", "rademacher", "mammen")


def multiplier(influence: FloatArray, *, draws: int = 2000, seed: int = 0, law: str = "mammen") -> FloatArray:
    """[B, k] draws of the error of k values from [u, k] influence of independent units; no refit.

    Arguments:
        influence: [u, k] on the scale of the values (already divided by n).
        draws: B.
        seed: of the draws.
        law: `mammen` (two points, third moment 1), `rademacher` (±1) or `exponential` (Exp(1) − 1).

    >>> multiplier(np.array([[1.0], [-1.0]]), draws=3, law="rademacher").shape
    (3, 1)
    """
    if law not in LAWS:
        raise AdjudgeError(f"bootstrap law is {law!r}.", f"One of {', '.join(LAWS)}.", "Name one of them.")
    rng = np.random.default_rng(seed)
    units, k = influence.shape
    out = np.empty((draws, k))
    for rows in _blocks(draws, units):
        shape = (rows.stop - rows.start, units)
        if law == "exponential":
            xi = rng.standard_exponential(shape) - 1.0
        elif law == "rademacher":
            xi = np.where(rng.random(shape) < 0.5, -1.0, 1.0)
        else:
            golden = np.sqrt(5.0)
            xi = np.where(rng.random(shape) < (golden + 1) / (2 * golden), (1 - golden) / 2, (1 + golden) / 2)
        out[rows] = xi @ influence
    return out


def cluster_weights(clusters: int, draws: int, rng: np.random.Generator, *, multinomial: bool = False) -> FloatArray:
    """[B, clusters] weights with mean 1: Exp(1), or how often each cluster was drawn with replacement."""
    if multinomial:
        return rng.multinomial(clusters, np.full(clusters, 1.0 / clusters), size=draws).astype(float)
    return rng.standard_exponential((draws, clusters))


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """Everything about a table that stays the same from replicate to replicate; g labelled scores, m labels.

    Arguments:
        at: labelled scores, sorted.
        place: [clusters, k·g] weight of a cluster's rows at each labelled score, shared out between its neighbours.
        gold, weight, fold: [m] of the labelled rows.
        cluster, policy: [m] codes of the labelled rows.
        k: policies.
    """

    at: isotonic.Levels
    place: sparse.csr_array
    gold: FloatArray
    weight: FloatArray
    fold: IntArray
    cluster: IntArray
    policy: IntArray
    k: int

    def values(self, V: FloatArray, share: FloatArray) -> FloatArray:
        """[B, k] θ = f̂ + α·(mean residual of the held-out fits) under cluster weights V [B, clusters]."""
        draws = V.shape[0]
        own = V[:, self.cluster] * self.weight
        curve = isotonic.refit(self.at, self.gold, own)
        mass = np.asarray((self.place.T @ V.T).T).reshape(draws, self.k, -1)
        with np.errstate(invalid="ignore", divide="ignore"):
            borrowed = np.einsum("bkg,bg->bk", mass, curve) / mass.sum(axis=2)
        residual = own * (self.gold - self._held_out(own))
        top, bottom = (group_sums_rows(self.policy, table, self.k) for table in (residual, own))
        with np.errstate(invalid="ignore", divide="ignore"):
            shift = np.where(share > 0, share * (top / bottom), 0.0)
        return borrowed + shift

    def _held_out(self, own: FloatArray) -> FloatArray:
        """[B, m] forecast of each label by the fit without its fold."""
        out = np.empty_like(own)
        for fold in range(int(self.fold.max()) + 1):
            mine = self.fold == fold
            out[:, mine] = isotonic.refit(self.at, self.gold, own * ~mine)[:, self.at.level[mine]]
        return out


def group_sums_rows(group: IntArray, table: FloatArray, k: int) -> FloatArray:
    """[B, k] sums by group of the columns of [B, m]."""
    picker = sparse.csr_array((np.ones(group.size), (np.arange(group.size), group)), shape=(group.size, k))
    return np.asarray(table @ picker)


def refit(ratings: Ratings, *, judge: str | None = None, folds: int = 5, seed: int = 0) -> Refit:
    """Sorts and sums what every replicate of an isotonic calibration shares.

    Arguments:
        ratings: the table with labels.
        judge: name of the score column; the first by default.
        folds, seed: of the held-out forecasts, as in `calibration.isotonic`.
    """
    score = ratings.score[:, judge_columns(ratings, judge)[0]]
    rows = np.flatnonzero(ratings.labelled)
    if rows.size < 2:
        raise AdjudgeError(
            f"ratings.gold: {rows.size} labels.",
            "A bootstrap of the calibration needs at least 2.",
            "Label some rows: adjudge plan says how many and which.",
        )
    score = np.where(np.isfinite(score), score, np.nanmean(score[rows]))
    at = isotonic.levels(score[rows])
    g = at.point.size
    right = np.searchsorted(at.point, score, side="right").clip(1, max(g - 1, 1))
    left, right = right - 1, np.minimum(right, g - 1)
    gap = at.point[right] - at.point[left]
    way = np.divide(score - at.point[left], gap, out=np.zeros(score.size), where=gap > 0).clip(0.0, 1.0)
    column = np.concatenate([ratings.policy * g + left, ratings.policy * g + right])
    weight = np.concatenate([ratings.weight * (1 - way), ratings.weight * way])
    place = sparse.csr_array((weight, (np.tile(ratings.cluster, 2), column)), shape=(ratings.units, ratings.k * g))
    return Refit(
        at=at,
        place=place,
        gold=ratings.gold[rows],
        weight=label_weight(ratings)[rows],
        fold=crossfit.folds(ratings.cluster[rows], score[rows], weight=ratings.weight[rows], count=folds, seed=seed),
        cluster=ratings.cluster[rows],
        policy=ratings.policy[rows],
        k=ratings.k,
    )


def calibrated(
    ratings: Ratings,
    *,
    judge: str | None = None,
    share: FloatArray | None = None,
    draws: int = 2000,
    folds: int = 5,
    multinomial: bool = False,
    seed: int = 0,
) -> FloatArray:
    """[B, k] replicates of `value.calibrated` on an isotonic calibration that is refitted every time.

    Arguments:
        ratings: the table with labels.
        judge: name of the score column; the first by default.
        share: [k] α of each policy; 1 where it has two labels and 0 elsewhere by default.
        draws: B.
        folds: of the held-out forecasts.
        multinomial: draw whole clusters with replacement instead of Exp(1) weights; a replicate in which a policy has
            no label left is then NaN for it.
        seed: of the folds and the draws.

    >>> from adjudge.sim.judging import Judging
    >>> calibrated(Judging(items=50, labels=40).draw(0).ratings, draws=7).shape
    (7, 5)
    """
    ready = refit(ratings, judge=judge, folds=folds, seed=seed)
    if share is None:
        share = (group_sums(ready.policy, np.ones(ready.policy.size), ready.k) >= 2).astype(float)
    rng = np.random.default_rng(seed)
    out = np.empty((draws, ready.k))
    for rows in _blocks(draws, max(ratings.units, ready.place.shape[1], ready.gold.size)):
        V = cluster_weights(ratings.units, rows.stop - rows.start, rng, multinomial=multinomial)
        out[rows] = ready.values(V, share)
    return out


def _blocks(draws: int, width: int) -> Iterator[slice]:
    """Slices of the draws that keep the numbers held at once within `BLOCK`."""
    step = max(1, BLOCK // max(width, 1))
    for start in range(0, draws, step):
        yield slice(start, min(start + step, draws))
