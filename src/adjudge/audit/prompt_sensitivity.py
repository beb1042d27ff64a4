"""How far do a judge's verdicts hang on the wording and the length of its prompt?

    spread_j = Var over versions v of the mean score s̄_jv, less its sampling noise:   v̂ᵀPv̂/(V − 1) − tr(PΣ)/(V − 1)
    changes_j = mean over rows of the chance that two versions, drawn at random, mark a row differently
    slope_j = change of agreement with gold per doubling of the prompt's length

Score columns are versions of one judge's prompt, on the same rows, so that differences between versions are paired.
Percent agreement and Cohen's κ with gold are compared the same way where there is gold.

Thakur, Choudhary, Ramayapally et al. (2024), Judging the Judges, §5.2 (length and wording of the prompt). Limits: one
version shows nothing; versions are these versions: others may differ more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.agreement import confusion
from ..stats.power import POWER, detectable
from ..stats.scored_means import scored_means
from ..tables.ratings import Ratings
from ._marked import Marked, marked

METHOD = "audit.prompt_sensitivity"
MATTERS = 0.05  # a difference between versions, of a score or agreement in [0, 1], that a powerful audit should see
MOST = 40  # versions of one judge that are compared in pairs
MEASURES = {"score": "mean score", "percent": "agreement with gold", "kappa": "Cohen's kappa with gold"}

CARD = Card(
    answers="How far do a judge's verdicts hang on the wording and the length of its prompt?",
    equation="spread = v̂ᵀPv̂/(V−1) − tr(PΣ)/(V−1);   changes = mean chance that two versions mark a row differently",
    papers=(
        Paper(
            "Judging the Judges: Evaluating Alignment and Vulnerabilities in LLMs-as-Judges",
            "Thakur, Choudhary, Ramayapally et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2406.12624",
            "Section 5.2",
        ),
    ),
    needs=("score",),
    assumes=("Items, or clusters of them, are independent; every version judged a random part of the same rows.",),
    limits=("A judge that is drawn at temperature > 0 changes by chance too: compare with repeats of one version.",),
    when="Before one prompt is settled on, and before a small difference between policies is believed.",
    rows=(71,),
)


def check(
    ratings: Ratings,
    *,
    versions: Mapping[str, Sequence[str]] | None = None,
    length: Mapping[str, float] | None = None,
    level: float = 0.95,
    threshold: float = 0.5,
) -> Audit:
    """Spread of scores and of agreement with gold between versions of a judge's prompt.

    Arguments:
        ratings: table whose score columns are versions; gold is optional.
        versions: by judge, the names of its columns; all columns are one judge's by default.
        length: by column, length of its prompt in words or tokens, > 0.
        level: 1 − the chance of a false finding of any judge and measure, for each kind of finding, in (0, 1).
        threshold: least score, and least gold label, that counts as a yes.

    Errors: a level outside (0, 1); a version that is no score column; a length that is not > 0.

    Returns findings, and by judge the figures `JUDGE score`, `JUDGE percent`, `JUDGE kappa` (by version), with
    `… differences` of each (earlier − later version) and `… slope` where lengths are given; over judges `spread`
    (variance of the mean score between versions) and `changes`.

    >>> from adjudge.sim.judging import Judging
    >>> from dataclasses import replace
    >>> one = Judging(items=97).draw(0).ratings
    >>> two = replace(one, judges=("short", "long"), score=np.column_stack([one.score, one.score * 0.8]))
    >>> [finding.code for finding in check(two).findings][0]
    'prompt-moves-scores'
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"prompt_sensitivity: level {level}.", "0 < level < 1.", "Change it.")
    columns = _columns(ratings, versions, length)
    found = marked(ratings, threshold, who="prompt_sensitivity")
    score = ratings.score[ratings.weight > 0]
    figures: dict[str, Estimate] = {}
    findings: list[Finding] = []
    judged = np.isfinite(score)
    several = {judge: at for judge, at in columns.items() if len(at) > 1 and judged[:, at].all(axis=1).any()}
    for judge, at in several.items():
        measures = _measures(found.only(at), score[:, at])
        kinds = len(several) * max(len(measures) - 1, 1)  # one of scores, the others of agreement
        every = 1 - (1 - level) / (len(several) * len(measures))
        for measure, figure in measures.items():
            figures[f"{judge} {measure}"] = figure
            if len(at) <= MOST:
                figures[f"{judge} {measure} differences"] = figure.differences()
            each = len(several) if measure == "score" else kinds
            findings += _told(judge, measure, figures, 1 - (1 - level) / each)
            if length:
                figures[f"{judge} {measure} slope"] = _slope(figure, length)
                findings += _by_length(judge, measure, figures[f"{judge} {measure} slope"], every)
    if several:
        figures["spread"] = _spread({judge: figures[f"{judge} score"] for judge in several})
        figures["changes"] = _changes(found, several)
    findings += [_alone(judge, len(at)) for judge, at in columns.items() if judge not in several]
    return Audit(tuple(findings), figures)


