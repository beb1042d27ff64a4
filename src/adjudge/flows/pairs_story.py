"""Tells pairs: how many, how sure, whether what is said of them comes true, and what to do with the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..reports.story import Block, Curve, Dots, Findings, Line, Prose, Story, Table
from ..tables.words import counted
from .made import provenance
from .pairs_checks import honest

if TYPE_CHECKING:
    from .pairs_answer import Pairs

POINTS = 60  # of the drawn curve
BINS = 8


def story(answer: Pairs) -> Story:
    """The report of pairs."""
    made = answer.made
    blocks: list[Block] = [_figures(answer)]
    if answer.labels is not None and made.chosen.size > 1:
        blocks.append(_curve(answer))
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [Prose("What to do next", (_next(answer),)), provenance(answer.run)]
    prompts = np.unique(answer.source.item).size
    return Story(
        title="Which of the policy's responses are better, and how sure is that?",
        verdict=_verdict(answer),
        blocks=tuple(blocks),
        facts=(
            f"{counted(len(answer.source.response), 'sample')} of {counted(prompts, 'prompt')}",
            counted(made.chosen.size, "pair"),
            f"{int(np.isfinite(answer.source.gold).sum()):,} trusted labels",
        ),
    )


def _verdict(answer: Pairs) -> str:
    m = answer.made.chosen.size
    if not m:
        return "No pair could be made; the findings say why."
    if answer.labels is None:
        return f"{counted(m, 'pair')}, labelled by the judge alone: nobody knows how often it is right."
    weight = answer.made.weight
    right = float(np.average(answer.chance, weights=weight if weight.any() else None))
    return (
        f"{counted(m, 'pair')}; the chosen response is better in gold with a chance of {100 * right:.0f} % on average."
    )


def _figures(answer: Pairs) -> Table:
    made, rows = answer.made, []
    for name, values in (("Preference", made.preference), ("Flip rate", answer.flip), ("Margin", made.margin),
                         ("Weight", made.weight), ("Error of the preference", answer.error)):  # fmt: skip
        known = values[np.isfinite(values)]
        if known.size:
            low, middle, high = np.quantile(known, [0.1, 0.5, 0.9])
            rows.append((name, float(known.mean()), float(low), float(middle), float(high)))
    if answer.labels is not None:
        said, true, error = honest(answer.labels)
        rows.append(("Labelled pairs, held out: chance said", said, np.nan, np.nan, np.nan))
        rows.append((f"Labelled pairs: came true (± {error:.2g})", true, np.nan, np.nan, np.nan))
    columns = ("Of the pairs", "Mean", "Lowest tenth", "Median", "Highest tenth")
    return Table("The pairs", columns, tuple(rows), caption="Margin in the unit of gold where scores were calibrated.")


def _curve(answer: Pairs) -> Curve:
    """Chance against margin, with the pairs in bins of equal size."""
    order = np.argsort(answer.made.margin, kind="stable")
    margin, chance = answer.made.margin[order], answer.chance[order]
    at = np.unique(np.linspace(0, margin.size - 1, POINTS).round().astype(int))
    bins = [each for each in np.array_split(np.arange(margin.size), BINS) if each.size]
    x, y, n = (np.array(values, dtype=float) for values in (
        [margin[each].mean() for each in bins], [chance[each].mean() for each in bins], [each.size for each in bins]
    ))  # fmt: skip
    dots = Dots(x, y, n, name="pairs in bins")
    return Curve(
        "How sure a margin is",
        (Line(margin[at], chance[at]),),
        dots,
        x_name="margin between the two",
        y_name="chance that the chosen one is better",
        caption="Dots: eighths of the pairs.",
        target=0.5,
        target_name="a coin",
    )


def _next(answer: Pairs) -> str:
    if answer.labels is None:
        return "Label two responses of a few dozen prompts, and make the pairs again with --gold."
    if answer.flip.any():
        return "`pairs.jsonl` has hard preferences with their flip rates: train with an objective that is told `flip`."
    return "`pairs.jsonl` has soft preferences: every objective of `adjudge methods objectives` takes them as they are."
