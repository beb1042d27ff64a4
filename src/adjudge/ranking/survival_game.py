"""How many attempts fail before the first success, and does the tail of that count leave it a mean and a variance?

    x_i = failed attempts before the first success on task i,      P(X = x) ∝ x^{−α}  for x >= m
    α <= 2: the mean is infinite (Limited);   2 < α <= 3: mean but no variance (Capable);   α > 3: both (Autonomous)

α and m are Clauset, Shalizi and Newman's (`stats.power_law`), with attempts that were given up as censored counts. Its
error is the sandwich by cluster of tasks at the chosen m, plus what the choice of m adds in a bootstrap. The level of a
policy is a probability under that error (`levels`), not a verdict.

Zhan, Zhao, Li, et al. (2025), Evaluating intelligence via trial and error. Clauset, Shalizi, Newman (2009).
Limits: `by="failures"` ranks by the plain mean count; where counts were capped it is the mean of min(x, cap).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..errors import AdjudgeError
from ..stats import power_law
from ..stats.cluster import group_sums
from ..stats.scored_means import scored_means, unknown
from ..tables.ratings import Ratings
from ._failures import Failures, gathered, said

CARD = Card(
    answers="How many attempts fail before a policy succeeds, and is the tail of that count light?",
    equation="P(X = x) = x^{−α}/ζ(α, m), x >= m;   Limited α <= 2 < Capable <= 3 < Autonomous",
    papers=(
        Paper(
            "Evaluating Intelligence via Trial and Error",
            "Zhan, Zhao, Li, et al.",
            2025,
            "arXiv:2502.18858",
            "https://arxiv.org/abs/2502.18858",
        ),
        Paper(
            "Power-law distributions in empirical data",
            "Clauset, Shalizi, Newman",
            2009,
            "SIAM Review 51(4)",
            "https://doi.org/10.1137/070710111",
            "Eq. 3.5, §3.3",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("tasks (or their clusters) are independent", "giving up does not depend on the next attempt"),
    limits=("fewer than ten tasks in the tail: NaN", "a tail that is no power law: α is a local slope, with a finding"),
    when="When a policy may try again until it succeeds: pass@1 says nothing about how bad the bad tasks are.",
    unit="exponent of the tail of failures; higher is lighter",
    rows=(125,),
)
LEVELS = ("Limited", "Capable", "Autonomous")
STREAM = 12_501


def rank(
    ratings: Ratings,
    *,
    by: str = "tail",
    attempts: str | None = None,
    cap: float = np.inf,
    metric: str | None = None,
    draws: int = 200,
    seed: int = 0,
) -> Estimate:
    """Tail exponents of the failure counts, or mean failures with the sign turned, so that higher is better.

    Arguments:
        ratings: the score is the number of failed attempts before the first success; or, with `attempts`, 1 for a
            successful attempt and 0 for a failed one.
        by: `tail` (value α) or `failures` (value −mean).
        attempts: covariate that orders the attempts of one policy at one item.
        cap: a count of `cap` or more means: given up, the count is at least that.
        metric: name of the score column; the first by default.
        draws: bootstrap samples behind the error of the threshold, and samples behind the test of fit.
        seed: of both.

    Figures: `exponent`, `threshold`, `failures` (mean), `variance` (of the counts), `first_try` (share of no failure).

    Errors: counts that are negative or no whole numbers; attempts that are neither 0 nor 1.

    >>> from adjudge.stats.power_law import draw
    >>> from adjudge.sim.judging import Judging
    >>> import dataclasses
    >>> table = Judging(truth=(0.7, 0.5), items=499, labels=11).draw(1).ratings
    >>> rng = np.random.default_rng(1)
    >>> x = np.where(table.policy == 0, draw(3.8, 1.0, (table.n,), rng), draw(1.7, 1.0, (table.n,), rng))
    >>> found = rank(dataclasses.replace(table, score=x[:, None]))
    >>> found.names[int(found.value.argmax())], levels(found).argmax(axis=1).tolist()
    ('p00', [2, 0])
    """
    if by not in ("tail", "failures") or draws < 2:
        raise AdjudgeError(
            f"ranking.survival_game: by {by!r}, draws {draws}.", "tail or failures; 2 or more.", "Say so."
        )
    seen = gathered(ratings, attempts=attempts, cap=cap, metric=metric)
    failures = scored_means(ratings.policies, seen.cluster, seen.policy, seen.count, seen.weight, bounds=(0.0, np.inf))
    first = scored_means(
        ratings.policies, seen.cluster, seen.policy, 1.0 * (seen.count == 0), seen.weight, bounds=(0.0, 1.0)
    )
    exponent, threshold, fits = _tails(ratings.policies, seen, draws, seed)
    findings = tuple(said(ratings.policies, seen, exponent, fits, levels(exponent)))
    turned = failures.contrast(-np.eye(ratings.k), ratings.policies)
    chosen = exponent if by == "tail" else turned
    return Estimate(
        ratings.policies,
        chosen.value,
        chosen.parts,
        chosen.df,
        bounds=(1.0, np.inf) if by == "tail" else (-np.inf, 0.0),
        method="ranking.survival_game",
        findings=(*findings, *unknown(chosen)),
        figures={
            "exponent": exponent,
            "threshold": threshold,
            "failures": failures,
            "variance": _variance(ratings.policies, seen, failures),
            "first_try": first,
        },
    )


def levels(exponent: Estimate) -> FloatArray:
    """[k, 3] probability of each level, Limited, Capable, Autonomous, under the error of the exponents.

    >>> levels(Estimate(("a",), [2.0], (Part("sampling", np.array([[0.01]]), 99),), np.array([98.0]))).round(2)
    array([[0.5, 0.5, 0. ]])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        at = (np.array([2.0, 3.0]) - exponent.value[:, None]) / exponent.stderr[:, None]
    below = special.stdtr(np.clip(exponent.df, 1, 1e9)[:, None], at)
    return np.column_stack([below[:, 0], below[:, 1] - below[:, 0], 1 - below[:, 1]])


