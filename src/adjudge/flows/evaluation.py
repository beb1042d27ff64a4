"""The result of `adjudge.evaluate`: an answer that can show itself in a terminal, a notebook, a page or a file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from ..reports import export, terminal
from ..reports.files import new_folder, write
from ..reports.page import embedded, page
from ..reports.story import Story
from .answer import Answer
from .evaluate_story import story


class Evaluation(Answer):
    """An `Answer` and its report; its repr is the table of the command line."""

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)

    def __repr__(self) -> str:
        return terminal.table(self.story)

    def _repr_html_(self) -> str:
        return embedded(self.story)

    def text(self, form: str) -> str:
        """The answer as `table`, `json`, `csv` or `md`."""
        return {"table": terminal.table, "json": export.to_json, "csv": export.to_csv, "md": export.to_markdown}[form](
            self.story
        )

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
