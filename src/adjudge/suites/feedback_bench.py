"""Does a grader give the grades that each rubric's own words call for? Feedback Bench, and any Feedback Collection.

    r, ρ, τ_b of the grades given with the grades that the answers were written for, over all instances

Kim, Shin, Cho et al. (2024), §5: each instance has its own criterion with five worded grades, a reference answer, and
an answer written to earn a known grade. `cases` makes them ready for `judges.rubric`. Errors are by criterion, since
instances of one rubric share its difficulty. Limits: the grades were written by a model, so agreement with them is
agreement with it; a grader that always says the same has no correlation (NaN).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats import concordance, rank_correlation
from ..stats.scored_means import scored_means
from ..tables.cases import Answer, Case
from ..tables.json_lines import records

METHOD = "suites.feedback_bench"
GRADES = range(1, 6)
NEEDED = ("orig_instruction", "orig_response", "orig_criteria", "orig_score")
_RESULT = re.compile(r"\[RESULT\]\s*\(?\s*([1-5])\b")

CARD = Card(
    answers="How well do a grader's grades follow those that each rubric's own words call for?",
    equation="r, ρ, τ_b of grades given with grades written for",
    papers=(
        Paper(
            "Prometheus: Inducing Fine-grained Evaluation Capability in Language Models",
            "Kim, Shin, Cho et al.",
            2024,
            "ICLR",
            "https://arxiv.org/abs/2310.08491",
            "§5",
        ),
    ),
    needs=(*NEEDED, "orig_reference_answer", "orig_score1_description", "score"),
    assumes=("Criteria are independent of each other.", "Answers earn the grades that they were written for."),
    limits=("The grades are a model's, not people's: figures against people need people's labels.",),
    when="To choose a grader that must follow rubrics it has not seen; audit.agreement takes your own labels.",
    unit="correlation",
    rows=(54,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Grades, n instances by j graders.

    Arguments:
        judges: names.
        criterion: [n] code of the rubric.
        gold: [n] grade that the answer was written for, 1 to 5.
        said: [n, j] grade given; NaN where there is none.
    """

    judges: tuple[str, ...]
    criterion: IntArray
    gold: FloatArray
    said: FloatArray


def cases(path: str | Path) -> tuple[Case, ...]:
    """The instances as cases that bring their own rubric; the grade they were written for is the field `gold`.

    Arguments:
        path: JSON or JSONL of the Feedback Collection's fields `orig_…`.

    Errors: no such file; an instance without its fields.
    """
    made = []
    for at, row in enumerate(records(path, NEEDED)):
        grades = {f"grade_{one}": str(row.get(f"orig_score{one}_description", "")) for one in GRADES}
        fields = {"criterion": _criterion(row), **grades, "gold": str(row["orig_score"])}
        answer = Answer("response", str(row["orig_response"]))
        reference = str(row.get("orig_reference_answer", ""))
        made.append(
            Case(str(at), str(row["orig_instruction"]), (answer,), reference, fields, cluster=_criterion(row), row=at)
        )
    return tuple(made)


def load(path: str | Path, *, judges: Mapping[str, str] | None = None) -> Answers:
    """Grades given to the instances of a file.

    Arguments:
        path: JSON or JSONL of instances with grades added.
        judges: name -> field with its grade: a number, a list of sampled ones (their mean counts), or feedback that
            ends with `[RESULT] 4`; None takes `score`.

    Errors: no such file; an instance without its fields; a true grade that is none.
    """
    fields = dict(judges or {"judge": "score"})
    rows = records(path, (*NEEDED, *fields.values()))
    gold = np.array([_grade(row["orig_score"]) for row in rows])
    if not np.isfinite(gold).all():
        at = int(np.argmin(np.isfinite(gold)))
        raise AdjudgeError(
            f"{path}: orig_score of object {at + 1:,} is {rows[at]['orig_score']!r}.",
            "The grade that the answer was written for, 1 to 5.",
            "Correct it, or take the object out.",
        )
    criterion = np.unique([_criterion(row) for row in rows], return_inverse=True)[1].astype(np.int64).ravel()
    said = np.array([[_grade(row[field]) for field in fields.values()] for row in rows])
    return Answers(tuple(fields), criterion, gold, said)


