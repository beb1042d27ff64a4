"""Watches a run while it goes on: looks again when it has written, until it ends, STOP is said, or somebody leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import AdjudgeError
from ..tables.read_run_log import SAMPLES
from .watching import Watching


def follow(
    look: Callable[[bool], Watching],
    files: Sequence[str | Path],
    *,
    every: float = 10.0,
    patience: float = 3600.0,
    tell: Callable[[str], object] = print,
) -> tuple[Watching, bool]:
    """The last look at a run, and whether somebody left before it ended.

    Arguments:
        look: `flows.watch.watch` of the run, told whether it is over.
        files: whose change asks for another look: the run's folder or table first, then that of labels.
        every: seconds between two looks, > 0.
        patience: seconds without news after which the run counts as over, >= 0.
        tell: takes a line about each look.

    Errors: those of `look`; a run that has written nothing within the patience.
    """
    if not (every > 0 and patience >= 0):
        raise AdjudgeError(
            f"watch: every {every:g} s, patience {patience:g} s.", "Above 0, at least 0.", "Change them."
        )
    paths = [Path(one) / SAMPLES if Path(one).is_dir() else Path(one) for one in files]
    answer, seen, news = None, None, time.monotonic()
    try:
        while True:
            now = [_stamp(one) for one in paths]
            if now != seen and now[0] is not None:
                seen, news = now, time.monotonic()
                answer = _looked(look, answer)
                if answer is not None:
                    tell(_line(answer))
            if answer is not None and (answer.stopped or answer.table.ended):
                break
            if time.monotonic() - news >= patience:
                break
            time.sleep(every)
    except KeyboardInterrupt:
        if answer is None:
            raise
        return answer, True
    return look(True), False


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if found.st_size else None


def _looked(look: Callable[[bool], Watching], before: Watching | None) -> Watching | None:
    """The run as it is now; as it was where its first line is still being written."""
    try:
        return look(False)
    except AdjudgeError as problem:
        if "no whole line" in problem.found:
            return before
        raise


def _line(answer: Watching) -> str:
    """A look in a line."""
    waits = f", {2 * len(answer.walked.open)} labels wanted" if answer.walked.open else ""
    kept = f", best {answer.keep:g}" if answer.keep is not None else ""
    return f"step {answer.table.steps[-1]:g}: {answer.spent} of {answer.labels} labels spent{waits}{kept}"
