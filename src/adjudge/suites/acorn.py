"""Runs ACORN: explanations rated by five people each on several aspects, and how well a judge tracks their majority.

    ρ_ja = Spearman(rating of judge j, majority of the people) on aspect a
    α_a  = Krippendorff's alpha of the people on aspect a

File as published: `ACORN.jsonl`, one explanation an object, with `worker_ratings` (worker → aspect → rating) and the
majority by aspect, in `voted_ratings` or as fields of its own. A judge's ratings are JSONL too: `id` and a field an
aspect. Explanations of one question are one cluster. `annotations` gives an aspect's table.

Brassard, Heinzerling, Kudo et al. (2024), ACORN, §4 and §5. Limits: a majority is taken as published; where there is
none, a tie is the mean of its ratings.
"""

from __future__ import annotations

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
from ..stats.agreement import krippendorff
from ..stats.agreement.confusion import joint
from ..stats.certain import never_certain
from ..stats.cluster import group_sums
from ..stats.power import POWER, detectable
from ..stats.rank_correlation import spearman
from ..tables.annotations import Annotations
from ..tables.json_lines import records

METHOD = "suites.acorn"
ASPECTS = ("supports", "overall", "well_written", "related", "factual", "new_info", "unnecessary_info", "contrastive")
WORDS = {"no": 0.0, "yes": 1.0, "false": 0.0, "true": 1.0, "none": 0.0, "some": 1.0, "sufficient": 2.0, "ample": 3.0}
ABSENT = ("", "na", "n/a", "nan", "not applicable")
MATTERS = 0.1  # of a correlation