def score(answers: Answers) -> Estimate:
    """Pearson's r of each grader with the true grades.

    Arguments:
        answers: grades.

    Figures, by grader: `spearman`, `kendall`, `exact` (share of grades hit), `off` (mean of given − true),
    `missing` (share of instances without a grade; they count for nothing in the others).

    Errors: no instance.

    >>> gold = np.tile(np.arange(1.0, 6.0), 8)
    >>> said = np.column_stack([gold, np.where(np.arange(40) % 4 == 0, 3.0, gold)])
    >>> found = score(Answers(("a", "b"), np.arange(40) // 2, gold, said))
    >>> found.value.round(3).tolist(), found.figures["exact"].value.tolist()
    ([1.0, 0.866], [1.0, 0.8])
    """
    if not answers.gold.size or not answers.judges:
        raise AdjudgeError("feedback_bench: no grades.", "One instance and one grader at least.", "Read a file.")
    row, judge = np.nonzero(np.isfinite(answers.said))
    said, gold = answers.said[row, judge], answers.gold[row]
    figures = {}
    for name, of in (
        ("pearson", rank_correlation.pearson),
        ("spearman", rank_correlation.spearman),
        ("kendall", concordance.kendall),
    ):
        figures[name] = concordance.by_group(
            answers.judges,
            judge.astype(np.int64),
            answers.criterion[row],
            partial(_correlated, of, said, gold),
            method=METHOD,
        )
    off = answers.said - answers.gold[:, None]
    figures["exact"] = _means(answers, np.where(np.isfinite(off), off == 0, np.nan), (0.0, 1.0))
    figures["off"] = _means(answers, off, (-4.0, 4.0))
    figures["missing"] = _means(answers, (~np.isfinite(off)).astype(float), (0.0, 1.0))
    found = figures.pop("pearson")
    return replace(found, figures=figures, findings=(*found.findings, *_told(figures["missing"])))


def _correlated(
    of: Callable[[FloatArray, FloatArray, FloatArray], rank_correlation.Told],
    said: FloatArray,
    gold: FloatArray,
    rows: IntArray,
) -> rank_correlation.Told:
    """A correlation of some rows, each counting once."""
    return of(said[rows], gold[rows], np.ones(rows.size))


def _means(answers: Answers, x: FloatArray, bounds: tuple[float, float]) -> Estimate:
    """Mean of [n, j] values by grader, errors by criterion; NaN values do not count."""
    row, judge = np.nonzero(np.isfinite(x))
    one = np.ones(row.size)
    found = scored_means(
        answers.judges, answers.criterion[row], judge.astype(np.int64), x[row, judge], one, bounds=bounds
    )
    return replace(found, method=METHOD)


def _told(missing: Estimate) -> list[Finding]:
    lost = [(name, share) for name, share in zip(missing.names, missing.value, strict=True) if share > 0]
    return [
        Finding(
            "grades-missing",
            Severity.WARNING,
            f"{name} gave no grade for {100 * share:.1f} % of the instances; its correlations rest on the others.",
            float(share),
            0.0,
            "Ask again for them: what cannot be graded is rarely like the rest.",
            (name,),
        )
        for name, share in lost
    ]


def _criterion(row: Mapping[str, Any]) -> str:
    return str(row["orig_criteria"]).strip()


def _grade(value: Any) -> float:
    """A grade out of a number, a list of them, or feedback; NaN where there is none."""
    if isinstance(value, list):
        found = [one for one in map(_grade, value) if math.isfinite(one)]
        return sum(found) / len(found) if found else math.nan
    if isinstance(value, str) and (stated := _RESULT.findall(value)):
        value = stated[-1]
    try:
        grade = float(value)
    except (TypeError, ValueError):
        return math.nan
    return grade if 1 <= grade <= 5 else math.nan
