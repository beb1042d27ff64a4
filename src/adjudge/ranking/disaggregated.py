"""Is there a single best policy, or does the best one change with the group of tasks?

    ȳ_pg = Σ_{i∈g} w_i y_pi / Σ_{i∈g} w_i,       value_p = Σ_g s_g ȳ_pg          s_g share of group g
    best_p = Σ_g s_g 1[ȳ_pg = max_q ȳ_qg]        share of the weight where p is best
    p is not best everywhere  ⇔  some d = ȳ_qg − ȳ_pg > 0;     all d tested together (Romano-Wolf step-down max-t)

The joint covariance of all group means, clustered by task, is behind every statement: means by group with simultaneous
intervals, all pairs in all groups in one family, and the share of best with draws from their joint law. "No single
best" is said when every policy surely loses to some other in some group; "dominated" when another is nowhere worse and
surely better somewhere.

Balachandran, Chen, Joshi, et al. (2024), Eureka. Romano, Wolf (2005) (step-down).
Limits: one group is the plain mean; s_g follows the weight of the tasks, or is the same for all with balanced=True.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.judges import judge_columns
from ..stats.scored_means import scored_means, unknown
from ..stats.slicing import slice_rows
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which policy is best on which group of tasks, and is any policy best on all of them?",
    equation="value_p = Σ_g s_g ȳ_pg;  best_p = Σ_g s_g 1[ȳ_pg = max_q ȳ_qg]",
    papers=(
        Paper(
            "Eureka: Evaluating and Understanding Large Foundation Models",
            "Balachandran, Chen, Joshi, et al.",
            2024,
            "arXiv:2409.10566",
            "https://arxiv.org/abs/2409.10566",
        ),
        Paper(
            "Stepwise Multiple Testing as Formalized Data Snooping",
            "Romano, Wolf",
            2005,
            "Econometrica 73(4)",
            "https://doi.org/10.1111/j.1468-0262.2005.00615.x",
        ),
    ),
    needs=("policy", "item", "score", "stratum"),
    assumes=("groups were named before the scores were seen", "tasks (or their clusters) are independent"),
    limits=("one group: the plain mean", "a group that some policy never answered: its share is left out for all"),
    when="Before one mean decides for everybody: models that tie on it often differ on the groups behind it.",
    unit="mean score over the groups",
    rows=(68,),
)
MOST_TESTS = 1200
"""Pairs in groups up to which they are tested by max-t; beyond it by Holm's rule."""
MOST_CELLS = 2000
DRAWS = 2000
STREAM = 6801


