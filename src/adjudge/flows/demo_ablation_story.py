"""Shows which correction does the work: gold of each run, its lead over the judge alone, and what each step adds."""

from __future__ import annotations

from ..core.estimate import Estimate
from ..reports.story import Block, Forest, ForestRow, Prose, Table
from .demo_ablation import BEFORE_IT, CONSTRAINED, Ablation
from .demo_last import KEPT

HEADS = ("Run", "Gold", "Lead over the judge alone", "Added by this step", "Words", "Points", "Kept of updates")


def blocks(ablation: Ablation, level: float) -> tuple[Block, ...]:
    """The part of the page.

    Arguments:
        ablation: the runs.
        level: of the intervals.
    """
    values = ablation.last.values.select([KEPT, *BEFORE_IT])
    leads = [_row(name, ablation.lead(name), level) for name in BEFORE_IT]
    rows = [
        ForestRow(name, float(value), float(error), float(low), float(high))
        for name, value, error, (low, high) in zip(
            values.names, values.value, values.stderr, values.interval(level), strict=True
        )
    ]
    shown = Forest(
        tuple(rows),
        title="Which correction does the work: gold",
        caption="The corrected run with some of its corrections only, on the same fresh prompts. One run each: the "
        "intervals are about prompts, not about seeds.",
        unit="gold label, 0 to 1", bounds=(0.0, 1.0), level=level, count_name="", ranked=False, in_order=True,
    )  # fmt: skip
    over = Forest(
        tuple(leads), title="Which correction does the work: lead", unit=f"gold over that of {KEPT}", level=level,
        reference=0.0, reference_name="no lead", count_name="", ranked=False, in_order=True,
    )  # fmt: skip
    return shown, over, _table(ablation, level), Prose("What the corrections did", (said(ablation, level),))


def said(ablation: Ablation, level: float) -> str:
    """Which step did most, and of which no gain can be told."""
    added = {name: ablation.lead(name, before) for name, before in BEFORE_IT.items()}
    most = max((name for name in added if name != CONSTRAINED), key=lambda name: added[name].value.item())
    unsure = [name for name, lead in added.items() if lead.interval(level)[0, 0] <= 0]
    largest = f"The largest step is from “{BEFORE_IT[most]}” to “{most}”: {_told(added[most], level)} of gold."
    alone = f"The constraint without the other corrections gives {_told(added[CONSTRAINED], level)}."
    if not unsure:
        return f"{largest} {alone} Every step gains."
    steps = ", ".join(f"“{name}” over “{BEFORE_IT[name]}” ({_told(added[name], level)})" for name in unsure)
    return f"{largest} {alone} No gain can be told of {steps}."


def _table(ablation: Ablation, level: float) -> Table:
    last, rows = ablation.last, []
    for name in (KEPT, *BEFORE_IT):
        before, climb = BEFORE_IT.get(name), ablation.climbs[name]
        lead = ("–", "–") if before is None else (_told(ablation.lead(name), level),
                                                  _told(ablation.lead(name, before), level))  # fmt: skip
        gold = last.values.select([name])
        kept = f"{climb.kept} of {climb.steps}{', STOP' if climb.watching.stopped else ''}"
        words, points = float(last.words[name].mean()), float(last.points[name].mean())
        rows.append((name, _told(gold, level, sign=""), *lead, words, points, kept))
    return Table("Which correction does the work: step by step", HEADS, tuple(rows))


def _row(name: str, lead: Estimate, level: float) -> ForestRow:
    low, high = lead.interval(level)[0]
    return ForestRow(name, lead.value.item(), lead.stderr.item(), float(low), float(high))


def _told(figure: Estimate, level: float, sign: str = "+") -> str:
    """A figure with its interval."""
    low, high = figure.interval(level)[0]
    return f"{figure.value.item():{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f})"
