"""What the plan of a comparison can find at all: the chance of telling leads of several sizes apart, and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..reports.story import Table
from ..stats.sequential.planning import runs_power, trials_for
from ..stats.sequential.runs import Study

if TYPE_CHECKING:
    from .comparison import Comparison

LEADS = (0.5, 1.0, 1.5, 2.0)
GAPS = (0.1, 0.2, 0.3, 0.4)
STUDIES = 400
SURE = 0.8


def plan_table(answer: Comparison) -> Table | None:
    """The plan's chances; None where nothing is compared."""
    if not answer.pairs:
        return None
    return _runs(answer.found) if isinstance(answer.found, Study) else _trials(answer)


def _runs(found: Study) -> Table:
    design = found.state.design
    rows = []
    for lead in LEADS:
        power, runs = runs_power(lead, design, replicates=STUDIES)
        rows.append((f"{lead:g} standard deviations", f"{100 * power:.0f} %", round(runs, 1)))
    return Table(
        "What this plan can find",
        ("Lead", "Found", "Runs of each, on average"),
        tuple(rows),
        f"Two agents with normal scores, {STUDIES} simulated studies of {design.interims} looks at {design.runs} runs; "
        "more agents, or heavier tails, need more.",
    )


def _trials(answer: Comparison) -> Table:
    rate = float(np.clip(np.nanmax(answer.estimate.value), 0.5, 0.95))
    rows: list[tuple[str | float | int, ...]] = []
    for gap in GAPS:
        need = trials_for(rate, rate - gap, level=answer.level, power=SURE, comparisons=len(answer.pairs))
        if need is not None:
            few = round(need.expected, 1) if need.exact else "–"
            rows.append((f"{100 * rate:.0f} % against {100 * (rate - gap):.0f} %", need.trials, few))
    return Table(
        "What a plan needs",
        ("Success rates", f"Trials of each for {100 * SURE:.0f} % power", "Used on average"),
        tuple(rows),
        f"Trials to plan for the strictest of {len(answer.pairs)} pairs (Bonferroni); stopping early saves the rest.",
    )
