"""Small ratings written by hand, for the tests of the value family."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from adjudge.tables.ratings import Forecast, Ratings


def table(
    gold: list[float] | np.ndarray,
    score: list[float] | np.ndarray,
    *,
    policy: list[int] | np.ndarray | None = None,
    cluster: list[int] | np.ndarray | None = None,
    weight: list[float] | np.ndarray | None = None,
    propensity: list[float] | np.ndarray | None = None,
    stratum: list[int] | np.ndarray | None = None,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Ratings:
    """Ratings of one judge (or several: score [n, J]); one row a cluster and one policy unless told otherwise."""
    gold = np.asarray(gold, dtype=float)
    n = gold.size
    score = np.asarray(score, dtype=float).reshape(n, -1)
    policy = np.zeros(n, dtype=np.int64) if policy is None else np.asarray(policy)
    cluster = np.arange(n) if cluster is None else np.asarray(cluster)
    stratum = np.zeros(n, dtype=np.int64) if stratum is None else np.asarray(stratum)
    return Ratings(
        policies=tuple(f"p{code}" for code in range(int(policy.max()) + 1)),
        judges=tuple(f"judge{code}" for code in range(score.shape[1])),
        policy=policy,
        item=cluster,
        cluster=cluster,
        score=score,
        gold=gold,
        weight=np.ones(n) if weight is None else np.asarray(weight, dtype=float),
        propensity=np.full(n, np.nan) if propensity is None else np.asarray(propensity, dtype=float),
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
        stratum=stratum,
        strata=tuple(f"s{code}" for code in range(int(stratum.max()) + 1)),
        bounds=bounds,
    )


def drawn(
    seed: int,
    n: int = 211,
    m: int = 53,
    *,
    k: int = 1,
    noise: float = 0.5,
    clusters: int = 0,
    judges: int = 1,
) -> Ratings:
    """n rows of k policies, m of them labelled at random, score = truth + noise; rows share `clusters` if given."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(n) if not clusters else rng.integers(0, clusters, n)
    shared = rng.standard_normal(int(cluster.max()) + 1)
    truth = shared[cluster] * (0.7 if clusters else 0.0) + rng.standard_normal(n)
    gold = np.full(n, np.nan)
    chosen = rng.choice(n, m, replace=False)
    gold[chosen] = truth[chosen]
    score = truth[:, None] + noise * rng.standard_normal((n, judges))
    return table(gold, score, policy=np.arange(n) % k, cluster=cluster)


def known_forecast(ratings: Ratings, value: np.ndarray | None = None) -> Ratings:
    """With a forecast that was not fitted to any label: it leans on none."""
    value = ratings.score[:, 0] if value is None else value
    held_out = np.where(ratings.labelled, value, np.nan)
    m = int(ratings.labelled.sum())
    return replace(
        ratings, forecast=Forecast(value, held_out, np.zeros((ratings.n, 1)), np.zeros((m, 1)), "calibration.none")
    )


def fitted_mean(ratings: Ratings) -> Ratings:
    """With the mean of all labels as the forecast of every row: the simplest calibrator, written out by hand."""
    rows = np.flatnonzero(ratings.labelled)
    weight, gold = ratings.weight[rows], ratings.gold[rows]
    mean = float(weight @ gold / weight.sum())
    influence = (weight * (gold - mean) / weight.sum())[:, None]
    held_out = np.where(ratings.labelled, mean, np.nan)
    forecast = Forecast(np.full(ratings.n, mean), held_out, np.ones((ratings.n, 1)), influence, "calibration.mean")
    return replace(ratings, forecast=forecast)
