"""Tells a comparison of few runs as a story: means, verdicts, the path to them, runs used and needed next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..reports.pairs import Matrix
from ..reports.story import Block, Curve, Findings, Forest, ForestRow, Line, Prose, Story, Table
from ..stats.sequential.runs import Study
from .compare_plan import plan_table
from .compare_verdict import verdict
from .made import provenance

if TYPE_CHECKING:
    from .comparison import Comparison

MOST_LINES = 6
SIGN = {1.0: ">", -1.0: "<", 0.0: "="}
WORDS = {1.0: "better", -1.0: "worse", 0.0: "not told apart"}


def story(answer: Comparison) -> Story:
    """The report of a comparison."""
    runs, word = answer.runs, answer.word
    environments = list(dict.fromkeys(where for _, _, where in answer.pairs))
    blocks: list[Block] = [_forest(answer)]
    blocks += [_matrix(answer, where, len(environments) > 1) for where in environments]
    blocks += [block for block in (_path(answer), _needs(answer), _pairs(answer), plan_table(answer)) if block]
    if answer.findings:
        blocks.append(Findings(answer.findings))
    blocks += [Prose("Why this method", (answer.reason,)), provenance(answer.run)]
    k = len(runs.agents)
    facts = [
        f"{k:,} agents",
        f"{int(runs.counts.sum()):,} {word}s",
        f"{int(answer.used.sum()):,} of them needed so far",
    ]
    if len(runs.environments) > 1:
        facts.append(f"{len(runs.environments):,} environments")
    return Story(
        title=f"Which of {k:,} agents is better?" if k > 1 else "One agent, and nothing to compare it with",
        verdict=verdict(answer),
        blocks=tuple(blocks),
        facts=tuple(facts),
    )


def grid(answer: Comparison) -> str:
    """The verdicts as a square of signs, row against column, for each environment, with the letters."""
    names = [answer.estimate.names[p] for p in answer.order]
    width = max((len(name) for name in names), default=0)
    lines = []
    for where in dict.fromkeys(place for _, _, place in answer.pairs):
        table = {(a, b): d for (a, b, place), d in zip(answer.pairs, answer.decision, strict=True) if place == where}
        table |= {(b, a): -d for (a, b), d in table.items()}
        groups = dict(zip(answer.estimate.names, answer.letters(where), strict=True))
        lines.append((f"{where}: " if len(answer.runs.environments) > 1 else "") + "row against column")
        for row in names:
            cells = " ".join("." if row == other else SIGN.get(table.get((row, other), np.nan), "?") for other in names)
            lines.append(f"  {row:<{width}}  {cells}  {groups[row]}")
    lines.append("> better, < worse, = not told apart, ? open; who shares a letter is not told apart")
    return "\n".join(lines)


def _forest(answer: Comparison) -> Forest:
    e, runs, single = answer.estimate, answer.runs, len(answer.runs.environments) == 1 or answer.word == "trial"
    letters = answer.letters("all" if answer.word == "trial" else runs.environments[0]) if single else ()
    stderr = e.stderr
    alike = "" if single else "Means over environments, each alike and in its own unit: a large unit rules them. "
    return Forest(
        tuple(
            ForestRow(
                policy=name,
                value=float(e.value[p]),
                stderr=float(stderr[p]),
                low=float(answer.interval[p, 0]),
                high=float(answer.interval[p, 1]),
                n_rows=int(runs.counts[:, p].sum()),
                method=e.method,
                note=f"letters {letters[p]}; {answer.used[p]} {answer.word}s used"
                if single
                else f"{answer.used[p]} {answer.word}s used",
            )
            for p, name in enumerate(e.names)
        ),
        title="What each agent scores",
        unit="success rate" if answer.word == "trial" else "mean score",
        caption=f"{alike}Intervals of one agent each, as if the number of runs had been fixed; the verdicts below are "
        "not read off them.",
        bounds=e.bounds,
        level=answer.level,
        subject="Agent",
        count_name=f"{answer.word.capitalize()}s",
    )


def _matrix(answer: Comparison, environment: str, several: bool) -> Matrix:
    """Differences of the pairs in the order of the ranking, coloured by the verdicts."""
    agents, k = answer.runs.agents, len(answer.runs.agents)
    at = answer.runs.environments.index(environment) if environment in answer.runs.environments else 0
    mean = answer.estimate.value
    if several:
        cells = answer.runs.values[at * k : (at + 1) * k]
        mean = np.array([one.mean() if one.size else np.nan for one in cells])
    p = np.full((k, k), np.nan)
    for (left, right, where), decision, pvalue in zip(answer.pairs, answer.decision, answer.pvalue, strict=True):
        if where == environment:
            a, b = agents.index(left), agents.index(right)
            p[a, b] = p[b, a] = pvalue if abs(decision) == 1 else max(pvalue, np.nextafter(1 - answer.level, 2))
    order, empty = answer.order, np.full((k, k), np.nan)
    gap = mean[:, None] - mean[None, :]
    return Matrix(
        tuple(agents[i] for i in order),
        gap[np.ix_(order, order)],
        empty,
        empty,
        p[np.ix_(order, order)],
        level=answer.level,
        title="Who is better" + (f" in {environment}" if several else ""),
        caption="Row − column; a pair is coloured when it was decided, all pairs and looks under one error.",
    )


def _path(answer: Comparison) -> Curve | None:
    """How it was decided: the largest open difference against its bound, or success rates as the trials came."""
    found = answer.found
    if isinstance(found, Study):
        k = np.arange(1.0, found.state.interim + 1)
        bound = np.array(found.state.bound)
        if k.size < 2 or not np.isfinite(bound).all():
            return None
        lines = (
            Line(k, np.array(found.state.largest) / k, name="largest"),
            Line(k, bound / k, name="bound"),
        )
        caption = "After each look: the largest difference still open, and the bound it had to exceed to be decided."
        return Curve("The path to the verdicts", lines, x_name="look", y_name="standard deviations", caption=caption,
                     zero=True)  # fmt: skip
    rates = tuple(
        Line(np.arange(1.0, one.size + 1), np.cumsum(one) / np.arange(1, one.size + 1), name=answer.runs.agents[p])
        for p, one in ((p, found.series[p]) for p in answer.order[:MOST_LINES])
        if one.size > 1
    )
    caption = "Success rate over the trials so far."
    return Curve("The path to the verdicts", rates, x_name="trial", y_name="success rate", caption=caption, zero=True)


def _needs(answer: Comparison) -> Table:
    """Runs made, used and needed next."""
    more: dict[str, int] = {}
    for agent, _, count in answer.wanted:
        more[agent] = more.get(agent, 0) + count
    made = answer.runs.counts.sum(axis=0)
    rows = tuple(
        (answer.runs.agents[p], int(made[p]), int(answer.used[p]), more.get(answer.runs.agents[p], 0))
        for p in answer.order
    )
    upto = " (at most)" if answer.word == "trial" else " before the next look"
    return Table(
        f"{answer.word.capitalize()}s made and needed", ("Agent", "Made", "Used in decisions", f"More{upto}"), rows
    )


def _pairs(answer: Comparison) -> Table:
    """Each comparison with its verdict."""
    step = "Look" if answer.word == "run" else "Trial"
    several = len(answer.runs.environments) > 1 and answer.word == "run"
    surer = answer.estimate.figures["superiority"].value if step == "Trial" else None
    rows = tuple(
        (
            left,
            WORDS.get(float(decision), "open"),
            right,
            *((where,) if several else ()),
            int(when),
            float(pvalue),
            *(() if surer is None else (f"{100 * surer[j]:.1f} %",)),
        )
        for j, ((left, right, where), decision, when, pvalue) in enumerate(
            zip(answer.pairs, answer.decision, answer.when, answer.pvalue, strict=True)
        )
    )
    heads = ("Agent", "is", "than / from", *(("Environment",) if several else ()), step, "p (family-wise)")
    note = "The first is better or worse than the second, or not told apart from it."
    if surer is None:
        return Table("Every pair", heads, rows, note)
    note += " The chance is the posterior one (Jeffreys) of this pair by itself; it decides nothing."
    return Table("Every pair", (*heads, "Chance of a higher rate"), rows, note)
