"""Runs MM-Vet: open answers about images, graded 0 to 1, by six capabilities and 16 integrations.

    score = (1/n) Σ_i ḡ_i,      ḡ_i = mean of the R gradings of answer i
    std   = √((1/R) Σ_r (S_r − S̄)²),      S_r the score of run r
    exact_i = 1 where the answer holds every <AND> part of some <OR> alternative of the truth, letter by letter

Files as published: `mm-vet.json` (id → `question`, `answer`, `capability`), a model's answers (id → text) and its grade
file (id → `score`, a list with one grade a run). Errors are by question; the spread of runs is told beside them, for
averaging runs takes grading noise away and nothing of the questions' own.

Yu, Yang, Li et al. (2024), MM-Vet, §3 and §4. Limits: scores are in [0, 1]; the published tables multiply them by 100.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.json_lines import keyed

METHOD = "suites.mm_vet"
CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")
MATTERS = 0.05

CARD = Card(
    answers="How well does a model answer open questions about images, by capability and integration of capabilities?",
    equation="score = mean over questions of the mean grade over runs;   std = spread of the runs' scores",
    papers=(
        Paper(
            "MM-Vet: Evaluating Large Multimodal Models for Integrated Capabilities",
            "Yu, Yang, Li et al.",
            2024,
            "ICML",
            "https://arxiv.org/abs/2308.02490",
            "Sections 3 and 4",
        ),
    ),
    needs=("question", "answer", "capability", "score"),
    assumes=("Questions are independent draws; runs of the grader are repeats of one grading.",),
    limits=(
        "A capability's score counts every question that asks for it, so that capabilities share questions.",
        "Repeats take away the grader's noise, not its bias.",
    ),
    when="For multimodal models on open questions; judges.soft_grade makes the grades.",
    unit="grade from 0 to 1",
    rows=(116,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Graded answers of one model or several; n answers, R runs.

    Arguments:
        models: names; `model` holds positions in it.
        capabilities: names; `needed` has a column for each.
        model: [n] whose answer.
        question: [n] code of the question.
        needed: [n, c] whether a question asks for a capability.
        grade: [n, R] grade in [0, 1] of each run; NaN where there is none.
        exact: [n] 1 where the answer holds the truth word by word, else 0; NaN where the answer's text is not known.
    """

    models: tuple[str, ...]
    capabilities: tuple[str, ...]
    model: IntArray
    question: IntArray
    needed: FloatArray
    grade: FloatArray
    exact: FloatArray

    @property
    def integrations(self) -> list[str]:
        """[n] capabilities that each question asks for together, such as `ocr+math`."""
        return ["+".join(np.array(self.capabilities)[row > 0].tolist()) for row in self.needed]


def load(
    path: Path | str | Mapping[str, Path | str],
    *,
    questions: Path | str,
    predictions: Path | str | Mapping[str, Path | str] | None = None,
) -> Answers:
    """Grades of one model or several, with their questions' capabilities.

    Arguments:
        path: grade file, or model → grade file.
        questions: `mm-vet.json`.
        predictions: answer file, or model → answer file; only for the exact-match baseline.

    Errors: a file that is no JSON object; a grade of an unknown question, or outside [0, 1]; a question without a
    capability.
    """
    known = {key: _question(key, row, Path(questions).name) for key, row in keyed(questions, "question id").items()}
    grades = path if isinstance(path, Mapping) else {Path(path).stem: path}
    texts = predictions if isinstance(predictions, Mapping) else dict.fromkeys(grades, predictions)
    found: list[tuple[str, str, list[float], float]] = []
    for name, file in grades.items():
        said = keyed(texts[name], "question id") if texts.get(name) else {}  # type: ignore[arg-type]
        for key, row in keyed(file, "question id").items():
            if key not in known:
                raise AdjudgeError(
                    f"{Path(file).name}: {key!r} is no question of {Path(questions).name}.",
                    "Ids such as v1_0, the same in both files.",
                    "Take grades and questions of the same release.",
                )
            own = exact(str(said[key]), known[key][0]) if key in said else float("nan")
            found.append((name, key, _grades(row, f"{Path(file).name}: {key}"), own))
    return answers(found, {key: abilities for key, (_, abilities) in known.items()})


