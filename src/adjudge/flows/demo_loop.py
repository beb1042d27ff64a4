"""The whole mission in a world that knows the truth: judge, audit, evaluate, optimise, watch, evaluate again.

A small language model learns to speak from people, and then to speak better: once by a judge alone, who likes length,
until the monitor says STOP; once by what is right about that judge. Everything is measured, nothing is assumed to come
out well: what the page says hangs on the numbers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..core.finding import Finding
from ..core.run import Run
from ..credit import constrained
from ..reports.story import Story
from .demo_ablation import Ablation, ablated
from .demo_judged import Heard, heard
from .demo_last import BEFORE, CORRECTED, KEPT, STOPPED, WHOLE, Last, last_word, true_curve
from .demo_reward import RATE, WEIGHTS, Corrected, fitted, pointed
from .demo_runs import Climb, climbed, taught
from .demo_story import story
from .demo_world import Size, Told, World
from .made import Setting, Shown, worst_first
from .recipe_rollouts import Ascending

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM


@dataclass(frozen=True, eq=False, repr=False)
class DemoLoop(Shown):
    """What came of it.

    Arguments:
        world: prompts, judge, size.
        heard: judged responses with their audit and evaluation.
        naive: the run on the judge alone.
        onward: the same run past its STOP, for the rest of the budget, which nobody would have paid for; None where
            STOP was not said.
        reward: the corrected one.
        corrected: the run on it.
        last: gold of the policies on fresh prompts.
        truth: ([J] step, [J] gold) of the judge alone over the whole budget, on the fresh prompts.
        seconds: that it took.
        run: how it was made.
        ablation: the corrected run with some of its corrections only; None where nobody asked for it.
    """

    world: World
    heard: Heard
    naive: Climb
    onward: Climb | None
    reward: Corrected
    corrected: Climb
    last: Last
    truth: tuple[FloatArray, FloatArray]
    seconds: float
    run: Run
    level: float = 0.95
    ablation: Ablation | None = None

    @cached_property
    def gain(self) -> Estimate:
        """Gold of the corrected policy less that of the judge alone at the checkpoint that the monitor keeps."""
        return self.last.values.difference(CORRECTED, KEPT)

    @cached_property
    def whole(self) -> Mapping[str, FloatArray]:
        """The curves of the judge alone over the whole budget."""
        if self.onward is None:
            return self.naive.curves
        first, more = self.naive.curves, dict(self.onward.curves)
        more["step"] = more["step"] + self.naive.steps
        return {name: np.concatenate([first[name], more[name][1:]]) for name in first}

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the audit and the monitors said."""
        return worst_first((*self.heard.audit.findings, *self.naive.watching.findings))

    @cached_property
    def story(self) -> Story:
        """The page."""
        return story(self)


def demo_loop(
    out: str | Path = "out/demo-loop",
    *,
    seed: int = 0,
    size: Size | None = None,
    tell: Told | None = None,
    ablation: bool = False,
) -> DemoLoop:
    """Runs the demonstration, or goes on with one that was interrupted.

    Arguments:
        out: its folder; another seed or size needs another one.
        seed: of everything.
        size: how large; `demo_world.QUICK` is so small that nothing is shown by it.
        tell: is told how far what is.
        ablation: whether to climb with some of the corrections only, too; it doubles the time.

    Errors: torch or transformers are not there; a folder of another demonstration.
    """
    begun, folder = time.monotonic(), Path(out)
    world = World(seed, size or Size(), tell or (lambda *_: None))
    base = taught(world, folder / "people")
    told = heard(world, base)
    naive = climbed(world, base, world.points, folder / "judge-alone", proxy=world.points, kl=world.size.kl)
    onward = _onward(world, base, naive, folder)
    reward = pointed(fitted(world, told), naive)
    rule = Ascending(constrained, {"points": (np.inf, reward.point), "rate": RATE, "weights": WEIGHTS})
    corrected = climbed(
        world, base, reward, folder / "corrected", proxy=reward.calibrated, credit=rule, kl=world.size.kl / 10
    )
    last = last_word(world, _policies(base, naive, onward, corrected))
    truth = true_curve(world, (naive,) if onward is None else (naive, onward))
    alone = ablated(world, base, told, reward, naive, corrected, folder / "ablation") if ablation else None
    methods = (
        "judges.function", "audit.score_length", "audit.agreement", told.evaluation.estimate.method, "credit.rloo",
        "monitor.overoptimisation", "rewards.disentangled", "calibration.two_stage", "credit.constrained",
    )  # fmt: skip
    options = {"size": asdict(world.size), "judge": asdict(world.judge)} | ({"ablation": True} if ablation else {})
    run = Setting(seed=seed, options=options).run("adjudge demo-loop", dict.fromkeys(methods))
    seconds = time.monotonic() - begun
    return DemoLoop(
        world, told, naive, onward, reward, corrected, last, truth, seconds, run, ablation=alone
    )  # fmt: skip


def _onward(world: World, base: CausalLM, naive: Climb, folder: Path) -> Climb | None:
    """What the rest of the budget would have done."""
    left = world.size.steps - naive.steps
    if left < 1:
        return None
    return climbed(
        world, naive.policy, world.points, folder / "judge-alone-past-stop", proxy=world.points,
        reference=base.reference(), kl=world.size.kl, steps=left, stop=False,
    )  # fmt: skip


def _policies(base: CausalLM, naive: Climb, onward: Climb | None, corrected: Climb) -> dict[str, CausalLM]:
    """Name -> policy, as each stands at the end."""
    found = {BEFORE: base, KEPT: naive.at(naive.kept)}
    if onward is not None:
        found[STOPPED] = naive.policy
    found[WHOLE] = naive.policy if onward is None else onward.policy
    return found | {CORRECTED: corrected.at(corrected.kept)}