def rank(
    ratings: Ratings,
    *,
    by: str = "stratum",
    balanced: bool = False,
    metric: str | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Policies by their mean over groups, with the groups behind it.

    Arguments:
        ratings: the table; higher scores are better.
        by: `stratum`, a covariate of few values, or several joined by `*`.
        balanced: whether every group counts the same; by default it counts by the weight of its rows.
        metric: name of the score column; the first by default.
        level: family-wise level of the statements in the findings.
        seed: of the draws behind `best_share`.

    Figures: `groups` (`policy · group`), `best_share` (share of the weight where the policy is best), `shares` of the
    groups, and `spread` (best minus worst group of each policy).

    Errors: no such column; more than 2,000 policies times groups.

    >>> from adjudge.sim.judging import Judging
    >>> import dataclasses
    >>> table = Judging(truth=(0.7, 0.5), items=211, labels=11).draw(1).ratings
    >>> table = dataclasses.replace(table, stratum=table.item % 2, strata=("code", "prose"))
    >>> found = rank(table)
    >>> found.figures["best_share"].value.tolist(), found.figures["groups"].names[0]
    ([1.0, 0.0], 'p00 · code')
    """
    code, groups = slice_rows(ratings, by)
    k, G = ratings.k, len(groups)
    if k * G > MOST_CELLS:
        raise AdjudgeError(
            f"ranking.disaggregated: {k} policies in {G} groups are {k * G:,} cells.",
            f"At most {MOST_CELLS:,}: their joint covariance must fit in memory.",
            "Cut the groups coarser, or take fewer policies.",
        )
    score = ratings.score[:, judge_columns(ratings, metric)[0]]
    rows = np.flatnonzero((ratings.weight > 0) & np.isfinite(score))
    names = tuple(f"{policy} · {group}" for policy in ratings.policies for group in groups)
    y = score[rows]
    cells = scored_means(
        names,
        ratings.cluster[rows],
        ratings.policy[rows] * G + code[rows],
        y,
        ratings.weight[rows],
        bounds=(0.0, 1.0) if y.size and y.min() >= 0 and y.max() <= 1 else (-np.inf, np.inf),
    )
    usable: BoolArray = np.asarray(np.isfinite(cells.value + cells.stderr).reshape(k, G).all(axis=0))
    mass = np.bincount(code[rows], ratings.weight[rows], G) * usable
    share = usable / max(usable.sum(), 1) if balanced else mass / max(float(mass.sum()), 1e-300)
    whole = _whole(cells, share, ratings.policies)
    beaten = _beaten(cells, usable, k, G, level, seed)
    return replace(
        whole,
        method="ranking.disaggregated",
        findings=(*_said(ratings.policies, groups, usable, beaten, cells.value.reshape(k, G)), *unknown(whole)),
        figures={
            "groups": cells,
            "best_share": _best_share(cells, share, usable, ratings.policies, seed),
            "shares": Estimate(groups, share, (Part("given", np.zeros((G, G)), ratings.units),), np.array(np.inf)),
            "spread": _spread(cells, usable, ratings.policies, G),
        },
    )


def _whole(cells: Estimate, share: FloatArray, policies: tuple[str, ...]) -> Estimate:
    """Means over groups by their shares."""
    k = len(policies)
    W = np.kron(np.eye(k), share[None])
    found = cells.contrast(W, policies)
    if not share.sum() > 0:
        found.value[:] = np.nan
        unknown = Part("sampling", np.full((k, k), np.nan), 0)
        return Estimate(policies, found.value, (unknown,), np.zeros(k), bounds=cells.bounds)
    return found


def _best_share(
    cells: Estimate, share: FloatArray, usable: BoolArray, policies: tuple[str, ...], seed: int
) -> Estimate:
    """Share of the weight where each policy is best, with its covariance over draws from the law of the means.

    Draws that never differ leave 1/(B + 1) to each variance: the next might.
    """
    k = len(policies)
    pick = np.flatnonzero(np.tile(usable, k))
    if not pick.size:
        return Estimate(policies, np.full(k, np.nan), (Part("draws", np.full((k, k), np.nan), 0),), np.zeros(k), (0, 1))
    value, covariance = cells.value[pick], cells.covariance[np.ix_(pick, pick)]
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    df = float(np.clip(cells.df[pick].min(), 1, 1e9))
    rng = np.random.default_rng((seed, STREAM))
    normal = rng.standard_normal((DRAWS, pick.size)) / np.sqrt(rng.chisquare(df, (DRAWS, 1)) / df)
    drawn = np.concatenate([value[None], value + normal @ root.T]).reshape(DRAWS + 1, k, -1)
    best = drawn == drawn.max(axis=1, keepdims=True)
    shares = (best / best.sum(axis=1, keepdims=True)) @ share[usable]
    spread = np.cov(shares[1:], rowvar=False).reshape(k, k) + np.eye(k) / (DRAWS + 1)
    return Estimate(policies, shares[0], (Part("draws", spread, cells.parts[0].units),), np.full(k, df), (0.0, 1.0))


def _spread(cells: Estimate, usable: BoolArray, policies: tuple[str, ...], G: int) -> Estimate:
    """Highest minus lowest group mean of each policy; read it beside the intervals of the groups it picked."""
    k = len(policies)
    table = np.where(usable, cells.value.reshape(k, G), np.nan)
    W = np.zeros((k, k * G))
    for p in range(k if usable.sum() > 1 else 0):
        W[p, p * G + int(np.nanargmax(table[p]))] += 1.0
        W[p, p * G + int(np.nanargmin(table[p]))] -= 1.0
    found = cells.contrast(W, policies)
    if usable.sum() < 2:
        found.value[:] = np.nan
    return found


def _beaten(cells: Estimate, usable: BoolArray, k: int, G: int, level: float, seed: int) -> BoolArray:
    """[k, k, G] whether row q is surely better than column p in group g, all statements holding together."""
    beaten = np.zeros((k, k, G), dtype=bool)
    left, right = np.triu_indices(k, 1)
    at = np.flatnonzero(usable)
    if not (left.size and at.size):
        return beaten
    i, j = (np.repeat(side, at.size) for side in (left, right))
    g: IntArray = np.tile(at, left.size).astype(np.int64)
    W = np.zeros((i.size, k * G))
    W[np.arange(i.size), i * G + g], W[np.arange(i.size), j * G + g] = 1.0, -1.0
    apart = cells.contrast(W, [str(n) for n in range(i.size)])
    p = apart.stepdown(seed=seed) if i.size <= MOST_TESTS else _holm(apart.pvalue())
    sure = p < 1 - level
    up = sure & (apart.value > 0)
    down = sure & (apart.value < 0)
    beaten[i[up], j[up], g[up]] = True
    beaten[j[down], i[down], g[down]] = True
    return beaten


def _holm(p: FloatArray) -> FloatArray:
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return adjusted


def _said(
    policies: tuple[str, ...], groups: tuple[str, ...], usable: BoolArray, beaten: BoolArray, mean: FloatArray
) -> list[Finding]:
    found = []
    if not usable.all():
        missing = tuple(group for group, there in zip(groups, usable, strict=True) if not there)
        found.append(
            Finding(
                "groups-left-out",
                Severity.SEVERE if not usable.any() else Severity.WARNING,
                f"{len(missing)} of {len(groups)} groups lack a policy or have fewer than two clusters of it, and are "
                f"left out for all: {', '.join(missing[:10])}.",
                len(missing),
                0,
                "Run every policy on every group.",
                missing,
            )
        )
    k, loses = len(policies), beaten.any(axis=(0, 2))
    if k > 1 and usable.sum() > 1 and loses.all():
        found.append(
            Finding(
                "no-single-best",
                Severity.WARNING,
                f"Each of the {k} policies is surely worse than another on some group: none is best on all of them.",
                k,
                0,
                "Choose by the groups that matter to you, or route tasks by group.",
            )
        )
    with np.errstate(invalid="ignore"):
        nowhere_worse: BoolArray = np.asarray((mean[:, None, usable] >= mean[None, :, usable]).all(axis=2))
    for p in np.flatnonzero((nowhere_worse & beaten.any(axis=2)).any(axis=0)):
        q = int(np.flatnonzero(nowhere_worse[:, p] & beaten[:, p].any(axis=1))[0])
        found.append(
            Finding(
                "policy-dominated",
                Severity.INFO,
                f"{policies[p]} is on no group above {policies[q]} and surely below it on "
                f"{int(beaten[q, p].sum())} of {int(usable.sum())}.",
                int(beaten[q, p].sum()),
                0,
                "",
                (policies[p], policies[q]),
            )
        )
    return found
