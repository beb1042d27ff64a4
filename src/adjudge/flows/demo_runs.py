"""The runs of the demonstration: how the language model learns to speak, and how it climbs a reward while watched."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._typing import FloatArray
from ..credit import rloo
from .demo_world import World, gold, infant
from .watch import watch
from .watch_callback import Watch
from .watch_gold import Score
from .watching import Watching

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM
    from ..train.loop import Moment

LOOKS = "looks"


@dataclass(frozen=True)
class Climb:
    """A run that climbs a reward.

    Arguments:
        world: its judge.
        policy: as the run left it.
        folder: its own.
        steps: updates done.
        watching: what the monitor saw.
    """

    world: World
    policy: CausalLM
    folder: Path
    steps: int
    watching: Watching

    @property
    def kept(self) -> int:
        """Step of the checkpoint that the monitor would keep; the last where it has seen nothing fall."""
        keep = self.watching.keep
        return self.steps if keep is None or not self.watching.stopped else int(keep)

    def at(self, step: int) -> CausalLM:
        """The policy as it was at a look."""
        other = deepcopy(self.policy)
        other.load(self.folder / LOOKS / str(step))
        return other

    @cached_property
    def curves(self) -> dict[str, FloatArray]:
        """By look: `step`, `distance` in √nats, and means over all watched prompts: `points` of the judge, `words`, and
        `gold`, of which the monitor was told few."""
        table = self.watching.table
        measures = {
            "points": self.world.points(table.prompt, table.response),
            "gold": gold(table.prompt, table.response),
            "words": [len(text.split()) for text in table.response],
        }
        count = np.bincount(table.step)
        means = {name: np.bincount(table.step, np.array(values)) / count for name, values in measures.items()}
        return {"step": np.array(table.steps), "distance": table.distance} | means


def taught(world: World, out: Path) -> CausalLM:
    """The language model once it speaks as people do."""
    from ..train.demonstrations import Demonstrations
    from ..train.loop import train
    from ..train.settings import Settings

    policy = infant(world)
    settings = Settings(
        epochs=1e6, steps=world.size.lessons, batch=64, lr=3e-3, schedule="linear", seed=world.seed, log_every=20,
        checkpoint_every=200,
    )  # fmt: skip
    recipe = Demonstrations(*world.spoken(), policy)
    train(policy, recipe, settings, out=out, progress=lambda done, of, _: world.tell("learns to speak", done, of))
    return policy


def climbed(
    world: World,
    start: CausalLM,
    reward: Callable[..., Any],
    out: Path,
    *,
    proxy: Score,
    reference: CausalLM | None = None,
    credit: Callable[..., Any] = rloo.advantages,
    kl: float = 0.0,
    steps: int = 0,
    stop: bool = True,
) -> Climb:
    """A run from a policy, which stays as it is.

    Arguments:
        world: size and seed.
        start: where it begins.
        reward: of sampled responses, for the credit rule.
        out: its folder; a run that was interrupted goes on there.
        proxy: the number that is watched beside gold.
        reference: what KL is counted from; `start` where None.
        credit: the rule.
        kl: price of a nat.
        steps: updates; those of the world's size where 0.
        stop: whether the monitor may spend labels, and end the run.
    """
    from ..train.loop import train
    from ..train.responses import Draw
    from ..train.rollouts import Rollouts
    from ..train.settings import Settings

    size, policy = world.size, deepcopy(start)
    reference = reference or start.reference()
    steps = steps or size.steps
    recipe = Rollouts(
        world.prompts[0], reward, credit, policy, reference=reference,
        draw=Draw(n=size.draws, max_tokens=size.longest, ratio="response", clip=None, kl=kl),
    )  # fmt: skip
    labels = size.budget if stop else 0
    watching = Watch(
        world.prompts[1], proxy, reference=reference, gold=gold, labels=labels, every=size.every,
        max_tokens=size.longest, folder=out, seed=world.seed,
    )  # fmt: skip
    _kept(policy, out, 0)
    watching.start(policy, of=steps, folder=out)
    begun = watching.answer

    def look(moment: Moment) -> str | None:
        if moment.step % size.every == 0 or moment.step == moment.of:
            _kept(moment.policy, out, moment.step)
        return watching(moment)

    settings = Settings(
        epochs=1e6, steps=steps, batch=size.batch, lr=size.rate, schedule="constant", seed=world.seed,
        checkpoint_every=size.every,
    )  # fmt: skip
    done = train(
        policy, recipe, settings, out=out, callbacks=(look,),
        progress=lambda at, of, _: world.tell(out.name, at, of),
    )  # fmt: skip
    seen = watching.answer
    if seen is None or seen is begun:  # the run was over before
        seen = watch(out, gold=gold, labels=labels, final=True, seed=world.seed)
    return Climb(world, policy, out, done.steps, seen)


def _kept(policy: Any, out: Path, step: int) -> None:
    """Keeps the policy of a look; whole or not at all, so that a run that was killed begins its look again."""
    final = out / LOOKS / str(step)
    partial = final.with_name(f"{step}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    policy.save(partial)
    if not final.exists():
        partial.rename(final)
        return
    for file in partial.iterdir():
        file.replace(final / file.name)
    partial.rmdir()
