"""The table of an optimisation as it is watched: one row is one response of a checkpoint, with its proxy score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._typing import FloatArray, IntArray
from ..core.finding import Finding
from .likelihood_curve import LikelihoodCurve
from .proxy_curve import ProxyCurve


@dataclass(frozen=True, slots=True, eq=False)
class RunLog:
    """Plain arrays; r rows, J steps, m items.

    Arguments:
        steps: [J] the steps' own numbers, rising.
        items: [m] the prompts' ids.
        step: [r] code of the step, 0 … J−1.
        item: [r] code of the prompt, 0 … m−1.
        sample: [r] number of the response among those of its prompt at its step, from 0 on.
        kl: [J] KL from the start, in nats, >= 0; NaN where nothing says it.
        proxy: [r] score that is optimised, in any unit; NaN where unknown.
        gold: [r] what it stands for; NaN where nobody knows.
        weight: [r] how much the row counts, >= 0.
        prompt, response: [r] texts; empty where the table has none.
        ended: whether the table says that its last step is the run's last.
        likelihood: the run by likelihoods, where its columns are there.
        findings: what is doubtful about the table.
    """

    steps: tuple[float, ...]
    items: tuple[str, ...]
    step: IntArray
    item: IntArray
    sample: IntArray
    kl: FloatArray
    proxy: FloatArray
    gold: FloatArray
    weight: FloatArray
    prompt: tuple[str, ...] = ()
    response: tuple[str, ...] = ()
    ended: bool = False
    likelihood: LikelihoodCurve | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def distance(self) -> FloatArray:
        """[J] √KL of each step; where no KL is known, the share of the steps that are done."""
        if np.isfinite(self.kl).all():
            return np.asarray(np.sqrt(self.kl))
        span = self.steps[-1] - self.steps[0]
        return np.asarray((np.array(self.steps) - self.steps[0]) / (span or 1.0))

    def curve(self, gold: FloatArray) -> ProxyCurve:
        """The curve for `monitor.overoptimisation`.

        Arguments:
            gold: [r] labels to use; NaN where there is none.
        """
        far = self.distance**2
        return ProxyCurve(self.step, far[self.step], self.proxy, gold, self.weight, self.item)

    def name(self, step: int) -> str:
        """A step in words."""
        return f"step {self.steps[step]:g}"
