"""Small tables of runs written by hand, for the tests of rankings from scores."""

from __future__ import annotations

import numpy as np

from adjudge.tables.ratings import Ratings


def table(
    score: np.ndarray,
    *,
    cluster: np.ndarray | None = None,
    stratum: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    names: tuple[str, ...] = (),
    metrics: tuple[str, ...] = ("score",),
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Ratings:
    """Ratings of scores [k, T, R] (or [k, T, R, J]): policy, task, run; `cluster` and `stratum` [T] by task."""
    score = np.asarray(score, dtype=float)
    score = score if score.ndim == 4 else score[..., None]
    k, tasks, repeats, judges = score.shape
    policy, item, _ = (code.ravel() for code in np.indices((k, tasks, repeats)))
    n = policy.size
    stratum = np.zeros(tasks, dtype=np.int64) if stratum is None else np.asarray(stratum)
    return Ratings(
        policies=names or tuple(f"p{code}" for code in range(k)),
        judges=metrics,
        policy=policy,
        item=item,
        cluster=item if cluster is None else np.asarray(cluster)[item],
        score=score.reshape(n, judges),
        gold=np.full(n, np.nan),
        weight=np.ones(n) if weight is None else np.asarray(weight, dtype=float).ravel(),
        propensity=np.full(n, np.nan),
        gold_variance=np.zeros(n),
        covariates=np.empty((n, 0)),
        stratum=stratum[item],
        strata=tuple(f"s{code}" for code in range(int(stratum.max()) + 1)),
        bounds=bounds,
    )


def codes(estimate: object) -> list[str]:
    """Codes of the findings of an estimate."""
    return [finding.code for finding in estimate.findings]  # type: ignore[attr-defined]
