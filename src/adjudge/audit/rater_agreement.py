"""Do raters agree better than chance would make them, by how much, and do the labels suffice to tell?

    α = 1 − D_o/D_e  (Krippendorff);   κ (Fleiss, Cohen by pair);   AC1 (Gwet);   ICC where labels are numbers
    ψ_i = (m − 1)/m · (θ − θ without item i): items are the units, for the labels of one item share its difficulty;
    the error of a kappa or alpha is at least what it would be by chance (`stats.agreement.chance`)

Percent agreement alone is high where nearly all labels are of one class; κ alone is low there although raters rarely
differ. Both are shown beside AC1, which hardly moves with prevalence, and a gap between them is a finding of its own.

Krippendorff (2011), Computing Krippendorff's alpha-reliability; Cohen (1960); Fleiss (1971); Gwet (2008); Shrout,
Fleiss (1979). Limits: two raters make Fleiss' κ Scott's π; agreement is no truth: raters can share an error.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.estimate import Audit, Estimate, Part
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.agreement import chance, cohen, icc, krippendorff, pooled
from ..stats.agreement.coefficient import Coefficient
from ..stats.agreement.weights import agreement
from ..stats.certain import never_certain
from ..tables.annotations import Annotations

PANEL = 12  # raters up to which every pair gets its own kappa
HIGH = 0.8  # percent agreement that looks good
GAP = 0.2  # of AC1 over alpha: prevalence, not disagreement, makes alpha low
SLIGHT = 0.2  # alpha below which agreement is no more than slight
FEW = 5  # items of a pair below which nothing is said of it

CARD = Card(
    answers="Do raters agree better than chance, and do the labels suffice to tell?",
    equation="α = 1 − D_o/D_e;   κ = (p_a − p_e)/(1 − p_e),  each with its jackknife over items",
    papers=(
        Paper(
            "Computing Krippendorff's alpha-reliability",
            "Krippendorff",
            2011,
            "University of Pennsylvania, Departmental Papers (ASC) 43",
            "https://repository.upenn.edu/asc_papers/43",
            "Sections A to D",
        ),
        Paper(
            "A coefficient of agreement for nominal scales",
            "Cohen",
            1960,
            "Educational and Psychological Measurement 20(1)",
            "https://doi.org/10.1177/001316446002000104",
        ),
        Paper(
            "Measuring nominal scale agreement among many raters",
            "Fleiss",
            1971,
            "Psychological Bulletin 76(5)",
            "https://doi.org/10.1037/h0031619",
        ),
        Paper(
            "Computing inter-rater reliability and its variance in the presence of high agreement",
            "Gwet",
            2008,
            "British Journal of Mathematical and Statistical Psychology 61(1)",
            "https://doi.org/10.1348/000711006X126600",
        ),
        Paper(
            "Intraclass correlations: uses in assessing rater reliability",
            "Shrout, Fleiss",
            1979,
            "Psychological Bulletin 86(2)",
            "https://doi.org/10.1037/0033-2909.86.2.420",
        ),
    ),
    needs=("rater", "label"),
    assumes=("Items are independent draws; the raters are these raters.",),
    limits=(
        "Raters who share an error agree perfectly: agreement bounds no bias.",
        "Where nearly all labels are of one class, α and κ rest on the few others.",
        "Near full agreement few items differ: at κ = 0.9 and 61 items, intervals of 95 % covered 87 to 89 %.",
    ),
    when="Before labels of several raters are taken as gold; which rater errs is a question for `aggregation`.",
)


def check(table: Annotations, *, level: float = 0.95, enough: float = 0.667) -> Audit:
    """Coefficients of agreement with intervals over items, and findings on what they can and cannot show.

    Arguments:
        table: labels of raters.
        level: coverage of the intervals, in (0, 1).
        enough: alpha from which labels are worth conclusions; 0.667 is the lowest that Krippendorff accepts.

    Errors: a level outside (0, 1).

    Returns findings, and the figures `agreement` (percent, Fleiss' kappa, Krippendorff's alpha, Gwet's AC1; alpha is
    interval where classes are numbers in order, ordinal where they are in order, else nominal), `pairs` (Cohen's
    kappa, linear weights where classes are in order; up to 12 raters) and `icc` (where labels are numbers and items
    have a label of every rater).

    >>> rng = np.random.default_rng(0)
    >>> label, (item, rater) = rng.integers(2, size=633), np.divmod(np.arange(633), 3)
    >>> names = tuple(f"{i:03}" for i in range(211))
    >>> gold, weight = np.full(211, -1), np.ones(633)
    >>> blind = Annotations(names, ("a", "b", "c"), ("no", "yes"), item, rater, label, gold, weight, np.array([0.0, 1]))
    >>> [finding.code for finding in check(blind).findings]
    ['raters-at-chance']
    """
    if not 0 < level < 1:
        raise AdjudgeError(f"rater_agreement: level {level}.", "0 < level < 1.", "Change it.")
    figures = {"agreement": _joint(_pooled(table), len(table.items), _by_chance(table))}
    pairs, least = _pairs(table)
    if pairs:
        figures["pairs"] = _joint(pairs, len(table.items), least)
    grades = _grades(table)
    if grades.shape[0] > 1:
        figures["icc"] = _joint([icc.icc(grades, kind) for kind in icc.KINDS], grades.shape[0])
    findings = [*_told(table, figures["agreement"], level, enough)]
    if pairs:
        findings += _opposed(figures["pairs"], level)
    return Audit(tuple(findings), figures)


def _pooled(table: Annotations) -> list[Coefficient]:
    """The coefficients of the whole panel, over items with a label."""
    counts = table.counts
    ordered, numbers = table.ordinal, bool(np.isfinite(table.value).all())
    if ordered and numbers:
        used = table.weight > 0
        alpha = krippendorff.interval(
            table.item[used], table.value[table.label[used]], table.weight[used], items=len(table.items)
        )
    else:
        alpha = krippendorff.ordinal(counts) if ordered else krippendorff.nominal(counts)
    return [pooled.percent(counts), pooled.fleiss(counts), alpha, pooled.gwet(counts)]


def _by_chance(table: Annotations) -> list[float]:
    """Variance by chance of each pooled coefficient; 0 for those that chance alone does not bring to 0."""
    mass, n = table.counts.sum(axis=0), table.counts.sum(axis=1)
    twice = float(np.sum(n * np.maximum(n - 1, 0)) / 2)
    apart, grades = 1 - np.eye(mass.size), np.cumsum(mass) - mass / 2
    if table.ordinal:
        grades = table.value if np.isfinite(table.value).all() else grades
        far = (grades[:, None] - grades) ** 2
    else:
        far = apart
    return [0.0, chance.variance(apart, mass, mass, twice), chance.variance(far, mass, mass, twice), 0.0]


def _pairs(table: Annotations) -> tuple[list[Coefficient], list[float]]:
    """Cohen's kappa of each pair of raters that share enough items, named after them; and its variance by chance."""
    raters, m, classes = len(table.raters), len(table.items), len(table.classes)
    if not 2 <= raters <= PANEL:
        return [], []
    weights = agreement(np.arange(float(classes)), "linear") if table.ordinal else None
    share = []
    for j in range(raters):
        mine = table.rater == j
        at = (table.item[mine], table.label[mine], table.weight[mine])
        share.append(cohen.shares(*at, items=m, classes=classes))
    apart = 1.0 - (np.eye(classes) if weights is None else weights)
    made, least = [], []
    for one, two in itertools.combinations(range(raters), 2):
        shared = share[one].any(axis=1) & share[two].any(axis=1)
        if shared.sum() >= FEW:
            found = cohen.kappa(share[one], share[two], weights=weights)
            name = f"{table.raters[one]} · {table.raters[two]}"
            made.append(Coefficient(name, found.sums, found.item, found.of))
            mine, other = (share[j][shared].sum(axis=0) for j in (one, two))
            least.append(chance.variance(apart, mine, other, float(shared.sum())))
    return made, least


