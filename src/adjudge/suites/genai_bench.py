"""Runs GenAI-Bench: which metric of pictures made from texts agrees with people, and what does reranking by it gain?

    accuracy_m = max_ε share of pairs of pictures that metric m, tied up to ε, puts as people do   (tie-calibrated)
    τ_b, r     = Kendall's and Pearson's correlation of m with the mean of the raters
    gain_m(k)  = E[rating of the picture that m scores highest among k candidates] − E[rating of a candidate]

Files as published: `genai_image.json` (id → `prompt`, `models`: model → ratings of three raters, 1 to 5; in the ranking
set model → candidate → ratings), `genai_skills.json` (skill → ids); scores as `{"metric": {"model": {"id": score}}}`,
with candidates one level deeper. Pairs are of all pictures with all, as published. The gain counts every set of k of
the candidates, ties drawn by lot: Σ_i rating_(i)·C(n−i, k−1)/C(n, k), i the place by the metric. Errors are by prompt.

Li, Lin, Pathak et al. (2024), §4 and §5; Deutsch, Foster, Freitag (2023), Ties Matter. Limits: no ties make accuracy
(τ + 1)/2; ε is chosen on the pairs that it is told of, which flatters a metric in small tables; k = n reranks once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .._typing import BoolArray, FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.concordance import best_of, jointly, kendall, pair_accuracy, tie_width
from ..stats.power import POWER, detectable
from ..stats.rank_correlation import Told, pearson
from ..stats.scored_means import scored_means
from ._genai_bench_file import Row, read

METHOD = "suites.genai_bench"
BEST_OF = range(3, 10)
MATTERS = 0.02  # a difference of accuracies between metrics that a powerful benchmark should see

CARD = Card(
    answers="Which metric of pictures made from texts agrees with people, and what does reranking by it gain?",
    equation="accuracy = max_ε share of pairs put as people do;   gain(k) = E[rating of the best of k by it] − mean",
    papers=(
        Paper(
            "GenAI-Bench: Evaluating and Improving Compositional Text-to-Visual Generation",
            "Li, Lin, Pathak et al.",
            2024,
            "arXiv:2406.13743",
            "https://arxiv.org/abs/2406.13743",
            "§4",
        ),
        Paper(
            "Ties Matter: Meta-Evaluating Modern Metrics with Pairwise Accuracy and Tie Calibration",
            "Deutsch, Foster, Freitag",
            2023,
            "EMNLP",
            "https://arxiv.org/abs/2305.14324",
            "§4 and §5",
        ),
    ),
    needs=("prompt", "models", "scores"),
    assumes=("Prompts are independent draws; raters of a picture are averaged.",),
    limits=(
        "The tie width is chosen on the same pairs: with few pictures the accuracy is flattered.",
        "Pairs of pictures of different prompts count, so that a metric is also judged on telling hard prompts apart.",
    ),
    when="Before a metric reranks pictures; judges.vqa_score makes scores, audit.metric_choice is for texts.",
    unit="share of pairs in people's order",
    rows=(60,),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Rated pictures with the scores of metrics; n pictures, m metrics, R raters.

    Arguments:
        prompts, models, metrics, skills: names.
        prompt, model, candidate: [n] codes.
        rating: [n, R] 1 to 5; NaN where there is none.
        score: [n, m] of the metrics, higher is better; NaN where there is none.
        tagged: [prompts, skills] whether a prompt asks for a skill.
    """

    prompts: tuple[str, ...]
    models: tuple[str, ...]
    metrics: tuple[str, ...]
    skills: tuple[str, ...]
    prompt: IntArray
    model: IntArray
    candidate: IntArray
    rating: FloatArray
    score: FloatArray
    tagged: BoolArray

    @property
    def human(self) -> FloatArray:
        """[n] mean of the raters; NaN where nobody rated."""
        given = np.isfinite(self.rating).sum(axis=1)
        out = np.full(given.size, np.nan)
        return np.divide(np.nansum(self.rating, axis=1), given, out=out, where=given > 0)


def load(path: Path | str, *, scores: Path | str, skills: Path | str | None = None) -> Answers:
    """Ratings, scores and skills.

    Arguments:
        path: ratings, `genai_image.json` or the `human_rating.json` of the ranking set.
        scores: of the metrics, as above.
        skills: `genai_skills.json`; no slices without it.

    Errors: files in another form; ratings outside 1 to 5; scores of no rated picture.
    """
    return answers(*read(path, scores, skills))


