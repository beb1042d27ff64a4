"""The last word of the demonstration: what each policy is worth in gold, on prompts that nothing has seen before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._typing import FloatArray
from ..core.estimate import Estimate
from ..tables import read
from .demo_judged import spoken
from .demo_world import World, gold
from .evaluate import evaluate_ratings
from .evaluation import Evaluation
from .made import Setting

if TYPE_CHECKING:
    from ..train.causal_lm import CausalLM
    from .demo_runs import Climb

BEFORE, KEPT, STOPPED, WHOLE, CORRECTED = (
    "before",
    "judge alone, checkpoint kept",
    "judge alone, at STOP",
    "judge alone, whole budget",
    "corrected",
)
"""Names of the policies."""


@dataclass(frozen=True, eq=False)
class Last:
    """Policies on fresh prompts; m prompts, k policies.

    Arguments:
        prompts: [m].
        responses: policy -> [m] lists of its responses.
        gold, points, words: policy -> [m] means over its responses.
        evaluation: of the policies in gold, with pairs compared prompt by prompt.
    """

    prompts: tuple[str, ...]
    responses: Mapping[str, list[list[str]]]
    gold: Mapping[str, FloatArray]
    points: Mapping[str, FloatArray]
    words: Mapping[str, FloatArray]
    evaluation: Evaluation

    @property
    def values(self) -> Estimate:
        """Gold of each policy, with joint errors."""
        return self.evaluation.estimate


def last_word(world: World, policies: Mapping[str, CausalLM]) -> Last:
    """Every policy speaks to every fresh prompt, and gold is asked about all.

    Arguments:
        world: prompts, judge, gold.
        policies: name -> policy.
    """
    asked, takes = world.prompts[2], world.size.takes
    responses = {}
    for number, (name, policy) in enumerate(policies.items()):
        world.tell("the last word", number + 1, len(policies))
        responses[name] = spoken(policy, asked, 7_000 + world.seed, n=takes, longest=world.size.longest)
    measures = (gold, world.points, lambda _, said: [len(text.split()) for text in said])
    worth, points, words = (
        {
            name: np.array([np.mean(measure([prompt] * takes, each)) for prompt, each in zip(asked, said, strict=True)])
            for name, said in responses.items()
        }
        for measure in measures
    )
    k, m = len(policies), len(asked)
    ratings = read.from_arrays(
        policy=np.repeat(list(policies), m), item=np.tile(np.arange(m), k),
        score=np.concatenate(list(points.values())), gold=np.concatenate(list(worth.values())), bounds=(0.0, 1.0),
    )  # fmt: skip
    return Last(asked, responses, worth, points, words, evaluate_ratings(ratings, Setting(seed=world.seed)))


def true_curve(world: World, climbs: Sequence[Climb]) -> tuple[FloatArray, FloatArray]:
    """([J] step, [J] gold) along runs that follow each other, on the fresh prompts: what no monitor could pay for.

    Arguments:
        world: prompts, gold.
        climbs: the first run, and those that went on from where the one before it ended.
    """
    asked, takes = world.prompts[2], world.size.takes
    flat = [prompt for prompt in asked for _ in range(takes)]
    steps, worth, before = list[int](), list[float](), 0
    for climb in climbs:
        looks = [int(step) for step in climb.curves["step"]]
        for look in looks if climb is climbs[0] else looks[1:]:
            said = spoken(climb.at(look), asked, 7_000 + world.seed, n=takes, longest=world.size.longest)
            steps.append(before + look)
            worth.append(float(np.mean(gold(flat, [text for texts in said for text in texts]))))
            world.tell("the whole truth", len(steps), sum(one.curves["step"].size for one in climbs) - len(climbs) + 1)
        before += climb.steps
    return np.array(steps), np.array(worth)