def _grades(table: Annotations) -> FloatArray:
    """[m', J] mean number that each rater gave each item, of items with a label of every rater."""
    m, raters = len(table.items), len(table.raters)
    if raters < 2 or len(table.classes) == 0 or not np.isfinite(table.value).all() or m * raters > 8 * table.n + 1000:
        return np.empty((0, raters))
    cell = table.item * raters + table.rater
    mass = np.bincount(cell, table.weight, m * raters)
    total = np.bincount(cell, table.weight * table.value[table.label], m * raters)
    mean = np.divide(total, mass, out=np.full(mass.size, np.nan), where=mass > 0).reshape(m, raters)
    return np.asarray(mean[np.isfinite(mean).all(axis=1)])


def _joint(coefficients: list[Coefficient], items: int, least: Sequence[float] = (0.0,)) -> Estimate:
    """Several coefficients with their joint error over items, none below what chance alone would make."""
    value = np.array([each.value for each in coefficients])
    influence = np.column_stack([each.influence() for each in coefficients]).reshape(items, len(coefficients))
    influence = chance.kept(influence, value, np.array(least))
    units = np.array([(each.times * (each.sums[:, 0] > 0)).sum() for each in coefficients], dtype=float)
    estimate = Estimate(
        tuple(each.name for each in coefficients),
        value,
        (Part.from_influence("sampling", influence),),
        np.maximum(units - 1.0, 1.0),
        (-1.0, 1.0),
        method="audit.rater_agreement",
    )
    return never_certain(estimate)


