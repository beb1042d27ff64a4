"""Does an update break what the old version got right, more than running the old one again would?

    R = mean_i p_i(1 − q_i)               old right and new wrong, both run afresh;  R / mean_i p_i  of what was right
    F = mean_i p_i(1 − p_i)               what running the old version once more would break
    S = mean_i p_iᵃ(1 − q_i)ᵃ(p_i − q_i)  of what broke in a runs of each, the loss that fresh runs confirm

p_i and q_i are the chances that old and new solve task i; a is 1 with two runs of a task and 2 with more. All powers
are estimated without bias (means over subsets of runs). S is 0 for a version run again, whatever its noise, and
positive only where some task was truly lost: 0 <= pᵃ(1 − q)ᵃ <= 1, so S <= mean (p − q)⁺, with equality where tasks are
always or never solved. Gains elsewhere hardly hide it, for their tasks seldom break. Intervals are paired by task and
clustered.

Balachandran, Chen, Joshi, et al. (2024), Eureka; S is ours: U-statistics of repeated runs (Hoeffding 1948).
Limits: one run of each task leaves S unknown: R is then shown, and no regression is claimed; versions that repeat
themselves have S = R.
"""

from __future__ import annotations

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.runs import Runs, runs
from ..stats.scored_means import scored_means
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which share of what the old version solved does the new one fail, beyond what chance would break?",
    equation="R = mean p(1 − q);   F = mean p(1 − p);   S = mean pᵃ(1 − q)ᵃ(p − q) <= mean (p − q)⁺",
    papers=(
        Paper(
            "Eureka: Evaluating and Understanding Large Foundation Models",
            "Balachandran, Chen, Joshi, et al.",
            2024,
            "arXiv:2409.10566",
            "https://arxiv.org/abs/2409.10566",
            "§8, backward compatibility",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=("scores lie in [0, 1]: 1 is right", "runs of a task are independent, within and between versions"),
    limits=("single runs: the noise floor F is unknown", "S is a lower bound of what is truly lost"),
    when="Before an update is shipped to people who rely on what worked.",
    rows=(68,),
)
MOST = 30
"""Policies up to which every ordered pair is looked at unless two are named."""


def check(
    ratings: Ratings, *, old: str | None = None, new: str | None = None, metric: str | None = None, level: float = 0.95
) -> Audit:
    """Regressions from old to new: share of all tasks, share of what was right, noise floor, and what exceeds it.

    Arguments:
        ratings: versions as policies; several rows of one policy and item are repeated runs.
        old, new: names of the versions; every ordered pair of the table's policies where one is not named.
        metric: name of the score column; the first by default.
        level: of the simultaneous intervals by which a regression is called.

    Figures, named `old → new`: `regressed` (R), `of_right` (R / mean p), `floor` (F), `beyond_noise` (S).

    Errors: no such policy; scores outside [0, 1]; more than 30 policies without names.

    >>> from adjudge.sim.judging import Judging
    >>> world = Judging(truth=(0.7, 0.5), items=199, labels=11, draws=3, outcome="binary").draw(1)
    >>> audit = check(world.ratings, old="p00", new="p01")
    >>> audit.figures["beyond_noise"].names, sorted(audit.figures)
    (('p00 → p01',), ['beyond_noise', 'floor', 'of_right', 'regressed'])
    """
    made = runs(ratings, metric=metric)
    if made.score.size and (made.score.min() < 0 or made.score.max() > 1):
        raise AdjudgeError(
            f"ratings.score: from {made.score.min():g} to {made.score.max():g}.",
            "A regression is a task that was right (1) and is wrong (0); graded scores lie between.",
            "Name a column of scores in [0, 1], or turn the score into right and wrong first.",
        )
    before, after = _pairs(ratings, old, new)
    names = tuple(f"{ratings.policies[i]} → {ratings.policies[j]}" for i, j in zip(before, after, strict=True))
    figures = _figures(ratings, made, before, after, names)
    return Audit(tuple(_said(figures, level)), figures)


def _pairs(ratings: Ratings, old: str | None, new: str | None) -> tuple[IntArray, IntArray]:
    """Positions of the old and the new version of every pair."""
    for name in (old, new):
        if name is not None and name not in ratings.policies:
            raise AdjudgeError(
                f"ratings: no policy is named {name!r}.", f"Here: {', '.join(ratings.policies[:20])}.", "Name one."
            )
    if ratings.k > MOST and (old is None or new is None):
        raise AdjudgeError(
            f"ratings: {ratings.k} policies have {ratings.k * (ratings.k - 1):,} ordered pairs.",
            f"At most {MOST} policies are paired with one another.",
            "Name the versions: old=…, new=….",
        )
    olds = range(ratings.k) if old is None else [ratings.policies.index(old)]
    news = range(ratings.k) if new is None else [ratings.policies.index(new)]
    pairs = np.array([(i, j) for i in olds for j in news if i != j], dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _figures(
    ratings: Ratings, made: Runs, before: IntArray, after: IntArray, names: tuple[str, ...]
) -> dict[str, Estimate]:
    """R, R / mean p, F and S of every pair, over the tasks that both versions ran."""
    items, code = np.unique(made.item, return_inverse=True)
    grid = np.full((9, items.size, ratings.k), np.nan)
    grid[:, code, made.policy] = [*_powers(made, made.score), *_powers(made, 1 - made.score), *_of_cells(made)]
    right, wrong, (weight, cluster, size) = grid[:3], grid[3:6], grid[6:]
    mean = right[0]
    both = np.isfinite(mean[:, before] + mean[:, after])
    pair = np.nonzero(both)[1]
    p, q = mean[:, before][both], mean[:, after][both]
    w = (weight[:, before][both] + weight[:, after][both]) / 2
    floor = (right[0] - right[1])[:, before][both]
    up, down = right[:, :, before][:, both], wrong[:, :, after][:, both]
    thrice = np.minimum(size[:, before], size[:, after])[both] >= 3
    a, b = (np.where(thrice, x[1], x[0]) for x in (up, down))
    beyond = np.where(thrice, up[2], up[1]) * b - a * (b - np.where(thrice, down[2], down[1]))
    unit = cluster[:, before][both].astype(np.int64)
    lost = p * (1 - q)

    def means(x: FloatArray, by: FloatArray, bounds: tuple[float, float]) -> Estimate:
        there = np.isfinite(x) & (by > 0)
        return scored_means(names, unit[there], pair[there], x[there], by[there], bounds=bounds)

    return {
        "regressed": means(lost, w, (0.0, 1.0)),
        "of_right": means(1 - q, w * p, (0.0, 1.0)),
        "floor": means(floor, w, (-0.5, 0.5)),
        "beyond_noise": means(beyond, w, (-1.0, 1.0)),
    }


def _powers(made: Runs, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[c] unbiased p, p² and p³ of each cell: means of products over subsets of runs; NaN with too few runs."""
    n = made.size.astype(float)
    one, two, three = (made.total(y**power) for power in (1, 2, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.where(n > 1, (one**2 - two) / (n * (n - 1)), np.nan)
        cube = np.where(n > 2, (one**3 - 3 * one * two + 2 * three) / (n * (n - 1) * (n - 2)), np.nan)
    return one / n, square, cube


def _of_cells(made: Runs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """[c] weight, cluster and number of runs."""
    return made.weight, made.cluster.astype(float), made.size.astype(float)


def _said(figures: dict[str, Estimate], level: float) -> list[Finding]:
    beyond, regressed = figures["beyond_noise"], figures["regressed"]
    if not beyond.names:
        return []
    found = []
    low = beyond.simultaneous(level)[:, 0]
    for j in np.flatnonzero(low > 0):
        found.append(
            Finding(
                "backward-incompatible",
                Severity.WARNING,
                f"{beyond.names[j]} breaks {100 * regressed.value[j]:.1f} % of the tasks, "
                f"and fresh runs confirm a loss of {100 * beyond.value[j]:.1f} % (at least {100 * low[j]:.1f} %).",
                float(beyond.value[j]),
                0.0,
                "Look at the tasks that were right and are now wrong before shipping.",
                (beyond.names[j],),
            )
        )
    blind = np.flatnonzero(np.isnan(beyond.value) & (regressed.value > 0))
    if blind.size:
        found.append(
            Finding(
                "noise-floor-unknown",
                Severity.INFO,
                f"{blind.size} pairs of policies differ on single tasks, but no task was run twice: chance or regress.",
                float(blind.size),
                0.0,
                "Run every task at least twice with both versions.",
                tuple(beyond.names[j] for j in blind[:10]),
            )
        )
    return found
