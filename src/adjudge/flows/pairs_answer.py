"""The result of `adjudge.pairs`: pairs by position, as records that trainers read, as a page and as files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .._typing import FloatArray
from ..core.finding import Finding
from ..core.run import Run
from ..reports.files import write
from ..reports.story import Story
from ..tables.paired_samples import PairedSamples
from ..tables.read_samples import SampledTexts
from .judged import Judged
from .made import Shown
from .pairs_labels import Labels, Margins
from .pairs_story import story


@dataclass(frozen=True, eq=False, repr=False)
class Pairs(Shown):
    """Pairs of samples, by position, with what a trainer reads.

    Arguments:
        source: the samples with their texts.
        made: the pairs, their preference as it stands in `records`.
        chance, error: [m] probability that the chosen one is better in gold, and its standard error; NaN without gold.
        flip: [m] rate at which the preference is wrong, below ½; 0 where the preference itself says so.
        labels: what calibrated them; None without gold.
        judged: the run of a judge, where one was run.
        findings: what to distrust, the worst first.
        run: how it was made.
    """

    source: SampledTexts
    made: PairedSamples
    chance: FloatArray
    error: FloatArray
    flip: FloatArray
    labels: Labels | Margins | None
    judged: Judged | None
    findings: tuple[Finding, ...]
    run: Run

    @cached_property
    def records(self) -> list[dict[str, object]]:
        """One pair each: prompt, chosen, rejected, preference, weight, flip, margin, and what is known beside."""
        made, known = self.made, self.source.log_probability
        columns: dict[str, FloatArray] = {
            "preference": made.preference,
            "weight": made.weight,
            "flip": self.flip,
            "margin": made.margin,
            "preference_error": self.error,
        }
        for side, at in (("chosen", made.chosen), ("rejected", made.rejected)):
            columns[f"score_{side}"] = made.samples.score[at]
            columns[f"log_probability_{side}"] = known[at]
        kept = {name: values for name, values in columns.items() if not np.isnan(values).all() or not values.size}
        texts = (("prompt", self.source.prompt, made.chosen), ("chosen", self.source.response, made.chosen),
                 ("rejected", self.source.response, made.rejected))  # fmt: skip
        return [
            {name: cells[at[row]] for name, cells, at in texts}
            | {name: None if np.isnan(values[row]) else float(values[row]) for name, values in kept.items()}
            for row in range(made.chosen.size)
        ]

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)

    def save(self, folder: str | Path) -> Path:
        """Write the page and tables of `Shown.save`, and `pairs.jsonl`; the page's path.

        Arguments:
            folder: where; made when it is not there.
        """
        page = super().save(folder)
        inputs = [name for name in self.run.data if Path(name).exists()]
        lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in self.records)
        write(Path(folder) / "pairs.jsonl", lines, inputs=inputs)
        return page
