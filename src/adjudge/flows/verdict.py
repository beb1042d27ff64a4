"""The answer in one sentence, for a person who decides."""

from __future__ import annotations

import numpy as np

from ..core.finding import severe
from ..reports import numbers
from .derived import Derived

MOST_NAMED = 4


def verdict(answer: Derived) -> str:
    """Who is best, by how much, or why nobody can say; the first words carry the news."""
    names, value = answer.estimate.names, answer.estimate.value
    order = [p for p in answer.order if np.isfinite(value[p])]
    if not order:
        return "No policy can be valued from this table; the findings say what is missing."
    if len(order) == 1:
        return _single(answer, order[0])
    if np.isfinite(answer.ranks[order, 0]).sum() < 2:
        return "No policy can be told from another: there are too few independent prompts to judge an error from."
    first = order[0]
    rivals = [p for p in order[1:] if answer.ranks[p, 0] <= 1]
    caution = _caution(answer, first)
    if not rivals and answer.ranks[first, 1] <= 1:
        lead = _lead(answer, first, order[1])
        if not answer.verified.any():
            return f"By the judge alone, {names[first]} is {lead}. No gold label says whether the judge is right."
        sure = numbers.percent(answer.p_best[first])
        return f"{names[first]} is best: {lead}, and {sure} sure to be the best of {len(names)}.{caution}"
    tied = [first, *rivals] if rivals else [p for p in order if answer.ranks[p, 0] <= 1]
    beaten = [p for p in order if answer.ranks[p, 0] > 1]
    sentence = (
        f"No winner yet: {_list([names[p] for p in tied])} cannot be told apart at {numbers.coverage(answer.level)}"
    )
    if beaten:
        sentence += f"; {_list([names[p] for p in beaten])} {'is' if len(beaten) == 1 else 'are'} behind"
    return sentence + "." + caution


def _lead(answer: Derived, first: int, second: int) -> str:
    lead = answer.estimate.difference(answer.estimate.names[first], answer.estimate.names[second])
    low, high = lead.interval(answer.level)[0]
    return f"ahead of {answer.estimate.names[second]} by {lead.value[0]:.3g} ({low:.3g} to {high:.3g})"


def _single(answer: Derived, p: int) -> str:
    """The value of the only policy that has one."""
    name, value, (low, high) = answer.estimate.names[p], answer.estimate.value[p], answer.interval[p]
    sentence = f"{name} is worth {value:.3g}"
    if np.isfinite(high - low):
        sentence += f", {numbers.coverage(answer.level)} interval {low:.3g} to {high:.3g}."
    else:
        sentence += "; the table does not tell how far that may be off."
    if len(answer.estimate.names) > 1:
        sentence += " No other policy can be valued."
    return (
        sentence + _caution(answer, p)
        if answer.verified[p]
        else f"By the judge alone, {sentence} No gold label checks it."
    )


def _caution(answer: Derived, first: int) -> str:
    if not answer.verified[first]:
        return f" But no label backs {answer.estimate.names[first]}: treat this as a lead, not a result."
    count = len(severe(answer.findings))
    return f" {count} severe finding{'s' if count > 1 else ''}: read before acting." if count else ""


def _list(names: list[str]) -> str:
    shown = names[:MOST_NAMED] + ([f"{len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
