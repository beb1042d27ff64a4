"""What a run tells of itself: a line of JSON per logged update, and the same curves for TensorBoard.

`metrics.jsonl` is the record: it is cut back to the checkpoint that a run goes on from, so that no update stands in it
twice. TensorBoard's event files are a copy for looking at. Limits: a line holds the figures of its own update, no mean
over those since the line before.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError

FILE, CURVES = "metrics.jsonl", "tensorboard"
Line = Mapping[str, float]


def read(folder: Path) -> tuple[Line, ...]:
    """Lines of a run's `metrics.jsonl`, in order; () where there is none. What a crash has
    spoilt is left out."""
    file = folder / FILE
    lines: list[Line] = []
    for text in file.read_text(encoding="utf-8", errors="replace").splitlines() if file.is_file() else ():
        try:
            found = json.loads(text)
            _ = found["step"] > 0
        except (ValueError, KeyError, TypeError):
            break
        lines.append({name: math.nan if value is None else value for name, value in found.items()})
    return tuple(lines)


class Journal:
    """Takes the lines of a run.

    Arguments:
        folder: of the run; None keeps them in memory alone.
        step: the update that the run goes on from; later lines are cut off.
    """

    def __init__(self, folder: Path | None, step: int) -> None:
        self.findings: tuple[Finding, ...] = ()
        self._lines: list[Line] = []
        self._file, self._curves = None, None
        if folder is None:
            return
        self._lines = [line for line in read(folder) if line["step"] <= step]
        fresh = folder / f"{FILE}.partial"
        try:
            fresh.write_text("".join(map(_json, self._lines)), encoding="utf-8")
            fresh.replace(folder / FILE)
            self._file = (folder / FILE).open("a", encoding="utf-8")
        except OSError as problem:
            fresh.unlink(missing_ok=True)
            raise _no_room(problem) from problem
        self._curves = _curves(folder / CURVES, step)
        if self._curves is None:
            self.findings = (
                Finding(
                    "tensorboard-absent",
                    Severity.INFO,
                    f"TensorBoard is not installed: the curves of this run stand in {FILE} alone.",
                    remedy="pip install 'adjudge[torch]' writes them for TensorBoard too.",
                ),
            )

    @property
    def history(self) -> tuple[Line, ...]:
        """All lines so far, those from before an interruption included."""
        return tuple(self._lines)

    def write(self, line: Line) -> None:
        """Adds a line. It is with the system at once, so that a killed run loses none. Errors: a full disk."""
        self._lines.append(dict(line))
        if self._file is not None:
            try:
                self._file.write(_json(line))
                self._file.flush()
            except OSError as problem:
                raise _no_room(problem) from problem
        if self._curves is None:
            return
        with suppress(OSError):  # curves are for looking at: what matters stands in the file
            for name, value in line.items():
                if name != "step":
                    self._curves.add_scalar(name, value, int(line["step"]))

    def close(self) -> None:
        """Closes the files."""
        if self._file is not None:
            with suppress(OSError):  # what is left of a line that found no room
                self._file.close()
        if self._curves is not None:
            with suppress(OSError):  # a full disk is told by the line or the checkpoint that it cut short
                self._curves.close()


def _no_room(problem: OSError) -> AdjudgeError:
    return AdjudgeError(
        f"train: {FILE} could not be written: {problem.strerror}.",
        "Room for a line in the folder of the run.",
        "Make room and start the run again: it goes on from its last checkpoint.",
    )


def _json(line: Line) -> str:
    """A line of standard JSON, which has no NaN."""
    shown = {name: value if math.isfinite(value) else None for name, value in line.items()}
    return json.dumps(shown) + "\n"


def _curves(folder: Path, step: int) -> Any:
    """A writer of event files that hides what an interrupted run drew after `step`; None without TensorBoard."""
    try:
        with warnings.catch_warnings(action="ignore"):  # TensorBoard's own imports warn of their future
            from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)
