"""A leaderboard that stays true although its entries learn from it: scores through a guard with a budget.

    released_p = E_T[s_p]                  where the holdout agrees with the public score to T, noisily compared
                 E_H[s_p] + Lap(σ)         where it does not; the budget counts these
    Cov = Cov_items(E_H) + noise,          slack_p = T where the public score was released

Policies are submissions in the order of their first row. The table is split at random into a public part, which
submitters may look at as they please, and a holdout; `gaussian` and `laplace` need no public part and add noise to
every score, `split` gives each entry a fold of its own, `empirical` guards nothing. Scores are statistical queries, so
they need a range.

Dwork, Feldman, Hardt, et al. (2015), Preserving statistical validity in adaptive data analysis; the mechanisms and
their state are in `stats.holdout`. Limits: σ = 0 and `gaussian` is the mean over the items; a budget of 0 is silence.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.holdout import budget as theorem
from ..stats.holdout import guard
from ..stats.judges import judge_columns
from ..tables.ratings import Ratings
from . import _guarded_season as _season

CARD = Card(
    answers="What are the entries of a leaderboard worth, when each was tuned on the scores of those before it?",
    equation="released = E_T[s] if |E_H[s] − E_T[s]| <= T + γ + η, else E_H[s] + Lap(σ)",
    papers=(
        Paper(
            "Preserving Statistical Validity in Adaptive Data Analysis",
            "Dwork, Feldman, Hardt, et al.",
            2015,
            "STOC",
            "https://arxiv.org/abs/1411.2664",
            "Theorems 2-4",
        ),
        Paper(
            "The Reusable Holdout: Preserving Validity in Adaptive Data Analysis",
            "Dwork, Feldman, Hardt, et al.",
            2015,
            "Science 349",
            "https://doi.org/10.1126/science.aaa9375",
            "Thresholdout",
        ),
        Paper(
            "A New Analysis of Differential Privacy's Generalization Guarantees",
            "Jung, Ligett, Neel, et al.",
            2020,
            "ITCS",
            "https://arxiv.org/abs/1909.03577",
            "Theorem 3.5",
        ),
    ),
    needs=("policy", "item", "score"),
    assumes=(
        "Items are independent, and nobody has seen the holdout's rows or the seed.",
        "Scores lie in a known range.",
    ),
    limits=(
        "gaussian with scale 0 is the mean over the items.",
        "The theorem's promise is empty for small holdouts; the guard helps there too, but by less than it can prove.",
    ),
    when="A standing leaderboard or a test set used more than once; ranking.task_mean for entries fixed beforehand.",
    unit="score as the leaderboard tells it",
    rows=(297,),
)

LEVEL = 0.95


def rank(
    ratings: Ratings,
    *,
    kind: str = "thresholdout",
    judge: str | None = None,
    public: float = 0.5,
    budget: int | None = None,
    scale: float | None = None,
    threshold: float | None = None,
    bounds: tuple[float, float] | None = None,
    seed: int = 0,
) -> Estimate:
    """Guarded scores of the entries; NaN for those that came after the budget was spent.

    Arguments:
        ratings: the table; a policy is an entry, submitted where its first row stands.
        kind: `thresholdout`, `gaussian`, `laplace`, `split` or `empirical` (no guard).
        judge: name of the score column; the first by default.
        public: share of the clusters that submitters may see; Thresholdout only.
        budget: entries that are answered (Thresholdout: surprises); by default as many as there are policies.
        scale, threshold: σ and T as shares of the range; see `stats.holdout.guard.init`.
        bounds: range of the scores; by default that of the table, or (0, 1) if all scores lie in it.
        seed: of the split and of the noise; keep it secret.

    Errors: scores without a range, or outside it.

    >>> from adjudge.sim.judging import Judging
    >>> found = rank(Judging(items=400, truth=(0.7, 0.4)).draw(0).ratings, kind="gaussian", scale=0.01)
    >>> found.value.round(2).tolist(), [part.name for part in found.parts]
    ([0.67, 0.38], ['sampling', 'noise'])
    """
    score = ratings.score[:, judge_columns(ratings, judge)[0]]
    low, high = _range(ratings, score, bounds)
    used = np.isfinite(score) & (ratings.weight > 0)
    unit = (np.where(used, score, low) - low) / (high - low)
    secret = _season.order(ratings, seed)
    shown = secret < round(public * ratings.units) if kind == "thresholdout" else np.zeros(ratings.n, dtype=bool)
    rows = np.unique(secret[used & ~shown])
    place = np.searchsorted(rows, secret)  # 0 … n−1 for the holdout's clusters, in a secret order
    state = guard.init(
        kind,
        max(rows.size, 1),
        budget=ratings.k if budget is None else budget,
        scale=scale,
        threshold=threshold,
        seed=seed,
    )
    season = _season.play(state, ratings, unit, used, shown, place)
    width = high - low
    k = ratings.k
    slack = np.where(season.from_public, state.threshold * width, 0.0)
    noise = Part("noise", np.diag(season.variance) * width**2, k)  # independent, and of known size
    parts = (Part("sampling", season.covariance * width**2, rows.size), noise)
    estimate = Estimate(
        names=ratings.policies,
        value=low + width * season.value,
        parts=parts if state.scale > 0 else parts[:1],
        df=np.maximum(season.units - 1.0, 0.0),
        slack=np.column_stack([slack, slack]) if k else np.empty((0, 2)),
        method="ranking.guarded_leaderboard",
        findings=(*ratings.findings, *_findings(ratings, state, season)),
    )
    return _with_tiers(estimate, seed)


def tiers(estimate: Estimate, level: float = LEVEL, *, seed: int = 0) -> IntArray:
    """[k] tier of each entry, 1 the best, 0 without a value: entries of different tiers are surely in that order.

    A tier ends where an entry's best possible rank lies below the worst possible rank of the tier's first entry.
    """
    ranks, tier = estimate.ranks(level, seed=seed), np.zeros(len(estimate.names), dtype=np.int64)
    order = [int(p) for p in np.argsort(-estimate.value, kind="stable") if np.isfinite(estimate.value[p])]
    now, reach = 0, -math.inf
    for p in order:
        if not ranks[p, 0] <= reach:
            now, reach = now + 1, ranks[p, 1]
        tier[p] = now
    return tier


def _range(ratings: Ratings, score: FloatArray, bounds: tuple[float, float] | None) -> tuple[float, float]:
    low, high = bounds or ratings.bounds
    seen = score[np.isfinite(score)]
    inside = seen.size == 0 or bool(seen.min() >= 0 and seen.max() <= 1)
    if not np.isfinite(high - low) and inside:
        low, high = 0.0, 1.0
    outside = int(np.sum((seen < low) | (seen > high)))
    if not np.isfinite(high - low) or high <= low or outside:
        raise AdjudgeError(
            f"ranking.guarded_leaderboard: the range is ({low:g}, {high:g}), and {outside} scores lie outside it.",
            "A finite range that holds every score: how much one row can change the answer depends on it.",
            "Give bounds=(lowest, highest).",
        )
    return low, high


def _findings(ratings: Ratings, state: guard.Guard, season: _season.Season) -> list[Finding]:
    """What the guard did, and what it can promise."""
    names, found = np.array(ratings.policies, dtype=object), []
    silent = ~np.isfinite(season.value)
    if silent.any():
        found.append(
            Finding(
                "holdout-budget-spent" if not season.after.open else "entries-without-scores",
                Severity.SEVERE,
                f"{int(silent.sum())} entries have no guarded score: "
                + ("the budget was spent before them." if not season.after.open else "they have no rows to ask about."),
                float(silent.sum()),
                float(state.budget),
                "Collect a fresh holdout, or give a larger budget and accept a weaker promise.",
                tuple(names[silent]),
            )
        )
    if season.surprised.any():
        found.append(
            Finding(
                "public-score-not-held-up",
                Severity.WARNING,
                f"{int(season.surprised.sum())} entries score otherwise on the holdout than in public: "
                "they may be fitted to the public part.",
                float(season.surprised.sum()),
                0.0,
                "Trust the released score, which is the holdout's.",
                tuple(names[season.surprised]),
            )
        )
    asked = max(season.after.asked, 1)
    noise = state.scale if state.kind not in ("empirical", "split") else None
    promise = theorem.tolerance(
        state.kind, state.rows, asked, scale=noise, surprises=state.budget, threshold=state.threshold
    )
    empty = promise >= 1.0
    found.append(
        Finding(
            "holdout-unguarded" if state.kind == "empirical" else "holdout-promise",
            Severity.WARNING if state.kind == "empirical" and asked > 1 else Severity.INFO,
            f"However entries were chosen, all {asked} scores are "
            + ("not promised to be near the truth" if empty else f"within {promise:.3f} of the range of the truth")
            + f", on {state.rows} independent holdout rows.",
            promise,
            1.0,
            "More rows or fewer entries make the promise stronger." if state.kind != "empirical" else "Use a guard.",
        )
    )
    return found


def _with_tiers(estimate: Estimate, seed: int) -> Estimate:
    """The estimate with a finding for each tier that holds several entries."""
    tier = tiers(estimate, seed=seed)
    tied = [np.flatnonzero(tier == t) for t in range(1, int(tier.max(initial=0)) + 1)]
    found = [
        Finding(
            "entries-tied",
            Severity.INFO,
            f"{members.size} entries share tier {t}: their order may be luck.",
            float(members.size),
            1.0,
            "Score more items before giving one of them a better place.",
            tuple(estimate.names[p] for p in members),
        )
        for t, members in enumerate(tied, start=1)
        if members.size > 1
    ]
    return replace(estimate, findings=(*estimate.findings, *found))