def answers(rows: Sequence[tuple[str, str, Sequence[float], float]], needed: Mapping[str, Sequence[str]]) -> Answers:
    """The table from rows (model, question, grades of the runs, exact match).

    Arguments:
        rows: at least one.
        needed: capabilities by question.
    """
    if not rows:
        raise AdjudgeError("mm_vet: there is no graded answer.", "One or more.", "Grade the answers first.")
    models = tuple(dict.fromkeys(row[0] for row in rows))
    asked = {ability for row in rows for ability in needed[row[1]]}
    names = (*(each for each in CAPABILITIES if each in asked), *sorted(asked - {*CAPABILITIES}))
    question = {key: code for code, key in enumerate(dict.fromkeys(row[1] for row in rows))}
    runs = max(len(row[2]) for row in rows)
    return Answers(
        models,
        names,
        np.array([models.index(row[0]) for row in rows]),
        np.array([question[row[1]] for row in rows]),
        np.array([[name in needed[row[1]] for name in names] for row in rows], dtype=float),
        np.array([[*row[2], *[float("nan")] * (runs - len(row[2]))] for row in rows], dtype=float).reshape(-1, runs),
        np.array([row[3] for row in rows], dtype=float),
    )


def score(answers: Answers, *, level: float = 0.95) -> Estimate:
    """Mean grade by model, over runs and questions.

    Arguments:
        answers: of `load`.
        level: of the finding on what differences between models could be seen, in (0, 1).

    Errors: a level outside (0, 1); no grade at all.

    Returns the score by model; figures `capabilities` and `integrations` (by model, named `MODEL · ocr`), `exact`
    (word-by-word baseline, where answers are known), `runs` (score of each run) and `std` (spread of a model's runs, as
    published; its own error is left unknown).

    >>> rows = [("m", "v1_0", [0.5, 0.7], 0.0), ("m", "v1_1", [1.0, 1.0], 1.0)]
    >>> made = answers(rows, {"v1_0": ["ocr"], "v1_1": ["rec"]})
    >>> told = score(made)
    >>> told.value.round(3).tolist(), told.figures["std"].value.round(3).tolist()
    ([0.8], [0.05])
    """
    if not 0 < level < 1 or not np.isfinite(answers.grade).any():
        raise AdjudgeError(
            f"mm_vet: level {level}, {int(np.isfinite(answers.grade).sum())} grades.",
            "0 < level < 1, and one grade or more.",
            "Grade the answers first.",
        )
    counted = np.isfinite(answers.grade).sum(axis=1)
    mean = np.full(counted.size, np.nan)
    np.divide(np.nansum(answers.grade, axis=1), counted, out=mean, where=counted > 0)
    whole = _mean(answers, answers.models, answers.model, mean)
    figures = {"capabilities": _capabilities(answers, mean), "integrations": _integrations(answers, mean)}
    if np.isfinite(answers.exact).any():
        figures["exact"] = _mean(answers, answers.models, answers.model, answers.exact)
    if answers.grade.shape[1] > 1:
        figures["runs"], figures["std"] = _runs(answers)
    findings = [*_ungraded(counted, answers.grade.shape[1]), *_power(whole, level)]
    return replace(whole, method=METHOD, figures=figures, findings=(*whole.findings, *findings))


def _mean(answers: Answers, names: tuple[str, ...], group: IntArray, x: FloatArray) -> Estimate:
    on = np.flatnonzero(np.isfinite(x))
    return scored_means(names, answers.question[on], group[on], x[on], np.ones(on.size), bounds=(0.0, 1.0))


def _capabilities(answers: Answers, mean: FloatArray) -> Estimate:
    """Mean grade by model and capability; a question counts for each capability that it asks for."""
    i, c = np.nonzero((answers.needed > 0) & np.isfinite(mean)[:, None])
    names = tuple(f"{model} · {name}" for model in answers.models for name in answers.capabilities)
    group = answers.model[i] * len(answers.capabilities) + c
    return scored_means(names, answers.question[i], group, mean[i], np.ones(i.size), bounds=(0.0, 1.0))


