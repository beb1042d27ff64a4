"""Small leagues with a known truth, and how often intervals hold it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from adjudge.core.estimate import Estimate
from adjudge.tables.comparisons import Comparisons, from_arrays


def season() -> Comparisons:
    """Atlantic Coast Conference 2005: Duke, Miami, UNC, UVA, VT (Langville, Meyer 2012, Who's #1?, page 5)."""
    games = np.array(
        [
            (0, 1, 7, 52),
            (0, 2, 21, 24),
            (0, 3, 7, 38),
            (0, 4, 0, 45),
            (1, 2, 34, 16),
            (1, 3, 25, 17),
            (1, 4, 27, 7),
            (2, 3, 7, 5),
            (2, 4, 3, 30),
            (3, 4, 14, 52),
        ]
    )
    left, right, ours, theirs = games.T
    points = (ours - theirs).astype(float)[:, None]
    return from_arrays(left, right, (ours > theirs).astype(float), covariates=points, covariate_names=("points",))


def league(
    *, seed: int, n: int, k: int, ties: float = 0.0, clusters: int = 0, theta: np.ndarray | None = None
) -> Comparisons:
    """Bradley-Terry votes on random pairs; a share of them ties."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=k) * 0.5 if theta is None else theta
    left = rng.integers(k, size=n)
    right = (left + rng.integers(1, k, size=n)) % k
    outcome = (rng.random(n) < special.expit(theta[left] - theta[right])).astype(float)
    outcome[rng.random(n) < ties] = 0.5
    cluster = rng.integers(clusters, size=n) if clusters else None
    return from_arrays(left, right, outcome, cluster=cluster)


def covered(
    rank: Callable[[Comparisons], Estimate],
    theta: np.ndarray,
    truth: Callable[[Comparisons, np.ndarray], np.ndarray],
    *,
    trials: int,
    clusters: int = 61,
    size: int = 31,
    link: Callable[[np.ndarray], np.ndarray] = special.expit,
) -> tuple[np.ndarray, float]:
    """[k] how often 95 % intervals hold the truth, where a cluster's votes on one pair are drawn with one taste.

    `truth` gets the table and the marginal chance that left wins each row. The tolerance is four standard errors.
    """
    k, hits = theta.size, np.zeros(theta.size)
    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        cluster = np.repeat(np.arange(clusters), size)
        left = rng.integers(k, size=cluster.size)
        right = (left + rng.integers(1, k, size=cluster.size)) % k
        taste = 0.7 * rng.normal(size=(clusters, k))  # what the prompt does to each policy
        gap = theta[left] - theta[right]
        noisy = gap + taste[cluster, left] - taste[cluster, right]
        outcome = (rng.random(cluster.size) < link(noisy)).astype(float)
        chance = link(gap[:, None] + 0.7 * np.sqrt(2) * nodes) @ weights / weights.sum()
        table = from_arrays(left, right, outcome, cluster=cluster)
        interval = rank(table).interval(0.95)
        expected = truth(table, chance)
        hits += (interval[:, 0] <= expected) & (expected <= interval[:, 1])
    return hits / trials, 4 * float(np.sqrt(0.95 * 0.05 / trials))
