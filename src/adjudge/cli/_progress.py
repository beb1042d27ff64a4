"""A progress bar on the error stream for work that takes more than a moment; silent in a pipe."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from ..backends.engine import Tally
from ..backends.progress import forecast

FIRST = "Preparing"
SHOWN = ("loss", "accuracy", "reward", "kl", "tokens_per_second")


class Moved(Protocol):
    """What a training loop tells of its progress."""

    def __call__(self, done: int, of: int, metrics: Mapping[str, float]) -> None:
        """Updates done, updates in all, and the metrics of the last."""
        ...


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (done, in all) that moves the bar; until the first call it says that work is under way.

    Arguments:
        what: the word before the bar.
    """
    console = Console(file=sys.stderr)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(what, total=None)
    bar.start()

    def move(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)

    try:
        yield move
    finally:
        bar.stop()


@contextmanager
def spending_bar(what: str) -> Iterator[Callable[[int, int, Tally], None]]:
    """A function of (done, in all, tally) that moves a bar with the cost so far, at the end, and the time left.

    Arguments:
        what: the word before the bar.
    """
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    bar = Progress(*columns, TextColumn("{task.fields[cost]}"), console=console, disable=not console.is_terminal)
    tasks: list[TaskID] = []
    start = time.monotonic()

    def move(done: int, total: int, tally: Tally) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task(what, total=total, left="", cost=""))
        seconds, money = forecast(done, total, tally, time.monotonic() - start)
        left = "" if math.isnan(seconds) else f"{timedelta(seconds=round(seconds))} left"
        bar.update(tasks[0], completed=done, left=left, cost=_cost(tally, money))

    try:
        yield move
    finally:
        bar.stop()


@contextmanager
def training_bar(what: str) -> Iterator[Moved]:
    """A function of (updates done, in all, metrics) that moves a bar with the time left and the figures that matter.

    From the start it says that something is prepared: data are read, a model is loaded, gold is asked for a first time.
    On a narrow terminal the figures are cut, never the count and the time.

    Arguments:
        what: the word before the bar.
    """
    console = Console(file=sys.stderr)
    whole, cut = Column(no_wrap=True, min_width=8), Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = (TextColumn("{task.description}", table_column=Column(no_wrap=True, min_width=len(FIRST))), BarColumn(12))
    counts = (MofNCompleteColumn(table_column=whole), TimeRemainingColumn(table_column=whole))
    told = TextColumn("{task.fields[said]}", table_column=cut)
    bar = Progress(*columns, *counts, told, console=console, disable=not console.is_terminal, expand=True)
    tasks: dict[str, TaskID] = {}

    def move(done: int, of: int, metrics: Mapping[str, float]) -> None:
        said = "  ".join(
            _figure(name, metrics[name]) for name in SHOWN if name in metrics and not _empty(name, metrics)
        )
        name = what if metrics else "Reference"  # it is asked about the data before the first update
        if FIRST in tasks:
            bar.remove_task(tasks.pop(FIRST))
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=of, completed=done - 1, said=said)
        bar.update(tasks[name], completed=done, said=said)

    bar.start()
    tasks[FIRST] = bar.add_task(FIRST, total=None, said="")
    try:
        yield move
    finally:
        if FIRST in tasks:  # it ended before it began: the message stands alone
            bar.remove_task(tasks[FIRST])
        bar.stop()


def _empty(name: str, metrics: Mapping[str, float]) -> bool:
    """Whether a figure says nothing: the surrogate loss of policy gradients is 0 by construction."""
    return name == "loss" and "reward" in metrics


def _figure(name: str, value: float) -> str:
    """A figure as it stands beside a bar."""
    return f"{value:,.0f} tokens/s" if name == "tokens_per_second" else f"{name} {value:.3g}"


def _cost(tally: Tally, left: float) -> str:
    """Cost so far and at the end; tokens where there are no prices."""
    shown = f"{tally.cost:.2f} of about {tally.cost + left:.2f}" if tally.cost else ""
    said = shown or f"{tally.tokens:,} tokens"
    return f"{said}, {tally.failed:,} given up" if tally.failed else said


@contextmanager
def told_line() -> Iterator[Callable[[str], None]]:
    """A function of a text that stands on one line of the error stream until the next; silent in a pipe."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda text: None  # noqa: ARG005
        return
    with console.status("Waiting for the run …") as line:
        yield line.update
