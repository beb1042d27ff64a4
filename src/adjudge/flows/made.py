"""How an answer was made, and how it shows itself: what every flow remembers of a question and does with its answer.

`Setting` is what was asked, `provenance` how it was answered, `Shown` an answer with its table, page and files.
"""

from __future__ import annotations

import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .. import catalogue
from ..core.finding import Finding, Flagged, severe
from ..core.run import Run, array_fingerprint, file_fingerprint
from ..errors import AdjudgeError
from ..reports import export, terminal
from ..reports.files import new_folder, write
from ..reports.page import embedded, page
from ..reports.story import MethodUsed, Provenance, Story


@dataclass(frozen=True, slots=True)
class Setting:
    """What was asked. Arguments: level of the intervals, seed, data: name -> fingerprint, options: as recorded."""

    level: float = 0.95
    seed: int = 0
    data: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    source: object = None

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise AdjudgeError(
                f"level is {self.level:g}.", "A coverage between 0 and 1, such as 0.95.", "Give such a level."
            )
        if self.seed < 0:
            raise AdjudgeError(f"seed is {self.seed}.", "A whole number from 0 on.", "Give such a seed.")

    def run(self, call: str, methods: Iterable[str]) -> Run:
        """A run that starts now.

        Arguments:
            call: the Python call to name when no command line was typed, such as `adjudge.evaluate(…)`.
            methods: addresses of the methods used.
        """
        return Run.now(command(call), seed=self.seed, data=self.data, settings=self.options, methods=methods)


class Shown(ABC):
    """An answer that can show itself in a terminal, a notebook, a page or a file; its repr is the terminal's table."""

    run: Run

    @property
    @abstractmethod
    def story(self) -> Story:
        """The report as plain data."""

    @property
    def severe(self: Flagged) -> bool:
        """Whether a finding is severe: the exit code 2 of the command line."""
        return bool(severe(self.findings))

    def __repr__(self) -> str:
        return self.text("table")

    def _repr_html_(self) -> str:
        return embedded(self.story)

    def text(self, form: str) -> str:
        """The answer as `table`, `json`, `csv` or `md`."""
        forms = {"table": terminal.table, "json": export.to_json, "csv": export.to_csv, "md": export.to_markdown}
        return forms[form](self.story)

    def save(self, folder: str | Path) -> Path:
        """Write `report.html`, `results.json`, `results.csv`, `results.parquet` and `run.json`; the page's path.

        Arguments:
            folder: where; made when it is not there. No input file is ever overwritten.
        """
        inputs, out = [name for name in self.run.data if Path(name).exists()], new_folder(folder)
        for name in ("results.json", "results.csv", "results.parquet"):
            export.save(self.story, out / name, inputs=inputs)
        write(out / "run.json", self.run.to_json(), inputs=inputs)
        return write(out / "report.html", page(self.story), inputs=inputs)


def command(call: str) -> str:
    """The command line that was typed; from Python, where none was, `call`.

    >>> command("adjudge.compare(…)")
    'adjudge.compare(…)'
    """
    program = Path(sys.argv[0]).name if sys.argv else ""
    return shlex.join(["adjudge", *sys.argv[1:]]) if program == "adjudge" else call


def fingerprints(source: object) -> dict[str, str]:
    """Path -> fingerprint of each input file; none for tables in memory."""
    return {str(path): file_fingerprint(path) for path in paths(source) if path.is_file()}


def in_memory(table: Any) -> dict[str, str]:
    """One fingerprint of all columns of a checked table that came from no file."""
    columns = {each.name: getattr(table, each.name) for each in fields(table)}
    return {"table": array_fingerprint({name: value for name, value in columns.items() if hasattr(value, "dtype")})}


def paths(source: object) -> list[Path]:
    """The paths among what was given as a source; none for tables in memory."""
    given = source if isinstance(source, (list, tuple)) else [source]
    return [Path(one) for one in given if isinstance(one, (str, Path))]


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, the worst first."""
    once = {(finding.code, finding.subject, finding.message): finding for finding in findings}
    return tuple(sorted(once.values(), key=lambda finding: -finding.severity))


def provenance(run: Run) -> Provenance:
    """The block that says how it was made, with the papers of the methods used."""
    cards = [(address, catalogue.card(address)) for address in run.methods]
    return Provenance(run, tuple(MethodUsed(address, card.answers, card.papers) for address, card in cards))
