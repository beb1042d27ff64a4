"""Opens what is to be ranked: votes on pairs, or scores over tasks, whichever the table holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import AdjudgeError
from ..tables import comparison_columns, read, read_comparisons
from ..tables.columns import FILE, USUAL, Names, as_names, listing
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from ..tables.sources import Source, open_source
from .right_answers import CORRECT, agreeing

OF_VOTES = ("left", "right", "outcome", "rater", "count", "first", "time", "families", "missing")
OF_SCORES = ("by", "score", "answer", "stratum", "draw")
USUAL_SCORES = tuple(name for group in USUAL["judge"] for name in group)
SAID_AS = {
    **{"--policy": "--by", "--item": "--task", "--judge": "--score"},
    **{"for the judge.": "for the score.", "for the item.": "for the task.", "for the policy.": "for what is ranked."},
    **{"could be the judge": "could be the score", "could be the item": "could be the task"},
    **{"No judge column": "No score column"},
}
"""What the door for ratings calls an option or a part, and what it is called here."""


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
    if not _columns(opened):
        raise AdjudgeError(f"{opened.label} has no columns.", "Votes on pairs, or scores over tasks.", "Name another.")
    if _holds_votes(opened, votes, scores):
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
    return _scores(opened, scores, task, as_names(cluster), gold, weight, covariates, where)


def _scores(
    opened: Source,
    scores: Scores,
    task: str | None,
    columns: tuple[str, ...],
    gold: Names,
    weight: str | None,
    covariates: Sequence[str],
    where: str | None,
) -> Ratings:
    """The table of scores, with findings and errors in the words of this command."""
    if len(columns) > 1:
        raise AdjudgeError(
            f"{len(columns)} columns of clusters.", "Scores are clustered one way.", "Name --cluster once."
        )
    score = scores.score
    if scores.answer:
        opened, score = agreeing(opened, score, scores.answer), (CORRECT,)
    try:
        table = read.read(
            opened,
            policy=scores.by,
            item=task,
            judge=score,
            gold=gold or (),
            cluster=columns[0] if columns else None,
            weight=weight,
            stratum=scores.stratum,
            covariates=covariates,
            draw=scores.draw,
            where=where,
        )
    except AdjudgeError as error:
        raise AdjudgeError(*(_typed(part) for part in (error.found, error.expected, error.do))) from None
    if any(finding.code == "policy-absent" for finding in table.findings):
        raise AdjudgeError(
            "No column says what is ranked.",
            f"A column such as model; the columns are: {listing(_columns(opened))}.",
            "Name it with --by, or name two columns of policies with --left and --right.",
        )
    findings = (replace(one, message=_typed(one.message), remedy=_typed(one.remedy)) for one in table.findings)
    return replace(table, findings=tuple(findings))


def _typed(text: str) -> str:
    """A sentence of the door for ratings in the words of this command."""
    for theirs, ours in SAID_AS.items():
        text = text.replace(theirs, ours)
    return text


def _holds_votes(opened: Source, votes: Votes, scores: Scores) -> bool:
    """Whether votes are to be read. Errors: columns of both kinds are named, or columns of the other kind."""
    named = [name for name in OF_VOTES if getattr(votes, name)]
    told = [name for name in OF_SCORES if getattr(scores, name)]
    found = comparison_columns.sides(opened.names) is not None
    holds = bool(votes.left or votes.right) or (found and not {"by", "score", "answer"} & set(told))
    if not holds and not told and not named and not _has_score(opened):
        raise AdjudgeError(
            f"{opened.label} holds neither votes on pairs nor scores that can be recognised.",
            f"The columns are: {listing(_columns(opened))}.",
            "Name --left, --right and --outcome for votes, or --by, --task and --score for scores.",
        )
    strange, kind, other = (told, "votes on pairs", "scores") if holds else (named, "scores over tasks", "votes")
    if strange:
        options = " and ".join(f"--{name}" for name in strange)
        raise AdjudgeError(
            f"The table is read as {kind}, and {options} {'is' if len(strange) == 1 else 'are'} for {other}.",
            "Columns of one kind of table: votes (--left, --right, --outcome …) or scores (--by, --task, --score …).",
            f"Leave {options} out{'' if holds or told else ', or name the policies with --left and --right'}.",
        )
    return holds


def _columns(opened: Source) -> list[str]:
    return [name for name in opened.names if name != FILE]


def _has_score(opened: Source) -> bool:
    return bool(opened.scores) or any(name.strip().lower() in USUAL_SCORES for name in opened.names)
