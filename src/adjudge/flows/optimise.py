"""Improves a policy on feedback whose worth is known, and stops when it stops being true: a recipe carried out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..reports.story import Story
from . import optimise_data, optimise_held, optimise_recipe
from .made import Setting, Shown, fingerprints, worst_first
from .optimise_build import begin_anew, first, kept_back, policy_of, settings_of, steps_of, watch_of
from .optimise_prefer import prefer_of
from .optimise_recipe import Recipe
from .optimise_reward import findings as unrewarded
from .optimise_reward import reward_of
from .optimise_story import story
from .recipes import needs_torch
from .reward_flips import Flips
from .watching import Watching

if TYPE_CHECKING:
    from ..train.loop import Progress, Trained
    from ..train.policy import Policy

POLICY = "policy"
"""Folder of a run with the policy as it ended."""


@dataclass(frozen=True, eq=False, repr=False)
class Optimised(Shown):
    """What a recipe came to.

    Arguments:
        recipe: what was asked.
        trained: the policy, the updates, why they ended, and their metrics.
        held: figures of pairs that were kept back; empty where there are none.
        flips: how often labels are turned round, where it was measured.
        watched: what gold said along the run; None where nobody was asked.
        findings: what to distrust, the worst first.
        run: how it was made.
        level, seed: of intervals and draws.
    """

    recipe: Recipe
    trained: Trained
    held: Mapping[str, Estimate]
    flips: Flips | None
    watched: Watching | None
    findings: tuple[Finding, ...]
    run: Run
    level: float = 0.95
    seed: int = 0

    @cached_property
    def story(self) -> Story:
        """The report as plain data."""
        return story(self)


def optimise(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    *,
    out: str | Path | None = None,
    policy: Policy | None = None,
    resume: bool = True,
    level: float = 0.95,
    progress: Progress | None = None,
) -> Optimised:
    """Carries out a recipe: reads its data, trains its policy, watches gold, tells what came of it.

    Arguments:
        recipe: a TOML file, a dictionary of the same shape, or one that was read; see `flows.optimise_recipe`.
        out: folder of the run: metrics, checkpoints, the policy at the end; None keeps nothing.
        policy: one in memory, in the place of `policy.model`.
        resume: go on where an earlier run in `out` stopped; False begins anew.
        level: coverage of intervals, in (0, 1).
        progress: called with (updates done, in all, metrics).

    Errors: `AdjudgeError` for a recipe, data, policy or method that does not fit, for a loss that is not finite (the
    rows are kept in `out`), for a checkpoint that could not be written.
    """
    needs_torch()
    from ..train import checkpoint
    from ..train.loop import train

    asked = recipe if isinstance(recipe, Recipe) else optimise_recipe.read(recipe)
    setting = Setting(level, asked.seed, _prints(asked), asked.settings, asked.source)
    settings, folder = settings_of(asked), None if out is None else Path(out)
    read = optimise_data.read(asked)
    reward = reward_of(asked.feedback["reward"], folder, seed=asked.seed) if "reward" in asked.feedback else None
    learner = policy or policy_of(asked)
    prefer = prefer_of(asked.feedback["prefer"], folder, seed=asked.seed) if "prefer" in asked.feedback else None
    made = steps_of(asked, read, learner, reward, prefer, folder)
    if folder is not None and not resume:
        begin_anew(folder)
    kept = kept_back(made, read, learner)
    watching = watch_of(asked, read, learner, reward, folder, level, prefer)
    trained = train(
        learner, made, settings, out=folder, callbacks=[] if watching is None else [watching], progress=progress
    )
    if folder is not None and first():
        checkpoint.publish(folder / POLICY, learner)
    held = {} if kept is None else optimise_held.figures(kept, learner)
    watched = None if watching is None else watching.answer
    found = [*trained.findings, *read.findings, *unrewarded(trained.history)]
    found += [*(optimise_held.findings(held, level) if held else ()), *(read.flips.findings if read.flips else ())]
    return Optimised(
        recipe=asked,
        trained=trained,
        held=held,
        flips=read.flips,
        watched=watched,
        findings=worst_first([*found, *(watched.findings if watched else ())]),
        run=setting.run("adjudge.optimise(…)", _methods(asked, read.flips, watched)),
        level=level,
        seed=asked.seed,
    )


def _prints(asked: Recipe) -> dict[str, str]:
    """Fingerprints of the recipe and of every file that it names."""
    named = [asked.source, asked.data["path"], asked.stop.get("gold"), asked.stop.get("prompts")]
    return {path: text for one in named for path, text in fingerprints(one).items()}


def _methods(asked: Recipe, flips: Flips | None, watched: Watching | None) -> list[str]:
    """Addresses of the methods that had a part."""
    return [
        asked.method,
        *(["audit.flip_rate", "rewards.bradley_terry"] if flips is not None else []),
        *(watched.run.methods if watched is not None else ()),
    ]
