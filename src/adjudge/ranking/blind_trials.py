"""Blind trials that succeed or fail: which policy has the higher rate, trial by trial, and letters for who differs.

    rate | s of n ~ Beta(s + c, n − s + c)                                   what to believe of each policy
    pairs: a sequential test with P(ever stops | equal rates) <= error, by Holm over all pairs        what is decided
    letters: policies that share one are not told apart

Trial k of one policy is held against trial k of the others, so run them interleaved, in random order, by somebody who
does not know which is which, from the same initial conditions (strata). Where conditions differ (`stratum`), `gaps`
compares within each (Mantel-Haenszel). Further score columns are taken as progress along a rubric and averaged.

Barreiros, Beaulieu, Bhat, et al. (2025), large behaviour models; Snyder, Hancock, Badithela, et al. (2025), STEP;
Piepho (2004), letters. Limits: `sequential=False` looks once, by Barnard's test; one pair needs no correction. Fifty
trials each tell 90 % from 50 %, and hardly ever 50 % from 40 %: plan with `stats.sequential.planning.trials_for`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..core.interval import Reserve
from ..stats.sequential import posterior, stratified
from ..stats.sequential.runs import from_ratings
from ..stats.sequential.trials import Judged, judge
from ..tables.ratings import Ratings

CARD = Card(
    answers="Which policy succeeds more often in blind trials, when may one stop, and which cannot be told apart?",
    equation="""
    rate | s of n ~ Beta(s + c, n − s + c)
    P(a pair of equal rates is ever told apart within N trials) <= (1 − level)/r,  r pairs open (Holm)
    """,
    papers=(
        Paper(
            "A Careful Examination of Large Behavior Models for Multitask Dexterous Manipulation",
            "Barreiros, Beaulieu, Bhat, et al.",
            2025,
            "arXiv",
            "https://arxiv.org/abs/2507.05331",
            "statistical evaluation",
        ),
        Paper(
            "Is Your Imitation Learning Policy Better than Mine? Policy Comparison with Near-Optimal Stopping",
            "Snyder, Hancock, Badithela, et al.",
            2025,
            "RSS",
            "https://arxiv.org/abs/2503.10966",
            "STEP",
        ),
        Paper(
            "An Algorithm for a Letter-Based Representation of All-Pairwise Comparisons",
            "Piepho",
            2004,
            "Journal of Computational and Graphical Statistics 13(2)",
            "https://doi.org/10.1198/1061860043515",
            "insert and absorb",
        ),
        Paper(
            "Significance Tests for 2×2 Tables",
            "Barnard",
            1947,
            "Biometrika 34",
            "https://doi.org/10.1093/biomet/34.1-2.123",
        ),
    ),
    needs=("policy", "score"),
    assumes=(
        "Trials are independent; policies were run in random order, by a person who did not know which was which.",
        "The horizon (trials) was fixed before the first trial.",
    ),
    limits=(
        "sequential=False is Barnard's test with Holm's correction, to be looked at once.",
        "Sharing a letter does not mean equal.",
        "Posteriors and intervals take the number of trials as fixed.",
    ),
    when="Success or failure of tens to hundreds of trials, as with robots; for returns of few runs, ranking.adastop.",
    unit="chance of success",
    rows=(337,),
)


def rank(
    ratings: Ratings,
    *,
    metric: str | None = None,
    trials: int | None = None,
    level: float = 0.95,
    sequential: bool = True,
    correction: str = "holm",
    prior: str = "jeffreys",
) -> Estimate:
    """Success rates of the policies, and in `figures` what was decided of each pair.

    Arguments:
        ratings: the score is 1 or 0; rows of one policy in the order of the trials; `stratum` is the initial condition.
        metric: name of the score column with the successes, the first by default; the others are progress scores.
        trials: N, trials of each policy at most, fixed beforehand; the larger of 50 and those seen by default.
        level: 1 − the family-wise error over all pairs, and over all looks when sequential.
        sequential: look after each trial; otherwise once, by Barnard's test.
        correction: `holm` or `bonferroni`.
        prior: `jeffreys` or `uniform`.

    The figures: `decisions` (1 the first of the pair is better, −1 worse, 0 not told apart, NaN open), `pvalues`,
    `trials_used`, `superiority` (chance that the first of the pair has the higher rate), `credible_low` and
    `credible_high` of each policy, `gaps` within conditions, and each progress column under its own name.

    Errors: scores other than 0 and 1, an unknown correction or prior, more trials than the rule can be made for.

    >>> from adjudge.tables.read import from_arrays
    >>> table = from_arrays(policy=["a", "b"] * 20, item=np.repeat(range(20), 2), score=[1, 0, 1, 0, 1, 1, 1, 0] * 5)
    >>> answer = rank(table, trials=20)
    >>> answer.value.tolist(), answer.figures["decisions"].value.tolist()
    ([1.0, 0.25], [1.0])
    """
    judged = judge(
        from_ratings(ratings, metric=metric),
        trials=trials,
        level=level,
        looks=sequential,
        correction=correction,
        prior=prior,
    )
    first = metric or (ratings.judges[0] if ratings.judges else "")
    progress = {name: _progress(ratings, name) for name in ratings.judges if name != first}
    return told(judged, level=level, progress=progress)


def told(judged: Judged, *, level: float, progress: dict[str, Estimate] | None = None) -> Estimate:
    """The estimate of trials that have been judged."""
    success, n = judged.sums
    agents, J = judged.runs.agents, len(judged.pairs.index)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(n > 0, success / n, np.nan)
    _, variance = posterior.moments(success, n, judged.prior)
    variance = np.where(n > 0, variance, np.nan)
    ends = posterior.quantiles(success, n, judged.prior, np.array([(1 - level) / 2, (1 + level) / 2]))
    better = posterior.superiority(success, n, judged.prior)
    index = judged.pairs.index
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = np.where(n > 1, rate * (1 - rate) / np.maximum(n - 1, 1), np.nan)
    return Estimate(
        agents,
        rate,
        (Part("sampling", np.diag(variance), int(n.min(initial=0))),),
        np.maximum(n - 1, 0.0),
        bounds=(0.0, 1.0),
        reserve=Reserve(n, rate, np.diag(raw)),
        method="ranking.blind_trials",
        findings=(*judged.findings, *_open(judged), *_absent(agents, n)),
        figures={
            "decisions": _counted(judged.names, judged.pairs.decision),
            "pvalues": _counted(judged.names, judged.pairs.pvalue),
            "trials_used": _counted(judged.names, judged.pairs.when.astype(float)),
            "superiority": _counted(judged.names, better[index[:, 0], index[:, 1]].reshape(J)),
            "credible_low": _counted(agents, ends[:, 0]),
            "credible_high": _counted(agents, ends[:, 1]),
            "gaps": _gaps(judged),
            **(progress or {}),
        },
    )


def _counted(names: tuple[str, ...], value: FloatArray) -> Estimate:
    """Figures that follow from the counts: their covariance is 0."""
    k = len(names)
    parts = (Part("counted", np.zeros((k, k)), k),)
    return Estimate(names, value, parts, np.full(k, np.inf), method="ranking.blind_trials")


def _gaps(judged: Judged) -> Estimate:
    """Differences of the pairs within conditions."""
    k, E = len(judged.runs.agents), len(judged.runs.environments)
    success = np.array([one.sum() for one in judged.runs.values]).reshape(E, k)
    trials = judged.runs.counts.astype(float)
    found = np.array(
        [stratified.difference(success[:, a], trials[:, a], success[:, b], trials[:, b]) for a, b in judged.pairs.index]
    ).reshape(-1, 2)
    found[found[:, 1] == 0, 1] = np.nan  # nothing varied: no certainty, but nothing to judge an error from
    n = judged.sums[1][judged.pairs.index].sum(axis=1)
    parts = (Part("sampling", np.diag(found[:, 1]), int(n.min(initial=0))),)
    return Estimate(judged.names, found[:, 0], parts, np.maximum(n - 2 * E, 1.0), (-1.0, 1.0))


def _progress(ratings: Ratings, metric: str) -> Estimate:
    """Mean progress of each policy; trials are independent."""
    runs = from_ratings(replace(ratings, stratum=np.zeros_like(ratings.stratum), strata=("all",)), metric=metric)
    n = runs.counts[0].astype(float)
    mean = np.array([one.mean() if one.size else np.nan for one in runs.values])
    spread = np.array([one.var(ddof=1) if one.size > 1 else np.nan for one in runs.values])
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = (Part("sampling", np.diag(spread / n), int(n.min(initial=0))),)
    return Estimate(ratings.policies, mean, parts, np.maximum(n - 1, 0.0), method="ranking.blind_trials")


def _open(judged: Judged) -> tuple[Finding, ...]:
    waiting = np.isnan(judged.pairs.decision)
    if not waiting.any():
        return ()
    agents = tuple(judged.runs.agents[p] for p in np.unique(judged.pairs.index[waiting]))
    return (
        Finding(
            "go-on",
            Severity.INFO,
            f"{int(waiting.sum())} of {waiting.size} pairs are open.",
            float(waiting.sum()),
            0,
            f"Go on with {', '.join(agents)}, up to {judged.trials} trials of each.",
            agents,
        ),
    )


def _absent(agents: tuple[str, ...], n: FloatArray) -> tuple[Finding, ...]:
    absent = tuple(name for name, count in zip(agents, n, strict=True) if not count)
    if not absent:
        return ()
    message = f"{len(absent)} of {len(agents)} policies have no trial with a known outcome."
    remedy = "Run them, or leave them out."
    return (Finding("agent-without-runs", Severity.SEVERE, message, len(absent), 0, remedy, absent),)
