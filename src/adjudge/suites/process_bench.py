"""ProcessBench: worked solutions with the first wrong step marked by experts; does a critic find that very step?

    F1 of a split = 2·a_w·a_r/(a_w + a_r)       a_w: share of wrong solutions whose first wrong step is named
                                                a_r: share of right solutions that are called right (−1)
    score = mean over splits of F1

Files as published: one JSON object a solution with `id`, `problem`, `steps`, `label` (from 0; −1 for none) and as a
rule `generator` and `final_answer_correct`; the split is the name of the file, or the first part of `id` where there is
one file. To each object comes what is to be scored, the first wrong step that a critic names, null for silence:

    "prediction": 2          or          "predictions": {"critic a": 2, "critic b": -1, …}

Zheng, Zhang, Zhang et al. (2024), ProcessBench, §4; Tang, Xiang, Yu et al. (2025), RefCritic, use it.
Limits: F1 is 0 for who calls all right or all wrong; silence counts as a miss, as published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.harmonic import harmonic
from ..stats.scored_means import scored_means
from ..tables.json_lines import records

METHOD = "suites.process_bench"
SILENT = 0.01  # share of solutions without a prediction that deserves a word

CARD = Card(
    answers="Does a critic name the first wrong step of a worked solution?",
    equation="F1 = 2·a_w·a_r/(a_w + a_r) in each split;   score = mean over splits",
    papers=(
        Paper(
            "ProcessBench: Identifying Process Errors in Mathematical Reasoning",
            "Zheng, Zhang, Zhang et al.",
            2024,
            "arXiv:2412.06559",
            "https://arxiv.org/abs/2412.06559",
            "§4",
        ),
        Paper(
            "RefCritic: Training Long Chain-of-Thought Critic Models with Refinement Feedback",
            "Tang, Xiang, Yu et al.",
            2025,
            "arXiv:2507.15024",
            "https://arxiv.org/abs/2507.15024",
            "§4",
        ),
    ),
    needs=("id", "problem", "steps", "label", "prediction"),
    assumes=("Solutions of different problems are independent.", "The experts agree on the first wrong step."),
    limits=(
        "A critic who finds a later error, or the first one a step late, scores as if it had found none.",
        "Right and wrong solutions count alike, whatever their shares in use.",
    ),
    when="To compare critics of mathematical solutions by step; audit.critics for verdicts on whole answers.",
    unit="F1",
    rows=(270,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Solutions:
    """What critics said of solutions; n rows.

    Arguments:
        critics, splits, problems: names.
        critic, split, problem: [n] positions in them; solutions of one problem are one independent unit.
        label: [n] first wrong step, from 0; −1 for none.
        prediction: [n] the step named, −1 for none; NaN where nothing was said.
    """

    critics: tuple[str, ...]
    splits: tuple[str, ...]
    problems: tuple[str, ...]
    critic: IntArray
    split: IntArray
    problem: IntArray
    label: IntArray
    prediction: FloatArray


def load(path: Path | str) -> Solutions:
    """The suite with the predictions that were added to it, out of one file or of a folder of one file a split.

    Errors: no file; an object without the published fields; a label or prediction that is no step; no prediction.
    """
    path = Path(path)
    files = sorted(each for ending in ("*.jsonl", "*.json") for each in path.glob(ending)) if path.is_dir() else [path]
    if not files:
        raise AdjudgeError(f"There is no .jsonl or .json file in {path}.", "SPLIT.jsonl.", "Correct the path.")
    rows: list[tuple[str, str, str, int, float]] = []
    for file in files:
        for number, one in enumerate(records(file, ("id", "problem", "steps", "label")), start=1):
            label, said = _label(file, number, one), _said(file, number, one)
            head = str(one["id"]).rpartition("-")[0] if len(files) == 1 else ""
            rows += [(critic, head or file.stem, str(one["problem"]), label, step) for critic, step in said.items()]
    if not rows:
        raise AdjudgeError(
            f"{path.name}: no object holds a prediction.",
            '"prediction": the first wrong step from 0, or -1, in each object.',
            "Let judges.critique look at the solutions by step, and add what it names.",
        )
    return solutions(*zip(*rows, strict=True))


def solutions(
    critic: tuple[str, ...],
    split: tuple[str, ...],
    problem: tuple[str, ...],
    label: tuple[int, ...],
    prediction: tuple[float, ...],
) -> Solutions:
    """The answers table out of columns, each [n].

    >>> solutions(("c",), ("gsm8k",), ("2+2?",), (-1,), (0.0,)).splits
    ('gsm8k',)
    """
    (critics, c), (splits, s), (problems, p) = (_coded(each) for each in (critic, split, problem))
    marked, said = np.asarray(label, dtype=np.int64), np.asarray(prediction, dtype=float)
    return Solutions(critics, splits, problems, c, s, p, marked, said)


def score(answers: Solutions) -> Estimate:
    """Mean F1 over the splits, one value a critic; NaN for a critic that a split is lacking of.

    Arguments:
        answers: of `load`.

    Returns the scores, and the figures `f1 by split`, `wrong by split` (share of wrong solutions whose first wrong step
    was named), `right by split` (share of right solutions called right), and `found` (share of wrong solutions that
    were called wrong, whatever the step).

    Errors: no row.

    >>> rows = [("c", "gsm8k", f"p{at}", label, said) for at, (label, said) in enumerate([(1, 1), (2, 0), (-1, -1)])]
    >>> score(solutions(*zip(*rows))).value.round(3).tolist()
    [0.667]
    """
    table, s = answers, len(answers.splits)
    if not table.critic.size:
        raise AdjudgeError("process_bench: no row.", "Predictions beside labels.", "Add predictions to the file.")
    names = tuple(f"{critic} · {split}" for critic in table.critics for split in table.splits)
    of, wrong = table.critic * s + table.split, table.label >= 0
    hit, one = (table.prediction == table.label).astype(float), np.ones(table.label.size)
    f1 = harmonic(names, table.problem, of, hit, wrong, one, method=METHOD)

    def share(rows: IntArray, x: FloatArray) -> Estimate:
        found = scored_means(names, table.problem[rows], of[rows], x[rows], one[rows], bounds=(0.0, 1.0))
        return replace(found, method=METHOD)

    bad, good = np.flatnonzero(wrong), np.flatnonzero(~wrong)
    figures = {
        "f1 by split": f1,
        "wrong by split": share(bad, hit),
        "right by split": share(good, hit),
        "found": share(bad, (table.prediction >= 0).astype(float)),
    }
    mean = f1.contrast(np.kron(np.eye(len(table.critics)), np.full((1, s), 1.0 / s)), table.critics)
    return replace(mean, findings=(*f1.findings, *_silent(table)), figures=figures)


def _silent(table: Solutions) -> tuple[Finding, ...]:
    """Critics who said nothing of some solutions."""
    share = np.bincount(table.critic, np.isnan(table.prediction)) / np.bincount(table.critic)
    return tuple(
        Finding(
            "predictions-missing",
            Severity.WARNING if lost > 5 * SILENT else Severity.INFO,
            f"{name} named no step, and no absence of one, for {100 * lost:.1f} % of the solutions; each counts as a "
            "miss.",
            float(lost),
            SILENT,
            "Ask again, or give it more tokens.",
            (name,),
        )
        for name, lost in zip(table.critics, share, strict=True)
        if lost > SILENT
    )


def _label(file: Path, number: int, one: dict[str, Any]) -> int:
    label, steps = one["label"], one["steps"]
    if not isinstance(steps, list) or type(label) is not int or not -1 <= label < len(steps):
        raise AdjudgeError(
            f"{file.name}: object {number:,} has the label {str(label)[:40]!r}.",
            "`steps` is a list, `label` the place of one of them from 0, or -1.",
            "Is this the file of another benchmark? Correct the file or the path.",
        )
    return label


def _said(file: Path, number: int, one: dict[str, Any]) -> dict[str, float]:
    """The step that each critic names; NaN where it names nothing."""
    many = one.get("predictions", {"critic": one["prediction"]} if "prediction" in one else {})
    if not isinstance(many, dict) or not all(
        step is None or (type(step) is int and step >= -1) for step in many.values()
    ):
        raise AdjudgeError(
            f"{file.name}: object {number:,} holds the prediction {str(many)[:60]}.",
            "A step from 0, -1 for none, null for silence; `predictions` gives one by critic.",
            "Correct it.",
        )
    return {str(critic): float("nan") if step is None else float(step) for critic, step in many.items()}


def _coded(column: tuple[str, ...]) -> tuple[tuple[str, ...], IntArray]:
    names, code = np.unique(np.asarray(column, dtype=str), return_inverse=True)
    return tuple(names.tolist()), code.astype(np.int64).ravel()
