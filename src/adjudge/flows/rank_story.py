"""Tells a ranking as a story: verdict, ratings, effects, wins seen and predicted, pairs, cycles, how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .. import catalogue
from ..core.estimate import Estimate
from ..reports.story import Block, Findings, Forest, ForestRow, Prose, Story, Table
from ..tables.comparisons import Comparisons
from ..tables.ratings import Ratings
from .blocks import forest_rows, pair_matrix
from .derived import MOST_PAIRS
from .figure_blocks import figure_blocks
from .made import provenance
from .verdict import verdict
from .win_block import win_block

if TYPE_CHECKING:
    from .ranking import Ranking

POINTS = "rating points"  # begins the unit of ratings on the scale of odds
BESIDE = {
    "effects": ("What moves the votes beside quality", "Effect", "rating points"),
    "raters": ("Who votes well", "Rater", "reliability"),
    "order": ("What being shown first is worth", "Rater", "rating points"),
}
"""Figures of a method that get a forest of their own: title, head of the names, unit."""


def story(answer: Ranking) -> Story:
    """The report of a ranking."""
    table, k = answer.table, len(answer.estimate.names)
    blocks: list[Block] = [_forest(answer)]
    blocks += [
        _beside(answer, name, answer.estimate.figures[name]) for name in BESIDE if name in answer.estimate.figures
    ]
    if answer.before is not None:
        blocks.append(_before_and_after(answer, answer.before))
    if isinstance(table, Comparisons) and k > 1:
        blocks.append(win_block(table, answer.estimate, answer.order))
    if 2 <= k <= MOST_PAIRS:
        blocks.append(pair_matrix(answer))
    blocks += figure_blocks(answer.estimate, answer.order, level=answer.level)
    blocks += _cycles(answer)
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [Prose("Why this method", (answer.reason,)), provenance(answer.run)]
    return Story(
        title=f"Who is best of {k:,}?" if k > 1 else f"How good is {answer.estimate.names[0]}?",
        verdict=verdict(answer),
        blocks=tuple(blocks),
        facts=_facts(table),
    )


def _facts(table: Comparisons | Ratings) -> tuple[str, ...]:
    if isinstance(table, Ratings):
        return (
            f"{table.k:,} policies",
            f"{table.n:,} scores",
            f"{np.unique(table.item).size:,} tasks",
            f"{table.units:,} independent units",
        )
    facts = [f"{table.k:,} policies", f"{table.battles:,.0f} votes"]
    if table.trusted.any():
        facts.append(f"{table.count[table.trusted].sum():,.0f} of them trusted")
    if len(table.raters) > 1:
        facts.append(f"{len(table.raters):,} raters")
    facts += [f"{np.unique(column).size:,} clusters" for column in table.cluster.T]
    return tuple(facts)


def _forest(answer: Ranking) -> Forest:
    e, votes = answer.estimate, isinstance(answer.table, Comparisons)
    rated = np.isfinite(e.value)
    notes = tuple(f"group {group}" if rated[p] else "" for p, group in enumerate(answer.groups))
    unit = catalogue.card(e.method).unit
    return Forest(
        forest_rows(answer, answer.n_rows, alone=answer.alone, notes=notes),
        title="Ratings" if votes and unit.startswith(POINTS) else "How each policy does",
        caption="Policies that share a letter of their group are not told apart." if answer.groups else "",
        unit=unit or e.method.partition(".")[2].replace("_", " "),
        bounds=e.bounds,
        level=answer.level,
        count_name="Votes" if votes else "Scores",
    )


def _per_deviation(effects: Estimate, scaled: Estimate | None) -> Estimate:
    """Effects told for one standard deviation of a covariate where that is known, so that they compare."""
    if scaled is None:
        return effects
    at = [effects.index(name) for name in scaled.names]
    scale = np.ones(len(effects.names))
    scale[at] = scaled.stderr / effects.stderr[at]
    names = [f"{name}, one standard deviation" if name in scaled.names else name for name in effects.names]
    return effects.contrast(np.diag(scale), names)


def _beside(answer: Ranking, name: str, figure: Estimate) -> Forest:
    title, subject, of = BESIDE[name]
    figure = _per_deviation(figure, answer.estimate.figures.get(f"{name} per sd"))
    low_high, stderr = figure.interval(answer.level), figure.stderr
    rows = tuple(
        ForestRow(policy=what, value=float(v), stderr=float(s), low=float(lh[0]), high=float(lh[1]))
        for what, v, s, lh in zip(figure.names, figure.value, stderr, low_high, strict=True)
    )
    zero = 0.0 if name != "raters" else float("nan")
    return Forest(
        rows,
        title=title,
        unit=of,
        level=answer.level,
        reference=zero,
        reference_name="no effect",
        subject=subject,
        ranked=False,
    )


def _before_and_after(answer: Ranking, before: Estimate) -> Table:
    """Ratings without and with the effects held apart, and the ranks that go with them."""
    after = answer.estimate
    places = [np.argsort(np.argsort(np.where(np.isfinite(e.value), -e.value, np.inf))) + 1.0 for e in (before, after)]
    places = [np.where(np.isfinite(e.value), place, np.nan) for e, place in zip((before, after), places, strict=True)]
    columns = (*places, before.value, after.value, after.value - before.value)
    rows = tuple((after.names[p], *(_whole(float(column[p])) for column in columns)) for p in answer.order)
    return Table(
        "Before and after control",
        ("Policy", "Rank before", "Rank after", "Rating before", "Rating after", "Change"),
        rows,
        caption="The rating that remains when the effects above are held apart from quality.",
    )


def _whole(value: float) -> int | float:
    return round(value) if np.isfinite(value) else value


def _cycles(answer: Ranking) -> list[Block]:
    """What the audit of intransitivity measured, as a table."""
    if answer.cycles is None or not answer.cycles.figures:
        return []
    rows = tuple(
        (what, float(figure.value[i]), float(low), float(high))
        for figure in answer.cycles.figures.values()
        for i, (what, (low, high)) in enumerate(zip(figure.names, figure.interval(answer.level), strict=True))
    )
    return [Table("Do preferences run in circles?", ("Figure", "Value", "Low", "High"), rows)]
