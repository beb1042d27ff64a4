"""The result of `adjudge reward fit`: a reward model with what it is worth, its page, and the files of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from ..stats import reward_file, reward_length
from ..stats.reward_file import Maker, Stored
from ..tables.preferences import Preferences
from ..tables.reward_model import RewardModel
from .made import Shown
from .reward_flips import Flips
from .reward_story import story

PLAIN = "bradley_terry"


@dataclass(frozen=True, eq=False, repr=False)
class Fitted(Shown):
    """A reward model with what it is worth.

    Arguments:
        table: the pairs that it was fitted to.
        model: the model, with its held-out predictions and report.
        maker: of features; None where the pairs had features of their own.
        plain: held-out predictions of a Bradley-Terry fit of the same features, beside which length is told.
        flips: how often labels are turned round, where that was asked.
        trained: figures of the training beneath; empty where there was none.
        findings: what to distrust, the worst first.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    table: Preferences
    model: RewardModel
    maker: Maker | None
    plain: FloatArray
    flips: Flips | None
    trained: Mapping[str, float]
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @property
    def stored(self) -> Stored:
        """The model with what makes its features: what is written, and what `judges.reward_model` takes."""
        return Stored(self.model, self.maker)

    @cached_property
    def _chances(self) -> dict[str, FloatArray]:
        before = {} if self.model.method.endswith(PLAIN) else {PLAIN: self.plain}
        return {**before, self.model.method.partition(".")[2]: self.model.held_out}

    @cached_property
    def longer(self) -> Estimate:
        """How often the longer response is better by the labels, and favoured by the models on pairs held out."""
        return reward_length.longer(self.table, self._chances, method=self.model.method)

    @cached_property
    def follows_length(self) -> Estimate:
        """Correlation of held-out log-odds and log lengths, before and after."""
        return reward_length.correlation(self.table, self._chances, method=self.model.method)

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)

    def save(self, folder: str | Path) -> Path:
        """Write the page and tables of `Shown.save`, and the model for `judges.reward_model`; the page's path.

        Arguments:
            folder: where; made when it is not there.
        """
        page = super().save(folder)
        reward_file.save(self.stored, folder)
        return page
