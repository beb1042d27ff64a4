"""Who is best, from votes on pairs or scores over tasks: read, fit, audit, answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..core.run import array_fingerprint
from ..errors import AdjudgeError
from ..ranking import bradley_terry, ppi_bradley_terry
from ..tables import bundled
from ..tables.columns import Names
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from .made import Setting, fingerprints, worst_first
from .methods import ratings_by
from .rank_audits import cycles, rigging
from .rank_findings import about_gold, few_tasks
from .rank_tables import Scores, Votes, open_table
from .ranking import Ranking

OF_LABELS = ("gold-absent",)  # findings of the door for ratings that ask for gold labels; scores may be the truth


def rank(
    source: object,
    *,
    left: str | None = None,
    right: str | None = None,
    outcome: Names = None,
    by: str | None = None,
    score: Names = None,
    answer: str | None = None,
    task: str | None = None,
    cluster: Names = None,
    gold: Names = None,
    rater: str | None = None,
    weight: str | None = None,
    count: str | None = None,
    first: str | None = None,
    time: str | None = None,
    covariates: Sequence[str] = (),
    families: Mapping[str, str] | str | Path | None = None,
    stratum: str | None = None,
    draw: str | None = None,
    missing: Names = None,
    where: str | None = None,
    method: str = "auto",
    arguments: Mapping[str, object] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ranking:
    """Ranks policies from votes on pairs or from scores over tasks, with rank intervals and what to distrust.

    Arguments:
        source: a path or several, a frame, a list of dicts, a dict of arrays, or a table that has been read.
        left, right, outcome, rater, count, first, time, families, missing: columns of votes; see
            `tables.read_comparisons.read`.
        by, score, answer, stratum, draw: columns of scores; see `flows.rank_tables.Scores`.
        task: the prompt or task; what answers the same one is paired.
        cluster: the independent unit, two for two-way clusters of votes; None means the task.
        gold: raters whose votes are trusted; all others are then judges, corrected by them.
        weight, covariates, where: as in both doors.
        method: of the family `ranking`, such as `copeland`; `auto` is Bradley-Terry, prediction-powered where some
            votes are trusted, for votes; and the mean over tasks for scores.
        arguments: of the method, such as `{"ties": "rao_kupper", "order": True}`.
        level: coverage of the intervals, in (0, 1).
        seed: of every random draw.

    Errors: `AdjudgeError` for input from which nothing can be ranked; doubtful input is told in `findings`.

    >>> votes = {"left": ["a", "a", "b"] * 9, "right": ["b", "b", "a"] * 9, "outcome": ["left", "right", "tie"] * 9}
    >>> rank(votes).estimate.value.round().tolist()
    [1000.0, 1000.0]
    """
    source = bundled.path(source)
    given = {
        **{"left": left, "right": right, "outcome": outcome, "by": by, "score": score, "answer": answer, "task": task},
        **{"cluster": cluster, "gold": gold, "rater": rater, "weight": weight, "count": count, "first": first},
        **{"time": time, "covariates": covariates, "families": families, "stratum": stratum, "draw": draw},
        **{"missing": missing, "where": where, "method": method, "arguments": arguments, "level": level},
    }
    setting = Setting(level, seed, {}, {name: value for name, value in given.items() if value}, source)
    if isinstance(source, (Comparisons, Ratings)):
        table = source
    else:
        table = open_table(
            source,
            Votes(left, right, outcome, rater, count, first, time, families, missing),
            Scores(by, score, answer, stratum, draw),
            task=task,
            cluster=cluster,
            gold=gold,
            weight=weight,
            covariates=covariates,
            where=where,
        )
    setting = replace(setting, data=fingerprints(source) or _in_memory(table))
    return rank_table(table, setting, method=method, arguments=arguments)


def rank_table(
    table: Comparisons | Ratings,
    setting: Setting | None = None,
    *,
    method: str = "auto",
    arguments: Mapping[str, object] | None = None,
) -> Ranking:
    """`rank` for a table that has been read.

    Arguments:
        table: votes or scores.
        setting: level, seed, and what is to be remembered of the source.
        method, arguments: as in `rank`.
    """
    if table.n == 0:
        raise AdjudgeError("The table has no rows.", "At least one vote or score.", "Loosen the condition on rows.")
    setting, arguments = setting or Setting(), dict(arguments or {})
    chosen, reason = _choice(table, method)
    estimate = ratings_by(table, chosen, arguments, seed=setting.seed)
    alone, before, seen = None, None, None
    if isinstance(table, Comparisons):
        if estimate.method == "ranking.ppi_bradley_terry":
            alone = bradley_terry.rank(_by_people(table))
        if "effects" in estimate.figures and estimate.method == "ranking.bradley_terry":
            plain = {name: value for name, value in arguments.items() if name not in ("order", "covariates")}
            before = ratings_by(table, chosen, {**plain, "covariates": False}, seed=setting.seed)
        seen = cycles(table, setting.seed)
    pushed, examined = rigging(table)
    found = (
        *(finding for finding in table.findings if finding.code not in OF_LABELS),
        *estimate.findings,
        *(seen.findings if seen else ()),
        *pushed,
        *about_gold(table, estimate),
        *few_tasks(table, estimate),
    )
    methods = [estimate.method, *(["audit.cycles"] if seen else []), *examined]
    return Ranking(
        table=table,
        estimate=estimate,
        alone=alone,
        before=before,
        cycles=seen,
        findings=worst_first(found),
        reason=reason,
        run=setting.run("adjudge.rank(…)", methods),
        level=setting.level,
        seed=setting.seed,
    )


def _choice(table: Comparisons | Ratings, method: str) -> tuple[str, str]:
    """Name of the method, and why."""
    if method != "auto":
        return method, f"You asked for {method}."
    if isinstance(table, Ratings):
        return "task_mean", "Scores over tasks are averaged, each task one independent unit."
    if table.trusted.all() or not table.trusted.any():
        return bradley_terry.__name__.rpartition(".")[2], (
            "Votes on pairs are fitted by Bradley-Terry with a term for ties: all votes count alike, and votes of one "
            "cluster may depend on each other in any way."
        )
    return ppi_bradley_terry.__name__.rpartition(".")[2], (
        "Some votes are trusted and others are judges': the judges rank all pairs, the trusted votes correct them, and "
        "the error of both is in the intervals."
    )


def _in_memory(table: Comparisons | Ratings) -> dict[str, str]:
    if isinstance(table, Ratings):
        return {"table": array_fingerprint({"score": table.score, "policy": table.policy})}
    return {"table": array_fingerprint({"left": table.left, "right": table.right, "outcome": table.outcome})}


def _by_people(table: Comparisons) -> Comparisons:
    """The trusted votes; where no clusters are named, several people's votes on one match are one unit."""
    votes = table.take(table.trusted)
    return votes if votes.cluster.shape[1] else replace(votes, cluster=votes.match[:, None])
