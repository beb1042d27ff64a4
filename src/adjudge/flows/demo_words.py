"""Says in sentences what came of the demonstration: each is made of the numbers, and says otherwise where they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .demo_last import CORRECTED, KEPT

if TYPE_CHECKING:
    from .demo_loop import DemoLoop

NEAR = 0.9  # share of the gold of the true peak from which a checkpoint is near it


def verdict(answer: DemoLoop) -> str:
    """The answer in a sentence."""
    ours, theirs = _gold_of(answer, CORRECTED), _gold_of(answer, KEPT)
    (gain,), ((low, high),) = answer.gain.value, answer.gain.interval(answer.level)
    told = f"{ours:.2f} against {theirs:.2f}, a difference of {gain:+.2f} ({low:+.2f} to {high:+.2f})"
    alone = "the judge alone at the checkpoint that the monitor keeps"
    if low > 0:
        return f"Yes, by correcting the judge: that ends higher in gold than {alone}, {told}."
    if high < 0:
        return f"Not by correcting this judge: that ends lower in gold than {alone}, {told}."
    return f"It cannot be told whether correcting the judge ends higher in gold than {alone}: {told}."


def _gold_of(answer: DemoLoop, name: str) -> float:
    values = answer.last.values
    return float(values.value[values.index(name)])


def biased(answer: DemoLoop) -> str:
    """What the audit found."""
    bias = answer.heard.bias
    low, high = bias.interval(answer.level)[0]
    told = f"{bias.value.item():+.2f} standard deviations of score for one of length ({low:+.2f} to {high:+.2f})"
    labels = int(np.isfinite(answer.heard.gold).sum())
    if low > 0:
        return f"The audit found the bias: beside {labels} gold labels, the judge gives {told}."
    way = "found that shorter responses are liked" if high < 0 else "could not tell a bias by length"
    return f"The audit {way}: beside {labels} gold labels, the judge gives {told}."


def watched(answer: DemoLoop) -> str:
    """What became of the judge alone."""
    naive, (steps, gold) = answer.naive, answer.truth
    begun, end, best = float(gold[0]), float(gold[-1]), float(gold.max())
    at, size = int(steps[gold.argmax()]), answer.world.size
    seen = f"by {size.takes} responses to each of {size.last} prompts that the monitor does not see"
    if not naive.watching.stopped:
        return (
            f"The judge alone: the monitor spent {naive.watching.spent} gold labels and did not say STOP "
            f"in {naive.steps} updates. Gold went from {begun:.2f} to {end:.2f}, at best {best:.2f} at update {at}, "
            f"{seen}."
        )
    kept = float(gold[steps == naive.kept][0])
    where = "near" if kept >= NEAR * best else "not near"
    return (
        f"The judge alone: the monitor said STOP at update {naive.steps} and keeps the checkpoint of update "
        f"{naive.kept}, with {naive.watching.spent} gold labels in all. Gold there is {kept:.2f}, {where} the true "
        f"peak ({100 * kept / best:.0f} % of {best:.2f}, at update {at}), {seen}. Had the run gone on for its "
        f"{size.steps} updates, gold would have ended at {end:.2f}, from {begun:.2f} at the beginning."
    )


def corrected(answer: DemoLoop) -> str:
    """What was corrected, and what that gave."""
    run, points, figures = answer.corrected, answer.reward.point, answer.reward.model.figures
    stop = (
        f"The monitor said STOP at update {run.steps}; its checkpoint of update {run.kept} counts."
        if run.watching.stopped
        else f"The monitor did not say STOP in its {run.steps} updates."
    )
    before, after = figures["correlation of both parts"], figures["correlation with length"]
    return (
        "Corrected: of what the judge prefers, the part that follows length is dropped (correlation with length "
        f"{before:.2f} before, {abs(after):.2f} after); what is left is calibrated on the gold labels; and the judge's "
        f"own points count up to {10 * points:.1f} on average, which they were at the checkpoint kept. {stop}"
    )
