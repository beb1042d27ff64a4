"""The corrected reward of the demonstration: length taken out, calibrated on gold, the judge held at its proxy point.

    parts   ĝ(r_Q, words)  and  judge/10        A = Σ_i (w_i − μ_i)·(r_i − r̄_i),   μ rises while the judge is above θ

r_Q is what the judge prefers beside length (`rewards.disentangled`), ĝ the gold that it stands for
(`calibration.two_stage`, by the labels), θ what the judge gave where gold peaked in the run that climbed it alone
(`credit.constrained`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..calibration import two_stage
from ..credit import constrained
from ..rewards import disentangled
from ..sim import little_language as language
from ..tables.calibrator import Calibrator
from ..tables.preferences import from_arrays
from ..tables.reward_model import RewardModel
from ..tables.scored import Scored
from .demo_judged import WAYS, Heard
from .demo_runs import Climb
from .demo_world import World

MOST = language.MOST
SCALE = 0.5  # points of the judge by which one response is better than another in 62 of 100 of its words
RATE = 0.5  # of the ascent of the prices
WEIGHTS = (1.0, 0.5)  # what gold, and a tenth of the judge's points, are worth


@dataclass(frozen=True)
class Corrected:
    """The corrected reward.

    Arguments:
        world: the judge.
        model: r_Q.
        calibrator: (r_Q, words) -> gold.
        point: θ, in tenths of the judge's points.
    """

    world: World
    model: RewardModel
    calibrator: Calibrator
    point: float = np.inf

    def expected(self, prompts: Sequence[Any], responses: Sequence[str]) -> FloatArray:
        """[n] gold that responses are expected to be worth."""
        quality = self.model.score(language.features(prompts, responses))
        words = np.array([[float(len(response.split()))] for response in responses])
        return np.clip(self.calibrator.respond(quality[:, None], words)[0], *self.calibrator.bounds)

    def calibrated(self, prompts: Sequence[str], responses: Sequence[str]) -> list[float]:
        """The same as a list: what a watch looks at."""
        return [float(value) for value in self.expected(prompts, responses)]

    def __call__(self, prompts: Sequence[Any], responses: Sequence[str]) -> Scored:
        """Both parts, and their weighted sum."""
        parts = np.column_stack(
            [self.expected(prompts, responses), np.array(self.world.points(prompts, responses)) / MOST]
        )
        return Scored(parts @ np.array(WEIGHTS), parts=parts)


def fitted(world: World, told: Heard) -> Corrected:
    """The reward of what was judged and labelled, without a point yet.

    Arguments:
        world: the judge.
        told: judged responses, with gold on some.
    """
    table = language.features(told.prompts, told.responses)
    ways = len(WAYS)
    within = np.array(list(combinations(range(ways), 2)))
    pairs = (np.arange(0, len(table), ways)[:, None, None] + within).reshape(-1, 2)
    left, right = pairs.T
    preferences = from_arrays(
        table[left], table[right], special.expit((told.score[left] - told.score[right]) / SCALE),
        length=told.words[pairs], cluster=np.asarray(told.item)[left], feature_names=language.FEATURES,
    )  # fmt: skip
    model = disentangled.fit(preferences, seed=world.seed)
    calibrator = two_stage.fit(told.ratings(model.score(table)), seed=world.seed)
    return Corrected(world, model, calibrator)


def pointed(reward: Corrected, naive: Climb) -> Corrected:
    """The reward with the judge's proxy point: what it gave where the labels put the peak of gold.

    Arguments:
        reward: without a point.
        naive: the run that climbed the judge alone.
    """
    gain = naive.watching.walked.turn.gain
    judged = naive.curves["points"] / MOST
    theta = constrained.proxy_points(judged[: gain.size, None], gain)
    return Corrected(reward.world, reward.model, reward.calibrator, float(theta[0]))