def _tails(
    policies: tuple[str, ...], seen: Failures, draws: int, seed: int
) -> tuple[Estimate, Estimate, list[tuple[float, float]]]:
    """Exponents, thresholds, and for each policy the number of tail points and the p-value of the fit."""
    k, units = len(policies), int(np.unique(seen.cluster).size)
    alpha, start, tail, spare, steps = (
        np.full(k, np.nan),
        np.full(k, np.nan),
        np.zeros(k),
        np.zeros(k),
        np.full(k, np.nan),
    )
    size = int(seen.cluster.max(initial=-1)) + 1
    psi, fits = np.zeros((size, k)), []
    for p in range(k):  # policies: each has a threshold of its own
        mine = np.flatnonzero((seen.policy == p) & (seen.count > 0))
        counts = _counted(seen, mine)
        made = power_law.fit(counts)
        alpha[p], start[p] = made.alpha[0], made.start[0]
        if np.isnan(alpha[p]):
            fits.append((0.0, np.nan))
            continue
        rows = mine[seen.count[mine] >= start[p]]
        tail[p] = rows.size
        psi[:, p] = _influence(seen, rows, alpha[p], start[p], size)
        fixed, free = _spreads(counts, start[p], draws, seed)
        plain = float(np.square(_influence(seen, rows, alpha[p], start[p], 0)).sum())
        clustered = float(np.square(psi[:, p]).sum())
        spare[p] = max(free[0] - fixed, 0.0) * max(clustered / plain if plain > 0 else 1.0, 1.0)
        steps[p] = free[1] + 1 / (draws + 1)  # a threshold that never moved in `draws` samples may move in the next
        fits.append((tail[p], _fitness(seen, rows, made, draws, seed)))
    there = np.unique(seen.cluster)
    part = Part.from_influence("sampling", psi[there])
    covariance = np.where(np.isnan(alpha)[:, None] | np.isnan(alpha), np.nan, part.covariance)
    own = np.where(np.isnan(alpha)[:, None] | np.isnan(alpha), np.nan, np.diag(spare))
    df = np.maximum(tail - 1, 0)
    exponent = Estimate(
        policies,
        alpha,
        (Part("sampling", covariance, units), Part("threshold", own, units)),
        df,
        bounds=(1.0, np.inf),
    )
    return exponent, Estimate(policies, start, (Part("bootstrap", np.diag(steps), units),), df), fits


