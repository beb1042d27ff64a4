"""The result of `adjudge.judge`: verdicts as tables for the other commands, what they cost, what to distrust."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from ..backends.engine import Tally
from ..core.finding import Finding
from ..core.run import Run
from ..reports.files import write
from ..reports.story import Story
from ..tables import verdict_frame
from ..tables.cases import Case
from ..tables.verdicts import Verdict
from .judge_findings import findings
from .judge_story import story
from .made import Shown, worst_first


@dataclass(frozen=True, eq=False, repr=False)
class Judged(Shown):
    """What a judge said.

    Arguments:
        cases: what was judged.
        verdicts: of each case; None where the budget ended before it.
        planted: bias -> verdicts on the same cases with that bias planted.
        tallies: model -> calls, costs and failures.
        spent: whether the budget was used up.
        kept: fields of the cases that become columns of the tables.
        noticed: what the door noticed.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    cases: tuple[Case, ...]
    verdicts: tuple[Verdict | None, ...]
    planted: Mapping[str, tuple[Verdict | None, ...]]
    tallies: Mapping[str, Tally]
    spent: bool
    kept: tuple[str, ...]
    noticed: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @property
    def rater(self) -> str:
        """What the judge is called in the tables: its model, several joined; the protocol where nobody is asked."""
        asked = [word for word in self.tallies if word != "none"]
        return " + ".join(asked) or str(self.run.settings["protocol"])

    @property
    def paired(self) -> bool:
        """Whether the verdicts are on pairs, and all of them."""
        return "left" in self.frame.columns

    @cached_property
    def frame(self) -> pl.DataFrame:
        """One row a verdict; see `tables.verdict_frame.frame`."""
        return verdict_frame.frame(self.cases, self.verdicts, rater=self.rater, kept=self.kept)

    @cached_property
    def votes(self) -> pl.DataFrame:
        """The votes that verdicts were made of, each as it was shown; empty where verdicts are votes themselves."""
        made = verdict_frame.frame(self.cases, self.verdicts, rater=self.rater, kept=self.kept, votes=True)
        return made if any(verdict is not None and verdict.votes for verdict in self.verdicts) else made.clear()

    @cached_property
    def trials(self) -> pl.DataFrame:
        """Verdicts under each condition, for `adjudge audit`; empty where no bias was planted."""
        return verdict_frame.trials(self.cases, self.verdicts, self.planted, rater=self.rater, kept=self.kept)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What to distrust, the worst first."""
        return worst_first((*self.noticed, *findings(self)))

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)

    def save(self, folder: str | Path) -> Path:
        """Write the page and tables of `Shown.save`, and `verdicts`, `votes` and `trials` as Parquet; the page's path.

        Arguments:
            folder: where; made when it is not there.
        """
        page = super().save(folder)
        inputs = [name for name in self.run.data if Path(name).exists()]
        for name, table in (("verdicts", self.frame), ("votes", self.votes), ("trials", self.trials)):
            if table.height:
                buffer = io.BytesIO()
                table.write_parquet(buffer)
                write(Path(folder) / f"{name}.parquet", buffer.getvalue(), inputs=inputs)
        return page
