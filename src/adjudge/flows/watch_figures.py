"""The numbers that a watch rests on, in one table: people read them on the page, programs in its exports."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, isfinite, nan
from typing import TYPE_CHECKING

from ..reports.story import Table

if TYPE_CHECKING:
    from .watching import Watching

Row = tuple[str, float, float, float]


def figures(answer: Watching) -> Table:
    """The bet, the checkpoint to keep, the law and its peak; ends of an interval where a number has one."""
    rows = tuple((name, *map(_cell, numbers)) for name, *numbers in (*_bet(answer), *_law(answer)))
    return Table(
        "Behind it",
        ("What", "Value", "Low", "High"),
        rows,
        caption="Intervals are of this one look; the fortune alone may be looked at after each checkpoint.",
    )


def _bet(answer: Watching) -> Iterator[Row]:
    run, table = answer.walked.watched, answer.table
    yield "Fortune of the bet on a fall", exp(run.wealth), nan, nan
    yield "Fortune at which STOP is said", exp(run.fortune_needed), nan, nan
    yield "Prompts staked", float(run.pairs), nan, nan
    if run.here[0]:
        drop, error = run.drop
        yield f"Gold of {table.name(run.best)} less {table.name(run.latest)}", drop, nan, nan
        yield "Its standard error", error if isfinite(error) else nan, nan, nan
    if answer.keep is not None:
        yield "Step to keep", answer.keep, nan, nan


def _law(answer: Watching) -> Iterator[Row]:
    seen = answer.seen["monitor.overoptimisation"].figures
    if "law" not in seen:
        return
    law = seen["law"]
    for name, value, (low, high) in zip(law.names, law.value, law.interval(answer.level), strict=True):
        yield f"Law: {name}", float(value), float(low), float(high)
    peak, low, high = seen["peak"].value.tolist()
    yield "Law: its peak (√KL)", peak, low, high
    change = seen["change"]
    (low, high), value = change.interval(answer.level)[0], change.value.item()
    yield "Law: gold since the peak", value, float(low), float(high)


def _cell(value: float) -> float | str:
    """A number; a sign that there is none."""
    return "∞" if value == float("inf") else value if isfinite(value) else "–"
