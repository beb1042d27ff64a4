"""Keeps a process reward from paying for more steps: each step is clipped, and only changes between steps are paid.

    clip   r'_t = min(r_t − η, 0)                     no step is worth more than a good one, which is worth nothing
    delta  r'_t = r_t − r_{t+1},  r'_T = r_T          Σ_{s>=t} r'_s = r_t: the return does not grow with the steps
    both   delta of the clipped

Gao, Xu, Ye et al. (2024), Section 4. A sum of raw step rewards grows with every step that is repeated; a bounded one
cannot be filled up. Limits: η = −∞ clips all to a constant below 0 and is of no use; η above all rewards leaves them
as they are, less η; a solution of one step keeps its own reward under delta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from .._typing import FloatArray
from ..core.card import Card, Paper
from ..core.finding import Finding, Severity
from ..errors import AdjudgeError
from ..stats.cluster import group_sums
from ..tables.step_rewards import StepRewards

HOW = ("clip", "delta", "both")
SURE = 2.0  # standard errors, of many clusters

CARD = Card(
    answers="How are step rewards paid so that more steps do not earn more?",
    equation="clip r'_t = min(r_t − η, 0);  delta r'_t = r_t − r_{t+1}, r'_T = r_T;  both: delta of the clipped",
    papers=(
        Paper(
            "On Designing Effective RL Reward at Training Time for LLM Reasoning",
            "Gao, Xu, Ye et al.",
            2024,
            "arXiv",
            "https://arxiv.org/abs/2410.15115",
            "Section 4",
        ),
    ),
    needs=("step_reward", "solution"),
    assumes=("Steps are told apart as the process reward model was trained to.",),
    limits=(
        "It bounds what a wrong step reward can do, and does not mend it; success is paid beside it.",
        "Delta pays a step its own reward: repeats that are rated above right steps are still repeated, some times.",
        "Under a threshold that right steps often miss, clip pays for answering too soon.",
    ),
    when="Before a policy is optimised with a process reward model.",
    rows=(145,),
)


@dataclass(frozen=True, slots=True)
class BoundedProcess:
    """A rule that shapes step rewards.

    Arguments:
        how: `clip`, `delta` or `both`.
        threshold: η, in the unit of the rewards.
        by_step: what a further step adds to the raw sum on average, and its standard error by cluster.
        findings: what was noticed about the raw rewards.
    """

    how: str
    threshold: float
    by_step: tuple[float, float]
    findings: tuple[Finding, ...] = ()

    def shaped(self, steps: StepRewards) -> FloatArray:
        """[n] r' of each step."""
        reward = steps.step_reward
        if self.how != "delta":
            reward = np.minimum(reward - self.threshold, 0.0)
        if self.how == "clip":
            return reward
        following = np.append(reward[1:], 0.0)
        last = np.append(steps.solution[1:] != steps.solution[:-1], True)
        return reward - np.where(last, 0.0, following)

    def sums(self, steps: StepRewards) -> FloatArray:
        """[m] Σ r' of each solution."""
        return group_sums(steps.solution, self.shaped(steps), steps.success.size)


def fit(steps: StepRewards, *, how: str = "both", threshold: float | None = None) -> BoundedProcess:
    """The rule, with η from the data where it is not given, and a warning where raw sums pay for padding.

    Arguments:
        steps: rewards by step.
        how: `clip`, `delta` or `both`.
        threshold: η; None takes the median over steps of solutions that succeeded (all, where that is not known), so
            that a step as good as usual is worth nothing.

    Errors: another name; a threshold that is not finite.

    >>> from adjudge.tables.step_rewards import from_arrays
    >>> once, padded = from_arrays([0.9, 0.8], [0, 0]), from_arrays([0.9, 0.8, 0.8, 0.8], [0, 0, 0, 0])
    >>> rule = fit(once, how="delta")
    >>> rule.sums(once).tolist(), rule.sums(padded).round(9).tolist()
    ([0.9], [0.9])
    """
    if how not in HOW or (threshold is not None and not np.isfinite(threshold)):
        raise AdjudgeError(
            f"rewards.bounded_process: how = {how!r}, threshold = {threshold}.",
            f"One of {', '.join(HOW)}, and a finite threshold.",
            "Correct the argument.",
        )
    good = steps.success[steps.solution] >= 1
    level = float(np.median(steps.step_reward[good] if good.any() else steps.step_reward))
    mean, error, units = _by_step(steps)
    return BoundedProcess(how, level if threshold is None else threshold, (mean, error), _paid(mean, error, units))


def _by_step(steps: StepRewards) -> tuple[float, float, int]:
    """Mean raw reward of a step, its standard error by leaving out each cluster in turn, and how many they are."""
    mean = float(steps.step_reward.mean())
    units, code = np.unique(steps.cluster[steps.solution], return_inverse=True)
    if units.size < 2:
        return mean, float("nan"), units.size
    share = np.bincount(code) / code.size
    moved = np.bincount(code, steps.step_reward - mean) / code.size / (1 - share)
    return mean, float(np.sqrt(moved @ moved * (1 - 1 / units.size))), units.size


def _paid(mean: float, error: float, units: int) -> tuple[Finding, ...]:
    sure = float(special.stdtrit(max(units - 1, 1), special.ndtr(SURE)))  # few clusters: as sure by Student's law
    if not mean > sure * error:
        return ()
    return (
        Finding(
            "rewards-padding-pays",
            Severity.WARNING,
            f"A further step adds {mean:.3g} (± {error:.2g}) to the raw sum on average: repeating good steps pays.",
            mean,
            sure * error,
            "Optimise the shaped rewards, and pay success beside them.",
        ),
    )
