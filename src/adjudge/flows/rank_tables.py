"""Opens what is to be ranked: votes on pairs, or scores over tasks, whichever the table holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ..errors import AdjudgeError
from ..tables import coding, comparison_columns, read, read_comparisons
from ..tables.columns import Names, require
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from ..tables.sources import Source, open_source

CORRECT = "correct"


@dataclass(frozen=True, slots=True)
class Votes:
    """Which column plays which part in a table of votes; see `tables.read_comparisons.read`."""

    left: str | None = None
    right: str | None = None
    outcome: Names = None
    rater: str | None = None
    count: str | None = None
    first: str | None = None
    time: str | None = None
    families: Mapping[str, str] | str | Path | None = None
    missing: Names = None


@dataclass(frozen=True, slots=True)
class Scores:
    """Which column plays which part in a table of scores.

    Arguments:
        by: what is ranked, such as the model.
        score: score column, or several metrics.
        answer: column of the right answer; the score is then 1 where the two agree.
        stratum: group of tasks: environment, data set, language.
        draw: which of several runs.
    """

    by: str | None = None
    score: Names = None
    answer: str | None = None
    stratum: str | None = None
    draw: str | None = None


def open_table(
    source: object,
    votes: Votes,
    scores: Scores,
    *,
    task: str | None,
    cluster: Names,
    gold: Names,
    weight: str | None,
    covariates: Sequence[str],
    where: str | None,
) -> Comparisons | Ratings:
    """The checked table: scores when told what is ranked or what scores it, else votes when two columns hold policies.

    Errors: as of both doors; two columns of clusters for scores.
    """
    opened = open_source(source)
    told = scores.by or scores.score or scores.answer
    if not told and (votes.left or comparison_columns.sides(opened.names)):
        return read_comparisons.read(
            opened,
            left=votes.left,
            right=votes.right,
            outcome=votes.outcome,
            gold=gold,
            rater=votes.rater,
            item=task,
            cluster=cluster,
            weight=weight,
            count=votes.count,
            first=votes.first,
            time=votes.time,
            covariates=covariates,
            families=votes.families,
            missing=votes.missing,
            where=where,
        )
    if cluster is not None and not isinstance(cluster, str):
        if len(cluster) > 1:
            raise AdjudgeError(
                f"{len(cluster)} columns of clusters.", "Scores are clustered one way.", "Name --cluster once."
            )
        cluster = cluster[0] if cluster else None
    score = scores.score
    if scores.answer:
        opened, score = _agreeing(opened, score, scores.answer), (CORRECT,)
    return read.read(
        opened,
        policy=scores.by,
        item=task,
        judge=score,
        gold=gold or (),
        cluster=cluster,
        weight=weight,
        stratum=scores.stratum,
        covariates=covariates,
        draw=scores.draw,
        where=where,
    )


def _agreeing(opened: Source, verdict: Names, answer: str) -> Source:
    """The same table with a column that is 1 where the verdict is the right answer and 0 where it is another."""
    require(opened.names, answer, "--answer")
    if verdict is None or (not isinstance(verdict, str) and len(verdict) != 1):
        raise AdjudgeError(
            f"--answer {answer} needs one column to be compared with it.",
            "The column of the verdicts or answers that were given.",
            "Name it with --score.",
        )
    name = require(opened.names, verdict if isinstance(verdict, str) else verdict[0], "--score")

    def take(wanted: Sequence[str]) -> pl.DataFrame:
        if CORRECT not in wanted:
            return opened.take(wanted)
        others = [column for column in wanted if column != CORRECT]
        frame = opened.take(list(dict.fromkeys((*others, name, answer))))
        said, right = (coding.ids(frame[column]).cast(pl.String) for column in (name, answer))
        return frame.with_columns((said == right).cast(pl.Float64).alias(CORRECT)).select(wanted)

    return replace(opened, names=(*(column for column in opened.names if column != CORRECT), CORRECT), take=take)
