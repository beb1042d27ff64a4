"""Says when an optimisation has made gold worse, from a few labels a checkpoint, with a bounded rate of false alarms.

    D_i = gold of prompt i at the best checkpoint so far − gold at the latest,  in [−w, w]
    W_n = Π_{i ≤ n} (1 + λ_i·D_i/w)          STOP when W_n >= 1/(1 − level)
    λ_i = min(0.95, max(0, Σ γ^{i−j}·D_j/w / (Σ γ^{i−j}·(D_j/w)² + 0.1)))              sums over j < i

As long as no checkpoint has been below an earlier one, E[D_i | past] <= 0, whichever comparison was chosen: W is a
nonnegative supermartingale, and reaches 1/(1 − level) with probability at most 1 − level (Ville), however often one
looks and wherever the labels go. Candidate peaks share one fortune, so none pays for the others; old differences fade
(γ), so that while gold rises λ is 0 and nothing is lost. Every pair is a fresh prompt, labelled at both checkpoints:
labels that chose the best one would flatter it if they were used again.

Ville (1939); Waudby-Smith and Ramdas (2024), J. R. Stat. Soc. B 86(1), doi:10.1093/jrsssb/qkad009 (betting). Limits:
`carry=False` starts anew at each checkpoint, with (1 − level)/(t(t + 1)) for the t-th comparison: slower, and right
about the latest checkpoint even where gold has fallen and risen again. A drop small beside w needs many labels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, log, log1p, sqrt

import numpy as np

from .._typing import ArrayLike, FloatArray
from ..errors import AdjudgeError

CAP = 0.95  # largest share of the fortune that one pair can lose
FADE = 0.5 ** (1 / 12)  # a difference counts half after twelve more
PRIOR = 0.1  # squares of differences, in units of w², that no one has seen yet
FAITH = 16  # prompts that an expected drop is worth
SURE = 1.0  # standard errors by which the latest must differ from the best to be called another


@dataclass(frozen=True, slots=True)
class Watched:
    """What the labels so far say; checkpoints are numbered from 0 as they come.

    Arguments:
        bounds: range of gold.
        level: one less the largest probability of a false STOP in the whole run.
        carry: whether evidence of earlier checkpoints counts at later ones.
        latest: number of the latest checkpoint.
        best: number of the best checkpoint before it, by the labels.
        stopped: checkpoint at which STOP was said; −1 before.
        wealth: log W.
        pairs: prompts labelled in all; each cost two labels.
        trend: Σ γ·D/w and Σ γ·(D/w)², for the next bet.
        here: number, Σ D/w and Σ (D/w)² of the latest checkpoint.
    """

    bounds: tuple[float, float]
    level: float
    carry: bool
    latest: int = 0
    best: int = 0
    stopped: int = -1
    wealth: float = 0.0
    pairs: int = 0
    trend: tuple[float, float] = (0.0, 0.0)
    here: tuple[int, float, float] = (0, 0.0, 0.0)

    @property
    def fortune_needed(self) -> float:
        """log W at which STOP is said."""
        spent = 0.0 if self.carry else log(max(self.latest, 1) * (self.latest + 1))
        return spent - log(1 - self.level)

    @property
    def drop(self) -> tuple[float, float]:
        """Gold of the best less gold of the latest, and its standard error; ∞ with fewer than two pairs."""
        number, total, squares = self.here
        width = self.bounds[1] - self.bounds[0]
        if number < 2:
            return width * total / max(number, 1), inf
        spread = max(squares - total**2 / number, 0.0) / (number - 1)
        return width * total / number, width * sqrt(spread / number)


def init(*, bounds: tuple[float, float] = (0.0, 1.0), level: float = 0.95, carry: bool = True) -> Watched:
    """A run at its first checkpoint, number 0, before any label.

    Arguments:
        bounds: range of gold, finite.
        level: one less the largest probability of a false STOP in the whole run, in (0, 1).
        carry: let evidence add up over checkpoints: STOP is then false only if said before gold first fell.

    Errors: a range that is empty or not finite; a level outside (0, 1).
    """
    low, high = bounds
    if not (np.isfinite(high - low) and low < high and 0 < level < 1):
        raise AdjudgeError(
            f"stopping: bounds are {bounds}, level is {level:g}.",
            "A finite range and a level in (0, 1).",
            "Rescale gold, or change the level.",
        )
    return Watched((float(low), float(high)), level, carry)


def advance(run: Watched) -> Watched:
    """The run at its next checkpoint; the one before it becomes the best if its labels put it clearly above.

    Clearly is by a standard error: with none, noise would lead the comparison downhill one small step at a time.
    The first checkpoint is the best until another is.
    """
    drop, error = run.drop
    best = run.latest if -drop > SURE * error else run.best
    wealth = run.wealth if run.carry else 0.0
    return replace(run, latest=run.latest + 1, best=best, wealth=wealth, here=(0, 0.0, 0.0))


def ask(run: Watched, labels: int, *, batch: int = 4, expected: float | None = None) -> int:
    """How many fresh prompts to label next, each at checkpoints `run.best` and `run.latest`; 0 to train on.

    One batch at each checkpoint; more as long as the labels left would suffice for STOP, were the drop what it seems:

        labels/2 · (λ·D̄ − λ²·mean(D²)/2) >= log 1/(1 − level) − log W           λ = min(0.95, D̄/mean(D²)), w = 1

    Labels tell most there. A drop too small for them is cheaper to see at a later checkpoint, where it is larger.
    A drop that a law expects of earlier labels (`stats.peak`) counts as sixteen prompts of this checkpoint: the first
    few no longer spend labels on a drop that is none. It moves labels alone, and no false alarm with them.

    Arguments:
        labels: gold labels left; a prompt takes two.
        batch: prompts at a time, at least 2.
        expected: gold of the best less gold of the latest, as far as is known without this checkpoint's labels.

    Errors: a negative number of labels; a batch below 2.
    """
    if labels < 0 or batch < 2:
        raise AdjudgeError(
            f"stopping: {labels} labels, batches of {batch}.", "Labels >= 0, a batch >= 2.", "Change them."
        )
    if run.latest == 0 or run.stopped >= 0:
        return 0
    number, total, squares = run.here
    if number and expected is not None:
        x = expected / (run.bounds[1] - run.bounds[0])
        typical = max(squares / number, x * x)
        number, total, squares = number + FAITH, total + FAITH * x, squares + FAITH * typical
    bet = min(CAP, total / squares) if total > 0 else 0.0
    growth = (bet * total - bet**2 * squares / 2) / max(number, 1)
    more = number == 0 or labels // 2 * growth >= run.fortune_needed - run.wealth
    return min(batch, labels // 2) if more else 0


def update(run: Watched, best: ArrayLike, latest: ArrayLike) -> Watched:
    """The run with the gold of more prompts; `stopped` is set from the moment that the evidence is enough.

    Arguments:
        best: [n] gold at checkpoint `run.best`, inside the bounds; NaN where there is none.
        latest: [n] gold of the same prompts at checkpoint `run.latest`. A prompt without both is left out.

    Errors: lengths that differ; gold outside the bounds; labels at the first checkpoint, which has no earlier one.

    >>> run = advance(init())
    >>> run = update(run, [0.9] * 30, [0.5] * 30)
    >>> run.stopped, run.best, round(run.drop[0], 3)
    (1, 0, 0.4)
    """
    one, two = (np.atleast_1d(np.asarray(each, dtype=float)) for each in (best, latest))
    _check(run, one, two)
    both = np.isfinite(one) & np.isfinite(two)
    wealth, stopped, needed = run.wealth, run.stopped, run.fortune_needed
    (slope, power), (number, total, squares) = run.trend, run.here
    for x in ((one - two)[both] / (run.bounds[1] - run.bounds[0])).tolist():
        wealth += log1p(min(CAP, max(0.0, slope / (power + PRIOR))) * x)
        slope, power = FADE * (slope + x), FADE * (power + x * x)
        number, total, squares = number + 1, total + x, squares + x * x
        if stopped < 0 and wealth >= needed:
            stopped = run.latest
    return replace(
        run,
        stopped=stopped,
        wealth=wealth,
        pairs=run.pairs + int(both.sum()),
        trend=(slope, power),
        here=(number, total, squares),
    )


def _check(run: Watched, best: FloatArray, latest: FloatArray) -> None:
    low, high = run.bounds
    if best.shape != latest.shape or best.ndim != 1:
        raise AdjudgeError(
            f"stopping: gold has shapes {best.shape} and {latest.shape}.", "Both [n], prompt by prompt.", "Pair them."
        )
    if run.latest == 0 and best.size:
        raise AdjudgeError(
            "stopping: labels at the first checkpoint.", "An earlier checkpoint to compare with.", "Call advance first."
        )
    for name, gold in (("best", best), ("latest", latest)):
        bad = ~np.isnan(gold) & ~((gold >= low) & (gold <= high))
        if bad.any():
            raise AdjudgeError(
                f"stopping: {int(bad.sum())} values of gold at the {name} checkpoint are out of range "
                f"(first: {gold[bad][0]:g}).",
                f"A number in [{low:g}, {high:g}], or NaN.",
                "Set the range when the run begins.",
            )
