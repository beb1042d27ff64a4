"""Watches a policy inside the loop: every k updates it samples the same prompts, spends gold, and says when to stop.

    KL = mean over samples of log π(y|x) − log π_ref(y|x);      exact, Σ_y π·log π/π_ref, where the policy is a table

The draws come from a generator of their own, so that a watched run follows the same trajectory as one that is not. What
is drawn is appended to `samples.jsonl`, which `adjudge watch` reads too; a run that goes on after a crash draws nothing
twice. Limits: responses are sampled at temperature 1, since the KL is that of the policy itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._typing import Prompt
from ..errors import AdjudgeError
from ..tables import read_run_log
from ..tables.read_run_log import ASK, SAMPLES, STATE
from .made import Setting
from .watch import watch_table
from .watch_draw import drawn
from .watch_gold import Score
from .watch_gold import gold as gold_of
from .watch_judge import judged
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
        if not (prompts and every >= 1 and samples >= 1 and labels >= 0):
            raise AdjudgeError(
                f"watch: {len(prompts)} prompts, every {every} updates, {samples} samples, {labels} labels.",
                "Prompts, and at least 1, 1 and 0.",
                "Correct [stop].",
            )
        asks_judge = isinstance(gold, str) and gold.startswith("judge:")
        self.gold = judged(str(gold).removeprefix("judge:")) if asks_judge else gold
        self.prompts, self.proxy, self.reference = tuple(prompts), proxy, reference
        self.labels, self.every, self.samples, self.bounds = labels, every, samples, bounds
        self.max_tokens, self.folder, self.setting = max_tokens, folder, Setting(level, seed)
        self.codes = codes
        self.answer: Watching | None = None
        self._rows: list[dict[str, Any]] = []
        self._read: bool | None = None

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
            return None
        if self.reference is None:
            raise AdjudgeError(
                "watch: no reference is known after the first update.",
                "The policy as it was at the beginning.",
                "Call start(policy) before the loop, or pass reference=policy.reference().",
            )
        answer = self._look(moment.policy, moment.step, moment.of, self.folder or moment.folder)
        return answer.story.verdict if answer.stopped else None

    def _look(self, policy: Policy, step: int, of: int, folder: Path | None) -> Watching:
        self._remember(folder, step)
        new = None if step and any(row["step"] == step for row in self._rows) else self._drawn(policy, step, of)
        if new is not None and not step and self._rows and not _alike(new, self._rows):
            self._forget(folder)  # what lies there is of another run
        if new is not None and not any(row["step"] == step for row in self._rows):
            self._rows += new
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / SAMPLES).open("a", encoding="utf-8") as file:
                    file.write("".join(map(_line, new)))
        table = read_run_log.read(self._rows)
        found = gold_of(self.gold, table, bounds=self.bounds)
        state = folder / STATE if folder is not None else None
        before = self.answer.walked.saved if self.answer is not None and state is None else None
        self.answer = watch_table(
            table,
            found,
            self.setting,
            labels=self.labels,
            state=state,
            final=0 < step == of,
            folder=folder,
            before=before,
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

    def _remember(self, folder: Path | None, step: int) -> None:
        """Takes over what lies in the folder; after the start, steps to come go: the run draws them again."""
        if self._read is None and folder is not None and (folder / SAMPLES).is_file():
            self._rows = [dict(row) for row in read_run_log.lines(folder / SAMPLES, [])]
            _rewritten(folder / SAMPLES, self._rows)
        if step and not self._read:
            self._rows = [row for row in self._rows if float(str(row["step"])) <= step]
            if folder is not None and self._rows:
                _rewritten(folder / SAMPLES, self._rows)
        self._read = step > 0

    def _forget(self, folder: Path | None) -> None:
        self._rows, self.answer = [], None
        if folder is not None:
            for name in (SAMPLES, STATE, ASK):
                (folder / name).unlink(missing_ok=True)


def _alike(drawn: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> bool:
    """Whether what was drawn of the first policy is what lies there of it."""
    first = [row for row in rows if row["step"] == 0]
    return [row["response"] for row in drawn] == [row["response"] for row in first]


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def _rewritten(path: Path, rows: list[dict[str, Any]]) -> None:
    """Without the steps that a run which goes on from a checkpoint is going to draw again, or a line that was cut."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("".join(map(_line, rows)), encoding="utf-8")
    partial.replace(path)