def _columns(
    ratings: Ratings, versions: Mapping[str, Sequence[str]] | None, length: Mapping[str, float] | None
) -> dict[str, list[int]]:
    """Positions of the score columns of each judge."""
    wanted = {"judge": ratings.judges} if versions is None else versions
    named = [name for names in wanted.values() for name in names]
    lost = sorted({*named, *(length or {})} - {*ratings.judges})
    short = [name for name in named if length is not None and not length.get(name, 0.0) > 0]
    if lost or short:
        what = f"{lost[0]!r} is no score column" if lost else f"{short[0]!r} has no length > 0"
        raise AdjudgeError(
            f"prompt_sensitivity: {what}.",
            f"Score columns: {', '.join(ratings.judges) or 'none'}; a length for each of them, or for none.",
            "Change versions= or length=.",
        )
    return {judge: [ratings.judges.index(name) for name in names] for judge, names in wanted.items()}


def _measures(found: Marked, score: FloatArray) -> dict[str, Estimate]:
    """By version: the mean score on rows that all versions judged, and its agreement with gold."""
    judged = np.asarray(np.isfinite(score).all(axis=1), dtype=bool)
    i, v = np.nonzero(np.repeat(judged[:, None], score.shape[1], axis=1))
    made = {"score": scored_means(found.judges, found.cluster[i], v, score[i, v], found.weight[i])}
    if (judged & np.isfinite(found.gold)).any():
        made["percent"] = found.share(np.where(judged[:, None], found.right, np.nan))
        cells = [
            confusion.cells(np.where(judged, yes, np.nan), found.gold, found.weight, found.cluster, found.units)
            for yes in found.yes.T
        ]
        made["kappa"] = confusion.joint(found.judges, cells, confusion.cohen, method=METHOD)
    return made


def _spread(scores: Mapping[str, Estimate]) -> Estimate:
    """Variance of the mean score between versions, free of sampling noise; its error by the law of quadratic forms."""
    value, variance, df = [], [], []
    for figure in scores.values():
        count = len(figure.names)
        P = (np.eye(count) - 1.0 / count) / (count - 1)
        noise = P @ figure.covariance
        value.append(figure.value @ P @ figure.value - np.trace(noise))
        variance.append(4 * figure.value @ noise @ P @ figure.value + 2 * np.trace(noise @ noise))
        df.append(float(np.min(figure.df)))
    apart = np.array(variance)
    part = Part("sampling", np.diag(np.where(apart > 0, apart, np.nan)), int(max(df)) + 1)
    return Estimate(tuple(scores), np.array(value), (part,), np.array(df), method=METHOD)