def _integrations(answers: Answers, mean: FloatArray) -> Estimate:
    """Mean grade by model and set of capabilities, the most frequent set first."""
    sets = answers.integrations
    order = sorted({*sets}, key=lambda name: (-sets.count(name), name))
    names = tuple(f"{model} · {name}" for model in answers.models for name in order)
    at = np.array([order.index(name) for name in sets])
    return _mean(answers, names, answers.model * len(order) + at, mean)


def _runs(answers: Answers) -> tuple[Estimate, Estimate]:
    """Score of each run, and the spread of a model's runs (as published: divided by R, not R − 1)."""
    k, R = len(answers.models), answers.grade.shape[1]
    i, r = np.nonzero(np.isfinite(answers.grade))
    names = tuple(f"{model} · run {run + 1}" for model in answers.models for run in range(R))
    each = scored_means(
        names, answers.question[i], answers.model[i] * R + r, answers.grade[i, r], np.ones(i.size), bounds=(0.0, 1.0)
    )
    spread = np.std(each.value.reshape(k, R), axis=1)
    lost = Part("sampling", np.full((k, k), np.nan), R)
    return each, Estimate(answers.models, spread, (lost,), np.full(k, R - 1.0), (0.0, 0.5), method=METHOD)


def exact(text: str, truth: str) -> float:
    """1 where a text holds every <AND> part of some <OR> alternative, in any case and spacing; else 0.

    >>> exact("x is -1 or  -5.", "-1<AND>-5"), exact("a cat", "dog<OR>Cat"), exact("10", "1")
    (1.0, 1.0, 0.0)
    """
    said = " ".join(text.lower().split())

    def holds(part: str) -> bool:
        wanted = " ".join(part.lower().split())
        return bool(wanted) and re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", said) is not None

    return float(any(all(holds(part) for part in way.split("<AND>")) for way in truth.split("<OR>")))


def _question(key: str, row: Any, file: str) -> tuple[str, list[str]]:
    """The truth and the capabilities of a question."""
    abilities = row.get("capability") if isinstance(row, dict) else None
    if not isinstance(abilities, list) or not abilities or "answer" not in row:
        raise AdjudgeError(
            f"{file}: {key} has no capability or no answer.",
            "`question`, `answer`, `capability` (a list).",
            "Correct it.",
        )
    return str(row["answer"]), [str(each) for each in abilities]


def _grades(row: Any, where: str) -> list[float]:
    """The grades of a question's runs; null is none."""
    found = row.get("score") if isinstance(row, dict) else None
    try:
        grades = [float("nan") if each is None else float(each) for each in found or []]
    except (TypeError, ValueError):
        grades = [-1.0]
    if not grades or any(not (0 <= grade <= 1 or grade != grade) for grade in grades):
        raise AdjudgeError(
            f"{where} has score {found!r}.", "A list with one grade in [0, 1] a run.", "Grade this answer again."
        )
    return grades


def _ungraded(counted: IntArray, runs: int) -> list[Finding]:
    lost = int((counted < runs).sum())
    if not lost:
        return []
    text = f"{lost:,} of {counted.size:,} answers have fewer than {runs} grades; each counts with those that it has."
    return [Finding("grades-missing", Severity.WARNING, text, lost / counted.size, 0.0, "Grade these answers again.")]


def _power(whole: Estimate, level: float) -> list[Finding]:
    """What difference between two models the questions can show."""
    if len(whole.names) < 2:
        return []
    pairs = whole.differences() if len(whole.names) <= 100 else None
    if pairs is None:
        return []
    reach = float(np.nanmax(np.append(detectable(pairs.stderr, pairs.df, level=level, names=len(pairs.names)), 0.0)))
    if reach <= MATTERS:
        return []
    text = (
        f"With these questions a difference between two models shows with {100 * POWER:.0f} % chance from "
        f"{100 * reach:.1f} % on."
    )
    remedy = "Do not order models that are closer; repeats of the grading do not help."
    return [Finding("models-hardly-apart", Severity.INFO, text, reach, MATTERS, remedy)]