def answers(rows: list[Row], tags: dict[str, list[str]]) -> Answers:
    """The table from rows (prompt, model, candidate, ratings, metric → score) and prompts by skill."""
    prompts, models = (tuple(dict.fromkeys(str(row[at]) for row in rows)) for at in (0, 1))
    metrics = tuple(dict.fromkeys(name for row in rows for name in row[4]))
    if not metrics:
        raise AdjudgeError("genai_bench: no rated picture has a score.", "One or more.", "Score the same pictures.")
    raters = max(len(row[3]) for row in rows)
    number, coded = ({name: at for at, name in enumerate(names)} for names in (prompts, models))
    tagged = np.array([[name in held for held in map(set, tags.values())] for name in prompts], dtype=bool)
    return Answers(
        prompts,
        models,
        metrics,
        tuple(tags),
        np.array([number[row[0]] for row in rows]),
        np.array([coded[row[1]] for row in rows]),
        np.array([row[2] for row in rows]),
        np.array([[*row[3], *[np.nan] * (raters - len(row[3]))] for row in rows], dtype=float).reshape(-1, raters),
        np.array([[row[4].get(name, np.nan) for name in metrics] for row in rows], dtype=float),
        tagged.reshape(len(prompts), len(tags)),
    )


def score(answers: Answers, *, level: float = 0.95, seed: int = 0) -> Estimate:
    """Tie-calibrated pairwise accuracy of each metric.

    Arguments:
        answers: of `load`.
        level: 1 − the chance of false findings, in (0, 1).
        seed: of the sample of pictures on which the tie width of a large table is chosen.

    Errors: a level outside (0, 1); no picture with a rating and a score.

    Returns the accuracies; figures `pearson`, `kendall`, `no ties` (accuracy with ε = 0), `skills` (accuracy by
    `METRIC · skill`), `gain` (of reranking, `METRIC · best of 3`; `people` choose by the ratings themselves, which none
    can beat), and findings.

    >>> rows = [(f"p{at}", "m", 0, [1.0 + at % 5] * 3, {"good": at % 5 + at / 99, "bad": -at}) for at in range(20)]
    >>> told = score(answers(rows, {}))
    >>> told.names, told.value.round(2).tolist()
    (('good', 'bad'), [1.0, 0.32])
    """
    human = answers.human
    if not 0 < level < 1 or not (np.isfinite(human)[:, None] & np.isfinite(answers.score)).any():
        raise AdjudgeError(
            f"genai_bench: level {level}, or no picture has both a rating and a score.",
            "0 < level < 1, and pictures that people rated and metrics scored.",
            "Score the pictures of the benchmark.",
        )
    width = [_width(answers, j, human, seed) for j in range(len(answers.metrics))]

    def accuracy(j: int, rows: IntArray) -> Told:
        return pair_accuracy(answers.score[rows, j], human[rows], np.ones(rows.size), width[j])

    def of(statistic: Callable[[FloatArray, FloatArray, FloatArray], Told], bounds: tuple[float, float]) -> Estimate:
        return _by_metric(
            answers, lambda j, rows: statistic(answers.score[rows, j], human[rows], np.ones(rows.size)), bounds
        )

    whole = _by_metric(answers, accuracy, (0.0, 1.0))
    figures = {
        "pearson": of(pearson, (-1.0, 1.0)),
        "kendall": of(kendall, (-1.0, 1.0)),
        "no ties": of(lambda x, y, w: pair_accuracy(x, y, w, 0.0), (0.0, 1.0)),
    }
    if answers.skills:
        figures["skills"] = _skills(answers, human, seed)
    gain = _gain(answers, human)
    if gain is not None:
        figures["gain"] = gain
    found = [*_missing(answers, human), *_ties(whole, figures["kendall"], human), *_power(whole, level)]
    return replace(whole, method=METHOD, figures=figures, findings=(*whole.findings, *found))


def _on(answers: Answers, j: int, human: FloatArray) -> IntArray:
    return np.flatnonzero(np.isfinite(answers.score[:, j]) & np.isfinite(human))


def _width(answers: Answers, j: int, human: FloatArray, seed: int) -> float:
    rows = _on(answers, j, human)
    return tie_width(answers.score[rows, j], human[rows], np.ones(rows.size), seed=seed)


def _by_metric(answers: Answers, of: Callable[[int, IntArray], Told], bounds: tuple[float, float]) -> Estimate:
    rows = [_on(answers, j, answers.human) for j in range(len(answers.metrics))]
    told = [(on, of(j, on)) for j, on in enumerate(rows)]
    return jointly(answers.metrics, told, answers.prompt, bounds=bounds, method=METHOD)


