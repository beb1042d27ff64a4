"""How heavy is the tail of the weights, and does one unit carry the sum? Pareto k̂, the Hill index, the largest share.

    W_u = sum of the weights of unit u;  tail: the M = min(n/5, 3√n) largest, x = W − u above the threshold u
    k̂     generalised Pareto F(x) = 1 − (1 + k x/σ)^{−1/k} fitted to x, drawn to ½ with the weight of 10 rows
    Hill  α = 1/mean log(W/u): moments below α exist;   share = max W / Σ W

k̂ < ½ has a variance, k̂ < 1 a mean; importance sampling is unreliable from .7 on, and from 1 on a larger log need not
help. Zhang and Stephens' fit is a posterior mean over a grid of θ = −k/σ with a prior from the data's quartile.

Zhang, Stephens (2009), Technometrics 51(3); Vehtari, Simpson, Gelman et al. (2024), JMLR 25(72), Appendix C (prior, M);
Hill (1975), Ann. Stat. 3(5). Limits: a tail of fewer than five units above the threshold has no index, and equal
weights have no tail: both are NaN. Bounded weights may look heavy at small n; the index knows only what was seen.
"""

from __future__ import annotations

import numpy as np

from ..._typing import FloatArray
from ...core.finding import Finding, Severity

HEAVY = 0.7, 1.0  # k̂ from which weights are unreliable, and without a mean
CARRIED = 0.2  # of all weight in one unit
ALONE = 1.5  # times the share that every unit of a few has: less is no news
FEWEST = 5  # units above the threshold
PRIOR = 10.0, 0.5  # rows' worth of belief, and in which k


def figures(sums: FloatArray) -> dict[str, FloatArray]:
    """[P] figures by name: `share` of the heaviest unit, `pareto` k̂, `hill` α.

    Arguments:
        sums: [u, P] weights of each policy by unit.

    >>> found = figures(np.array([[1.0], [3.0]]))
    >>> found["share"].tolist(), found["pareto"].tolist()
    ([0.75], [nan])
    """
    total = np.maximum(sums.sum(axis=0), 1e-300)
    fits = np.array([_indices(column) for column in sums.T]).reshape(-1, 2)
    return {"share": sums.max(axis=0, initial=0.0) / total, "pareto": fits[:, 0], "hill": fits[:, 1]}


def tail_findings(
    policies: tuple[str, ...], sums: FloatArray, *, rows: str = "rows", instead: str = ""
) -> tuple[Finding, ...]:
    """Findings about heavy tails.

    Arguments:
        policies: [P] names.
        sums: [u, P].
        rows: what they are weights of.
        instead: a remedy; none where the log allows none.
    """
    told = figures(sums)
    found = []
    for policy, share, k in zip(policies, told["share"].tolist(), told["pareto"].tolist(), strict=True):
        if share > max(CARRIED, ALONE / max(sums.shape[0], 1)):
            found.append(_carried(policy, share, rows))
        if k > HEAVY[0]:
            found.append(_heavy(policy, k, rows, instead))
    return tuple(found)


def pareto(x: FloatArray) -> float:
    """k of a generalised Pareto law of [m] positive excesses, without the prior that draws it to ½.

    >>> grid = (np.arange(1000) + 0.5) / 1000
    >>> round(pareto((1 - grid) ** -0.5 - 1), 1)
    0.5
    """
    x = np.sort(x)
    m = x.size
    grid = 30 + int(np.sqrt(m))
    quartile = x[int(m / 4 + 0.5) - 1]
    theta = 1 / x[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quartile)
    k = np.log1p(-theta[:, None] * x).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = m * (np.log(-theta / k) - k - 1)
    profile = np.where(np.isfinite(profile), profile, -np.inf)
    posterior = np.exp(profile - profile.max())
    return float(np.log1p(-(theta @ posterior) / posterior.sum() * x).mean())


def _indices(weights: FloatArray) -> tuple[float, float]:
    """k̂ and Hill's α of [u] weights; NaN where there is no tail to see."""
    weights = weights[weights > 0]
    n = weights.size
    count = int(min(n / 5, 3 * np.sqrt(n)))
    if count < FEWEST:
        return float("nan"), float("nan")
    top = np.partition(weights, n - count - 1)[n - count - 1 :]
    threshold = top[0]
    excess = top[1:] - threshold
    excess = excess[excess > 1e-9 * threshold]
    if excess.size < FEWEST or np.ptp(excess) <= 1e-9 * threshold:
        return float("nan"), float("nan")
    belief, middle = PRIOR
    k = (excess.size * pareto(excess) + belief * middle) / (excess.size + belief)
    return float(k), float(1 / np.log1p(excess / threshold).mean())


def _heavy(policy: str, k: float, rows: str, instead: str) -> Finding:
    hopeless = k >= HEAVY[1]
    what = "so heavy a tail that they may have no mean" if hopeless else "a tail too heavy for their errors to be known"
    return Finding(
        "weights-heavy",
        Severity.SEVERE if hopeless else Severity.WARNING,
        f"The weights of {policy} have {what}: the Pareto index of the heaviest {rows} is {k:.2f}.",
        k,
        HEAVY[1] if hopeless else HEAVY[0],
        f"{f'Take {instead}, or log' if instead else 'Log'} with more chance for what the policy does.",
        (policy,),
    )


def _carried(policy: str, share: float, rows: str) -> Finding:
    return Finding(
        "weights-one-row",
        Severity.WARNING,
        f"One of the independent {rows} carries {100 * share:.0f} % of the weight of {policy}: its reward decides the "
        "value.",
        share,
        CARRIED,
        "Look at that one: is its propensity right? If it is, log more.",
        (policy,),
    )