def _told(table: Annotations, estimate: Estimate, level: float, enough: float) -> list[Finding]:
    """What the panel's alpha shows, or why it shows nothing."""
    percent, _, alpha, gwet = estimate.value
    low, high = estimate.interval(level)[2]
    if not np.isfinite(low + high):
        return [_complete(table, level) if alpha > 1 - 1e-9 else _silent(table)]
    seen = f"Krippendorff's alpha is {alpha:.2f} ({100 * level:.0f} % interval {low:.2f} to {high:.2f})"
    said = []
    if high < SLIGHT:
        text = f"{seen}: raters agree no better than chance, or hardly."
        remedy = "Clarify the instructions with examples before labelling on; do not use these labels as gold."
        said.append(Finding("raters-at-chance", Severity.SEVERE, text, float(high), SLIGHT, remedy))
    elif low > 0 and high < enough:
        text = f"{seen}, below {enough:.2f}: raters agree, but too little to build on one label an item."
        remedy = "Collect several labels an item and aggregate them, or clarify the instructions."
        said.append(Finding("agreement-low", Severity.WARNING, text, float(alpha), enough, remedy))
    elif low < enough:
        floor = 0.0 if low <= 0 else enough
        need = _items_needed(estimate.stderr[2], alpha - floor, len(table.items), level)
        text = f"{seen}: too wide to tell it from {f'{enough:.2f}' if floor else 'chance'}."
        remedy = f"Let two raters or more label about {need:,.0f} items instead of {len(table.items):,}."
        severity = Severity.WARNING if low <= 0 else Severity.INFO
        said.append(Finding("agreement-undecided", severity, text, float(low), floor, remedy))
    if percent >= HIGH and alpha < enough and gwet - alpha > GAP:
        top = int(np.argmax(table.counts.sum(axis=0)))
        part = table.counts[:, top].sum() / table.counts.sum()
        text = (
            f"Raters agree on {100 * percent:.0f} % of pairs but alpha is {alpha:.2f}: {100 * part:.0f} % of labels "
            f"are {table.classes[top]}, so chance alone agrees nearly as often (Gwet's AC1 {gwet:.2f})."
        )
        remedy = f"Let raters label more items that are not {table.classes[top]}; do not report percent alone."
        said.append(Finding("agreement-by-prevalence", Severity.WARNING, text, float(gwet - alpha), GAP, remedy))
    return said


def _items_needed(stderr: float, gap: float, items: int, level: float) -> float:
    """Items at which an alpha as far from the floor as this one, or 0.05, would be told from it, with 80 % chance."""
    reach = special.ndtri(0.5 + level / 2) + special.ndtri(0.8)
    return float(max(np.ceil(items * (reach * stderr / max(abs(gap), 0.05)) ** 2), items + 1))


def _complete(table: Annotations, level: float) -> Finding:
    """Raters never differ: how often they still might, by the rule of three."""
    twice = int((table.counts.sum(axis=1) > 1).sum())
    most = -float(np.expm1(np.log1p(-level) / twice))
    return Finding(
        "agreement-complete",
        Severity.INFO,
        f"Raters never differ on {twice:,} items; with {100 * level:.0f} % confidence they do on at most "
        f"{100 * most:.1f} % of all.",
        most,
        0.0,
        "Make sure that raters did not see each other's labels.",
    )


def _silent(table: Annotations) -> Finding:
    """Nothing can be said, and why."""
    twice = int((table.counts.sum(axis=1) > 1).sum())
    used = int((table.counts.sum(axis=0) > 0).sum())
    why = f"{twice:,} items have two labels or more, and {used} of {len(table.classes)} classes are in use"
    return Finding(
        "agreement-unknown",
        Severity.WARNING,
        f"How well raters agree cannot be told: {why}.",
        float(twice),
        2.0,
        "Let a second rater label items of every class that the first one found.",
    )


def _opposed(estimate: Estimate, level: float) -> list[Finding]:
    """Pairs that surely agree less than chance, over all pairs."""
    high = estimate.interval(1 - (1 - level) / max(len(estimate.names), 1))[:, 1]
    return [
        Finding(
            "raters-opposed",
            Severity.SEVERE,
            f"{name} agree less than chance would make them (Cohen's kappa {kappa:.2f}, at most {top:.2f}).",
            float(kappa),
            0.0,
            "Check whether one of them read the scale the wrong way round.",
            tuple(name.split(" · ")),
        )
        for name, kappa, top in zip(estimate.names, estimate.value, high, strict=True)
        if top < 0
    ]
