"""Tells an audit as a story: how often judges are right, what moves them beside quality, what nobody could see."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .. import catalogue
from ..core.estimate import Audit, Estimate
from ..core.finding import severe
from ..reports.story import Block, Findings, Forest, Story
from ..tables.annotations import Annotations
from ..tables.comparisons import Comparisons
from ..tables.critiques import Critiques
from ..tables.ratings import Ratings
from ..tables.trials import Trials
from .audit_factors import effects
from .audit_main import Main, extremes, opening
from .audit_tables import SEVERAL, Audited
from .consensus_table import consensus_blocks
from .figure_blocks import said
from .figure_tables import figure_tables, rows_of
from .made import provenance

if TYPE_CHECKING:
    from .auditing import Auditing


FACTORS = (("accuracy", "accuracy"), ("flips", "flip rate"))
"""Figures by judge whose parts of the name get effects of their own, and how they are called."""


def story(answer: Auditing) -> Story:
    """The report of an audit."""
    blocks: list[Block] = []
    main = opening(answer.audits)
    if main is not None:
        blocks.append(_forest(answer, *main))
    position = answer.audits.get("audit.position_bias", Audit()).figures
    for name, called in FACTORS:
        if name in position:
            blocks += _factors(answer, position[name], called)
    for key, audit in answer.audits.items():
        address, _, of = key.partition(": ")
        question = catalogue.card(address).answers
        blocks += figure_tables(f"{question} {of}" if of else question, audit.figures, answer.level)
    if isinstance(answer.table, Annotations):
        blocks += consensus_blocks(answer.table, answer.level, seed=answer.seed)
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks.append(provenance(answer.run))
    return Story(
        title="How far can these judges be believed?",
        verdict=_verdict(answer, main),
        blocks=tuple(blocks),
        facts=_facts(answer.table, len(answer.audits)),
    )


def _forest(answer: Auditing, main: Main, figure: Estimate) -> Forest:
    rows = rows_of(figure, answer.level, simultaneous=True, seed=answer.seed)
    counts = _counts(answer.table)
    many = any(row.policy in counts for row in rows)
    return Forest(
        tuple(replace(row, n_rows=counts.get(row.policy, 0)) for row in rows),
        title=main.title,
        unit=main.unit,
        bounds=figure.bounds,
        level=answer.level,
        reference=main.reference,
        reference_name=main.reference_name,
        subject="Judge" if many else "Of",
        count_name="Verdicts" if many else "",
    )


def _counts(table: Audited) -> dict[str, int]:
    """Verdicts of each judge."""
    if isinstance(table, Ratings):
        return dict(zip(table.judges, np.isfinite(table.score).sum(axis=0).tolist(), strict=True))
    if isinstance(table, Trials):
        both = itertools.product(enumerate(table.judges), enumerate(table.conditions))
        return {
            f"{judge}{SEVERAL}{condition}": int(((table.judge == j) & (table.condition == c)).sum())
            for (j, judge), (c, condition) in both
        }
    if isinstance(table, Critiques):
        return dict(zip(table.critics, np.bincount(table.critic, minlength=len(table.critics)).tolist(), strict=True))
    names, who = table.raters, table.rater
    return dict(zip(names, np.bincount(who, minlength=len(names)).tolist(), strict=True))


def _factors(answer: Auditing, figure: Estimate, called: str) -> list[Block]:
    return [
        Forest(
            rows_of(effect, answer.level),
            title=f"What each {column} does to {called}",
            caption=f"Against the mean of all levels of {column}, the other parts of the rater's name held apart.",
            unit=f"change of {called}",
            level=answer.level,
            reference=0.0,
            reference_name="no effect",
            subject=said(column),
            ranked=False,
        )
        for column, effect in effects(figure, answer.raters).items()
    ]


def _verdict(answer: Auditing, main: tuple[Main, Estimate] | None) -> str:
    """What a person who decides should know first."""
    distrusted = severe(answer.findings)
    sentence = "" if main is None else extremes(*main, answer.level)
    if not distrusted:
        return sentence + "Nothing severe was found; what could not have been seen is said below."
    kinds = Counter(finding.code.replace("-", " ") for finding in distrusted)
    said = ", ".join(f"{kind} ({count})" for kind, count in kinds.most_common(3))
    return f"{sentence}Severe: {said}. Read before acting."


def _facts(table: Audited, checks: int) -> tuple[str, ...]:
    asked = _many(checks, "check")
    if isinstance(table, Ratings):
        labels = int(table.labelled.sum())
        return _many(table.n, "answer"), _many(len(table.judges), "judge"), _many(labels, "gold label"), asked
    if isinstance(table, Annotations):
        return _many(table.n, "label"), _many(len(table.items), "item"), _many(len(table.raters), "rater"), asked
    if isinstance(table, Critiques):
        return _many(table.n, "critique"), _many(len(table.critics), "critic"), asked
    if isinstance(table, Trials):
        biases = len(table.conditions) - 1
        told = f"{biases:,} bias{'es' * (biases != 1)}"
        return _many(table.n, "verdict"), _many(len(table.judges), "judge"), told, asked
    assert isinstance(table, Comparisons)
    matches = np.unique(table.match).size
    plural = "" if matches == 1 else "es"
    return (
        _many(round(table.battles), "verdict"),
        f"{matches:,} match{plural}",
        _many(len(table.raters), "rater"),
        asked,
    )


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"