def _counted(seen: Failures, rows: np.ndarray) -> power_law.Counts:
    value, code = np.unique(seen.count[rows], return_inverse=True)
    weight = seen.weight[rows]
    both = [group_sums(code, weight * (seen.censored[rows] == given), value.size)[None] for given in (False, True)]
    return power_law.Counts(value, both[0], both[1])


def _influence(seen: Failures, rows: np.ndarray, exponent: float, start: float, size: int) -> FloatArray:
    """[size] what each cluster adds to α at a fixed threshold; [rows] by task where size is 0."""
    slope, bend = power_law.curvature(exponent, start)
    censored, weight = seen.censored[rows], seen.weight[rows]
    score = -np.log(seen.count[rows]) - slope
    information = float(weight[~censored].sum() + weight[censored].sum()) * bend
    for at in np.unique(seen.count[rows][censored]):  # caps, not rows
        here = censored & (seen.count[rows] == at)
        up, curve = power_law.curvature(exponent, float(at))
        score[here] = up - slope
        information -= float(weight[here].sum()) * curve
    psi = weight * score / information
    return psi if size == 0 else group_sums(seen.cluster[rows], psi, size)


def _spreads(counts: power_law.Counts, start: float, draws: int, seed: int) -> tuple[float, tuple[float, float]]:
    """Bootstrap variance of α at the fixed threshold, and of α and the threshold when it is chosen anew."""
    rng = np.random.default_rng((seed, STREAM))
    mass = np.concatenate([counts.exact[0], counts.censored[0]])
    total = int(np.round(mass.sum()))
    again = rng.multinomial(max(total, 1), mass / mass.sum(), size=draws).astype(float)
    sample = power_law.Counts(counts.value, *np.split(again, 2, axis=1))
    held, free = power_law.fit(sample, start=start), power_law.fit(sample)
    able = np.isfinite(held.alpha) & np.isfinite(free.alpha)
    if able.sum() < 2:
        return np.nan, (np.nan, np.nan)
    return (
        float(held.alpha[able].var(ddof=1)),
        (float(np.mean((free.alpha[able] - held.alpha[able].mean()) ** 2)), float(free.start[able].var(ddof=1))),
    )


def _fitness(seen: Failures, rows: np.ndarray, made: power_law.Tail, draws: int, seed: int) -> float:
    """p-value of the power law; NaN where attempts were given up at different counts."""
    caps = np.unique(seen.count[rows][seen.censored[rows]])
    if caps.size > 1 or rows.size < 2:
        return float("nan")
    samples = int(np.clip(200_000 // rows.size, 39, draws))
    cap = float(caps[0]) if caps.size else np.inf
    start, alpha, distance = (float(x[0]) for x in (made.start, made.alpha, made.distance))
    return power_law.fit_pvalue(alpha, start, rows.size, distance, cap=cap, samples=samples, seed=seed)


def _variance(policies: tuple[str, ...], seen: Failures, failures: Estimate) -> Estimate:
    """Variance of the counts, with its error by cluster; it grows without end where the truth is infinite."""
    k = len(policies)
    apart = (seen.count - np.nan_to_num(failures.value)[seen.policy]) ** 2
    tasks = np.bincount(seen.policy, minlength=k)
    with np.errstate(divide="ignore", invalid="ignore"):
        unbiased = np.where(tasks > 1, tasks / (tasks - 1.0), np.nan)
    return (
        scored_means(
            policies, seen.cluster, seen.policy, apart * unbiased[seen.policy], seen.weight, bounds=(0.0, np.inf)
        )
        if np.all(tasks[seen.policy] > 1) and apart.size
        else failures.contrast(np.full((k, k), np.nan), policies)
    )
