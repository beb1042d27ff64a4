"""The responses that a watch has drawn along a run, in memory and in `samples.jsonl`: whole steps alone, each once.

A run that died while it wrote them leaves a step that is not whole: it goes, and the run draws it again. Limits: where
no checkpoint stands beside them, responses that the policy of the beginning does not give are taken for another run's,
and removed with what was remembered of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import AdjudgeError
from ..tables import read_run_log
from ..tables.read_run_log import ASK, SAMPLES, STATE

Row = dict[str, Any]


class Rows:
    """Rows of the steps that were looked at.

    Arguments:
        size: rows of a whole step, >= 1.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.all: list[Row] = []
        self._begun: bool | None = None

    def has(self, step: int) -> bool:
        """Whether a step was drawn."""
        return any(row["step"] == step for row in self.all)

    def remember(self, folder: Path | None, step: int) -> None:
        """Takes over what lies in the folder; after the start, steps to come go: the run draws them again."""
        if self._begun is None and folder is not None and (folder / SAMPLES).is_file():
            self.all = _whole(folder / SAMPLES, self.size)
            _rewritten(folder / SAMPLES, self.all)
        if step and not self._begun:
            self.all = [row for row in self.all if float(str(row["step"])) <= step]
            if folder is not None and self.all:
                _rewritten(folder / SAMPLES, self.all)
        self._begun = step > 0

    def add(self, drawn: Sequence[Row], folder: Path | None) -> None:
        """Adds a step, in memory and to the file."""
        self.all += drawn
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / SAMPLES).open("a", encoding="utf-8") as file:
                file.write("".join(map(_line, drawn)))

    def begin(self, drawn: Sequence[Row], folder: Path | None) -> bool:
        """Whether what lies there is of the policy that has drawn these responses to begin with; else it goes.

        Errors: it is of other prompts, and a run with checkpoints stands beside it.
        """
        first = [row for row in self.all if row["step"] == 0]
        going = folder is not None and goes_on(folder)
        if not self.all or _column("response", first) == _column("response", drawn):
            return True
        if going and _column("prompt", first) == _column("prompt", drawn):
            return True  # the arithmetic of another machine; labels that were paid for stay
        if going:
            raise AdjudgeError(
                f"watch: {SAMPLES} in {folder} holds responses to other prompts than are watched now.",
                "A run that goes on is watched on the prompts with which it began: its labels are of them.",
                "Give these prompts again, name another folder, or begin anew (--fresh; resume=False).",
            )
        self.all = []
        if folder is not None:
            for name in (SAMPLES, STATE, ASK):
                (folder / name).unlink(missing_ok=True)
        return False


def goes_on(folder: Path) -> bool:
    """Whether a run in a folder has checkpoints to go on from."""
    return any(folder.glob("checkpoint-*"))


def _column(name: str, rows: Sequence[Row]) -> list[object]:
    return [row.get(name) for row in rows]


def _whole(path: Path, size: int) -> list[Row]:
    """The rows of a file but those of a last step that is not whole."""
    if b"\n" not in path.read_bytes():
        return []  # the run died on its first line
    rows = [dict(row) for row in read_run_log.lines(path, [])]
    last = [row for row in rows if row.get("step") == rows[-1].get("step")]
    return rows if len(last) >= size else rows[: -len(last)]


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _rewritten(path: Path, rows: Sequence[Row]) -> None:
    """Without the steps that a run which goes on from a checkpoint is going to draw again, or a line that was cut."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("".join(map(_line, rows)), encoding="utf-8")
    partial.replace(path)
