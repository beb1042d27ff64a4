"""Watches a policy inside the loop: every k updates it samples the same prompts, spends gold, and says when to stop.

    KL = mean over samples of log π(y|x) − log π_ref(y|x);      exact, Σ_y π·log π/π_ref, where the policy is a table

The draws come from a generator of their own, so that a watched run follows the same trajectory as one that is not. What
is drawn is appended to `samples.jsonl`, which `adjudge watch` reads too. A run that goes on after a crash draws nothing
twice, and pays for no label twice but for the two that it was just asking for. Limits: responses are sampled at
temperature 1, since the KL is that of the policy itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._typing import Prompt
from ..errors import AdjudgeError
from ..tables import read_run_log
from ..tables.read_run_log import STATE
from .made import Setting
from .row_functions import named
from .watch import watch_table
from .watch_draw import drawn
from .watch_gold import Score, require_range
from .watch_gold import gold as gold_of
from .watch_judge import judged
from .watch_rows import Rows, goes_on
from .watch_state import Saved, load
from .watching import Watching

if TYPE_CHECKING:
    from ..train.loop import Moment
    from ..train.policy import Policy


class Watch:
    """A callback of `train.loop.train`.

    Arguments:
        prompts: to evaluate on; at best as many as half the labels, since each is staked once.
        proxy: what is optimised: prompts and responses to scores.
        reference: the policy at the beginning, frozen; None where the first call is made before any update, and then
            it is copied there.
        gold: who knows the truth: prompts and responses to labels, a file of labels, `python:FILE.py:F` or
            `judge:MODEL`; None only asks for labels, in `ask.jsonl`.
        labels: gold labels that may be spent.
        every: updates between two looks, >= 1; the last update is always looked at.
        samples: responses to each prompt, >= 1; gold is asked about the first.
        bounds: range of gold.
        max_tokens: of a response.
        folder: where samples and state are kept; that of the run when None, and memory where it has none.
        codes: of the prompts; None where the policy encodes them.
        level: 1 − the probability of a false STOP in the whole run.
        seed: of the draws.

    Errors: no prompts; a number that cannot be. Of a watch that goes on: it began with other options.
    """

    def __init__(
        self,
        prompts: Sequence[Prompt],
        proxy: Score,
        *,
        reference: Policy | None = None,
        gold: object = None,
        labels: int = 200,
        every: int = 50,
        samples: int = 1,
        bounds: tuple[float, float] = (0.0, 1.0),
        max_tokens: int = 128,
        folder: Path | None = None,
        codes: Sequence[tuple[int, ...]] | None = None,
        level: float = 0.95,
        seed: int = 0,
    ) -> None:
        counts = (len(prompts), every, samples, labels + 1 if isinstance(labels, int) else labels)
        if not all(isinstance(one, int) and one >= 1 for one in counts):
            raise AdjudgeError(
                f"watch: {len(prompts)} prompts, every {every} updates, {samples} samples, {labels} labels.",
                "Prompts, and whole numbers of at least 1, 1 and 0.",
                "Correct [stop].",
            )
        require_range(bounds)
        asks_judge = isinstance(gold, str) and gold.startswith("judge:")
        self.gold = judged(str(gold).removeprefix("judge:")) if asks_judge else gold
        self.prompts, self.proxy, self.reference = tuple(prompts), proxy, reference
        self.labels, self.every, self.samples, self.bounds = labels, every, samples, bounds
        self.max_tokens, self.folder, self.setting = max_tokens, folder, Setting(level, seed)
        self.codes = codes
        self.answer: Watching | None = None
        who = named(gold) if callable(gold) or str(gold).startswith(("python:", "judge:")) else ""
        self.plan: dict[str, int | str] = {"every": every, "samples": samples, "max_tokens": max_tokens, "gold": who}
        self._rows = Rows(len(self.prompts) * samples)

    def start(self, policy: Policy, *, of: int = 0, folder: Path | None = None) -> None:
        """Looks at the policy before the first update; without it the first look is after `every` updates.

        Arguments:
            policy: as it is at the beginning.
            of: updates in all.
            folder: of the run.
        """
        if self.reference is None:
            self.reference = policy.reference()
        self._look(policy, 0, of, self.folder or folder)

    def __call__(self, moment: Moment) -> str | None:
        """Looks at the policy every so many updates; the reason to stop, once gold has fallen."""
        if moment.step % self.every and moment.step != moment.of:
            return self._said(moment.step)
        if self.reference is None:
            raise AdjudgeError(
                "watch: no reference is known after the first update.",
                "The policy as it was at the beginning.",
                "Call start(policy) before the loop, or pass reference=policy.reference().",
            )
        self._look(moment.policy, moment.step, moment.of, self.folder or moment.folder)
        return self._said(moment.step)

    def _said(self, step: int) -> str | None:
        """The verdict, once STOP was said of a step: of one to come a run that goes on has still to see the policy."""
        answer = self.answer
        if answer is None or not answer.stopped:
            return None
        return answer.story.verdict if answer.table.steps[answer.walked.watched.stopped] <= step else None

    def _look(self, policy: Policy, step: int, of: int, folder: Path | None) -> Watching:
        rows, asked = self._rows, Saved(self.bounds, self.setting.level, self.setting.seed, plan=self.plan)
        if folder is not None and self.answer is None and goes_on(folder):
            load(folder / STATE, asked)  # refuses other options before anything is touched
        rows.remember(folder, step)
        new = [] if step and rows.has(step) else self._drawn(policy, step, of)
        if not step and not rows.begin(new, folder):
            self.answer = None
        if not rows.has(step):
            rows.add(new, folder)
        table = read_run_log.read(rows.all)
        found = gold_of(self.gold, table, bounds=self.bounds)
        before = None if folder is not None or self.answer is None else self.answer.walked.saved
        self.answer = watch_table(
            table,
            found,
            self.setting,
            labels=self.labels,
            state=folder / STATE if folder is not None else None,
            final=0 < step == of,
            folder=folder,
            before=before or asked,
        )
        return self.answer

    def _drawn(self, policy: Policy, step: int, of: int) -> list[dict[str, Any]]:
        assert self.reference is not None
        if self.codes is None:
            self.codes = [policy.encode(prompt, "").prompt for prompt in self.prompts]
        seed = (self.setting.seed * 1_000_003 + step) % 2**63
        rows = drawn(
            policy, self.reference, self.prompts, self.codes, n=self.samples, max_tokens=self.max_tokens, seed=seed
        )
        scores = self.proxy([str(row["prompt"]) for row in rows], [str(row["response"]) for row in rows])
        for row, score in zip(rows, scores, strict=True):
            row |= {"step": step, "of": of, "reward": float(score) if math.isfinite(score) else None}
        return rows
