"""Which assertions about outputs agree with people's grades: coverage, false failures, and the set worth keeping.

    coverage = P(fails | graded bad),   FFR = P(fails | graded good),   alignment = harmonic mean(coverage, 1 − FFR)
    chosen = argmax alignment over sets with at most one assertion a criterion and FFR <= limit
    held out = the same three, each output judged by a set that was chosen without its cluster
    drift_k = max_t |Σ_{s<=t} (x_s − x̄)| / (√g · sd x),    x = agreement of k's assertion with grades, in time

A set chosen on a dozen grades looks better on them than it is: `held out` is the honest figure of the procedure. Its
folds share their training grades, so that its variance is taken 1 + K/(K − 1) times (Nadeau, Bengio 2003). Drift is
held against permutations of the order in time; people also change their minds on one output, which is counted.

Shankar, Zamfirescu-Pereira, Hartmann et al. (2024), EvalGen, §4 and §6. Limits: a set without assertions has coverage
and alignment 0; grades of one kind alone leave alignment undefined.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.power import POWER, detectable
from ..tables.assertions import Assertions
from ._assertion_sets import choose, fails, rates

METHOD = "audit.assertions"
FOLDS = 10
PERMUTATIONS = 999
MATTERS = 0.1  # of alignment

CARD = Card(
    answers="Which assertions about outputs agree with people's grades, and what is the best set of them worth?",
    equation="alignment = 2·c·(1 − FFR)/(c + 1 − FFR),  c = P(fails | bad),  FFR = P(fails | good)",
    papers=(
        Paper(
            "Who Validates the Validators? Aligning LLM-Assisted Evaluation of LLM Outputs with Human Preferences",
            "Shankar, Zamfirescu-Pereira, Hartmann et al.",
            2024,
            "UIST",
            "https://arxiv.org/abs/2404.12272",
            "Sections 4 and 6",
        ),
        Paper(
            "Inference for the Generalization Error",
            "Nadeau, Bengio",
            2003,
            "Machine Learning 52(3)",
            "https://doi.org/10.1023/A:1024068626366",
            "Section 3",
        ),
    ),
    needs=("passed", "label", "criterion"),
    assumes=("Graded outputs are like those to come; clusters of outputs are independent.",),
    limits=(
        "Grades that were sampled by what assertions say (data.grade_sampling) tilt the shares of good and bad, not "
        "coverage and FFR, as long as sampling does not look at the grades.",
        "Drift of people and drift of outputs in time look alike here.",
    ),
    when="When assertions written by a model are to stand for people's grades.",
    unit="share",
    rows=(34,),
)


def check(table: Assertions, *, most_ffr: float = 1.0, level: float = 0.95, seed: int = 0) -> Audit:
    """Coverage, FFR and alignment of every assertion and of the chosen set, in sample and held out, and drift in time.

    Arguments:
        table: what outputs passed, and people's grades in order of time; the last grade of an output counts.
        most_ffr: share of good outputs that a set may fail, in (0, 1].
        level: 1 − the chance of any false finding of a kind, in (0, 1).
        seed: of folds and permutations.

    Errors: a level outside (0, 1), or most_ffr outside (0, 1].

    Returns findings, and the figures `coverage`, `ffr`, `alignment` by assertion, `chosen` and `held out` (each with
    the three names); the finding `assertions-chosen` names the set.

    >>> rng = np.random.default_rng(0)
    >>> good = rng.random(61) < 0.6
    >>> right = np.where(rng.random((61, 2)) < [0.95, 0.5], good[:, None], ~good[:, None])
    >>> made = Assertions(("sharp", "noise"), ("tone",), np.zeros(2, int), right.astype(float), np.arange(61),
    ...                   good.astype(float), np.arange(61))
    >>> [finding.subject for finding in check(made).findings if finding.code == "assertions-chosen"]
    [('sharp',)]
    """
    if not 0 < level < 1 or not 0 < most_ffr <= 1:
        raise AdjudgeError(
            f"assertions: level {level}, most_ffr {most_ffr}.", "0 < level < 1, 0 < most_ffr <= 1.", "Fix."
        )
    on = np.flatnonzero(np.isfinite(table.grade))
    grade, passed, cluster = table.grade[on], table.passed[on], table.cluster[on]
    if np.unique(grade).size < 2 or not table.names:
        return Audit((_one_sided(grade),), {})
    figures = rates(np.where(np.isfinite(passed), passed == 0, np.nan), grade, cluster, table.names)
    chosen = choose(passed, grade, table.criterion, most_ffr)
    figures["chosen"] = _three(fails(passed, chosen)[:, None].astype(float), grade, cluster)
    held, folds = _held_out(table, passed, grade, cluster, most_ffr, seed)
    figures["held out"] = _three(held, grade, cluster, 1 + folds / max(folds - 1, 1))
    figures = {name: replace(figure, method=METHOD) for name, figure in figures.items()}
    names = tuple(table.names[a] for a in chosen)
    findings = [_chosen(names, figures, level), *_optimistic(figures, level)]
    findings += [*_drift(table, chosen, level, seed), *_changed(table)]
    return Audit(tuple(findings), figures)


def _three(failed: FloatArray, grade: FloatArray, cluster: IntArray, times: float = 1.0) -> Estimate:
    """Coverage, FFR and alignment of one grader, to be read one by one; their variances taken so many times."""
    found = rates(failed, grade, cluster, ("set",))
    three = tuple(found[name] for name in ("coverage", "ffr", "alignment"))
    spread = np.diag([times * float(each.stderr[0]) ** 2 for each in three])
    spread[~np.eye(3, dtype=bool)] = np.nan
    value, df = (np.array([float(getattr(each, of)[0]) for each in three]) for of in ("value", "df"))
    part = replace(three[0].parts[0], covariance=spread)
    return Estimate(("coverage", "ffr", "alignment"), value, (part,), df, (0.0, 1.0))


def _held_out(
    table: Assertions, passed: FloatArray, grade: FloatArray, cluster: IntArray, most_ffr: float, seed: int
) -> tuple[FloatArray, int]:
    """([g, 1] whether each graded output fails the set chosen without its fold, folds); folds mix good and bad."""
    units, unit = np.unique(cluster, return_inverse=True)
    count = min(FOLDS, units.size)
    bad = np.bincount(unit.ravel(), grade < 0.5)
    order = np.lexsort((np.random.default_rng((seed, 4937)).permutation(units.size), bad))
    fold = np.empty(units.size, dtype=np.int64)
    fold[order] = np.arange(units.size) % count
    failed = np.zeros((grade.size, 1))
    for f in range(count):
        out = fold[unit.ravel()] == f
        rest = ~out
        failed[out, 0] = fails(passed[out], choose(passed[rest], grade[rest], table.criterion, most_ffr))
    return failed, count


def _chosen(names: tuple[str, ...], figures: dict[str, Estimate], level: float) -> Finding:
    held = figures["held out"]
    (c, f, a), low_high = held.value, held.interval(level)
    text = (
        f"Chosen: {', '.join(names) or 'no assertion'}. On outputs that the choice has not seen it catches "
        f"{100 * c:.0f} % of "
        f"bad ones ({100 * low_high[0, 0]:.0f} % to {100 * low_high[0, 1]:.0f} %) and fails {100 * f:.0f} % of good "
        f"ones ({100 * low_high[1, 0]:.0f} % to {100 * low_high[1, 1]:.0f} %)."
    )
    return Finding(
        "assertions-chosen", Severity.INFO, text, float(a), remedy="Grade more outputs to be surer.", subject=names
    )


def _optimistic(figures: dict[str, Estimate], level: float) -> list[Finding]:
    """How much the choice flatters itself, and what alignment can be told at all."""
    seen, held = figures["chosen"].value[2], figures["held out"]
    said, reach = [], float(detectable(held.stderr[2], held.df[2], level=level))
    if seen - held.value[2] > MATTERS:
        text = f"On the grades that chose it the set has alignment {seen:.2f}, on others {held.value[2]:.2f}."
        remedy = "Report the held-out figure, and grade more outputs."
        gap = float(seen - held.value[2])
        said.append(Finding("choice-flatters", Severity.WARNING, text, gap, MATTERS, remedy))
    if not reach <= MATTERS:
        text = f"Differences in alignment show with {100 * POWER:.0f} % chance from {reach:.2f} on."
        remedy = "Grade more outputs, bad ones above all."
        said.append(Finding("grades-few", Severity.INFO, text, reach, MATTERS, remedy))
    return said


def _drift(table: Assertions, chosen: tuple[int, ...], level: float, seed: int) -> list[Finding]:
    """Criteria whose assertion agrees with grades now more, now less, as grading goes on."""
    said = []
    rng = np.random.default_rng((seed, 5651))
    for a in chosen:
        passed = table.passed[table.output, a]
        on = np.isfinite(passed)
        x = (passed[on] == table.label[on]).astype(float)
        if x.size < 8 or x.std() == 0:
            continue
        statistic = _cusum(x[None])[0]
        drawn = _cusum(rng.permuted(np.tile(x, (PERMUTATIONS, 1)), axis=1))
        p = (1 + (drawn >= statistic - 1e-12).sum()) / (PERMUTATIONS + 1)
        if p <= (1 - level) / len(chosen):
            at = int(np.argmax(np.abs(np.cumsum(x - x.mean())))) + 1
            name = table.criteria[int(table.criterion[a])]
            text = (
                f"Grades drift from criterion {name}: its assertion agreed with {100 * x[:at].mean():.0f} % of the "
                f"first {at} "
                f"grades and {100 * x[at:].mean():.0f} % of the {x.size - at} after (p = {p:.2g})."
            )
            remedy = "Look at the later grades: write the criterion anew, and grade the early outputs again."
            said.append(Finding("criteria-drift", Severity.WARNING, text, float(p), 1 - level, remedy, (name,)))
    return said


def _cusum(x: FloatArray) -> FloatArray:
    """[B] largest partial sum of centred rows, in units of its scale."""
    apart = x - x.mean(axis=1, keepdims=True)
    return np.asarray(np.abs(np.cumsum(apart, axis=1)).max(axis=1) / (np.sqrt(x.shape[1]) * x.std(axis=1)))


def _changed(table: Assertions) -> list[Finding]:
    """Outputs that were graded again, and otherwise."""
    order = np.argsort(table.output, kind="stable")
    output, label = table.output[order], table.label[order]
    again = output[1:] == output[:-1]
    turned = again & (label[1:] != label[:-1])
    if not turned.any():
        return []
    text = f"{int(turned.sum())} of {int(again.sum())} grades that were given again differ from the one before."
    remedy = "Talk over what counts as good before more is graded; the last grade is used."
    share = float(turned.sum() / again.sum())
    return [Finding("grades-changed", Severity.WARNING, text, share, 0.0, remedy)]


def _one_sided(grade: FloatArray) -> Finding:
    return Finding(
        "grades-one-sided",
        Severity.WARNING,
        f"{grade.size} outputs are graded, {int((grade < 0.5).sum())} of them bad: coverage and FFR need both kinds.",
        float(grade.size),
        2.0,
        "Grade outputs until some are good and some are bad.",
    )
