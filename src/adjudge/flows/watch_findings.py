"""What a watch has to say: stop, label these next, the labels are spent, the checkpoint to keep."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import numpy as np

from ..core.finding import Finding, Severity
from .watch_walk import RESERVE

if TYPE_CHECKING:
    from .watching import Watching

FEW = 8  # labels that never vary, before which it may be chance


def told(answer: Watching) -> list[Finding]:
    """The findings of the watch itself."""
    said = []
    if answer.stopped:
        said.append(_stop(answer))
    if answer.walked.open:
        said.append(_label(answer))
    known = answer.gold[np.isfinite(answer.gold)]
    if not known.size and not answer.walked.open:
        said.append(_nothing(answer))
    if known.size >= FEW and np.ptp(known) == 0:
        text = f"Gold is {known[0]:g} in all {known.size:,} labels: it cannot tell one checkpoint from another."
        remedy = "Use a finer scale, or harder prompts."
        said.append(Finding("gold-constant", Severity.WARNING, text, float(known[0]), remedy=remedy))
    left = answer.labels - 2 * len(answer.walked.saved.pairs)
    if not answer.stopped and known.size and left - int(RESERVE * answer.labels) < 2:
        text = (
            f"The labels to stake on STOP are spent ({answer.labels:,} in all, less {100 * RESERVE:.0f} % for the "
            "checkpoint to keep), and no fall of gold is proven: a later one will not be seen."
        )
        remedy = "Raise --labels; the guarantee holds for any number of them."
        said.append(Finding("labels-spent", Severity.WARNING, text, float(answer.labels), remedy=remedy))
    if answer.walked.short:
        number = len(answer.walked.saved.pairs)
        text = f"Fresh prompts to stake ran out after {number:,}: each can be staked once."
        remedy = "Sample responses to more evaluation prompts."
        if not number:
            text = "No prompt that counts has responses at two checkpoints, so that none can be compared."
            remedy = "Name the prompt's id with --item, and sample the same prompts at each checkpoint."
        said.append(Finding("prompts-spent", Severity.WARNING, text, float(number), remedy=remedy))
    return said


def guarantee(answer: Watching) -> str:
    """What STOP means, in words."""
    run = answer.walked.watched
    return (
        "As long as no checkpoint's gold has been below an earlier one's, the chance that STOP is ever said is at most "
        f"{100 * (1 - answer.level):.0f} %, however often one looks and however the labels were spent. Gold is that of "
        "the first response, on average over all prompts like those of the run. It is a bet: a fortune of 1 "
        f"is staked on each pair of labels, and would have to grow to {exp(run.fortune_needed):.3g}; it stands at "
        f"{exp(run.wealth):.3g}. That STOP is not said does not prove that gold has not fallen, and the checkpoint to "
        "keep is an estimate without an error rate."
    )


def _stop(answer: Watching) -> Finding:
    run = answer.walked.watched
    here, best = answer.table.name(run.stopped), answer.table.name(run.best)
    drop, error = run.drop
    size = f"by {drop:.3g}" + (f" ± {error:.2g} (standard error)" if np.isfinite(error) else "")
    text = (
        f"STOP: gold has fallen, at {here} {size} from {best}, in {run.here[0]} prompts labelled at both; the chance "
        f"of a false STOP in the whole run is at most {100 * (1 - answer.level):.0f} %."
    )
    remedy = f"Go back to the checkpoint of step {answer.keep:g}." if answer.keep is not None else f"Go back to {best}."
    return Finding("gold-has-fallen", Severity.SEVERE, text, exp(run.wealth), exp(run.fortune_needed), remedy)


def _label(answer: Watching) -> Finding:
    number = 2 * len(answer.walked.open)
    text = f"{number:,} responses wait for a gold label before the watch can go on."
    if answer.stopped:
        text = f"{number:,} responses wait for a gold label that would tell better which checkpoint to keep."
    remedy = (
        f"Fill the column gold of {answer.ask}, give it as --gold (or add its lines to your file of labels), and type "
        "the same command again."
        if answer.ask
        else "Name a file with --state, so that ask.jsonl lists them."
    )
    return Finding("labels-wanted", Severity.WARNING, text, float(number), remedy=remedy)


def _nothing(answer: Watching) -> Finding:
    text = "No gold label says whether the proxy still tracks the truth."
    if len(answer.table.steps) < 2:
        text = "There is one checkpoint: nothing can have fallen yet."
        return Finding("one-checkpoint", Severity.INFO, text, 1.0, 2.0, "Look again after the next.")
    return Finding("no-gold", Severity.WARNING, text, 0.0, remedy="Allow --labels, and give gold or fill ask.jsonl.")
