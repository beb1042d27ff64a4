"""A progress bar on the error stream for work that takes more than a moment; silent in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TaskID


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (done, in all) that moves the bar, which appears with the first call.

    Arguments:
        what: the word before the bar.
    """
    console = Console(file=sys.stderr)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    tasks: list[TaskID] = []

    def move(done: int, total: int) -> None:
        if not tasks:
            bar.start()
            tasks.append(bar.add_task(what, total=total))
        bar.update(tasks[0], completed=done)

    try:
        yield move
    finally:
        bar.stop()
