"""The one loop: descends on what a recipe makes of its rows, keeps what a crash would cost, and stops when it is told.

    θ ← θ − η_t AdamW(clip(Σ_parts ∇L_part)),      row order from (seed, epoch), draws from (seed, step)

Nothing that decides an update is kept in memory alone: the order of rows is a function of the epoch, the draws are one
of the step, the rate is one of the update. A run that was killed goes on bit by bit as if it had not been. Limits: an
interruption waits for the end of the update, and of all updates on one set of samples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from . import checkpoint
from ._interrupt import Interrupt
from ._lock import alone
from ._run import Run
from .policy import Policy
from .settings import Settings
from .step import Recipe

MANY = 0.1  # of the updates skipped by float16: it does not fit the model


@dataclass(frozen=True, slots=True)
class Moment:
    """What a callback sees after an update.

    Arguments:
        step: updates done.
        of: updates in all.
        policy: as it is now.
        metrics: of this update.
        folder: of the run; None where nothing is kept.
    """

    step: int
    of: int
    policy: Policy
    metrics: Mapping[str, float]
    folder: Path | None


Callback = Callable[[Moment], str | None]
"""A reason to stop, in words; None to go on."""


class Progress(Protocol):
    """Is told how far a run is."""

    def __call__(self, done: int, of: int, metrics: Mapping[str, float]) -> object:
        """Updates done, updates in all, and the metrics of the last."""
        ...


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run came to.

    Arguments:
        policy: the one given, trained.
        steps: updates done.
        stopped: why it ended.
        history: metrics of the logged updates.
        findings: what to know of the run; those of its data and its policy are among them.
    """

    policy: Policy
    steps: int
    stopped: str
    history: tuple[Mapping[str, float], ...]
    findings: tuple[Finding, ...] = ()


def train(
    policy: Policy,
    recipe: Recipe,
    settings: Settings = Settings(),  # noqa: B008 (frozen)
    *,
    out: Path | None = None,
    callbacks: Sequence[Callback] = (),
    resume: bool = True,
    progress: Progress | None = None,
) -> Trained:
    """Trains a policy in place.

    Arguments:
        policy: what is trained, on the device where it is trained.
        recipe: data and loss; its reference is made before, from the policy as it was at the beginning.
        settings: how it descends.
        out: folder for metrics and checkpoints, made where it does not exist; None keeps nothing.
        callbacks: asked after each update; the first reason ends the run.
        resume: go on from the latest checkpoint in `out`, or return at once where the run is over; False begins anew
            and removes what `out` holds of earlier runs.
        progress: is told after each update (done, of, metrics); before the first, with empty metrics, how much of the
            reference is asked.

    Raises:
        AdjudgeError: no rows; a loss or gradient that is not finite (the rows are kept in `out`/failed_batch.json); a
            checkpoint that could not be written; another run in `out`.
        KeyboardInterrupt: after Ctrl-C, once a checkpoint is written.

    >>> import numpy as np
    >>> from adjudge.train.tabular import Tabular
    >>> class Likelier:  # makes response 1 of every context likelier
    ...     n, updates, tokens = 4, 1, 8
    ...     def warm_up(self, policy, progress=None): ...
    ...     def prepare(self, policy, rows, generator): return self
    ...     def loss(self, policy, part): return -policy.logits.log_softmax(1)[part, 1].sum() / self.n
    ...     def metrics(self): return {}
    >>> done = train(Tabular(np.zeros((4, 2))), Likelier(), Settings(epochs=3, lr=0.1))
    >>> done.steps, round(done.history[0]["loss"], 6)
    (3, 0.693147)
    """
    if recipe.n < 1:
        raise AdjudgeError("train: the data has no rows.", "At least one.", "Look at what filtered them out.")
    run = Run(policy, recipe, settings, out)
    held = out if run.devices.main else None
    if held is not None:
        _made(held)
    with alone(held):
        if held is not None and not resume:
            checkpoint.clear(held)
        if held is not None:
            checkpoint.sweep(held, keep=settings.keep)
        run.devices.wait()
        try:
            run.begin(None if progress is None or not run.devices.main else partial(progress, metrics={}))
            with Interrupt() as interrupt:
                stopped = run.over or _descend(run, callbacks, progress, interrupt)
        finally:
            run.close()
    told = (*getattr(recipe, "findings", ()), *getattr(policy, "findings", ()), *run.findings, *run.journal.findings)
    return Trained(policy, run.done, stopped, run.journal.history, (*told, *run.rounding.findings(), *_skipped(run)))


def _made(out: Path) -> None:
    """Makes the folder of a run. Errors: it cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise AdjudgeError(
            f"train: {out} is no folder to write to: {problem.strerror}.", "A folder, or room for one.", "Name another."
        ) from None


def _descend(run: Run, callbacks: Sequence[Callback], progress: Progress | None, interrupt: Interrupt) -> str:
    """Updates until they are done, or a callback or the user says stop; why it ended."""
    while True:
        begun, reason = run.done, None
        step = run.prepare()
        while run.done < min(run.of, begun + run.recipe.updates) and reason is None:
            run.update(step)
            metrics = run.measure(step, wanted=bool(callbacks))
            if progress is not None and run.devices.main:
                progress(run.done, run.of, metrics)
            reason = _asked(run, callbacks, metrics, interrupt)
        over = reason or (f"All {run.of:,} updates are done." if run.done >= run.of else None)
        interrupted = run.devices.total([float(interrupt.asked)])[0] > 0
        every = run.settings.checkpoint_every
        if over or interrupted or (every and run.done // every > begun // every):
            run.keep(over)
        if interrupted:
            raise KeyboardInterrupt(_how_to_go_on(run))
        if over:
            return over


def _asked(run: Run, callbacks: Sequence[Callback], metrics: Mapping[str, float], interrupt: Interrupt) -> str | None:
    """The first reason to stop. The writing process asks, all obey."""
    reason = None
    if callbacks and run.devices.main:
        moment = Moment(run.done, run.of, run.policy, metrics, run.out)
        try:
            reason = next((said for said in (each(moment) for each in callbacks) if said is not None), None)
        except KeyboardInterrupt:
            interrupt.asked = True
    return run.devices.said(reason) if callbacks else None


def _how_to_go_on(run: Run) -> str:
    """For the one who pressed Ctrl-C."""
    place = None if run.out is None else checkpoint.latest(run.out)
    if place is None:
        return f"Stopped after update {run.done:,} of {run.of:,}; nothing was kept, as there is no folder for it."
    return f"Stopped after update {run.done:,} of {run.of:,}. Start the same run again: it goes on from {place}."


def _skipped(run: Run) -> tuple[Finding, ...]:
    """Updates that float16 could not hold."""
    if not run.skipped:
        return ()
    share = run.skipped / run.done
    return (
        Finding(
            "updates-skipped",
            Severity.WARNING if share > MANY else Severity.INFO,
            f"{run.skipped:,} of {run.done:,} updates were skipped, as their gradient did not fit into float16.",
            share,
            MANY,
            'A few at the beginning find the right scale; where there are more, take precision = "bfloat16".',
        ),
    )
