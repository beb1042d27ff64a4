"""What a run said as it went, line by line: the file that `adjudge watch` reads.

Limits: a run that goes on writes its own steps anew, and drops what an interrupted one had written of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch


class Samples:
    """A file of JSON lines, one a response, each with the `step` (updates done) whose policy said it.

    Arguments:
        path: of the file; its folder is made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begun = False

    def write(self, step: int, lines: Sequence[Mapping[str, object]]) -> None:
        """Adds the responses of a step; of several processes the first alone writes."""
        if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_rank():
            return
        if not self._begun:
            self._begin(step)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"step": step, **line}, ensure_ascii=False) + "\n" for line in lines)

    def _begin(self, step: int) -> None:
        """Keeps what was written of earlier steps, whole lines alone."""
        self._begun = True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            return
        kept = []
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    earlier = json.loads(line)["step"] < step
                except (ValueError, KeyError, TypeError):
                    continue
                if earlier and line.endswith("\n"):
                    kept.append(line)
        fresh = self.path.with_suffix(".part")
        fresh.write_text("".join(kept), encoding="utf-8")
        fresh.replace(self.path)