def _changes(found: Marked, columns: Mapping[str, list[int]]) -> Estimate:
    """Chance that two versions of a judge, drawn at random, mark a row differently."""
    values = []
    for at in columns.values():
        known = np.isfinite(found.yes[:, at])
        n, yes = known.sum(axis=1), np.nansum(found.yes[:, at], axis=1)
        differ = np.full(n.size, np.nan)
        np.divide(2 * yes * (n - yes), n * (n - 1), out=differ, where=n > 1)
        values.append(differ)
    table = np.column_stack(values)
    i, j = np.nonzero(np.isfinite(table))
    return scored_means(tuple(columns), found.cluster[i], j, table[i, j], found.weight[i], bounds=(0.0, 1.0))


def _slope(figure: Estimate, length: Mapping[str, float]) -> Estimate:
    """Change of a figure per doubling of the prompt's length, by least squares over the versions."""
    x = np.log2([length[name] for name in figure.names])
    x = x - x.mean()
    size = float(x @ x)
    return figure.contrast(x / size if size > 0 else np.full(x.size, np.nan), ["per doubling"])


def _told(judge: str, measure: str, figures: Mapping[str, Estimate], level: float) -> list[Finding]:
    """Whether any two versions differ, how far apart the versions may be, and what could not have been seen."""
    figure, apart = figures[f"{judge} {measure}"], figures.get(f"{judge} {measure} differences")
    if apart is None or not np.isfinite(apart.stderr).any():
        return []
    if np.nanmax(np.abs(apart.value)) == 0:
        return []
    held = apart.simultaneous(level)
    p = np.nan_to_num(apart.stepdown(0.0), nan=1.0)
    most = float(np.nanmax(np.abs(held)))
    low, high = (figure.names[int(pick(figure.value))] for pick in (np.nanargmin, np.nanargmax))
    width = float(np.nanmax(figure.value) - np.nanmin(figure.value))
    if p.min() <= 1 - level:
        least = float(np.nanmax(np.maximum(held[:, 0], -held[:, 1])))
        text = (
            f"The {MEASURES[measure]} of {judge} differs by {width:.3g} between prompts, from {low} to {high} "
            f"(surely by {least:.2g}, at most {most:.2g})."
        )
        remedy = "Fix one prompt before the run and report it, or average over several."
        code = "prompt-moves-scores" if measure == "score" else "prompt-moves-agreement"
        return [Finding(code, Severity.WARNING, text, width, 0.0, remedy, (judge, low, high))]
    reach = float(np.nanmax(detectable(apart.stderr, apart.df, level=level, names=len(apart.names))))
    if reach <= MATTERS:
        return []
    text = (
        f"No difference between prompts is shown in the {MEASURES[measure]} of {judge}; one would be seen with "
        f"{100 * POWER:.0f} % chance from {reach:.2g} on."
    )
    remedy = "Judge more items with every version."
    return [Finding("prompt-effect-not-shown", Severity.INFO, text, reach, MATTERS, remedy, (judge,))]


def _by_length(judge: str, measure: str, slope: Estimate, level: float) -> list[Finding]:
    """Whether the measure goes with the length of the prompt."""
    p = float(slope.pvalue(0.0)[0])
    if not p <= 1 - level:
        return []
    text = (
        f"The {MEASURES[measure]} of {judge} changes by {slope.value[0]:+.2g} per doubling of the prompt (p = {p:.2g})."
    )
    remedy = "Prefer the length at which agreement with gold is best, and keep it."
    return [Finding("prompt-length-matters", Severity.WARNING, text, float(slope.value[0]), 0.0, remedy, (judge,))]


def _alone(judge: str, count: int) -> Finding:
    why = "there is one version of its prompt" if count < 2 else "no row was judged with all versions of its prompt"
    return Finding(
        "one-version",
        Severity.INFO,
        f"Nothing can be said about the sensitivity of {judge}: {why}.",
        1.0,
        2.0,
        "Judge the same items with a second wording.",
        (judge,),
    )
