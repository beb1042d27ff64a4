"""Small worlds of votes for the tests of the paired-comparison engine."""

from dataclasses import replace

import numpy as np

from adjudge.tables.comparisons import Comparisons, from_arrays


def season(
    *,
    seed: int,
    n: int = 503,
    k: int = 7,
    nu: float = 0.7,
    clusters: int = 23,
    d: int = 0,
    ragged: bool = False,
) -> Comparisons:
    """Davidson votes on random pairs; `ragged` adds weights, counts, raters, order and rows without a verdict."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=k)
    left = rng.integers(k, size=n)
    right = (left + rng.integers(1, k, size=n)) % k
    z = rng.normal(size=(n, d))
    eta = theta[left] - theta[right] + z @ np.linspace(0.4, -0.2, d)
    win, loss = np.exp(eta / 2), np.exp(-eta / 2)
    u = rng.uniform(size=n) * (win + loss + nu)
    outcome = np.where(u < win, 1.0, np.where(u < win + nu, 0.5, 0.0))
    table = from_arrays(
        left,
        right,
        outcome,
        policies=tuple("abcdefghijklmnopqrs"[:k]),
        cluster=rng.integers(clusters, size=n) if clusters else None,
        covariates=z,
        covariate_names=tuple(f"z{j}" for j in range(d)),
    )
    if not ragged:
        return table
    return replace(
        table,
        weight=rng.uniform(0.5, 2.0, size=n) * (rng.uniform(size=n) > 0.05),
        count=rng.integers(0, 5, size=n).astype(float),
        rater=rng.integers(3, size=n),
        raters=("u", "v", "w"),
        first=rng.choice([-1.0, 0.0, 1.0], size=n),
        outcome=np.where(rng.uniform(size=n) < 0.03, np.nan, outcome),
    )