CARD = Card(
    answers="How well does a judge rate explanations, aspect by aspect, beside the majority of five people?",
    equation="ρ_ja = Spearman(judge j, majority of people) on aspect a",
    papers=(
        Paper(
            "ACORN: Aspect-wise Commonsense Reasoning Explanation Evaluation",
            "Brassard, Heinzerling, Kudo et al.",
            2024,
            "COLM",
            "https://arxiv.org/abs/2405.04818",
            "Sections 4 and 5",
        ),
    ),
    needs=("worker_ratings", "id"),
    assumes=("Questions are independent; the people of an explanation are interchangeable.",),
    limits=("The majority of five people errs too, which holds every correlation below 1.",),
    when="For judges of explanations; audit.extra_rater asks whether a judge may replace or join the people.",
    unit="rank correlation",
    rows=(87,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Ratings of m explanations on A aspects by people and J judges; n ratings of people.

    Arguments:
        items, aspects, workers, judges: names.
        cluster: [m] code of an explanation's question.
        item, aspect, worker: [n] codes.
        value: [n] rating by a person.
        voted: [m, A] majority of the people; NaN where there is none.
        judged: [m, A, J] ratings by judges; NaN where there is none.
    """

    items: tuple[str, ...]
    aspects: tuple[str, ...]
    workers: tuple[str, ...]
    judges: tuple[str, ...]
    cluster: IntArray
    item: IntArray
    aspect: IntArray
    worker: IntArray
    value: FloatArray
    voted: FloatArray
    judged: FloatArray

    def annotations(self, aspect: str) -> Annotations:
        """Labels of people and judges on one aspect, for the audits of raters; classes are the ratings in use."""
        a, m = self.aspects.index(aspect), len(self.items)
        on = np.flatnonzero(self.aspect == a)
        i, j = np.nonzero(np.isfinite(self.judged[:, a]))
        item, value = np.append(self.item[on], i), np.append(self.value[on], self.judged[i, a, j])
        raters = np.append(self.worker[on], len(self.workers) + j)
        classes, label = np.unique(value, return_inverse=True)
        used, rater = np.unique(raters, return_inverse=True)
        names = np.array([*self.workers, *self.judges], dtype=object)
        return Annotations(
            self.items,
            tuple(names[used].tolist()),
            tuple(f"{each:g}" for each in classes),
            item.astype(np.int64),
            rater.ravel().astype(np.int64),
            label.ravel().astype(np.int64),
            np.full(m, -1),
            np.ones(item.size),
            classes,
            ordinal=True,
        )


def load(path: Path | str, *, judges: Mapping[str, Path | str] | None = None) -> Answers:
    """The suite, with ratings of judges.

    Arguments:
        path: `ACORN.jsonl`.
        judges: by name, a JSONL file with `id` and a rating an aspect.

    Errors: a file that is no JSONL or lacks a field; ratings that are neither numbers nor known words; a judge's
    rating of an unknown explanation.
    """
    rows = records(path, ("worker_ratings",))
    items = tuple(str(row.get("id", number)) for number, row in enumerate(rows))
    known = {name: at for at, name in enumerate(items)}
    told = [_people(row, Path(path).name) for row in rows]
    present = {aspect for people in told for ratings in people.values() for aspect in ratings}
    aspects = (*(each for each in ASPECTS if each in present), *sorted(present - {*ASPECTS}))
    long = [
        (i, aspects.index(aspect), worker, value)
        for i, people in enumerate(told)
        for worker, ratings in people.items()
        for aspect, value in ratings.items()
        if value == value
    ]
    workers = tuple(sorted({worker for _, _, worker, _ in long}))
    place = {worker: code for code, worker in enumerate(workers)}
    judged = np.full((len(items), len(aspects), len(judges or {})), np.nan)
    for j, file in enumerate((judges or {}).values()):
        for row in records(file, ("id",)):
            if str(row["id"]) not in known:
                raise AdjudgeError(
                    f"{Path(file).name}: {row['id']!r} is no explanation of {Path(path).name}.",
                    "The `id` of an explanation.",
                    "Rate the explanations of the same release.",
                )
            for a, aspect in enumerate(aspects):
                judged[known[str(row["id"])], a, j] = _number(row.get(aspect), Path(file).name)
    of_item, of_aspect = (np.array([row[at] for row in long], dtype=np.int64) for at in (0, 1))
    value = np.array([row[3] for row in long], dtype=float)
    question = np.unique([str(row.get("q_id", items[i])) for i, row in enumerate(rows)], return_inverse=True)[1]
    made = Answers(
        items,
        aspects,
        workers,
        tuple(judges or {}),
        question.ravel().astype(np.int64),
        of_item,
        of_aspect,
        np.array([place[row[2]] for row in long], dtype=np.int64),
        value,
        np.full((len(items), len(aspects)), np.nan),
        judged,
    )
    return replace(made, voted=_voted(rows, made, Path(path).name))


def score(answers: Answers, *, level: float = 0.95) -> Estimate:
    """Spearman's correlation of each judge with the people's majority, by aspect; of people alone, alpha by aspect.

    Arguments:
        answers: of `load`.
        level: of the finding on what could be seen, in (0, 1).

    Errors: a level outside (0, 1).

    Returns an Estimate named `JUDGE · ASPECT` (or, without judges, α by aspect) with the figure `alpha` of the people.

    >>> made = Answers(("a", "b", "c"), ("overall",), ("w", "v"), ("judge",), np.arange(3), np.repeat(np.arange(3), 2),
    ...                np.zeros(6, int), np.tile([0, 1], 3), np.array([1.0, 2, 3, 3, 5, 5]),
    ...                np.array([[1.5], [3.0], [5.0]]), np.array([[[2.0]], [[1.0]], [[4.0]]]))
    >>> told = score(made)
    >>> told.names, told.value.tolist()
    (('judge · overall',), [0.5])
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"acorn: level {level}.", "0 < level < 1.", "Change it.")
    alpha = _alpha(answers)
    if not answers.judges:
        return replace(alpha, figures={"alpha": alpha})
    units = int(answers.cluster.max(initial=-1)) + 1
    names = tuple(f"{judge} · {aspect}" for judge in answers.judges for aspect in answers.aspects)
    value, influence, own = np.full(len(names), np.nan), np.zeros((units, len(names))), np.zeros(len(names))
    for at in range(len(names)):
        j, a = divmod(at, len(answers.aspects))
        x, y = answers.judged[:, a, j], answers.voted[:, a]
        on = np.flatnonzero(np.isfinite(x + y))
        value[at], psi = spearman(x[on], y[on], np.ones(on.size))
        influence[:, at] = group_sums(answers.cluster[on], psi, units)
        own[at] = np.unique(answers.cluster[on]).size
    part = Part.from_influence("sampling", influence)
    found = never_certain(Estimate(names, value, (part,), np.maximum(own - 1, 1), (-1.0, 1.0), method=METHOD))
    return replace(found, figures={"alpha": alpha}, findings=(*found.findings, *_power(found, level)))


def _alpha(answers: Answers) -> Estimate:
    """Krippendorff's alpha of the people (interval), by aspect; errors by question."""
    m, units = len(answers.items), int(answers.cluster.max(initial=-1)) + 1
    tables, of = [], krippendorff.interval(np.zeros(0, int), np.zeros(0), np.zeros(0), items=0).of
    for a in range(len(answers.aspects)):
        on = np.flatnonzero(answers.aspect == a)
        found = krippendorff.interval(answers.item[on], answers.value[on], np.ones(on.size), items=m)
        tables.append(group_sums(answers.cluster, found.sums[found.item].T, units).T)
    return joint(answers.aspects, tables, of, method=METHOD)


def _people(row: Mapping[str, Any], file: str) -> dict[str, dict[str, float]]:
    """Ratings by worker and aspect."""
    given = row["worker_ratings"]
    if not isinstance(given, dict) or not all(isinstance(each, dict) for each in given.values()):
        raise AdjudgeError(
            f"{file}: worker_ratings is {given!r:.60}.", "worker → aspect → rating.", "Correct the file."
        )
    return {
        str(worker): {str(aspect): _number(value, file) for aspect, value in ratings.items()}
        for worker, ratings in given.items()
    }


def _number(value: Any, file: str) -> float:
    """A rating as a number: as it is, or as the place of its word on its scale; NaN for none."""
    word = " ".join(str(value).lower().split())
    if value is None or word in ABSENT:
        return float("nan")
    try:
        return WORDS[word] if word in WORDS else float(word)
    except ValueError:
        raise AdjudgeError(
            f"{file}: rating {value!r}.", f"A number, or one of {', '.join(WORDS)}.", "Write ratings as numbers."
        ) from None


def _voted(rows: Sequence[Mapping[str, Any]], made: Answers, file: str) -> FloatArray:
    """[m, A] the published majority, else the mean of the most frequent ratings."""
    voted = np.full((len(made.items), len(made.aspects)), np.nan)
    for (i, a), at in _groups(made).items():
        values, times = np.unique(made.value[at], return_counts=True)
        voted[i, a] = values[times == times.max()].mean()
    for i, row in enumerate(rows):
        given = row.get("voted_ratings", row)
        for a, aspect in enumerate(made.aspects):
            if isinstance(given, dict) and aspect in given:
                published = _number(given[aspect], file)
                voted[i, a] = published if published == published else voted[i, a]
    return voted


def _groups(made: Answers) -> dict[tuple[int, int], list[int]]:
    """Ratings of each explanation on each aspect."""
    found: dict[tuple[int, int], list[int]] = {}
    for at, key in enumerate(zip(made.item.tolist(), made.aspect.tolist(), strict=True)):
        found.setdefault(key, []).append(at)
    return found


def _power(found: Estimate, level: float) -> list[Finding]:
    """What difference of a correlation from another value could be seen."""
    reach = detectable(found.stderr, found.df, level=level, names=len(found.names))
    if not np.isfinite(reach).any() or np.nanmax(reach) <= MATTERS:
        return []
    text = (
        f"A correlation is told from another value with {100 * POWER:.0f} % chance from a gap of "
        f"{np.nanmax(reach):.2f} on."
    )
    remedy = "Let the judge rate more explanations."
    return [Finding("correlations-uncertain", Severity.INFO, text, float(np.nanmax(reach)), MATTERS, remedy)]