def _skills(answers: Answers, human: FloatArray, seed: int) -> Estimate:
    """Accuracy by metric and skill; each slice has a tie width of its own, as published."""
    names, told = [], []
    for j, metric in enumerate(answers.metrics):
        for at, skill in enumerate(answers.skills):
            on = _on(answers, j, human)
            rows = on[answers.tagged[answers.prompt[on], at]]
            x, y, w = answers.score[rows, j], human[rows], np.ones(rows.size)
            names.append(f"{metric} · {skill}")
            told.append((rows, pair_accuracy(x, y, w, tie_width(x, y, w, seed=seed))))
    return jointly(tuple(names), told, answers.prompt, bounds=(0.0, 1.0), method=METHOD)


def _gain(answers: Answers, human: FloatArray) -> Estimate | None:
    """What reranking by each metric gains, and by people; None where nowhere there are three candidates.

    Candidates are the pictures of a model for a prompt; where no model has three they are all pictures of the prompt.
    """
    on = np.flatnonzero(np.isfinite(human) & np.isfinite(answers.score).all(axis=1))
    cell = answers.prompt[on] * len(answers.models) + answers.model[on]
    if np.bincount(cell, minlength=1).max() < BEST_OF[0]:
        cell = answers.prompt[on]
    if np.bincount(cell, minlength=1).max() < BEST_OF[0]:
        return None
    choosers = [*zip(answers.metrics, answers.score[on].T, strict=True), ("people", human[on])]
    ks = [k for k in BEST_OF if np.bincount(cell).max() >= k]
    rows: list[tuple[int, int, float]] = []
    for here in np.split(np.argsort(cell, kind="stable"), np.cumsum(np.unique(cell, return_counts=True)[1])[:-1]):
        y = human[on][here]
        for c, (_, x) in enumerate(choosers):
            for at, k in enumerate(ks):
                if here.size >= k:
                    rows.append((int(answers.prompt[on][here[0]]), c * len(ks) + at, best_of(x[here], y, k) - y.mean()))
    prompt, group, gained = (np.array(column) for column in zip(*rows, strict=True))
    names = tuple(f"{name} · best of {k}" for name, _ in choosers for k in ks)
    return replace(scored_means(names, prompt, group, gained, np.ones(gained.size)), method=METHOD)


def _missing(answers: Answers, human: FloatArray) -> list[Finding]:
    lost = int((~np.isfinite(answers.score) & np.isfinite(human)[:, None]).sum())
    if not lost:
        return []
    text = f"{lost:,} scores of rated pictures are missing: metrics are told on different pictures."
    return [Finding("scores-missing", Severity.WARNING, text, lost, 0.0, "Score all pictures by every metric.")]


def _ties(whole: Estimate, tau: Estimate, human: FloatArray) -> list[Finding]:
    """Whether τ_b, which a metric without ties cannot win where people tie, names another metric the best."""
    if len(whole.names) < 2 or not np.isfinite(whole.value + tau.value).all():
        return []
    best, other = whole.names[int(np.argmax(whole.value))], tau.names[int(np.argmax(tau.value))]
    if best == other:
        return []
    _, count = np.unique(human[np.isfinite(human)], return_counts=True)
    tied = float((count * (count - 1)).sum() / max(count.sum() * (count.sum() - 1), 1))
    text = (
        f"{best} puts most pairs in people's order, {other} has the highest τ_b; people tie "
        f"{100 * tied:.0f} % of the pairs."
    )
    return [Finding("ties-decide", Severity.INFO, text, tied, remedy=f"Believe the accuracy: take {best}.")]


def _power(whole: Estimate, level: float) -> list[Finding]:
    """What difference between two metrics the pictures can show."""
    if not 2 <= len(whole.names) <= 100:
        return []
    apart = whole.differences()
    reach = float(np.nanmax(np.append(detectable(apart.stderr, apart.df, level=level, names=len(apart.names)), 0.0)))
    if reach <= MATTERS:
        return []
    text = (
        f"With these pictures a difference between two metrics shows with {100 * POWER:.0f} % chance from "
        f"{100 * reach:.1f} % on."
    )
    remedy = "Do not order metrics that are closer; rate pictures of more prompts."
    return [Finding("metrics-hardly-apart", Severity.INFO, text, reach, MATTERS, remedy)]
