"""Which correction does the work: the corrected run again, each time with some of its corrections only.

    calibrated          ĝ(judge): gold by the judge's points, which keeps their order
    beside length       ĝ(judge, words): gold by points and length
    disentangled        ĝ(r_Q, words): gold by what the judge prefers beside length
    corrected           ĝ(r_Q, words), and the judge up to its proxy point θ
    constrained alone   the judge up to θ

Every run has the same beginning, prompts, draws, watch and budget of gold labels, and counts with the checkpoint that
its monitor keeps. Limits: one run each, so that intervals are about prompts and say nothing of another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..calibration import two_stage
from ..core.estimate import Estimate
from ..credit import constrained, rloo
from ..sim import little_language as language
from ..tables.calibrator import Calibrator
from ..tables.scored import Scored
from .demo_judged import Heard
from .demo_last import CORRECTED, KEPT, Last, last_word
from .demo_reward import RATE, WEIGHTS, Corrected
from .demo_runs import Climb, climbed
from .demo_world import World
from .recipe_rollouts import Ascending
from .watch_gold import Score

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM

CALIBRATED, BESIDE, DISENTANGLED, CONSTRAINED = (
    "calibrated",
    "calibrated beside length",
    "disentangled, calibrated",
    "constrained alone",
)
BEFORE_IT = {CALIBRATED: KEPT, BESIDE: CALIBRATED, DISENTANGLED: BESIDE, CORRECTED: DISENTANGLED, CONSTRAINED: KEPT}
"""Run -> the one that it adds one correction to, in the order in which they are shown."""


@dataclass(frozen=True)
class Fed:
    """What a run learns from.

    Arguments:
        reward: of responses.
        proxy: the number that is watched beside gold.
        credit: the rule.
    """

    reward: Callable[..., Any]
    proxy: Score
    credit: Callable[..., Any] = rloo.advantages


@dataclass(frozen=True, eq=False)
class Ablation:
    """What came of it.

    Arguments:
        climbs: name -> its run; the corrected one and that of the judge alone are among them.
        last: gold of all at the checkpoints kept, on the same prompts.
    """

    climbs: Mapping[str, Climb]
    last: Last

    def lead(self, name: str, over: str = KEPT) -> Estimate:
        """Gold of one less that of another, prompt by prompt."""
        return self.last.values.difference(name, over)


def feeds(world: World, told: Heard, whole: Corrected) -> dict[str, Fed]:
    """What each run learns from: the parts that the corrected one joins.

    Arguments:
        world: the judge.
        told: judged responses, with gold on some.
        whole: the corrected reward with its proxy point.
    """
    order = two_stage.fit(told.ratings(told.score), covariates=False, seed=world.seed)
    beside = two_stage.fit(told.ratings(told.score), seed=world.seed)
    rule = {"points": (whole.point,), "rate": RATE, "weights": WEIGHTS[1:]}
    calibrated: dict[str, Score] = {
        CALIBRATED: partial(_by_points, world, order),
        BESIDE: partial(_by_points, world, beside),
        DISENTANGLED: whole.calibrated,
    }
    held = Fed(partial(_judge_alone, world), world.points, Ascending(constrained, rule))
    return {name: Fed(score, score) for name, score in calibrated.items()} | {CONSTRAINED: held}


def ablated(
    world: World, base: CausalLM, told: Heard, whole: Corrected, naive: Climb, corrected: Climb, folder: Path
) -> Ablation:
    """Runs each, and lets all have the last word.

    Arguments:
        world, told, whole: as in `feeds`.
        base: where every run begins.
        naive, corrected: the runs that are compared with.
        folder: for theirs; runs that were interrupted go on there.
    """
    found = {}
    for name, fed in feeds(world, told, whole).items():
        price = world.size.kl if name == CONSTRAINED else world.size.kl / 10
        out = folder / name.replace(", ", "-").replace(" ", "-")
        found[name] = climbed(world, base, fed.reward, out, proxy=fed.proxy, credit=fed.credit, kl=price)
    every = {KEPT: naive, **found, CORRECTED: corrected}
    return Ablation(every, last_word(world, {name: every[name].at(every[name].kept) for name in (KEPT, *BEFORE_IT)}))


def _by_points(world: World, calibrator: Calibrator, prompts: Sequence[Any], responses: Sequence[str]) -> list[float]:
    """[n] gold by the judge's points, and by length where the calibrator was told of it."""
    words = np.array([[float(len(response.split()))] for response in responses])
    points = world.points(prompts, responses)
    return calibrator.predict(points, words if calibrator.covariates else None).tolist()


def _judge_alone(world: World, prompts: Sequence[Any], responses: Sequence[str]) -> Scored:
    """The judge's points in tenths, as the one part."""
    points = np.array(world.points(prompts, responses)) / language.MOST
    return Scored(WEIGHTS[1] * points, parts=points[:, None])
